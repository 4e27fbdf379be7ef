//! `CommitLog` on a local disk: one write-ahead log on recycled segments, one thread that writes.
//!
//! ```text
//!  append ─┐                                    ┌─► index, tail cache ─► answers, `changed`
//!  append ─┼─► queue ─► committer: encode ─► write ─► fdatasync
//!  trim   ─┘   (bounded)            │
//!                                   ▼
//!  segments, oldest first:  [ 7 ][ 8 ][ 9 ][ 10, active ]      spares: files to be written over
//!  a segment:               header block | checkpoint | group | group | group … | what an earlier use left
//!  a group:                 declarations, records, trims, deletes, and a Commit frame
//! ```
//!
//! Every log is multiplexed into the same segments. The committer writes what has gathered with one write and one `fdatasync` as
//! soon as the previous one has returned; under load a group holds thousands of appends, at rest one. Files are preallocated
//! and used again, so that a sync touches no metadata of the file system. After the last group, when nothing is waiting, an
//! empty Commit frame (the *seal*) is written without a sync.
//!
//! 1. A group is written only when the one before it is durable. So only the last group can be torn, and a frame of a later
//!    group (the seal is one) proves that a bad frame before it is damage.
//! 2. A group lies in one segment, and so does an append. An append is in a group whole; recovery drops one that is not.
//! 3. Each segment begins with a checkpoint: number, name, first and next offset of every log. Whatever an older segment says
//!    about bounds and deletes is superseded by it, so a segment without live records may be written over, and offsets and
//!    numbers are never reused. Declarations and deletes are written twice, trims and ends of logs are repeated in the group's
//!    Commit frame: one damaged frame loses one record and no more.
//! 4. Nothing is written to a segment after recovery: opening begins a new one, whose header tells where the one before it
//!    ends. What a torn group left beyond that is never read again.
//! 5. A use of a file has a random generation, which seeds its checksums, and a first commit; frames of earlier uses, or forged
//!    in a payload, do not pass.
//! 6. Segments die oldest first. When those before the active one are under a quarter live, or the configured size is used up
//!    and an eighth is dead, the live records of the oldest are copied forward, synced, and only then is it recycled.
//! 7. Appends leave the last segment of the configured size, and a margin of each, to trims, deletes and copies: a full log can
//!    always be emptied.
//! 8. After a failed write or sync nothing is written again until the log is opened anew; a sync is never repeated, since the
//!    kernel may have dropped what it could not write. A disk that is full is noticed when a file is preallocated, where no
//!    acknowledged record is at risk, and refuses appends until there is room.
//!
//! It is assumed that a sector of 512 bytes is written whole or not at all, and that a sync which has returned was true.

mod allocator;
mod committer;
pub mod disk;
mod file;
mod frame;
mod index;
mod read;
mod recovery;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::thread::JoinHandle;

use bytes::Bytes;
use futures::future::{self, BoxFuture, FutureExt};
use kernel::{Clock, Entropy, Metrics, Timestamp};
use tokio::sync::{oneshot, watch};

use self::committer::{Committer, Request};
use self::disk::{DirectoryDisk, Disk};
use self::index::Index;
use super::{Bounds, CommitLog, LogError, LogId, Offset, Record};

/// How the log uses disk and memory.
#[derive(Clone, Debug)]
pub struct Config {
    /// Size of a segment in bytes: 64 KiB to 1 GiB, a multiple of 4096. An append takes half of one at most.
    pub segment_bytes: u32,
    /// Size of all segments in bytes, four segments at least. Appends are refused with [`LogError::Full`] beyond it.
    pub log_bytes_max: u64,
    /// Bytes of appends that are queued; those beyond wait with their callers.
    pub queue_bytes_max: usize,
    /// Bytes written last that are kept in memory for readers.
    pub cache_bytes_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            log_bytes_max: 8 << 30,
            queue_bytes_max: 32 << 20,
            cache_bytes_max: 32 << 20,
        }
    }
}

impl Config {
    fn check(&self) -> Result<(), OpenError> {
        let refuse = |reason| Err(OpenError::Config(reason));
        if !(64 << 10..=1 << 30).contains(&self.segment_bytes) || !self.segment_bytes.is_multiple_of(4096) {
            return refuse("a segment is 64 KiB to 1 GiB and a multiple of 4096 bytes");
        }
        if self.segments_max() < 4 {
            return refuse("the log's size is four segments or more");
        }
        Ok(())
    }

    fn segments_max(&self) -> usize {
        usize::try_from(self.log_bytes_max / u64::from(self.segment_bytes)).unwrap_or(usize::MAX)
    }

