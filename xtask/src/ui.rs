//! `cargo xtask ui`: builds the console's files, which `crates/console` embeds.
//!
//! Cargo never runs npm, so that the binary also builds where there is no Node; this does, and only when something changed.

use std::path::Path;

use crate::command;
use crate::stamp::Stamp;

/// What the bundler and its plug-ins ask for (`engines` in `console-ui/package.json`).
const NODE_MIN: (u32, u32) = (20, 19);

/// Everything a build depends on, in `console-ui`.
const SOURCES: [&str; 8] = [
    ".npmrc",
    "index.html",
    "package.json",
    "package-lock.json",
    "public",
    "src",
    "tsconfig.json",
    "vite.config.ts",
];

/// Builds `console-ui/dist`, if its sources changed since it was built.
///
/// # Errors
/// When Node is missing or too old, or the build fails.
pub(crate) fn build() -> Result<(), String> {
    node()?;
    let folder = command::root().join("console-ui");
    let sources = SOURCES.map(|name| folder.join(name));
    let stamp = Stamp::new(folder.join("dist/.stamp"), &sources);
    if stamp.is_current() {
        println!("the console is built already");
        return Ok(());
    }
    install(&folder)?;
    npm(&folder, &["run", "build"])?;
    stamp.write()
}

/// Builds it and runs its own tests, type checks and size budgets.
///
/// # Errors
/// When one of them fails.
pub(crate) fn test() -> Result<(), String> {
    build()?;
    let folder = command::root().join("console-ui");
    install(&folder)?;
    npm(&folder, &["run", "check"])?;
    npm(&folder, &["test"])?;
    npm(&folder, &["run", "budget"])
}

/// Installs a folder's packages exactly as its lockfile says, if that changed since they were installed.
///
/// # Errors
/// When npm fails.
pub(crate) fn install(folder: &Path) -> Result<(), String> {
    let sources = ["package.json", "package-lock.json", ".npmrc"].map(|name| folder.join(name));
    let stamp = Stamp::new(folder.join("node_modules/.stamp"), &sources);
    if stamp.is_current() {
        return Ok(());
    }
    npm(folder, &["ci"])?;
    stamp.write()
}

/// Runs npm in a folder.
///
/// # Errors
/// When it fails.
pub(crate) fn npm(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    command::run(command::program("npm", arguments).current_dir(folder))
}

/// Fails unless Node and npm are there and new enough.
///
/// # Errors
/// A sentence that says what to install.
pub(crate) fn node() -> Result<(), String> {
    let advice = format!(
        "the console needs Node {}.{} or newer, with npm: see https://nodejs.org/en/download",
        NODE_MIN.0, NODE_MIN.1
    );
    let printed = command::output(&mut command::program("node", &["--version"]))
        .map_err(|_| format!("Node is not installed; {advice}"))?;
    if version(&printed).is_none_or(|found| found < NODE_MIN) {
        return Err(format!("Node {} is too old; {advice}", printed.trim()));
    }
    command::output(&mut command::program("npm", &["--version"]))
        .map_err(|_| format!("npm is not installed; {advice}"))?;
    Ok(())
}

/// Major and minor of `v20.19.1`.
fn version(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_compare_as_numbers() {
        assert_eq!(version("v20.19.1\n"), Some((20, 19)));
        assert!(version("v100.2.0") > version("v20.19.0"));
        assert!(version("v20.9.0") < Some(NODE_MIN));
        assert_eq!(version("nonsense"), None);
    }
}
