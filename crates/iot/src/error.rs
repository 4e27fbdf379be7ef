//! The exceptions of AWS IoT's API model.

use kernel::{ErrorKind, ServiceError};
use ports::PortError;
use store::TableError;

/// What an operation of AWS IoT can answer instead of its output.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `InvalidRequestException`: the request is wrong.
    #[error("{0}")]
    InvalidRequest(String),
    /// `SqlParseException`: the statement does not parse.
    #[error("{0}")]
    SqlParse(String),
    /// `MalformedPolicyException`: the policy document does not parse.
    #[error("{0}")]
    MalformedPolicy(String),
    /// `ResourceNotFoundException`.
    #[error("{0}")]
    NotFound(String),
    /// `ResourceAlreadyExistsException`.
    #[error("{0}")]
    AlreadyExists(String),
    /// `AccessDeniedException`: the caller may not pass a role that the rule names.
    #[error("{0}")]
    AccessDenied(String),
    /// `UnauthorizedException`: what AWS answers for a topic rule that is not there.
    #[error("{0}")]
    Unauthorized(String),
    /// `DeleteConflictException`: something is still attached.
    #[error("{0}")]
    DeleteConflict(String),
    /// `CertificateValidationException`: a certificate that a device could not connect with.
    #[error("{0}")]
    CertificateValidation(String),
    /// `RegistrationCodeValidationException`: the verification certificate does not have the account's code.
    #[error("{0}")]
    RegistrationCode(String),
    /// `CertificateConflictException`: several registered CAs may have signed the certificate.
    #[error("{0}")]
    CertificateConflict(String),
    /// `CertificateStateException`: an active certificate cannot be deleted.
    #[error("{0}")]
    CertificateState(String),
    /// `VersionConflictException`: the resource has another version.
    #[error("{0}")]
    VersionConflict(String),
    /// `VersionsLimitExceededException`: the policy has as many versions as it may.
    #[error("{0}")]
    VersionsLimitExceeded(String),
    /// `LimitExceededException`: a quota is used up.
    #[error("{0}")]
    LimitExceeded(String),
    /// `ConflictingResourceUpdateException`: two changes at the same time.
    #[error("The resource was changed by another request.")]
    Conflict,
    /// `ServiceUnavailableException`: the store cannot at the moment.
    #[error("The service is temporarily unavailable.")]
    Unavailable(#[source] TableError),
    /// `InternalFailureException`: a bug or a broken disk.
    #[error("An unexpected error has occurred.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidRequest(_)
            | Self::SqlParse(_)
            | Self::MalformedPolicy(_)
            | Self::CertificateValidation(_)
            | Self::RegistrationCode(_) => ErrorKind::Invalid,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::AccessDenied(_) | Self::Unauthorized(_) => ErrorKind::Denied,
            Self::AlreadyExists(_)
            | Self::DeleteConflict(_)
            | Self::CertificateState(_)
            | Self::CertificateConflict(_)
            | Self::VersionConflict(_)
            | Self::VersionsLimitExceeded(_)
            | Self::Conflict => ErrorKind::Conflict,
            Self::LimitExceeded(_) => ErrorKind::Throttled,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::InvalidRequest(_) => "InvalidRequestException",
            Self::SqlParse(_) => "SqlParseException",
            Self::MalformedPolicy(_) => "MalformedPolicyException",
            Self::NotFound(_) => "ResourceNotFoundException",
            Self::AlreadyExists(_) => "ResourceAlreadyExistsException",
            Self::AccessDenied(_) => "AccessDeniedException",
            Self::Unauthorized(_) => "UnauthorizedException",
            Self::DeleteConflict(_) => "DeleteConflictException",
            Self::CertificateValidation(_) => "CertificateValidationException",
            Self::RegistrationCode(_) => "RegistrationCodeValidationException",
            Self::CertificateConflict(_) => "CertificateConflictException",
            Self::CertificateState(_) => "CertificateStateException",
            Self::VersionConflict(_) => "VersionConflictException",
            Self::VersionsLimitExceeded(_) => "VersionsLimitExceededException",
            Self::LimitExceeded(_) => "LimitExceededException",
            Self::Conflict => "ConflictingResourceUpdateException",
            Self::Unavailable(_) => "ServiceUnavailableException",
            Self::Internal(_) => "InternalFailureException",
        }
    }

    fn http_status(&self) -> u16 {
        match self {
            Self::Unauthorized(_) => 401,
            Self::CertificateState(_) => 406,
            Self::LimitExceeded(_) => 410,
            other => other.kind().http_status(),
        }
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Conflict => Self::Conflict,
            error if error.is_transient() => Self::Unavailable(error),
            error => Self::internal(error),
        }
    }
}

impl From<PortError> for Error {
    fn from(error: PortError) -> Self {
        match (error.kind, error.code.as_str()) {
            (ErrorKind::Invalid, "SqlParseException") => Self::SqlParse(error.message),
            (ErrorKind::Invalid, _) => Self::InvalidRequest(error.message),
            (ErrorKind::Denied, _) => Self::AccessDenied(error.message),
            _ => Self::internal(error),
        }
    }
}
