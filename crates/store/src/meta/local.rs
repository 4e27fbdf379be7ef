//! `MetaStore` on a local disk: one SQLite file.
//!
//! ```text
//!  meta(key BLOB PRIMARY KEY, value BLOB, revision INTEGER) WITHOUT ROWID
//!  last(revision INTEGER)      one row: the last commit, which a deleted key would not tell
//!  user_version                the format
//! ```
//!
//! One thread writes. It takes whatever commits have gathered into one SQLite transaction (write-ahead log, `synchronous=FULL`),
//! checks each batch against what the ones before it wrote, and answers after the transaction is durable. Reads go to
//! connections of their own: a `get` takes some ten microseconds and runs where it is called, a `scan` runs where it may block.
//!
//! 1. A conflict is answered after the transaction too: what it conflicts with may not be durable before.
//! 2. [`MetaStore::revision`] and the watches learn of a commit after readers can see it.
//! 3. After an error of the disk nothing is written until the store is opened anew. A full disk is an error of its own: the
//!    transaction is undone and a later one may succeed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bytes::Bytes;
use futures::future::{self, BoxFuture, FutureExt};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, params};
use tokio::sync::{mpsc, oneshot};

use super::memory::Feed;
use super::{Batch, CommitError, Expect, MetaStore, Page, Revision, StoreError, Versioned, Watch};
use crate::log::segment::disk::sync_directory;

/// The format this release writes.
const FORMAT: i64 = 1;

/// Commits that wait for the writer; more wait for space.
const QUEUE_MAX: usize = 1024;

/// Commits that share a transaction.
const GROUP_MAX: usize = 256;

/// Connections kept for readers; more are opened while more read at once.
const READERS_MAX: usize = 4;

const SELECT: &str = "SELECT value, revision FROM meta WHERE key = ?1";
const UPSERT: &str = "INSERT INTO meta (key, value, revision) VALUES (?1, ?2, ?3) \
    ON CONFLICT (key) DO UPDATE SET value = ?2, revision = ?3";

/// A SQLite file. Dropping it commits what is queued and waits for the writer to end.
pub struct LocalMetaStore {
    readers: Arc<Readers>,
    shared: Arc<Shared>,
    commits: Option<mpsc::Sender<Commit>>,
    writer: Option<JoinHandle<()>>,
}

struct Shared {
    revision: AtomicU64,
    feed: Feed,
}

struct Commit {
    batch: Batch,
    reply: oneshot::Sender<Result<Revision, CommitError>>,
}

struct Writer {
    connection: Connection,
    shared: Arc<Shared>,
    broken: bool,
}

/// A batch within a transaction: its revision, or the key that conflicts.
type Outcome = Result<Revision, Vec<u8>>;

impl LocalMetaStore {
    /// Opens the file, which is created if it is not there. No other process may have it open. Blocks.
    ///
    /// # Errors
    /// When the file cannot be used, is no SQLite database, or was written by a later release.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path).map_err(|error| failed("opening the file", error))?;
        let revision = prepare(&connection)?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_directory(parent).map_err(|error| StoreError {
                context: "syncing the directory",
                transient: false,
                source: Some(error.into()),
            })?;
        }
        let shared =
            Arc::new(Shared { revision: AtomicU64::new(revision), feed: Feed::new(Revision(revision)) });
        let (commits, queue) = mpsc::channel(QUEUE_MAX);
        let writer = Writer { connection, shared: Arc::clone(&shared), broken: false };
        let writer = kernel::thread("meta-commit", move || writer.run(queue)).map_err(|error| {
            StoreError { context: "starting the writer", transient: false, source: Some(error.into()) }
        })?;
        let readers = Arc::new(Readers { path: path.to_owned(), idle: Mutex::default() });
        Ok(Self { readers, shared, commits: Some(commits), writer: Some(writer) })
    }
}

impl Drop for LocalMetaStore {
    fn drop(&mut self) {
        self.commits = None;
        if let Some(writer) = self.writer.take() {
            // Its panic has been printed; those who waited have been told.
            writer.join().unwrap_or(());
        }
    }
}

