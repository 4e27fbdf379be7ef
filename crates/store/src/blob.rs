//! Objects, through `object_store`: in memory, and in a directory of the local disk.
//!
//! `object_store`'s own `LocalFileSystem` writes through the page cache and syncs nothing (0.13.2). [`local`] writes
//! objects itself and leaves reading and listing to it.
//!
//! ```text
//!  staging/<n>      written, synced, then renamed to its place
//!  objects/<path>   complete objects and nothing else
//! ```
//!
//! 1. An object is complete or absent: it appears by a rename, after its bytes are durable.
//! 2. What has returned survives power loss: the directory that holds the new name, and every directory above it that this
//!    process has not made sure of, is synced before.
//! 3. What a crash left in `staging` is removed when the directory is opened, in time that does not depend on the objects.
//!
//! An object and a directory cannot share a name: who needs both `a` and `a/b`, or names longer than 255 bytes between
//! slashes, maps its keys to paths.

use std::collections::HashSet;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path as FsPath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

use crate::log::segment::disk::sync_directory;

/// What errors name as their store.
const STORE: &str = "DurableFileSystem";

/// Directories known to be durable that are remembered.
const DIRECTORIES_MAX: usize = 4096;

/// Deletes that run at once.
const DELETES_MAX: usize = 10;

/// Objects in memory.
pub fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

/// Objects in a directory, which is created if it is not there; its parent is expected to be. No other process may have it
/// open. Blocks.
///
/// # Errors
/// When the directory cannot be used.
pub fn local(directory: &FsPath) -> io::Result<Arc<dyn ObjectStore>> {
    Ok(Arc::new(DurableFileSystem::open(directory)?))
}

/// A directory of durable objects. Clones share it.
#[derive(Clone)]
struct DurableFileSystem {
    inner: LocalFileSystem,
    files: Arc<Files>,
}

struct Files {
    objects: PathBuf,
    staging: PathBuf,
    next: AtomicU64,
    /// Directories below `objects` whose names are durable.
    durable: Mutex<HashSet<PathBuf>>,
}

impl DurableFileSystem {
    fn open(directory: &FsPath) -> io::Result<Self> {
        let (objects, staging) = (directory.join("objects"), directory.join("staging"));
        for path in [directory, &objects, &staging] {
            if !path.is_dir() {
                std::fs::create_dir(path)?;
            }
        }
        for left in std::fs::read_dir(&staging)? {
            std::fs::remove_file(left?.path())?;
        }
        sync_directory(directory)?;
        if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_directory(parent)?;
        }
        let inner = LocalFileSystem::new_with_prefix(&objects).map_err(io::Error::other)?;
        // As the inner store has it, so that paths derived from one compare with the other.
        let objects = std::fs::canonicalize(&objects)?;
        let files = Files { objects, staging, next: AtomicU64::new(0), durable: Mutex::default() };
        Ok(Self { inner, files: Arc::new(files) })
    }
}

