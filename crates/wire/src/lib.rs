//! The AWS API protocols, and the table from which every operation is served.
//!
//! The dispatcher always does the same steps, so that no handler can forget one:
//! match → parse → verify SigV4 → principal → decode → resource → authorise → handle → encode.
//! A handler holds only its service's own logic and sees no HTTP (invariant A1); none runs before its request is
//! authorised (A8).
//!
//! Protocols: AWS JSON 1.0 and 1.1, also in CBOR; REST-JSON; Query; Smithy RPC v2 CBOR. A service may speak several. S3's REST-XML is the `s3`
//! crate's.

pub mod authorize;
mod cbor;
mod dialect;
pub mod dispatch;
mod document;
pub mod envelope;
mod limits;
pub mod metrics;
pub mod operation;
pub mod page;
mod query;
pub mod quotas;
mod regions;
mod rest;
pub mod shapes;
pub mod sigv4;
pub mod testing;

pub use authorize::{Authorize, Credential, Credentials, Facts, Resource, Unusable};
pub use dispatch::{Arrival, Dispatcher, refusal};
pub use envelope::Fault;
pub use operation::{Descriptor, Entry, Operation, Protocol, Service, service};
pub use quotas::{Attempt, QuotaConfig, Quotas};
pub use rest::{Body, Http, Param, ParamKind};
pub use shapes::{Blob, Entries, EpochSeconds};
