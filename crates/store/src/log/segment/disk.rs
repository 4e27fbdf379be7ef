//! The few operations on files that the log needs: a directory of preallocated files on the real disk, and the seam at
//! which [`crate::fault::SimDisk`] takes its place.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many zeros one write of a preallocation carries.
const ZEROS: usize = 1 << 20;

/// A directory of files with fixed sizes.
pub trait Disk: Send + Sync {
    /// The names of all files.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens a file that is there.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Creates a file of this many zeros, replacing one of that name. It and its name are durable when this returns.
    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>>;

    /// Removes a file. Not necessarily durable.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// One file.
pub trait DiskFile: Send + Sync {
    /// Its size now.
    fn size(&self) -> io::Result<u64>;

    /// Fills the buffer from a position; an error if the file ends before.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()>;

    /// Writes all bytes at a position.
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;

    /// Makes every write that has returned durable.
    fn sync(&self) -> io::Result<()>;
}

/// A directory of the file system.
pub struct DirectoryDisk {
    path: PathBuf,
}

impl DirectoryDisk {
    /// Creates the directory if it is not there. Its parent is expected to be.
    pub fn open(path: &Path) -> io::Result<Self> {
        if !path.is_dir() {
            std::fs::create_dir(path)?;
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                sync_directory(parent)?;
            }
        }
        Ok(Self { path: path.to_owned() })
    }
}

impl Disk for DirectoryDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let names = std::fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(io::Result::transpose).collect()
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(OpenOptions::new().read(true).write(true).open(self.path.join(name))?))
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.path.join(name);
        let create = || {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            let zeros = vec![0; ZEROS];
            let mut position = 0;
            while position < bytes {
                let n = bytes.saturating_sub(position).min(ZEROS as u64);
                FileExt::write_all_at(&file, &zeros[..n as usize], position)?;
                position += n;
            }
            file.sync_all()?;
            sync_directory(&self.path)?;
            Ok(file)
        };
        match create() {
            Ok(file) => Ok(Arc::new(file)),
            Err(error) => {
                // A half-made file only takes the space that is missing.
                std::fs::remove_file(&path).ok();
                Err(error)
            }
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }
}

impl DiskFile for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        self.read_exact_at(buffer, position)
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.write_all_at(bytes, position)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
