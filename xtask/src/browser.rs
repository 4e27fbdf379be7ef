//! The tests that drive the console in Chromium. A browser is used where it is found; only the unattended run installs one.

use std::path::{Path, PathBuf};

use crate::{command, ui};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const SKIPPED: &str = "\
SKIPPED: the console's browser tests, because no Chromium or Chrome was found.
To have them: apt-get install chromium, or name one with CHROMIUM=/path/to/it, and run this again.";

/// Runs them against a binary, or says why not.
///
/// # Errors
/// When one fails, or the unattended run cannot have a browser.
pub(crate) fn test(binary: &Path) -> Result<(), String> {
    let chromium = match find() {
        Some(chromium) => chromium,
        None if command::ci() => {
            install()?;
            find().ok_or("chromium was installed and is not found")?
        }
        None => {
            println!("{SKIPPED}");
            return Ok(());
        }
    };
    let folder = command::root().join("tests/browser");
    ui::install(&folder)?;
    command::run(
        command::program("npm", &["test"])
            .current_dir(folder)
            .env("HEADWATER_BINARY", binary)
            .env("CHROMIUM", chromium),
    )
}

/// The one named by `CHROMIUM`, or the first on the path.
fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM").filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}

fn install() -> Result<(), String> {
    println!("no Chromium was found: installing it, because CI=true");
    for arguments in [&["update", "-q"][..], &["install", "-qy", "--no-install-recommends", "chromium"]] {
        command::run(command::program("apt-get", arguments).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(())
}
