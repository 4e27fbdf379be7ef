//! Stores in which time ends: after so many writes, nothing is written any more and nobody is answered.
//!
//! A node on such stores stands as if frozen at one of its writes; killed there and started again on what was written, it is a node
//! that died at exactly that point. A test that goes through all points goes through all crashes. Or only writes of one kind stand
//! still, and what lies between two of them can be looked at for as long as it takes.
//!
//! 1. A write counts when it changes what a next node finds: a commit, an append, a trim, a deletion, an object put or removed.
//! 2. Point `2n` is before write `n` (from 0), point `2n + 1` after it and before its answer.
//! 3. Reads go on: they change nothing.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use kernel::Timestamp;
use node::Stores;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use store::log::Bounds;
use store::meta::Page;
use store::{
    Batch, CommitError, CommitLog, LogError, LogId, MetaStore, Offset, Record, Revision, StoreError,
    Versioned, Watch,
};
use tokio::sync::watch;

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Commits metadata.
    Commit,
    /// Appends to a log.
    Append,
    /// Forgets the beginning of a log.
    Trim,
    /// Forgets a log.
    Delete,
    /// Puts an object, or copies one.
    Put,
    /// Removes an object.
    Remove,
}

/// Ends time at a point, and tells when it came to that.
#[derive(Clone)]
pub struct Halt {
    inner: Arc<Inner>,
}

struct Inner {
    /// Points passed since the last [`Halt::at`].
    passed: AtomicU64,
    ends: Mutex<Option<Ends>>,
    halted: watch::Sender<bool>,
}

#[derive(Clone, Copy)]
enum Ends {
    /// Everything, after so many points.
    At(u64),
    /// The writes of one kind.
    For(Write),
}

impl Default for Halt {
    fn default() -> Self {
        let (halted, _) = watch::channel(false);
        Self { inner: Arc::new(Inner { passed: AtomicU64::new(0), ends: Mutex::default(), halted }) }
    }
}

impl Halt {
    /// The same stores, in which time can end.
    pub fn stores(&self, stores: Stores) -> Stores {
        Stores {
            meta: Arc::new(HaltingMeta { halt: self.clone(), inner: stores.meta }),
            log: Arc::new(HaltingLog { halt: self.clone(), inner: stores.log }),
            blobs: Arc::new(HaltingBlobs { halt: self.clone(), inner: stores.blobs }),
        }
    }

    /// Time ends `points` points from now.
    pub fn at(&self, points: u64) {
        let mut ends = self.ends();
        self.inner.passed.store(0, Ordering::SeqCst);
        *ends = Some(Ends::At(points));
    }

    /// Time ends for writes of this kind, before they are done; all others go on.
    pub fn before(&self, write: Write) {
        *self.ends() = Some(Ends::For(write));
    }

    /// Time goes on, for a new node: what stood still stays so.
    pub fn lift(&self) {
        *self.ends() = None;
        self.inner.halted.send_replace(false);
    }

    fn ends(&self) -> MutexGuard<'_, Option<Ends>> {
        self.inner.ends.lock().expect("no holder of this lock panics")
    }

    /// Whether it has ended.
    pub fn halted(&self) -> bool {
        *self.inner.halted.borrow()
    }

    /// Completes when it has ended.
    pub async fn reached(&self) {
        let mut halted = self.inner.halted.subscribe();
        halted.wait_for(|halted| *halted).await.expect("the sender is held here");
    }

    /// A point: whether time goes on.
    fn passes(&self, write: Write) -> bool {
        let ends = self.ends();
        let passed = self.inner.passed.fetch_add(1, Ordering::SeqCst);
        let ended = match *ends {
            None => false,
            Some(Ends::At(points)) => passed >= points,
            Some(Ends::For(kind)) => kind == write,
        };
        if ended {
            self.inner.halted.send_replace(true);
        }
        !ended
    }

    /// A point: passes it, or never returns.
    async fn point(&self, write: Write) {
        if !self.passes(write) {
            std::future::pending::<()>().await;
        }
    }

    /// A write between its two points.
    async fn write<T>(&self, write: Write, writing: impl Future<Output = T>) -> T {
        self.point(write).await;
        let done = writing.await;
        self.point(write).await;
        done
    }
}

struct HaltingMeta {
    halt: Halt,
    inner: Arc<dyn MetaStore>,
}