    /// Bytes of frames an append may take.
    fn batch_bytes_max(&self) -> usize {
        self.segment_bytes as usize / 2
    }

    /// Bytes a checkpoint may take.
    fn checkpoint_bytes_max(&self) -> usize {
        self.segment_bytes as usize / 4
    }

    /// Bytes of a segment that appends leave to upkeep.
    fn margin(&self) -> usize {
        (self.segment_bytes as usize / 16).min(64 << 10)
    }
}

/// Why the log does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system could not.
    #[error("the log does not open: {context}")]
    Io {
        /// What was being done.
        context: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Written by a later release.
    #[error("the log's file {name} has format {version}, which is newer than this release")]
    Newer {
        /// The file.
        name: String,
        /// Its format.
        version: u32,
    },
    /// There is no room for one more segment.
    #[error("the log does not open: the disk is full")]
    Full,
    /// The configuration is out of range.
    #[error("the log does not open: {0}")]
    Config(&'static str),
}

impl OpenError {
    fn io(context: &'static str, source: io::Error) -> Self {
        Self::Io { context, source }
    }
}

/// The log on segments. Dropping it writes what is queued and waits for the committer to end.
pub struct SegmentLog {
    shared: Arc<Shared>,
    batch_bytes_max: usize,
    thread: Option<JoinHandle<()>>,
}

/// What callers and the committer share. Of the two locks `queue` is never taken with `index` held.
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    index: Mutex<Index>,
}

/// Requests on their way to the committer, in the order of calls: those it may take, then those without space, which are
/// still owned by the futures of their callers and vanish with them.
struct Queue {
    requests: Vec<Request>,
    waiting: VecDeque<Weak<Slot>>,
    /// Of the requests that have been admitted and not been answered.
    bytes: usize,
    bytes_max: usize,
    /// No more requests will come.
    closed: bool,
    /// The committer is gone.
    ended: bool,
    failed: Option<Arc<io::Error>>,
}

/// A request that waits for space.
struct Slot(Mutex<Option<Request>>);

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Request>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl Queue {
    fn new(bytes_max: usize) -> Self {
        Self {
            requests: Vec::new(),
            waiting: VecDeque::new(),
            bytes: 0,
            bytes_max,
            closed: false,
            ended: false,
            failed: None,
        }
    }

    fn has_space(&self, bytes: usize) -> bool {
        self.bytes == 0 || self.bytes + bytes <= self.bytes_max
    }

    /// Queues a request, or has it wait in a slot that its caller keeps. Once the committer has ended it is dropped, and
    /// with it the sender of its answer.
    fn submit(&mut self, request: Request) -> Option<Arc<Slot>> {
        if self.ended || self.failed.is_some() {
            return None;
        }
        let bytes = request.bytes();
        if self.waiting.is_empty() && self.has_space(bytes) {
            self.bytes += bytes;
            self.requests.push(request);
            return None;
        }
        if self.waiting.len() == self.waiting.capacity() {
            self.waiting.retain(|slot| slot.strong_count() > 0);
        }
        let slot = Arc::new(Slot(Mutex::new(Some(request))));
        self.waiting.push_back(Arc::downgrade(&slot));
        Some(slot)
    }

    /// Takes back the space of requests that have been answered, and gives it to those who wait.
    fn release(&mut self, bytes: usize) {
        self.bytes -= bytes;
        while let Some(slot) = self.waiting.front() {
            if let Some(slot) = slot.upgrade() {
                let mut slot = slot.lock();
                let bytes = slot.as_ref().map_or(0, Request::bytes);
                if !self.has_space(bytes) {
                    return;
                }
                self.bytes += bytes;
                self.requests.extend(slot.take());
            }
            self.waiting.pop_front();
        }
    }

    /// Drops every request: their callers are told that the log has failed.
    fn end(&mut self) {
        self.ended = true;
        self.requests.clear();
        for slot in self.waiting.drain(..).filter_map(|slot| slot.upgrade()) {
            slot.lock().take();
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("no holder of this lock panics")
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().expect("no holder of this lock panics")
    }

    fn fail(&self, error: io::Error) {
        self.queue().failed.get_or_insert_with(|| Arc::new(error));
    }

    async fn answer<T>(&self, answer: oneshot::Receiver<Result<T, LogError>>) -> Result<T, LogError> {
        answer.await.unwrap_or_else(|_| Err(LogError::Failed(self.queue().failed.clone())))
    }
}

impl SegmentLog {
    /// Opens the log in a directory, which is created if it is not there, and recovers what a crash left. No other process
    /// may have it open. Blocks.
    ///
    /// # Errors
    /// [`OpenError`]; damage to records is none, it is reported when they are read.
    pub fn open(
        directory: &Path,
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
        metrics: &Metrics,
    ) -> Result<Self, OpenError> {
        let disk = DirectoryDisk::open(directory)
            .map_err(|source| OpenError::io("its directory is not usable", source))?;
        Self::open_on(Arc::new(disk), config, clock, entropy, metrics)
    }

    /// Opens the log on a disk of one's own: how tests fail and crash it.
    ///
    /// # Errors
    /// As [`SegmentLog::open`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
        metrics: &Metrics,
    ) -> Result<Self, OpenError> {
        config.check()?;
        let index = Index::new(config.cache_bytes_max);
        let mut recovered = recovery::recover(disk.as_ref(), index, config.segment_bytes)?;
        if recovered.lost > 0 {
            tracing::error!(lost = recovered.lost, "records of the log are damaged");
        }
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::new(config.queue_bytes_max)),
            wake: Condvar::new(),
            index: Mutex::new(std::mem::take(&mut recovered.index)),
        });
        let batch_bytes_max = config.batch_bytes_max();
        let io = |source| OpenError::io("a thread does not start", source);
        let mut committer =
            Committer::new(Arc::clone(&shared), config, disk, clock, entropy, (recovered, metrics))
                .map_err(io)?;
        if !committer.fits() {
            return Err(OpenError::Config("a segment of this size has no room for the names of all logs"));
        }
        match committer.open() {
            Ok(true) => {}
            Ok(false) => return Err(OpenError::Full),
            Err(_) => {
                let cause = shared.queue().failed.clone();
                let source = cause.map_or(io::ErrorKind::Other, |cause| cause.kind());
                return Err(OpenError::io("the first segment is not written", source.into()));
            }
        }
        let thread = kernel::thread("log-commit", move || committer.run()).map_err(io)?;
        Ok(Self { shared, batch_bytes_max, thread: Some(thread) })
    }

    fn submit<T: Send + 'static>(
        &self,
        request: Request,
        answer: oneshot::Receiver<Result<T, LogError>>,
    ) -> BoxFuture<'static, Result<T, LogError>> {
        let mut queue = self.shared.queue();
        let slot = queue.submit(request);
        let wakes = queue.requests.len() == 1;
        drop(queue);
        if wakes {
            self.shared.wake.notify_one();
        }
        let shared = Arc::clone(&self.shared);
        async move {
            let answer = shared.answer(answer).await;
            drop(slot);
            answer
        }
        .boxed()
    }
}

