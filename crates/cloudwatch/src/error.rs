//! The exceptions of CloudWatch's API model, by the names of their shapes; Query's clients know them by other codes
//! ([`QUERY_CODES`]).

use kernel::{ErrorKind, ServiceError};
use store::{LogError, TableError};

/// Name of a shape and the code that Query's clients know it by.
pub(crate) const QUERY_CODES: &[(&str, &str)] = &[
    ("InvalidParameterValueException", "InvalidParameterValue"),
    ("MissingRequiredParameterException", "MissingParameter"),
    ("InvalidParameterCombinationException", "InvalidParameterCombination"),
    ("ValidationException", "ValidationError"),
    ("LimitExceededFault", "LimitExceeded"),
    ("InternalServiceFault", "InternalServiceError"),
];

/// What an operation of CloudWatch can answer instead of its output.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `InvalidParameterValueException`.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// `MissingRequiredParameterException`: the parameter of this name.
    #[error("The parameter {0} is required.")]
    MissingParameter(String),
    /// `InvalidParameterCombinationException`.
    #[error("{0}")]
    InvalidParameterCombination(String),
    /// `ValidationException`: what GetMetricData says where the others name the parameter.
    #[error("{0}")]
    Validation(String),
    /// `InvalidNextToken`.
    #[error("The next token is invalid.")]
    InvalidNextToken,
    /// `LimitExceededFault`: a quota of the account is used up.
    #[error("{0}")]
    LimitExceeded(String),
    /// `RequestEntityTooLarge`.
    #[error("The request is larger than {0} bytes.")]
    TooLarge(usize),
    /// `InternalServiceFault`, transient: the node cannot at the moment.
    #[error("The request processing has failed because of a temporary failure. Please try again.")]
    Unavailable(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// `InternalServiceFault`: a bug or a broken disk.
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// `InvalidParameterValueException` with this sentence.
    pub(crate) fn value(sentence: impl Into<String>) -> Self {
        Self::InvalidParameterValue(sentence.into())
    }

    /// The sentence of a value that its parameter cannot have.
    pub(crate) fn invalid(parameter: &str, value: impl std::fmt::Display) -> Self {
        Self::InvalidParameterValue(format!("The value {value} for parameter {parameter} is invalid."))
    }

    /// `InvalidParameterCombinationException` with this sentence.
    pub(crate) fn combination(sentence: impl Into<String>) -> Self {
        Self::InvalidParameterCombination(sentence.into())
    }

    /// The sentence of two parameters of which only one may be given.
    pub(crate) fn exclusive(one: &str, other: &str) -> Self {
        Self::InvalidParameterCombination(format!(
            "The parameters {one} and {other} are mutually exclusive and you have specified both."
        ))
    }

    /// The same error as GetMetricData says it.
    pub(crate) fn into_validation(self) -> Self {
        match self {
            Self::InvalidParameterValue(_)
            | Self::MissingParameter(_)
            | Self::InvalidParameterCombination(_) => Self::Validation(self.to_string()),
            other => other,
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidParameterValue(_)
            | Self::MissingParameter(_)
            | Self::InvalidParameterCombination(_)
            | Self::Validation(_)
            | Self::InvalidNextToken
            | Self::LimitExceeded(_) => ErrorKind::Invalid,
            Self::TooLarge(_) => ErrorKind::TooLarge,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::InvalidParameterValue(_) => "InvalidParameterValueException",
            Self::MissingParameter(_) => "MissingRequiredParameterException",
            Self::InvalidParameterCombination(_) => "InvalidParameterCombinationException",
            Self::Validation(_) => "ValidationException",
            Self::InvalidNextToken => "InvalidNextToken",
            Self::LimitExceeded(_) => "LimitExceededFault",
            Self::TooLarge(_) => "RequestEntityTooLarge",
            Self::Unavailable(_) | Self::Internal(_) => "InternalServiceFault",
        }
    }

    /// The model knows 400 and 500 only, the protocol 413.
    fn http_status(&self) -> u16 {
        match self {
            Self::Unavailable(_) | Self::Internal(_) => 500,
            Self::TooLarge(_) => 413,
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

impl From<LogError> for Error {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Full => Self::Unavailable(Some(error.into())),
            error => Self::Internal(error.into()),
        }
    }
}
