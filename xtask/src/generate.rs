//! `cargo xtask gen`: the documents that are made from the code.
//!
//! Their makers are tests, which compare; asked by a variable of the environment they write.

use crate::command;

/// Writes `docs/operations.md`.
///
/// # Errors
/// When the workspace does not build, or a served operation is not one of AWS's.
pub(crate) fn run() -> Result<(), String> {
    let arguments = ["test", "--package", "test-api", "--test", "api", "the_document_of_operations_is_fresh"];
    command::run(command::program("cargo", &arguments).env("HEADWATER_WRITE_DOCS", "1"))
}
