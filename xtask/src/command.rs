//! Running other programs, and saying clearly what failed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A program with its arguments, to be run in the root.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    // What `cargo run` tells this process about its own package. Build scripts of some crates look at the same names, and
    // would run again with each change between `cargo build` and `cargo xtask`.
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(variable.as_os_str());
        }
    }
    command
}

/// Runs a program to its end, its output on ours.
///
/// # Errors
/// A sentence that names the program, when it cannot be started or fails.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let line = line(command);
    println!("── {line}");
    let status = command.status().map_err(|error| format!("cannot run `{line}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})")) }
}

/// What a program prints.
///
/// # Errors
/// A sentence that names the program, when it cannot be started or fails.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let line = line(command);
    let output = command.output().map_err(|error| format!("cannot run `{line}`: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{line}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Builds the binary with a cargo profile and says where it is: cargo knows best, whatever the target directory.
///
/// # Errors
/// When it does not build.
pub(crate) fn binary(profile: &str) -> Result<PathBuf, String> {
    let mut cargo = program(
        "cargo",
        &["build", "--package", "server", "--profile", profile, "--message-format=json-render-diagnostics"],
    );
    println!("── {}", line(&cargo));
    // The messages are read from its standard output; progress and errors go to the terminal.
    let built =
        cargo.stderr(Stdio::inherit()).output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !built.status.success() {
        return Err("the binary does not build".to_owned());
    }
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|message| serde_json::from_str::<Value>(message).ok())
        .filter(|message| message["target"]["name"] == "headwater")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| "cargo does not say where the binary is".to_owned())
}

/// Where cargo builds.
///
/// # Errors
/// When cargo does not say.
pub(crate) fn target_directory() -> Result<PathBuf, String> {
    let metadata = output(&mut program("cargo", &["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| error.to_string())?;
    Ok(PathBuf::from(metadata["target_directory"].as_str().unwrap_or("target")))
}

/// Whether this is the unattended run, in which nothing may be skipped.
pub(crate) fn ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    words.join(" ")
}