impl Drop for SegmentLog {
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed; those who waited have been told.
            thread.join().unwrap_or(());
        }
    }
}

impl CommitLog for SegmentLog {
    fn append(&self, log: &LogId, records: Vec<Bytes>) -> BoxFuture<'static, Result<Offset, LogError>> {
        if records.is_empty() {
            return future::ready(Ok(self.bounds(log).next)).boxed();
        }
        let bytes = records.iter().map(|record| frame::size(record.len())).sum();
        if bytes > self.batch_bytes_max {
            return future::ready(Err(LogError::TooLarge { bytes })).boxed();
        }
        let (reply, answer) = oneshot::channel();
        self.submit(Request::Append { log: log.clone(), records, reply }, answer)
    }

    fn read(
        &self,
        log: &LogId,
        from: Offset,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, LogError>> {
        read::read(Arc::clone(&self.shared), log.clone(), from, bytes_max).boxed()
    }

    fn trim(&self, log: &LogId, before: Offset) -> BoxFuture<'static, Result<(), LogError>> {
        let (reply, answer) = oneshot::channel();
        self.submit(Request::Trim { log: log.clone(), before, reply }, answer)
    }

    fn delete(&self, log: &LogId) -> BoxFuture<'static, Result<(), LogError>> {
        let (reply, answer) = oneshot::channel();
        self.submit(Request::Delete { log: log.clone(), reply }, answer)
    }

    fn bounds(&self, log: &LogId) -> Bounds {
        self.shared.index().log(log).map_or_else(Bounds::default, index::Log::bounds)
    }

    fn oldest(&self, log: &LogId) -> Option<Timestamp> {
        self.shared.index().log(log)?.oldest()
    }

    fn logs(&self, prefix: &str) -> Vec<LogId> {
        let index = self.shared.index();
        let named = index.logs().filter(|(name, log)| name.as_str().starts_with(prefix) && log.next() > 0);
        named.map(|(name, _)| name.clone()).collect()
    }

    fn changed(&self, log: &LogId) -> watch::Receiver<Offset> {
        self.shared.index().changed(log)
    }
}
