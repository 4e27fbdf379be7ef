//! Project tasks: `cargo xtask <task>`. Small, and with one dependency, so that it builds in seconds.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks on its standard streams"
)]

mod command;
mod tests;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <task>

  test    install what the tests need and run everything: formatting, tidy, unit and area tests, lints, docs
  tidy    check what the compiler does not: headers, the dependency table, the code map, links
  help    this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => tests::run(),
        ["tidy"] => tidy::run(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("there is no task {:?}\n\n{HELP}", words.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
