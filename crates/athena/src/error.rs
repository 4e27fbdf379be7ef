//! The exceptions of Athena's API model.

use kernel::{ErrorKind, ServiceError};
use ports::PortError;
use store::TableError;

/// What an operation of Athena can answer instead of its output.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `InvalidRequestException`: the request is wrong, or names what is not there.
    #[error("{0}")]
    InvalidRequest(String),
    /// `TooManyRequestsException`: a quota is used up.
    #[error("{0}")]
    TooManyRequests(&'static str),
    /// `ResourceNotFoundException`: the ARN names nothing that has tags.
    #[error("{0}")]
    ResourceNotFound(String),
    /// `MetadataException`: what the catalog says.
    #[error("{0}")]
    Metadata(String),
    /// `InternalServerException`, transient: the node cannot at the moment.
    #[error("The service is temporarily unavailable. Please try again.")]
    Unavailable(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// `InternalServerException`: a bug or a broken disk.
    #[error("An internal service error occurred.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// `InvalidRequestException` with this sentence.
    pub(crate) fn invalid(sentence: impl Into<String>) -> Self {
        Self::InvalidRequest(sentence.into())
    }

    /// What the catalog said to a request about its metadata.
    pub(crate) fn of_catalog(error: PortError) -> Self {
        match error.kind {
            ErrorKind::Internal => Self::Internal(error.into()),
            ErrorKind::Throttled | ErrorKind::Unavailable => Self::Unavailable(Some(error.into())),
            _ => Self::Metadata(error.message),
        }
    }

    /// What the objects said, when it is not the client's fault.
    pub(crate) fn of_objects(error: PortError) -> Self {
        match error.kind {
            ErrorKind::Internal => Self::Internal(error.into()),
            ErrorKind::Throttled | ErrorKind::Unavailable => Self::Unavailable(Some(error.into())),
            _ => Self::InvalidRequest(error.message),
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidRequest(_) | Self::Metadata(_) => ErrorKind::Invalid,
            Self::TooManyRequests(_) => ErrorKind::Throttled,
            Self::ResourceNotFound(_) => ErrorKind::NotFound,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::InvalidRequest(_) => "InvalidRequestException",
            Self::TooManyRequests(_) => "TooManyRequestsException",
            Self::ResourceNotFound(_) => "ResourceNotFoundException",
            Self::Metadata(_) => "MetadataException",
            Self::Unavailable(_) | Self::Internal(_) => "InternalServerException",
        }
    }

    /// The model names 400 for every exception but the server's own.
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
            TableError::Conflict => Self::Unavailable(None),
            error if error.is_transient() => Self::Unavailable(Some(error.into())),
            error => Self::Internal(error.into()),
        }
    }
}
