//! `cargo xtask test`: everything that must hold before a change lands, cheapest first.

use crate::{command, tidy};

/// Runs all of it and stops at the first failure.
pub(crate) fn run() -> Result<(), String> {
    command::run("cargo", &["fmt", "--all", "--check"])?;
    tidy::run()?;
    let nextest = command::output("cargo", &["nextest", "--version"]).is_ok();
    if nextest {
        command::run("cargo", &["nextest", "run", "--workspace"])?;
    } else {
        println!(
            "cargo-nextest is not installed; using `cargo test` (slower): cargo install --locked cargo-nextest"
        );
        command::run("cargo", &["test", "--workspace"])?;
    }
    command::run("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}
