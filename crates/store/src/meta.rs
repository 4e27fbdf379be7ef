//! `MetaStore`: ordered keys, transactions with preconditions, watches.
//!
//! 1. [`MetaStore::commit`] is all or nothing, and durable when it resolves.
//! 2. Revisions grow strictly with each commit and are never reused, not even after a restart.
//! 3. A read that starts after a commit has resolved sees it.
//! 4. A [`Watch`] yields every event of its prefix after the given revision in order; if it cannot, it says
//!    [`Event::Resync`] and the reader scans again.

pub mod local;
pub mod memory;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

/// Number of a commit: 1 for the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// A value and the commit that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The value.
    pub value: Bytes,
    /// The commit that wrote it.
    pub revision: Revision,
}

/// What a commit requires of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The key has no value.
    Absent,
    /// The key's value was written by this commit.
    At(Revision),
}

/// Changes to commit together. A key is changed at most once; the last change given wins.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// All must hold, or nothing is changed.
    pub checks: Vec<(Vec<u8>, Expect)>,
    /// A value to write, or none to delete the key.
    pub changes: Vec<(Vec<u8>, Option<Bytes>)>,
}

impl Batch {
    /// Requires something of a key.
    #[must_use]
    pub fn check(mut self, key: impl Into<Vec<u8>>, expect: Expect) -> Self {
        self.checks.push((key.into(), expect));
        self
    }

    /// Writes a value.
    #[must_use]
    pub fn put(mut self, key: impl Into<Vec<u8>>, value: impl Into<Bytes>) -> Self {
        self.changes.push((key.into(), Some(value.into())));
        self
    }

    /// Deletes a key; silent if it has no value.
    #[must_use]
    pub fn delete(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.changes.push((key.into(), None));
        self
    }
}

/// Why the store could not: the disk is full, broken or gone.
#[derive(Debug, thiserror::Error)]
#[error("metadata store: {context}")]
pub struct StoreError {
    /// What was being done.
    pub context: &'static str,
    /// Whether a later attempt may succeed without anyone acting (a full disk, a busy database).
    pub transient: bool,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Why a commit changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A precondition does not hold.
    #[error("a key changed underneath")]
    Conflict {
        /// The first key of which that is so.
        key: Vec<u8>,
    },
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a watch yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A key was written, or deleted if there is no value.
    Changed {
        /// The key.
        key: Vec<u8>,
        /// The value now.
        value: Option<Bytes>,
        /// The commit.
        revision: Revision,
    },
    /// Events were missed: scan the prefix again.
    Resync,
}

/// The events of a prefix. Ends when the store is closed.
pub type Watch = BoxStream<'static, Event>;

/// A page of a scan: keys in ascending order.
pub type Page = Vec<(Vec<u8>, Versioned)>;

/// Ordered keys, transactions with preconditions, watches.
pub trait MetaStore: Send + Sync {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> BoxFuture<'_, Result<Option<Versioned>, StoreError>>;

    /// Up to `limit` keys that begin with `prefix` and are greater than `after`, in ascending byte order.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page, StoreError>>;

    /// Applies a batch; durable when it resolves.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] when a precondition does not hold; then nothing was changed.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>>;

    /// The last commit.
    fn revision(&self) -> Revision;

    /// The events of keys that begin with `prefix`, of commits after `after`.
    fn watch(&self, prefix: &[u8], after: Revision) -> Watch;
}
