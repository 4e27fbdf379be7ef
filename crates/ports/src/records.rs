//! Records of delivery streams: put by rules, read by query before they are delivered.

use bytes::Bytes;
use kernel::Context;

use crate::PortFuture;

/// What a caller of [`PutRecords`] must be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PutAs {
    /// `firehose:PutRecord`: records that are put together here and each by itself there.
    Record,
    /// `firehose:PutRecordBatch`.
    Batch,
}

/// Puts records into a delivery stream. Implemented by `firehose`.
pub trait PutRecords: Send + Sync {
    /// Resolves when every record is durable. All or none.
    ///
    /// # Errors
    /// `Denied` when the caller may not, `NotFound` when there is no such delivery stream, `Invalid` for a record over 1,000 KiB,
    /// `Throttled` or `Unavailable` when the intake is full.
    fn put_records<'a>(
        &'a self,
        cx: &'a Context,
        put_as: PutAs,
        delivery_stream: &'a str,
        records: Vec<Bytes>,
    ) -> PortFuture<'a, ()>;
}

/// A run of consecutive records of one intake log: `first..next`.
///
/// An object that a delivery wrote carries the range it holds, and so does what is still buffered. A reader that takes
/// the buffered records *first* and lists objects *second* sees each record exactly once: a record is either not yet
/// trimmed at the first moment, or in an object that is there at the second; where it is both, the ranges say so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct RecordRange {
    /// The intake log: unique over all streams and never reused.
    pub log: String,
    /// Offset of the first record.
    pub first: u64,
    /// Offset after the last record.
    pub next: u64,
}

/// Records that were acknowledged and are not yet in an object.
#[derive(Clone, Debug)]
pub struct BufferedRecords {
    /// Which records these are; `records[i]` has the offset `range.first + i`.
    pub range: RecordRange,
    /// The records, each as it will stand in the object: the object is their concatenation.
    pub records: Vec<Bytes>,
    /// The key the next object would have, were it delivered now.
    pub key: String,
}

/// The hot read: what a bucket's prefix will hold once buffers are delivered. Implemented by `firehose`.
pub trait Buffered: Send + Sync {
    /// Every buffered run of the caller's account whose object would be under `prefix` in `bucket`, oldest first. It is for the
    /// asker to show a run only to whom [`crate::Objects::check_get`] lets have that object.
    fn buffered<'a>(
        &'a self,
        cx: &'a Context,
        bucket: &'a str,
        prefix: &'a str,
    ) -> PortFuture<'a, Vec<BufferedRecords>>;
}
