//! The exceptions of AWS IoT's data plane, which are also why a publish fails.

use kernel::{ErrorKind, ServiceError};
use mqtt::ReasonCode;
use ports::PortError;
use store::{LogError, StoreError, TableError};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What the data plane can answer instead of success.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `InvalidRequestException`: the request is wrong.
    #[error("{0}")]
    InvalidRequest(String),
    /// `InvalidRequestException`: the topic is not one that may be published to.
    #[error("{0}")]
    InvalidTopic(String),
    /// `ForbiddenException`: the caller may not.
    #[error("{0}")]
    Forbidden(String),
    /// `RequestEntityTooLargeException`: the payload is above its maximum.
    #[error("The payload exceeds the maximum size of 131072 bytes.")]
    TooLarge,
    /// `ResourceNotFoundException`.
    #[error("{0}")]
    NotFound(String),
    /// `ThrottlingException`: a quota is used up.
    #[error("{0}")]
    Throttling(String),
    /// `ServiceUnavailableException`: a store or a queue cannot at the moment.
    #[error("The service is temporarily unavailable.")]
    Unavailable(#[source] Source),
    /// `InternalFailureException`: a bug or a broken disk.
    #[error("An unexpected error has occurred.")]
    Internal(#[source] Source),
}

impl Error {
    pub(crate) fn internal(source: impl Into<Source>) -> Self {
        Self::Internal(source.into())
    }

    /// How MQTT says it.
    pub(crate) fn reason(&self) -> ReasonCode {
        match self {
            Self::InvalidRequest(_) => ReasonCode::ImplementationSpecificError,
            Self::InvalidTopic(_) | Self::NotFound(_) => ReasonCode::TopicNameInvalid,
            Self::Forbidden(_) => ReasonCode::NotAuthorized,
            Self::TooLarge | Self::Throttling(_) => ReasonCode::QuotaExceeded,
            Self::Unavailable(_) | Self::Internal(_) => ReasonCode::UnspecifiedError,
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidRequest(_) | Self::InvalidTopic(_) => ErrorKind::Invalid,
            Self::Forbidden(_) => ErrorKind::Denied,
            Self::TooLarge => ErrorKind::TooLarge,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Throttling(_) => ErrorKind::Throttled,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::InvalidRequest(_) | Self::InvalidTopic(_) => "InvalidRequestException",
            Self::Forbidden(_) => "ForbiddenException",
            Self::TooLarge => "RequestEntityTooLargeException",
            Self::NotFound(_) => "ResourceNotFoundException",
            Self::Throttling(_) => "ThrottlingException",
            Self::Unavailable(_) => "ServiceUnavailableException",
            Self::Internal(_) => "InternalFailureException",
        }
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        if error.is_transient() { Self::Unavailable(error.into()) } else { Self::internal(error) }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        TableError::from(error).into()
    }
}

impl From<LogError> for Error {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Full => Self::Unavailable(error.into()),
            _ => Self::internal(error),
        }
    }
}

impl From<PortError> for Error {
    fn from(error: PortError) -> Self {
        match error.kind {
            ErrorKind::Throttled => Self::Throttling(error.message),
            ErrorKind::Invalid => Self::InvalidRequest(error.message),
            kind if kind.is_transient() => Self::Unavailable(error.into()),
            _ => Self::internal(error),
        }
    }
}

/// An error with its causes, in one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
