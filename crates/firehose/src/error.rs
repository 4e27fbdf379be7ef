//! The service's errors, named after the exceptions of its API model.
//!
//! <https://docs.aws.amazon.com/firehose/latest/APIReference/CommonErrors.html>

use kernel::{ErrorKind, ServiceError};
use store::{LogError, TableError};

/// An error of Amazon Data Firehose.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request violates the model; every violation is named.
    #[error("{0}")]
    Validation(String),
    /// The request is well formed and wrong; the first thing wrong is named.
    #[error("{0}")]
    InvalidArgument(String),
    /// A role's ARN is none.
    #[error("Invalid role ARN.")]
    InvalidRole,
    /// The caller may not pass the role.
    #[error("{0}")]
    AccessDenied(String),
    /// The name is taken.
    #[error("Firehose {name} under accountId {account} already exists")]
    InUse {
        /// The stream's name.
        name: String,
        /// The account.
        account: String,
    },
    /// There is no such stream.
    #[error("Firehose {name} under account {account} not found.")]
    NotFound {
        /// The stream's name.
        name: String,
        /// The account.
        account: String,
    },
    /// There is no such stream to update.
    #[error("Firehose {name} under accountId {account} not found")]
    UpdateNotFound {
        /// The stream's name.
        name: String,
        /// The account.
        account: String,
    },
    /// A quota is used up.
    #[error("{0}")]
    LimitExceeded(String),
    /// The stream was updated since the caller looked.
    #[error(
        "Cannot update firehose: {name} since the current version id: {current} and specified version id: \
         {specified} do not match"
    )]
    ConcurrentModification {
        /// The stream's name.
        name: String,
        /// Its version.
        current: u64,
        /// The caller's.
        specified: String,
    },
    /// The intake is full.
    #[error("Slow down.")]
    ServiceUnavailable,
    /// A bug or a broken disk.
    #[error("The request failed because of an internal error.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn invalid(sentence: impl Into<String>) -> Self {
        Self::InvalidArgument(sentence.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Validation(_) | Self::InvalidArgument(_) | Self::InvalidRole => ErrorKind::Invalid,
            Self::AccessDenied(_) => ErrorKind::Denied,
            Self::InUse { .. } | Self::ConcurrentModification { .. } => ErrorKind::Conflict,
            Self::NotFound { .. } | Self::UpdateNotFound { .. } => ErrorKind::NotFound,
            Self::LimitExceeded(_) => ErrorKind::Throttled,
            Self::ServiceUnavailable => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Validation(_) => "ValidationException",
            Self::InvalidArgument(_) => "InvalidArgumentException",
            Self::InvalidRole => "InvalidParameterValueException",
            Self::AccessDenied(_) => "AccessDeniedException",
            Self::InUse { .. } => "ResourceInUseException",
            Self::NotFound { .. } | Self::UpdateNotFound { .. } => "ResourceNotFoundException",
            Self::LimitExceeded(_) => "LimitExceededException",
            Self::ConcurrentModification { .. } => "ConcurrentModificationException",
            Self::ServiceUnavailable => "ServiceUnavailableException",
            Self::Internal(_) => "InternalFailure",
        }
    }

    fn http_status(&self) -> u16 {
        match self {
            Self::ServiceUnavailable => 503,
            Self::Internal(_) => 500,
            _ => 400,
        }
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        if error.is_transient() { Self::ServiceUnavailable } else { Self::Internal(Box::new(error)) }
    }
}

impl From<LogError> for Error {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Full => Self::ServiceUnavailable,
            LogError::TooLarge { .. } => Self::invalid("Records size exceeds 4 MB limit"),
            error => Self::Internal(Box::new(error)),
        }
    }
}