impl MetaStore for HaltingMeta {
    fn get(&self, key: &[u8]) -> BoxFuture<'_, Result<Option<Versioned>, StoreError>> {
        self.inner.get(key)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page, StoreError>> {
        self.inner.scan(prefix, after, limit)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>> {
        // Called inside, since the store in memory writes when it is called and not when it is awaited.
        self.halt.write(Write::Commit, async { self.inner.commit(batch).await }).boxed()
    }

    fn revision(&self) -> Revision {
        self.inner.revision()
    }

    fn watch(&self, prefix: &[u8], after: Revision) -> Watch {
        self.inner.watch(prefix, after)
    }
}

struct HaltingLog {
    halt: Halt,
    inner: Arc<dyn CommitLog>,
}

impl HaltingLog {
    /// At once, not when it is awaited: the order of appends is the order of calls.
    fn write<T: Send + 'static>(
        &self,
        write: Write,
        begin: impl FnOnce(&dyn CommitLog) -> BoxFuture<'static, T>,
    ) -> BoxFuture<'static, T> {
        if !self.halt.passes(write) {
            return std::future::pending().boxed();
        }
        let (halt, writing) = (self.halt.clone(), begin(&*self.inner));
        async move {
            let done = writing.await;
            halt.point(write).await;
            done
        }
        .boxed()
    }
}

impl CommitLog for HaltingLog {
    fn append(&self, log: &LogId, records: Vec<Bytes>) -> BoxFuture<'static, Result<Offset, LogError>> {
        self.write(Write::Append, |inner| inner.append(log, records))
    }

    fn read(
        &self,
        log: &LogId,
        from: Offset,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, LogError>> {
        self.inner.read(log, from, bytes_max)
    }

    fn trim(&self, log: &LogId, before: Offset) -> BoxFuture<'static, Result<(), LogError>> {
        self.write(Write::Trim, |inner| inner.trim(log, before))
    }

    fn delete(&self, log: &LogId) -> BoxFuture<'static, Result<(), LogError>> {
        self.write(Write::Delete, |inner| inner.delete(log))
    }

    fn bounds(&self, log: &LogId) -> Bounds {
        self.inner.bounds(log)
    }

    fn oldest(&self, log: &LogId) -> Option<Timestamp> {
        self.inner.oldest(log)
    }

    fn logs(&self, prefix: &str) -> Vec<LogId> {
        self.inner.logs(prefix)
    }

    fn changed(&self, log: &LogId) -> watch::Receiver<Offset> {
        self.inner.changed(log)
    }
}

struct HaltingBlobs {
    halt: Halt,
    inner: Arc<dyn ObjectStore>,
}

impl fmt::Debug for HaltingBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for HaltingBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Halting({})", self.inner)
    }
}

// The trait is written with the `async_trait` macro; these signatures are what it expands to.
impl ObjectStore for HaltingBlobs {
    fn put_opts<'a, 'b, 'c>(
        &'a self,
        location: &'b Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> BoxFuture<'c, Result<PutResult>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.halt
            .write(Write::Put, async move { self.inner.put_opts(location, payload, options).await })
            .boxed()
    }

    /// Its parts are seen by nobody before it is complete, and tests of crashes write small objects: only its beginning counts.
    fn put_multipart_opts<'a, 'b, 'c>(
        &'a self,
        location: &'b Path,
        options: PutMultipartOptions,
    ) -> BoxFuture<'c, Result<Box<dyn MultipartUpload>>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.halt
            .write(Write::Put, async move { self.inner.put_multipart_opts(location, options).await })
            .boxed()
    }

    fn get_opts<'a, 'b, 'c>(
        &'a self,
        location: &'b Path,
        options: GetOptions,
    ) -> BoxFuture<'c, Result<GetResult>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.inner.get_opts(location, options)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (halt, inner) = (self.halt.clone(), Arc::clone(&self.inner));
        let delete = move |location: Path| {
            let (halt, inner) = (halt.clone(), Arc::clone(&inner));
            async move {
                let one = futures::stream::once(std::future::ready(Ok(location.clone()))).boxed();
                halt.write(Write::Remove, async { inner.delete_stream(one).try_collect::<Vec<_>>().await })
                    .await?;
                Ok(location)
            }
        };
        locations.and_then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_delimiter<'a, 'b, 'c>(
        &'a self,
        prefix: Option<&'b Path>,
    ) -> BoxFuture<'c, Result<ListResult>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.inner.list_with_delimiter(prefix)
    }

    fn copy_opts<'a, 'b, 'd, 'c>(
        &'a self,
        from: &'b Path,
        to: &'d Path,
        options: CopyOptions,
    ) -> BoxFuture<'c, Result<()>>
    where
        'a: 'c,
        'b: 'c,
        'd: 'c,
        Self: 'c,
    {
        self.halt.write(Write::Put, async move { self.inner.copy_opts(from, to, options).await }).boxed()
    }
}
