//! What an error means to a caller, apart from any protocol: `wire` renders it.

use std::error::Error;

/// The meaning of a failure. Decides HTTP status, whether a retry helps, and how loudly it is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is wrong and will be wrong again.
    Invalid,
    /// The thing named does not exist.
    NotFound,
    /// The thing exists already or changed underneath.
    Conflict,
    /// The caller may not.
    Denied,
    /// A quota is used up; later may be better.
    Throttled,
    /// The request is too large for the protocol.
    TooLarge,
    /// The node cannot at the moment; a retry may succeed.
    Unavailable,
    /// A bug or a broken disk: someone must act.
    Internal,
}

impl ErrorKind {
    /// The HTTP status of this kind where the service's model names no other.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Denied => 403,
            Self::Throttled => 429,
            Self::TooLarge => 413,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }

    /// Whether the same request may succeed later without anyone acting.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }
}

/// An error that reaches a client: its `Display` is AWS's own sentence.
pub trait ServiceError: Error + Send + Sync + 'static {
    /// The meaning.
    fn kind(&self) -> ErrorKind;

    /// The exception's name in the service's API model: `ResourceNotFoundException`.
    fn code(&self) -> &str;

    /// The HTTP status, where the service's model differs from the kind's own.
    fn http_status(&self) -> u16 {
        self.kind().http_status()
    }
}
