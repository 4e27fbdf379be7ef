//! `CommitLog`: many logs of records multiplexed into one write-ahead log with one group commit.
//!
//! 1. [`CommitLog::append`] is all or nothing, and durable when it resolves: it survives `kill -9` and power loss.
//! 2. Offsets of a log begin at 0, grow by one for each record, and are never reused: not after a trim, a delete or
//!    a crash.
//! 3. Batches appended to one log by one caller in sequence are in that order; appends of different callers are in some
//!    order, each batch without holes.
//! 4. A batch whose append failed with [`LogError::Full`] never appears. One that failed with
//!    [`LogError::Failed`] may appear: its fate is unknown, and the log takes no more appends until it is opened anew.
//! 5. A read returns no record below the trim point and none that is not durable.

pub mod memory;
pub mod segment;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use kernel::Timestamp;
use tokio::sync::watch;

/// Names one log: a delivery stream's intake, a session's queue. 1–255 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId(Arc<str>);

impl LogId {
    /// A log of `kind` with the given parts, joined by `/`.
    ///
    /// # Panics
    /// If the name is longer than 255 bytes: callers bound their names.
    pub fn new(kind: &str, parts: &[&str]) -> Self {
        let name = std::iter::once(kind).chain(parts.iter().copied()).collect::<Vec<_>>().join("/");
        Self::from_name(&name)
    }

    /// The log with this whole name.
    ///
    /// # Panics
    /// If the name is empty or longer than 255 bytes.
    pub fn from_name(name: &str) -> Self {
        assert!((1..=255).contains(&name.len()), "a log's name has 1 to 255 bytes");
        Self(name.into())
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Position of a record in its log: 0 for the first ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub u64);

/// A record read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its position.
    pub offset: Offset,
    /// When it was appended, by the node's clock.
    pub appended_at: Timestamp,
    /// What was appended.
    pub payload: Bytes,
}

/// What a log holds: `first..next`, and how many bytes of payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Offset of the oldest record not trimmed; equals `next` when there is none.
    pub first: Offset,
    /// Offset the next record will have.
    pub next: Offset,
    /// Sum of the payloads' sizes.
    pub bytes: u64,
}

/// Why the log could not.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk or the configured size is full; nothing was written. A later attempt may succeed.
    #[error("the log is full")]
    Full,
    /// A batch is larger than a segment can hold.
    #[error("a batch of {bytes} bytes is larger than a segment holds")]
    TooLarge {
        /// The batch's size.
        bytes: usize,
    },
    /// The log has failed and takes no more appends until it is opened anew.
    #[error("the log has failed")]
    Failed(#[source] Option<Arc<std::io::Error>>),
    /// A record does not have the checksum it was written with.
    #[error("record {} of {log} is damaged", offset.0)]
    Damaged {
        /// The log.
        log: LogId,
        /// The record.
        offset: Offset,
    },
}

/// Many logs, one group commit.
pub trait CommitLog: Send + Sync {
    /// Appends records to one log; resolves with the offset of the first when all are durable. An empty batch resolves at
    /// once with the offset the next record will have.
    fn append(&self, log: &LogId, records: Vec<Bytes>) -> BoxFuture<'static, Result<Offset, LogError>>;

    /// Records from `from` (or the trim point, if that is later) on, in order, at least one if there is one, and after that no more
    /// than `bytes_max` bytes of payload.
    fn read(
        &self,
        log: &LogId,
        from: Offset,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, LogError>>;

    /// Forgets every record before `before`. Durable when it resolves.
    fn trim(&self, log: &LogId, before: Offset) -> BoxFuture<'static, Result<(), LogError>>;

    /// Forgets the log itself. Its name is not to be used again.
    fn delete(&self, log: &LogId) -> BoxFuture<'static, Result<(), LogError>>;

    /// What the log holds now.
    fn bounds(&self, log: &LogId) -> Bounds;

    /// The time the log's oldest record was appended; none if it holds none.
    fn oldest(&self, log: &LogId) -> Option<Timestamp>;

    /// Every log that exists, whose name begins with `prefix`, in order.
    fn logs(&self, prefix: &str) -> Vec<LogId>;

    /// Changes whenever a record of the log becomes readable. Level-triggered: the value is the offset the next record will have.
    fn changed(&self, log: &LogId) -> watch::Receiver<Offset>;
}
