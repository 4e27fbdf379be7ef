//! The exceptions of Access Analyzer's API model.

use kernel::{ErrorKind, ServiceError};
use ports::PortError;
use store::TableError;

/// What an operation can answer instead of its output.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `ValidationException`: the request is wrong, or there is no such generation.
    #[error("{0}")]
    Validation(String),
    /// `ConflictException`: the client's token was given with another principal.
    #[error("{0}")]
    Conflict(String),
    /// `InternalServerException`: the store or the record of access cannot.
    #[error("An internal error has occurred.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn invalid(sentence: impl Into<String>) -> Self {
        Self::Validation(sentence.into())
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<PortError> for Error {
    fn from(error: PortError) -> Self {
        Self::Internal(error.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Validation(_) => ErrorKind::Invalid,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Validation(_) => "ValidationException",
            Self::Conflict(_) => "ConflictException",
            Self::Internal(_) => "InternalServerException",
        }
    }
}
