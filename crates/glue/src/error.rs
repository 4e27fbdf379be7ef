//! The exceptions of Glue's API model.

use kernel::{ErrorKind, ServiceError};
use store::TableError;

/// What an operation of Glue can answer instead of its output.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `EntityNotFoundException`.
    #[error("{0}")]
    EntityNotFound(String),
    /// `AlreadyExistsException`.
    #[error("{0}")]
    AlreadyExists(&'static str),
    /// `InvalidInputException`: the request is wrong.
    #[error("{0}")]
    InvalidInput(String),
    /// `ConcurrentModificationException`: somebody else was faster.
    #[error("{0}")]
    ConcurrentModification(&'static str),
    /// `InternalServiceException`, transient: the store cannot at the moment.
    #[error("The Data Catalog is temporarily unavailable.")]
    Unavailable(#[source] TableError),
    /// `InternalServiceException`: a bug or a broken disk.
    #[error("An internal service error occurred.")]
    Internal(#[source] TableError),
}

impl Error {
    pub(crate) fn no_database(name: &str) -> Self {
        Self::EntityNotFound(format!("Database {name} not found."))
    }

    pub(crate) fn no_table(name: &str) -> Self {
        Self::EntityNotFound(format!("Table {name} not found."))
    }

    pub(crate) fn no_partition() -> Self {
        Self::EntityNotFound("Cannot find partition.".to_owned())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::EntityNotFound(_) => ErrorKind::NotFound,
            Self::AlreadyExists(_) | Self::ConcurrentModification(_) => ErrorKind::Conflict,
            Self::InvalidInput(_) => ErrorKind::Invalid,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::EntityNotFound(_) => "EntityNotFoundException",
            Self::AlreadyExists(_) => "AlreadyExistsException",
            Self::InvalidInput(_) => "InvalidInputException",
            Self::ConcurrentModification(_) => "ConcurrentModificationException",
            Self::Unavailable(_) | Self::Internal(_) => "InternalServiceException",
        }
    }

    fn http_status(&self) -> u16 {
        match self {
            Self::Unavailable(_) | Self::Internal(_) => 500,
            _ => 400,
        }
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Conflict => {
                Self::ConcurrentModification("The entity was changed by another request.")
            }
            error if error.is_transient() => Self::Unavailable(error),
            error => Self::Internal(error),
        }
    }
}