impl MetaStore for LocalMetaStore {
    fn get(&self, key: &[u8]) -> BoxFuture<'_, Result<Option<Versioned>, StoreError>> {
        future::ready(self.readers.get(key)).boxed()
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page, StoreError>> {
        let readers = Arc::clone(&self.readers);
        let (prefix, after) = (prefix.to_vec(), after.map(<[u8]>::to_vec));
        kernel::blocking(move || readers.scan(&prefix, after.as_deref(), limit)).boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>> {
        let commits = self.commits.as_ref().expect("the sender is taken when the store is dropped");
        async move {
            let gone = StoreError { context: "the writer has ended", transient: false, source: None };
            let (reply, answer) = oneshot::channel();
            match commits.send(Commit { batch, reply }).await {
                Ok(()) => answer.await.unwrap_or(Err(gone.into())),
                Err(_) => Err(gone.into()),
            }
        }
        .boxed()
    }

    fn revision(&self) -> Revision {
        Revision(self.shared.revision.load(Ordering::Acquire))
    }

    fn watch(&self, prefix: &[u8], after: Revision) -> Watch {
        self.shared.feed.watch(prefix, after)
    }
}

/// Whether a later attempt may succeed without anyone acting.
fn is_transient(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn failed(context: &'static str, error: rusqlite::Error) -> StoreError {
    StoreError { context, transient: is_transient(&error), source: Some(error.into()) }
}

/// Sets the connection of the writer up, creates the tables of a new file, and answers the last revision.
fn prepare(connection: &Connection) -> Result<u64, StoreError> {
    let set_up = || {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // What is deleted or replaced may have been a secret: its bytes are overwritten, not only given up.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.set_prepared_statement_cache_capacity(16);
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
    };
    let format = set_up().map_err(|error| failed("opening the file", error))?;
    if format > FORMAT {
        let text = format!("the file has format {format}, this release reads up to {FORMAT}");
        return Err(StoreError {
            context: "the file was written by a later release",
            transient: false,
            source: Some(text.into()),
        });
    }
    if format == 0 {
        let create = format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE meta (key BLOB PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
             CREATE TABLE last (revision INTEGER NOT NULL);
             INSERT INTO last VALUES (0);
             PRAGMA user_version = {FORMAT};
             COMMIT;"
        );
        connection.execute_batch(&create).map_err(|error| failed("creating the tables", error))?;
    }
    connection
        .query_row("SELECT revision FROM last", [], |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
        .map_err(|error| failed("reading the last revision", error))
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Commit>) {
        let mut group = Vec::new();
        while let Some(first) = queue.blocking_recv() {
            group.push(first);
            while group.len() < GROUP_MAX
                && let Ok(next) = queue.try_recv()
            {
                group.push(next);
            }
            self.commit(&mut group);
        }
    }

    /// Commits a group and answers every batch of it.
    fn commit(&mut self, group: &mut Vec<Commit>) {
        let error = |transient, source: Option<&Arc<rusqlite::Error>>| StoreError {
            context: "committing",
            transient,
            source: source.map(|source| Arc::clone(source).into()),
        };
        if self.broken {
            for commit in group.drain(..) {
                // Who no longer waits is not told.
                drop(commit.reply.send(Err(error(false, None).into())));
            }
            return;
        }
        match self.transact(group) {
            Ok(outcomes) => {
                for (commit, outcome) in group.drain(..).zip(outcomes) {
                    let answer = outcome.map_err(|key| CommitError::Conflict { key });
                    if let Ok(revision) = answer {
                        self.shared.revision.store(revision.0, Ordering::Release);
                        self.shared.feed.publish(commit.batch.changes, revision);
                    }
                    drop(commit.reply.send(answer));
                }
            }
            Err(cause) => {
                let transient = is_transient(&cause);
                self.broken = !transient;
                let cause = Arc::new(cause);
                if self.broken {
                    tracing::error!(error = %cause, "the metadata store has failed and takes no more commits");
                }
                for commit in group.drain(..) {
                    drop(commit.reply.send(Err(error(transient, Some(&cause)).into())));
                }
            }
        }
    }

    /// Applies the batches in one transaction. An error undoes all of them.
    fn transact(&mut self, group: &[Commit]) -> rusqlite::Result<Vec<Outcome>> {
        let before = self.shared.revision.load(Ordering::Acquire);
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut revision = before;
        let mut outcomes = Vec::with_capacity(group.len());
        {
            let mut select = transaction.prepare_cached(SELECT)?;
            let mut upsert = transaction.prepare_cached(UPSERT)?;
            let mut delete = transaction.prepare_cached("DELETE FROM meta WHERE key = ?1")?;
            for Commit { batch, .. } in group {
                let mut conflict = None;
                for (key, expect) in &batch.checks {
                    let found = select.query_row([key], versioned).optional()?.map(|found| found.revision);
                    let holds = match (found, expect) {
                        (None, Expect::Absent) => true,
                        (Some(found), Expect::At(at)) => found == *at,
                        _ => false,
                    };
                    if !holds {
                        conflict = Some(key.clone());
                        break;
                    }
                }
                if let Some(key) = conflict {
                    outcomes.push(Err(key));
                    continue;
                }
                revision += 1;
                for (key, value) in &batch.changes {
                    match value {
                        Some(value) => {
                            upsert.execute(params![key, value.as_ref(), revision.cast_signed()])?
                        }
                        None => delete.execute([key])?,
                    };
                }
                outcomes.push(Ok(Revision(revision)));
            }
            if revision > before {
                transaction
                    .prepare_cached("UPDATE last SET revision = ?1")?
                    .execute([revision.cast_signed()])?;
            }
        }
        transaction.commit()?;
        Ok(outcomes)
    }
}

fn versioned(row: &Row<'_>) -> rusqlite::Result<Versioned> {
    let value = Bytes::copy_from_slice(row.get_ref(0)?.as_bytes()?);
    Ok(Versioned { value, revision: Revision(row.get::<_, i64>(1)?.cast_unsigned()) })
}

/// Connections that read.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let idle = self.idle.lock().expect("no holder of this lock panics").pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open().map_err(|error| failed("opening the file to read", error))?,
        };
        let value = read(&connection).map_err(|error| failed("reading", error));
        let mut idle = self.idle.lock().expect("no holder of this lock panics");
        if idle.len() < READERS_MAX {
            idle.push(connection);
        }
        value
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(&self.path, flags)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.with(|connection| connection.prepare_cached(SELECT)?.query_row([key], versioned).optional())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Page, StoreError> {
        let after = after.filter(|after| *after >= prefix);
        // The first key that does not begin with the prefix; none if every greater key does.
        let end = prefix.iter().rposition(|byte| *byte < 0xff).map(|last| {
            let mut end = prefix[..=last].to_vec();
            end[last] += 1;
            end
        });
        let compare = if after.is_some() { ">" } else { ">=" };
        let bound = if end.is_some() { "AND key < ?3" } else { "AND ?3 IS NULL" };
        let sql = format!(
            "SELECT value, revision, key FROM meta WHERE key {compare} ?1 {bound} ORDER BY key LIMIT ?2"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with(|connection| {
            let mut select = connection.prepare_cached(&sql)?;
            let rows = select.query_map(params![after.unwrap_or(prefix), limit, end], |row| {
                Ok((row.get_ref(2)?.as_blob()?.to_vec(), versioned(row)?))
            })?;
            rows.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;
    use crate::conformance::meta::{Harness, Step, agrees_with_memory, failures};

    struct OnFile {
        directory: TempDir,
        store: Option<LocalMetaStore>,
    }

    fn open(directory: &TempDir) -> LocalMetaStore {
        LocalMetaStore::open(&directory.path().join("meta.sqlite")).unwrap()
    }

    impl OnFile {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let store = Some(open(&directory));
            Self { directory, store }
        }
    }

    impl Harness for OnFile {
        fn store(&self) -> &dyn MetaStore {
            self.store.as_ref().unwrap()
        }

        fn reopen(&mut self) -> BoxFuture<'_, ()> {
            self.store = None;
            self.store = Some(open(&self.directory));
            future::ready(()).boxed()
        }
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        assert_eq!(failures(OnFile::new).await, [""; 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

        #[test]
        fn any_history_agrees_with_memory(steps in proptest::collection::vec(Step::any(), 1..40)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(agrees_with_memory(OnFile::new(), &steps));
        }
    }

    #[tokio::test]
    async fn a_later_format_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("meta.sqlite");
        drop(open(&directory));
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
        let error = LocalMetaStore::open(&path).err().unwrap();
        assert_eq!(error.to_string(), "metadata store: the file was written by a later release");
        assert_eq!(error.source.unwrap().to_string(), "the file has format 7, this release reads up to 1");
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("meta.sqlite");
        std::fs::write(&path, "not a database, but long enough to be read as one".repeat(100)).unwrap();
        let error = LocalMetaStore::open(&path).err().unwrap();
        assert!(!error.transient);
        assert_eq!(error.to_string(), "metadata store: opening the file");
    }

    #[tokio::test]
    async fn a_full_disk_undoes_the_commit_and_a_later_one_succeeds() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("meta.sqlite");
        let connection = Connection::open(&path).unwrap();
        prepare(&connection).unwrap();
        connection.pragma_update(None, "max_page_count", 20).unwrap();
        let shared = Arc::new(Shared { revision: AtomicU64::new(0), feed: Feed::new(Revision(0)) });
        let mut writer = Writer { connection, shared, broken: false };
        let commit = |writer: &mut Writer, size: usize| {
            let (reply, mut answer) = oneshot::channel();
            writer.commit(&mut vec![Commit { batch: Batch::default().put("a", vec![0; size]), reply }]);
            answer.try_recv().unwrap()
        };
        let error = commit(&mut writer, 1 << 20).unwrap_err();
        assert!(matches!(error, CommitError::Store(StoreError { transient: true, .. })), "{error:?}");
        assert_eq!(commit(&mut writer, 10).unwrap(), Revision(1));
    }

    #[tokio::test]
    async fn a_broken_disk_takes_no_more_commits() {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::open(directory.path().join("meta.sqlite")).unwrap();
        prepare(&connection).unwrap();
        connection.execute_batch("DROP TABLE last; CREATE VIEW last AS SELECT 0 AS revision").unwrap();
        let shared = Arc::new(Shared { revision: AtomicU64::new(0), feed: Feed::new(Revision(0)) });
        let mut writer = Writer { connection, shared, broken: false };
        for _ in 0..2 {
            let (reply, mut answer) = oneshot::channel();
            writer.commit(&mut vec![Commit { batch: Batch::default().put("a", "b"), reply }]);
            let error = answer.try_recv().unwrap().unwrap_err();
            assert!(matches!(error, CommitError::Store(StoreError { transient: false, .. })), "{error:?}");
            assert!(writer.broken);
        }
    }
}
