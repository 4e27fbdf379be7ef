//! The exceptions of the Resource Groups Tagging API's model.

use kernel::{ErrorKind, ServiceError};
use ports::PortError;

/// What an operation can answer instead of its output.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `InvalidParameterException`: the request is wrong.
    #[error("{0}")]
    InvalidParameter(String),
    /// `InternalServiceException`: a service could not tell its tags.
    #[error("The request processing failed because of an unknown error, exception, or failure.")]
    Internal(#[source] PortError),
}

impl Error {
    pub(crate) fn invalid(sentence: impl Into<String>) -> Self {
        Self::InvalidParameter(sentence.into())
    }
}

impl From<PortError> for Error {
    fn from(error: PortError) -> Self {
        Self::Internal(error)
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidParameter(_) => ErrorKind::Invalid,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::InvalidParameter(_) => "InvalidParameterException",
            Self::Internal(_) => "InternalServiceException",
        }
    }
}
