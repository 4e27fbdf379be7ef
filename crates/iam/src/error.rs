//! STS has no error of its own here yet: what can go wrong is found before a handler runs.

use kernel::{ErrorKind, ServiceError};

/// Errors of STS.
#[derive(Debug, thiserror::Error)]
pub enum Error {}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match *self {}
    }

    fn code(&self) -> &str {
        match *self {}
    }
}