impl Files {
    fn staged(&self) -> PathBuf {
        self.staging.join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Creates the directory an object goes to, with those above it, and makes their names durable.
    fn ensure_directory(&self, directory: &FsPath) -> io::Result<()> {
        if directory == self.objects
            || self.durable.lock().expect("no holder of this lock panics").contains(directory)
        {
            return Ok(());
        }
        let parent = directory.parent().ok_or(ErrorKind::NotFound)?;
        self.ensure_directory(parent)?;
        match std::fs::create_dir(directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        sync_directory(parent)?;
        let mut durable = self.durable.lock().expect("no holder of this lock panics");
        if durable.len() >= DIRECTORIES_MAX {
            durable.clear();
        }
        durable.insert(directory.to_owned());
        Ok(())
    }

    /// Gives a durable staged file its name, durably. The staged name is gone afterwards, come what may.
    fn place(&self, staged: &FsPath, to: &FsPath, mode: &PutMode) -> io::Result<()> {
        let place = || {
            let directory = to.parent().ok_or(ErrorKind::NotFound)?;
            self.ensure_directory(directory)?;
            match mode {
                PutMode::Create => std::fs::hard_link(staged, to)?,
                _ => std::fs::rename(staged, to)?,
            }
            sync_directory(directory)
        };
        let placed = place();
        // Gone already after a rename, unless both names were of one file.
        std::fs::remove_file(staged).ok();
        placed
    }

    fn put(&self, to: &FsPath, payload: &PutPayload, mode: &PutMode) -> io::Result<PutResult> {
        let staged = self.staged();
        let write = || {
            let mut file = File::create_new(&staged)?;
            for bytes in payload {
                file.write_all(bytes)?;
            }
            file.sync_data()?;
            file.metadata()
        };
        let written = write().inspect_err(|_| drop(std::fs::remove_file(&staged)));
        let metadata = written?;
        self.place(&staged, to, mode)?;
        Ok(PutResult { e_tag: Some(e_tag(&metadata)), version: None })
    }

    fn copy(&self, from: &FsPath, to: &FsPath, mode: &PutMode) -> io::Result<()> {
        let staged = self.staged();
        std::fs::hard_link(from, &staged)?;
        self.place(&staged, to, mode)
    }
}

/// As `LocalFileSystem` derives it, which answers for the object from then on.
fn e_tag(metadata: &Metadata) -> String {
    let modified =
        metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{:x}-{:x}-{:x}", metadata.ino(), modified.as_micros(), metadata.len())
}

fn error(path: &Path, error: io::Error) -> Error {
    let (path, kind) = (path.to_string(), error.kind());
    match kind {
        ErrorKind::NotFound => Error::NotFound { path, source: error.into() },
        ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: error.into() },
        ErrorKind::PermissionDenied => Error::PermissionDenied { path, source: error.into() },
        _ => Error::Generic { store: STORE, source: error.into() },
    }
}

fn not_implemented(operation: &str) -> Error {
    Error::NotImplemented { operation: operation.to_owned(), implementer: STORE.to_owned() }
}

impl fmt::Debug for DurableFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for DurableFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{STORE}({})", self.files.objects.display())
    }
}

// The trait is written with the `async_trait` macro; these signatures are what it expands to.
impl ObjectStore for DurableFileSystem {
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
        async move {
            if matches!(options.mode, PutMode::Update(_)) || !options.attributes.is_empty() {
                return Err(not_implemented("put with an expected version or attributes"));
            }
            let to = self.inner.path_to_filesystem(location)?;
            let files = Arc::clone(&self.files);
            let put = kernel::blocking(move || files.put(&to, &payload, &options.mode)).await;
            put.map_err(|cause| error(location, cause))
        }
        .boxed()
    }

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
        async move {
            if !options.attributes.is_empty() {
                return Err(not_implemented("multipart upload with attributes"));
            }
            let to = self.inner.path_to_filesystem(location)?;
            let staged = self.files.staged();
            let path = staged.clone();
            let file = kernel::blocking(move || File::create_new(path)).await;
            let file = file.map_err(|cause| error(location, cause))?;
            let written = Arc::new(Written { file, outstanding: AtomicU64::new(0) });
            let (files, location) = (Arc::clone(&self.files), location.clone());
            let upload: Box<dyn MultipartUpload> =
                Box::new(Upload { files, staged: Some(staged), to, location, written, bytes: 0 });
            Ok(upload)
        }
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
        let store = self.clone();
        let delete = move |location: Path| {
            let store = store.clone();
            async move {
                let path = store.inner.path_to_filesystem(&location)?;
                let delete = move || {
                    std::fs::remove_file(&path)?;
                    sync_directory(path.parent().ok_or(ErrorKind::NotFound)?)
                };
                kernel::blocking(delete).await.map_err(|cause| error(&location, cause))?;
                Ok(location)
            }
        };
        locations.map_ok(delete).try_buffered(DELETES_MAX).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
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
        async move {
            let mode = match options.mode {
                CopyMode::Overwrite => PutMode::Overwrite,
                CopyMode::Create => PutMode::Create,
            };
            let (source, target) = (self.inner.path_to_filesystem(from)?, self.inner.path_to_filesystem(to)?);
            let files = Arc::clone(&self.files);
            let copied = kernel::blocking(move || files.copy(&source, &target, &mode)).await;
            copied.map_err(|cause| {
                let culprit = if cause.kind() == ErrorKind::NotFound { from } else { to };
                error(culprit, cause)
            })
        }
        .boxed()
    }
}

