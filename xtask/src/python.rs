//! The project's own Python, in `.venv`, with exactly the packages of `tests/conformance/requirements.txt`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command;
use crate::stamp::Stamp;

/// The oldest Python the clients' packages still support.
const VERSION_CHECK: &str = "import sys; sys.exit(sys.version_info < (3, 10))";

const NAMES: [&str; 6] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// A Python that is new enough.
///
/// # Errors
/// A sentence that says what to install.
pub(crate) fn interpreter() -> Result<&'static str, String> {
    let works = |name: &&str| command::output(&mut command::program(name, &["-c", VERSION_CHECK])).is_ok();
    NAMES.into_iter().find(works).ok_or_else(|| {
        "the tests with other people's clients need Python 3.10 or newer, as `python3`: see https://www.python.org/downloads/"
            .to_owned()
    })
}

/// The Python of the virtual environment, which is made anew when what belongs in it has changed.
///
/// # Errors
/// When it cannot be made, or a package cannot be had.
pub(crate) fn environment() -> Result<PathBuf, String> {
    let root = command::root();
    let folder = root.join(".venv");
    let python = folder.join("bin/python");
    let requirements = root.join("tests/conformance/requirements.txt");
    let stamp = Stamp::new(folder.join(".stamp"), std::slice::from_ref(&requirements));
    if stamp.is_current() && runs(&python) {
        return Ok(python);
    }
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("cannot remove {}: {error}", folder.display()));
        }
        _ => {}
    }
    command::run(&mut command::program(interpreter()?, &["-m", "venv", ".venv"])).map_err(|error| {
        format!("{error}; on Debian and Ubuntu, Python's venv is a package: apt-get install python3-venv")
    })?;
    let install =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"];
    command::run(
        command::program(&python.display().to_string(), &install)
            .arg(requirements.strip_prefix(&root).unwrap_or(&requirements)),
    )?;
    stamp.write()?;
    Ok(python)
}

/// Not so when the interpreter it was made from has gone.
fn runs(python: &Path) -> bool {
    command::output(&mut command::program(&python.display().to_string(), &["-c", VERSION_CHECK])).is_ok()
}
