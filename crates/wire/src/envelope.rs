//! An error on its way to a client, and the form each protocol gives it.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use kernel::{ErrorKind, ServiceError};
use serde_json::json;

use crate::Protocol;
use crate::query::escape;

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
    pub fn unknown_operation(protocol: &Protocol) -> Self {
        match protocol {
            Protocol::Query { .. } => {
                Self::new(400, "InvalidAction", "The action or operation requested is invalid.")
            }
            _ => Self::new(400, "UnknownOperationException", "The requested operation is not supported."),
        }
    }

    /// The answer in the form of the protocol.
    pub(crate) fn render(&self, protocol: &Protocol, request_id: &str) -> Response<Bytes> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match protocol {
            Protocol::Json { .. } => {
                let mut response =
                    Response::new(json!({"__type": self.code, "message": self.message}).to_string().into());
                response.headers_mut().insert(header::CONTENT_TYPE, protocol.content_type());
                response
            }
            Protocol::RestJson => {
                let mut response = Response::new(json!({"message": self.message}).to_string().into());
                response.headers_mut().insert(header::CONTENT_TYPE, protocol.content_type());
                if let Ok(code) = HeaderValue::from_str(&self.code) {
                    response.headers_mut().insert("x-amzn-errortype", code);
                }
                response
            }
            Protocol::Query { namespace, .. } => {
                let party = if self.status < 500 { "Sender" } else { "Receiver" };
                let text = format!(
                    "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{party}</Type><Code>{}</Code>\
                     <Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
                    escape(&self.code),
                    escape(&self.message),
                );
                let mut response = Response::new(text.into());
                response.headers_mut().insert(header::CONTENT_TYPE, protocol.content_type());
                response
            }
        };
        *response.status_mut() = status;
        response
    }
}
