//! The errors of IAM's and STS's API models.

use kernel::{ErrorKind, ServiceError};
use store::TableError;

/// What an operation of IAM or STS can answer instead of its output.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `NoSuchEntity`.
    #[error("{0}")]
    NoSuchEntity(String),
    /// `EntityAlreadyExists`.
    #[error("{0}")]
    EntityAlreadyExists(String),
    /// `DeleteConflict`: something depends on it.
    #[error("{0}")]
    DeleteConflict(&'static str),
    /// `LimitExceeded`.
    #[error("{0}")]
    LimitExceeded(String),
    /// `MalformedPolicyDocument`.
    #[error("{0}")]
    MalformedPolicyDocument(String),
    /// `InvalidInput`.
    #[error("{0}")]
    InvalidInput(String),
    /// `ValidationError`.
    #[error("{0}")]
    Validation(String),
    /// `UnmodifiableEntity`: only the service that a role belongs to may change it.
    #[error("Cannot perform the operation on the protected role '{0}' - this role is only modifiable by AWS")]
    Unmodifiable(String),
    /// `AccessDenied`.
    #[error("{0}")]
    AccessDenied(String),
    /// `InvalidIdentityToken`.
    #[error("{0}")]
    InvalidIdentityToken(String),
    /// `ExpiredTokenException`: a web identity token that is over.
    #[error("{0}")]
    ExpiredToken(String),
    /// `IDPCommunicationError`.
    #[error(
        "The identity provider that was asked to verify the incoming identity token could not be reached. Retry the request."
    )]
    IdpCommunication,
    /// `ConcurrentModification`: somebody else was faster.
    #[error("The entity was changed by another request.")]
    ConcurrentModification,
    /// `ServiceFailure`, transient: the store cannot at the moment.
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Unavailable(#[source] TableError),
    /// `ServiceFailure`: the file of the root's key cannot be written.
    #[error("The file of the root's key cannot be written.")]
    KeyFile(#[source] crate::RootKeyError),
    /// `ServiceFailure`: a bug or a broken disk.
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Internal(#[source] TableError),
}

impl Error {
    pub(crate) fn quota(name: &str, max: usize) -> Self {
        Self::LimitExceeded(format!("Cannot exceed quota for {name}: {max}"))
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchEntity(_) => ErrorKind::NotFound,
            Self::EntityAlreadyExists(_)
            | Self::DeleteConflict(_)
            | Self::LimitExceeded(_)
            | Self::ConcurrentModification => ErrorKind::Conflict,
            Self::MalformedPolicyDocument(_)
            | Self::InvalidInput(_)
            | Self::Validation(_)
            | Self::Unmodifiable(_)
            | Self::InvalidIdentityToken(_)
            | Self::ExpiredToken(_)
            | Self::IdpCommunication => ErrorKind::Invalid,
            Self::AccessDenied(_) => ErrorKind::Denied,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Internal(_) | Self::KeyFile(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::NoSuchEntity(_) => "NoSuchEntity",
            Self::EntityAlreadyExists(_) => "EntityAlreadyExists",
            Self::DeleteConflict(_) => "DeleteConflict",
            Self::LimitExceeded(_) => "LimitExceeded",
            Self::MalformedPolicyDocument(_) => "MalformedPolicyDocument",
            Self::InvalidInput(_) => "InvalidInput",
            Self::Validation(_) => "ValidationError",
            Self::Unmodifiable(_) => "UnmodifiableEntity",
            Self::AccessDenied(_) => "AccessDenied",
            Self::InvalidIdentityToken(_) => "InvalidIdentityToken",
            Self::ExpiredToken(_) => "ExpiredTokenException",
            Self::IdpCommunication => "IDPCommunicationError",
            Self::ConcurrentModification => "ConcurrentModification",
            Self::Unavailable(_) | Self::Internal(_) | Self::KeyFile(_) => "ServiceFailure",
        }
    }

    fn http_status(&self) -> u16 {
        match self {
            Self::Unavailable(_) => 500,
            error => error.kind().http_status(),
        }
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Conflict => Self::ConcurrentModification,
            error if error.is_transient() => Self::Unavailable(error),
            error => Self::Internal(error),
        }
    }
}

impl From<policy::Malformed> for Error {
    fn from(malformed: policy::Malformed) -> Self {
        use policy::Malformed as M;
        Self::MalformedPolicyDocument(match malformed {
            M::NotJson | M::Syntax { .. } => "Syntax errors in policy.".to_owned(),
            M::Version { .. } => "Policy document must be version 2012-10-17 or greater.".to_owned(),
            M::Resource { resource } => format!("Resource {resource} must be in ARN format or \"*\"."),
            other => other.to_string(),
        })
    }
}