/// Parts on their way to a staged file, each at its place.
struct Upload {
    files: Arc<Files>,
    /// None once completed or aborted.
    staged: Option<PathBuf>,
    to: PathBuf,
    location: Path,
    written: Arc<Written>,
    /// Where the next part begins.
    bytes: u64,
}

struct Written {
    file: File,
    /// Parts that have not been written, or failed to be.
    outstanding: AtomicU64,
}

impl Written {
    fn write(&self, payload: &PutPayload, mut at: u64) -> io::Result<()> {
        for bytes in payload {
            FileExt::write_all_at(&self.file, bytes, at)?;
            at += bytes.len() as u64;
        }
        self.outstanding.fetch_sub(1, Ordering::AcqRel);
        Ok(())
    }
}

impl Upload {
    fn abandon(&mut self) -> io::Result<()> {
        self.staged.take().map_or(Ok(()), std::fs::remove_file)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("to", &self.to).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl MultipartUpload for Upload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        let at = self.bytes;
        self.bytes += payload.content_length() as u64;
        let written = Arc::clone(&self.written);
        written.outstanding.fetch_add(1, Ordering::AcqRel);
        let location = self.location.clone();
        async move {
            kernel::blocking(move || written.write(&payload, at))
                .await
                .map_err(|cause| error(&location, cause))
        }
        .boxed()
    }

    /// Fails, and may be called again, while a part is not written.
    fn complete<'a, 'c>(&'a mut self) -> BoxFuture<'c, Result<PutResult>>
    where
        'a: 'c,
        Self: 'c,
    {
        async move {
            if self.written.outstanding.load(Ordering::Acquire) > 0 {
                let source = "a part of the upload is not written".into();
                return Err(Error::Generic { store: STORE, source });
            }
            let Some(staged) = self.staged.take() else {
                return Err(Error::Generic { store: STORE, source: "the upload has ended".into() });
            };
            let (files, to, written) = (Arc::clone(&self.files), self.to.clone(), Arc::clone(&self.written));
            let complete = move || {
                let synced = written.file.sync_data().and_then(|()| written.file.metadata());
                let metadata = synced.inspect_err(|_| drop(std::fs::remove_file(&staged)))?;
                files.place(&staged, &to, &PutMode::Overwrite)?;
                Ok(PutResult { e_tag: Some(e_tag(&metadata)), version: None })
            };
            kernel::blocking(complete).await.map_err(|cause| error(&self.location, cause))
        }
        .boxed()
    }

    fn abort<'a, 'c>(&'a mut self) -> BoxFuture<'c, Result<()>>
    where
        'a: 'c,
        Self: 'c,
    {
        async move { self.abandon().map_err(|cause| error(&self.location, cause)) }.boxed()
    }
}

impl Drop for Upload {
    /// What was neither completed nor aborted is abandoned; if that fails, the next open removes it.
    fn drop(&mut self) {
        self.abandon().unwrap_or(());
    }
}

#[cfg(test)]
mod tests {
    use futures::future;
    use object_store::ObjectStoreExt;
    use tempfile::TempDir;

    use super::*;
    use crate::conformance::blob::{Harness, failures};

    struct Memory(Arc<dyn ObjectStore>);

    impl Harness for Memory {
        fn store(&self) -> &dyn ObjectStore {
            &self.0
        }

        fn reopen(&mut self) -> BoxFuture<'_, ()> {
            future::ready(()).boxed()
        }
    }

    struct OnFiles {
        directory: TempDir,
        store: Arc<dyn ObjectStore>,
    }

    impl OnFiles {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let store = local(&directory.path().join("blobs")).unwrap();
            Self { directory, store }
        }

        fn staged(&self) -> usize {
            std::fs::read_dir(self.directory.path().join("blobs/staging")).unwrap().count()
        }
    }

