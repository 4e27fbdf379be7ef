//! An error on its way to a client; the protocol that the client speaks gives it its form.

use http::StatusCode;
use kernel::{ErrorKind, ServiceError};

/// An error that a client sees: code and sentence, without its cause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// The exception's name.
    pub code: String,
    /// AWS's sentence.
    pub message: String,
}

impl Fault {
    /// A fault with this status, code and sentence.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// What a client may know of a service's error; the rest is logged here, once, whole.
    pub fn from_service(error: &dyn ServiceError) -> Self {
        if error.kind() == ErrorKind::Internal {
            let mut chain = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                chain.push_str(": ");
                chain.push_str(&cause.to_string());
                source = cause.source();
            }
            tracing::error!(code = error.code(), error = chain, "operation failed");
        }
        Self::new(error.http_status(), error.code(), error.to_string())
    }

    /// The operation is not one we serve.
    pub fn unknown_operation() -> Self {
        Self::new(400, "UnknownOperationException", "The requested operation is not supported.")
    }

    /// The HTTP status to answer with.
    pub fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
