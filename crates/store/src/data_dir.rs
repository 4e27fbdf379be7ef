//! The data directory of a node: created for its owner alone, locked for one process, and who keeps what in it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::log::segment::disk::sync_directory;

/// A data directory that is ours until this is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
}

/// Why a data directory cannot be ours. Each says in one line what the operator has to look at.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process holds the lock.
    #[error("the data directory {} is in use by another process", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The directory cannot be created or written to.
    #[error("the data directory {} is not writable", path.display())]
    Unwritable {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// There is something else of that name.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
}

impl DataDir {
    /// Creates the directory if it is not there, with those above it, and locks it. A directory that is created is accessible
    /// to its owner alone, whatever the umask; one that is there keeps its permissions.
    ///
    /// # Errors
    /// [`DataDirError`].
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let unwritable = |source| DataDirError::Unwritable { path: path.to_owned(), source };
        if path.exists() && !path.is_dir() {
            return Err(DataDirError::NotADirectory { path: path.to_owned() });
        }
        if !path.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unwritable)?;
            std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(unwritable)?;
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                sync_directory(parent).map_err(unwritable)?;
            }
        }
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(false).mode(0o600);
        let lock = lock.open(path.join("lock")).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unwritable(source)),
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where [`crate::meta::local::LocalMetaStore`] keeps its file.
    pub fn meta(&self) -> PathBuf {
        self.path.join("meta.sqlite")
    }

    /// Where [`crate::log::segment::SegmentLog`] keeps its segments.
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Where [`crate::blob::local`] keeps its objects.
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }
}

/// Writes a file that only its owner may read. It appears whole or not at all, also after a crash.
///
/// # Errors
/// When it cannot be written; then `path` is as before, or as it was to be.
pub fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_directory(parent.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_created_for_its_owner_and_locked_while_it_is_held() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/data");
        let held = DataDir::open(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let error = DataDir::open(&path).unwrap_err();
        assert!(matches!(error, DataDirError::InUse { .. }));
        assert_eq!(
            error.to_string(),
            format!("the data directory {} is in use by another process", path.display())
        );
        drop(held);
        DataDir::open(&path).unwrap();
    }

    #[test]
    fn a_secret_is_its_owners_alone_whatever_was_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(dir.path().join("key.tmp"), "left by a crash").unwrap();
        for text in ["first", "second"] {
            write_secret(&path, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_or_a_place_that_cannot_be_written_is_told_apart() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = DataDir::open(&file).unwrap_err();
        assert_eq!(error.to_string(), format!("{} is not a directory", file.display()));
        // Below a file nothing can be created, not even by root.
        let error = DataDir::open(&file.join("data")).unwrap_err();
        assert!(matches!(error, DataDirError::Unwritable { .. }), "{error}");
        let expected = format!("the data directory {} is not writable", file.join("data").display());
        assert_eq!(error.to_string(), expected);
    }
}
