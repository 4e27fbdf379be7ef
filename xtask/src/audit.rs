//! `cargo xtask audit`: what comes into the binary, held to `deny.toml`: licences, banned and doubled crates, sources, known holes.
//!
//! cargo-deny does it. Where it is not installed this says so; the unattended run installs it, beside the build and once.
//! Known holes are looked up in RustSec's database, which a machine without that much network cannot have: then this says so too.

use std::path::{Path, PathBuf};

use crate::command;

/// What is installed; a newer one in the path does as well.
const TOOL: &str = "cargo-deny@0.20.2";

/// What cargo-deny says when there is no network to the database.
const UNREACHABLE: &str = "failed to fetch advisory database";

/// Checks the dependencies.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn run() -> Result<(), String> {
    let Some(deny) = tool()? else {
        println!(
            "cargo-deny is not installed, so dependencies were not checked: cargo install --locked {TOOL}"
        );
        return Ok(());
    };
    let deny = deny.display().to_string();
    command::run(&mut command::program(&deny, &["--workspace", "check", "licenses", "bans", "sources"]))?;
    match command::output(&mut command::program(&deny, &["--workspace", "check", "advisories"])) {
        Ok(_) => println!("advisories ok"),
        Err(error) if error.contains(UNREACHABLE) => {
            println!("RustSec's database cannot be reached from here: known holes were not looked up");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// cargo-deny in the path, or where the unattended run installs it.
fn tool() -> Result<Option<PathBuf>, String> {
    let works = |path: &Path| {
        command::output(&mut command::program(&path.display().to_string(), &["--version"])).is_ok()
    };
    let ours = command::target_directory()?.join("tools");
    let known = [PathBuf::from("cargo-deny"), ours.join("bin/cargo-deny")];
    if let Some(found) = known.iter().find(|path| works(path)) {
        return Ok(Some(found.clone()));
    }
    if !command::ci() {
        return Ok(None);
    }
    // Unoptimised: it runs for seconds, and is built once.
    let root = ours.display().to_string();
    command::run(&mut command::program("cargo", &["install", "--locked", "--debug", "--root", &root, TOOL]))?;
    Ok(known.into_iter().next_back())
}
