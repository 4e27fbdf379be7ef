//! `cargo xtask demo`: from a fresh checkout to a running pipeline and a link to the console.
//!
//! Built with the profile of the tests, so that one build serves both. What follows `--` goes to `headwater demo`.

use std::os::unix::process::CommandExt as _;

use crate::{command, ui};

/// Builds what is needed and becomes the demo.
///
/// # Errors
/// When something is missing or does not build, or the binary cannot be started.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let (ours, passed) = split(arguments);
    let profile = match ours {
        [] => "dev",
        ["--release"] => "release",
        _ => {
            return Err(format!(
                "demo takes --release, and after `--` what `headwater demo` takes: not {ours:?}"
            ));
        }
    };
    ui::node()?;
    println!("1 of 3: the console");
    ui::build()?;
    println!(
        "2 of 3: the binary (the first build takes about ten minutes on two cores; later ones, seconds)"
    );
    let binary = command::binary(profile)?;
    println!("3 of 3: the demo\n");
    // A relative name is shorter in what the demo prints for people to type.
    let root = command::root();
    let shown = binary.strip_prefix(&root).unwrap_or(&binary);
    let mut demo = command::program(&shown.display().to_string(), &["demo"]);
    // Takes this process's place, so that Ctrl+C is the demo's alone and its exit status is ours.
    let error = demo.args(passed).exec();
    Err(format!("cannot run {}: {error}", binary.display()))
}

/// Before and after the first `--`.
fn split<'a>(arguments: &'a [&'a str]) -> (&'a [&'a str], &'a [&'a str]) {
    match arguments.iter().position(|argument| *argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_two_dashes_is_passed_on() {
        assert_eq!(split(&[]), (&[][..], &[][..]));
        assert_eq!(split(&["--release"]), (&["--release"][..], &[][..]));
        assert_eq!(split(&["--", "--devices", "3", "--"]), (&[][..], &["--devices", "3", "--"][..]));
    }
}