    impl Harness for OnFiles {
        fn store(&self) -> &dyn ObjectStore {
            &self.store
        }

        fn reopen(&mut self) -> BoxFuture<'_, ()> {
            self.store = local(&self.directory.path().join("blobs")).unwrap();
            future::ready(()).boxed()
        }
    }

    #[tokio::test]
    async fn both_forms_keep_the_contract() {
        assert_eq!(failures(|| Memory(memory())).await, [""; 0]);
        assert_eq!(failures(OnFiles::new).await, [""; 0]);
    }

    /// Forgets everything at a crash.
    struct Forgetful(Arc<dyn ObjectStore>);

    impl Harness for Forgetful {
        fn store(&self) -> &dyn ObjectStore {
            &self.0
        }

        fn reopen(&mut self) -> BoxFuture<'_, ()> {
            self.0 = memory();
            future::ready(()).boxed()
        }
    }

    #[tokio::test]
    async fn the_contract_notices_a_broken_store() {
        let failed = failures(|| Forgetful(memory())).await;
        assert!(failed.contains(&"what was put is there at once and after a crash"), "{failed:?}");
    }

    #[tokio::test]
    async fn the_e_tag_of_a_put_is_that_of_the_object() {
        let files = OnFiles::new();
        let path = Path::from("a/b");
        let put = files.store.put(&path, "x".into()).await.unwrap();
        assert!(put.e_tag.is_some());
        assert_eq!(put.e_tag, files.store.head(&path).await.unwrap().e_tag);
    }

    #[tokio::test]
    async fn nothing_stays_behind_and_what_a_crash_left_is_removed() {
        let mut files = OnFiles::new();
        let path = Path::from("a");
        files.store.put(&path, "x".into()).await.unwrap();
        let create = PutOptions::from(PutMode::Create);
        files.store.put_opts(&path, "y".into(), create).await.unwrap_err();
        files.store.copy(&path, &Path::from("b")).await.unwrap();
        files.store.copy(&path, &Path::from("b")).await.unwrap();
        files.store.copy(&path, &path).await.unwrap();
        let mut aborted = files.store.put_multipart(&path).await.unwrap();
        aborted.put_part("z".into()).await.unwrap();
        aborted.abort().await.unwrap();
        let dropped = files.store.put_multipart(&path).await.unwrap();
        assert_eq!(files.staged(), 1);
        drop(dropped);
        assert_eq!(files.staged(), 0);
        let crashed = files.store.put_multipart(&path).await.unwrap();
        std::mem::forget(crashed);
        files.reopen().await;
        assert_eq!(files.staged(), 0);
        assert_eq!(files.store.get(&path).await.unwrap().bytes().await.unwrap(), "x");
    }

    #[tokio::test]
    async fn an_upload_is_not_completed_without_its_parts() {
        let files = OnFiles::new();
        let path = Path::from("a");
        let mut upload = files.store.put_multipart(&path).await.unwrap();
        let part = upload.put_part("x".into());
        assert!(upload.complete().await.is_err());
        assert!(matches!(files.store.head(&path).await, Err(Error::NotFound { .. })));
        part.await.unwrap();
        upload.complete().await.unwrap();
        assert!(upload.complete().await.is_err());
    }

    #[tokio::test]
    async fn what_it_cannot_promise_it_refuses() {
        let files = OnFiles::new();
        let version = object_store::UpdateVersion { e_tag: None, version: None };
        let update = PutOptions::from(PutMode::Update(version));
        let error = files.store.put_opts(&Path::from("a"), "x".into(), update).await.unwrap_err();
        assert!(matches!(error, Error::NotImplemented { .. }), "{error:?}");
        files.store.put(&Path::from("a"), "x".into()).await.unwrap();
        assert!(files.store.put(&Path::from("a/b"), "x".into()).await.is_err());
    }
}
