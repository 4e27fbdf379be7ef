//! The words every crate shares, and nothing that knows a service, a protocol or a disk.
//!
//! Time and chance come in through [`Clock`] and [`Entropy`]; identity is an [`Arn`], a [`Principal`] and the
//! [`Context`] of a request; what went wrong is an [`ErrorKind`]; background work is owned by a [`TaskGroup`].
//! Changed rarely, with an ADR.

pub mod arn;
pub mod backoff;
pub mod clock;
pub mod context;
pub mod entropy;
pub mod error;
pub mod metrics;
pub mod principal;
pub mod secret;
pub mod tasks;

pub use arn::{AccountId, Arn, Region};
pub use backoff::Backoff;
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use context::Context;
pub use entropy::Entropy;
pub use error::{ErrorKind, ServiceError};
pub use metrics::Metrics;
pub use principal::{Principal, Session};
pub use secret::Secret;
pub use tasks::{OnCancel, OnError, Stop, TaskGroup, TaskKind, blocking, thread};
