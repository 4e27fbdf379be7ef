//! The traits by which one service reaches another. `node` connects them; services do not know each other.
//!
//! One file for each kind of thing that is asked for, in the order of a message's way: [`roles`], [`messages`], [`records`], [`objects`],
//! [`tables`], [`sql`]; and what operators ask: [`access`], [`tags`].
//!
//! Every port takes the [`kernel::Context`] of the caller, so that a call through a port has a principal, an account and
//! a region like a call over HTTP. Ports carry plain data: no wire shapes, no stored entities, no engine types.

mod access;
mod messages;
mod objects;
mod records;
mod roles;
mod sql;
mod tables;
mod tags;

use std::error::Error as StdError;

use futures::future::BoxFuture;
use kernel::ErrorKind;

pub use access::*;
pub use messages::*;
pub use objects::*;
pub use records::*;
pub use roles::*;
pub use sql::*;
pub use tables::*;
pub use tags::*;

/// The future a port returns.
pub type PortFuture<'a, T> = BoxFuture<'a, Result<T, PortError>>;

/// Why a call through a port failed: the other service's own error, without its type.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    /// What the failure means: whether to retry, and how to answer a client.
    pub kind: ErrorKind,
    /// The exception's name at the other service: `ResourceNotFoundException`.
    pub code: String,
    /// The sentence a client may see.
    pub message: String,
    /// The cause, for the log only.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl PortError {
    /// An error with the other service's own code and sentence.
    pub fn new(kind: ErrorKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), source: None }
    }

    /// A failure nobody outside can do anything about; `source` goes to the log.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            kind: ErrorKind::Internal,
            code: "InternalFailure".to_owned(),
            message: "The request failed because of an internal error.".to_owned(),
            source: Some(source.into()),
        }
    }
}

/// Any service error may cross a port.
impl PortError {
    /// The service's own kind, code and sentence, with the error itself as source.
    pub fn from_service(error: impl kernel::ServiceError) -> Self {
        Self {
            kind: error.kind(),
            code: error.code().to_owned(),
            message: error.to_string(),
            source: Some(Box::new(error)),
        }
    }
}
