//! The S3 API over blobs and MetaStore. The protocol layer (XML, signatures, chunked bodies) is the `s3s` crate, which no other crate names.
//!
//! [`S3`] is the service: buckets, objects, multipart uploads, and the in-process port [`ports::Objects`]. [`S3Front`] puts it behind HTTP:
//! it is given every request that no other service's signature names.
//!
//! 1. An object is acknowledged when its blob *and* the entity that names it are durable, in this order.
//! 2. A blob is never overwritten: each has a name of its own, and is deleted only after the entity that named it is gone. What a crash or a
//!    failure leaves behind is deleted by a reconciler when it is an hour old (`orphans.rs`).
//! 3. Starting scans buckets, never objects: a node with many objects is ready as soon as one with none.
//! 4. A change of an object requires that its bucket and what it replaces are as they were read, so that of two racing changes one sees the
//!    other.
//! 5. Every operation is authorised, over HTTP (`front.rs`) and in process (`objects.rs`) alike, by the caller's policies and the
//!    bucket's (`authorize.rs`).
//!
//! Differs from AWS: there is no versioning and no access control list; public access is blocked per bucket, not per account; each region
//! of a bucket is served at the one endpoint, without redirects. What a bucket cannot have is read as not
//! configured; operations that are not in [`OPERATIONS`] answer `NotImplemented`.
//!
//! Differs from AWS: `x-amz-request-payer` and `x-amz-bypass-governance-retention` change nothing, since every owner pays and nothing is
//! locked; `x-amz-optional-object-attributes` adds nothing, since nothing is archived.

#[cfg(test)]
mod access;
mod authorize;
mod bucket;
mod bucket_actions;
mod bucket_policy;
mod checksum;
mod condition;
mod conditions;
mod content;
mod convert;
mod cors;
mod counted;
mod directory;
mod error;
mod faults;
mod front;
mod host;
mod limits;
mod listing;
pub mod metrics;
mod multipart;
mod object;
mod objects;
mod ops;
mod orphans;
mod precheck;
mod service;
#[cfg(test)]
mod signatures;
mod sigv2;
mod tagged;
mod tags;
pub mod tasks;
#[cfg(test)]
mod testing;

pub use error::Error;
pub use front::{Body, S3Front};
pub use ops::{Entry, OPERATIONS, On};
pub use service::S3;
