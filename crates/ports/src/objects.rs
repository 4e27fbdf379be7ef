//! Objects in buckets: for rules, firehose, athena and query.

use bytes::Bytes;
use kernel::{Context, Timestamp};

use crate::{PortFuture, RecordRange};

/// An object to store.
#[derive(Clone, Debug, Default)]
pub struct PutObject {
    /// The bucket's name.
    pub bucket: String,
    /// 1–1,024 bytes.
    pub key: String,
    /// The content.
    pub body: Bytes,
    /// MIME type; `binary/octet-stream` when none.
    pub content_type: Option<String>,
    /// `gzip` for a compressed body.
    pub content_encoding: Option<String>,
    /// The records the body holds, when a delivery stream wrote it.
    pub records: Option<RecordRange>,
}

/// What a listing tells of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The key.
    pub key: String,
    /// Bytes of the content.
    pub size: u64,
    /// Changes whenever the content does; without quotation marks.
    pub etag: String,
    /// When it was stored.
    pub last_modified: Timestamp,
    /// `gzip` for a compressed body.
    pub content_encoding: Option<String>,
    /// The records it holds, when a delivery stream wrote it.
    pub records: Option<RecordRange>,
}

/// Objects in buckets, without HTTP. Implemented by `s3`.
pub trait Objects: Send + Sync {
    /// Stores an object, replacing what was there; resolves when it is durable.
    ///
    /// # Errors
    /// `NotFound` (`NoSuchBucket`), `Unavailable` when the disk is full.
    fn put<'a>(&'a self, cx: &'a Context, object: PutObject) -> PortFuture<'a, ObjectInfo>;

    /// The content of an object.
    ///
    /// # Errors
    /// `NotFound` (`NoSuchBucket`, `NoSuchKey`).
    fn get<'a>(&'a self, cx: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, Bytes>;

    /// Whether the caller may get the object under a key, be there one or not: asked for what stands in for an object.
    ///
    /// # Errors
    /// `Denied` (`AccessDenied`).
    fn check_get<'a>(&'a self, cx: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, ()>;

    /// The bytes `start..end` of an object; `end` beyond the content means its end.
    ///
    /// # Errors
    /// As [`Objects::get`].
    fn get_range<'a>(
        &'a self,
        cx: &'a Context,
        bucket: &'a str,
        key: &'a str,
        range: std::ops::Range<u64>,
    ) -> PortFuture<'a, Bytes>;

    /// Every object under `prefix`, ordered by key, as they are at one moment.
    ///
    /// # Errors
    /// `NotFound` (`NoSuchBucket`).
    fn list<'a>(
        &'a self,
        cx: &'a Context,
        bucket: &'a str,
        prefix: &'a str,
    ) -> PortFuture<'a, Vec<ObjectInfo>>;

    /// Removes an object; silent if there is none.
    ///
    /// # Errors
    /// `NotFound` (`NoSuchBucket`).
    fn delete<'a>(&'a self, cx: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, ()>;

    /// Creates a bucket if the account does not have it yet.
    ///
    /// # Errors
    /// `Invalid` for a bad name, `Conflict` when another account has it.
    fn ensure_bucket<'a>(&'a self, cx: &'a Context, bucket: &'a str) -> PortFuture<'a, ()>;
}
