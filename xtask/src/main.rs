//! Project tasks: `cargo xtask <task>`. Small, and with one dependency, so that it builds in seconds.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks on its standard streams"
)]

mod audit;
mod browser;
mod command;
mod demo;
mod fuzz;
mod generate;
mod python;
mod sbom;
mod stamp;
mod test;
mod tidy;
mod ui;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <task>

  demo    build everything and run the whole pipeline with simulated devices; --release builds it faster to run,
          and what follows -- goes to `headwater demo`: cargo xtask demo -- --devices 20
  test    install what the tests need and run everything: formatting, tidy, console, unit and area tests, lints, docs,
          other people's clients, a browser; or the steps named: cargo xtask test tidy browser
  ui      build the web console, if its sources changed; the binary embeds it
  gen     write docs/operations.md anew, from the tables of operations and docs/aws-operations.txt
  tidy    check what the compiler does not: headers, the dependency table, the code map, the life of a message
  fuzz    feed the decoders with broken input, guided by coverage: cargo xtask fuzz --minutes 60 mqtt_packet;
          without a name every target, five minutes each
  audit   hold the dependencies to deny.toml: licences, banned crates, sources, known holes
  sbom    write what the binary is made of, as CycloneDX
  help    this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo", arguments @ ..] => demo::run(arguments),
        ["test", names @ ..] => test::run(names),
        ["ui"] => ui::build(),
        ["gen"] => generate::run(),
        ["tidy"] => tidy::run(),
        ["fuzz", arguments @ ..] => fuzz::run(arguments),
        ["audit"] => audit::run(),
        ["sbom"] => sbom::run(),
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
