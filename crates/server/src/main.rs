//! `headwater`: the serverless IoT pipeline as one binary.

mod cli;
mod config;
mod demo;
mod devices;
mod env;
mod master_key;
mod operator;
mod run;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

#[expect(clippy::print_stderr, reason = "the one line that says why the program ends")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Serve(arguments) => run::block_on(serve::serve(arguments)),
        Command::Demo(arguments) => run::block_on(demo::demo(arguments)),
        Command::Devices(arguments) => run::block_on(devices::devices(arguments)),
        Command::Env(arguments) => env::print(&arguments),
        Command::Account(command) => run::block_on(operator::account(command)),
        Command::Ca(arguments) => run::block_on(operator::ca(arguments)),
        Command::Key(command) => run::block_on(operator::key(command)),
        Command::Version => env::version(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headwater: {error:#}");
            if error.is::<config::Misuse>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
