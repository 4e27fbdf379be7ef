//! Doing a thing again only when what it was made from has changed.
//!
//! A stamp is a file beside the result that holds a hash of every source's path and content. Contents and not times, because a
//! fresh checkout has new times for old contents.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// What was made, once its sources are hashed.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// Of the files and folders named, kept in `file`.
    pub(crate) fn new(file: PathBuf, sources: &[PathBuf]) -> Self {
        let mut hasher = DefaultHasher::new();
        for source in sources {
            add(source, &mut hasher);
        }
        Self { file, hash: format!("{:016x}\n", hasher.finish()) }
    }

    pub(crate) fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|kept| kept == self.hash)
    }

    /// To be called when the thing is made, and not before.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self) -> Result<(), String> {
        fs::write(&self.file, &self.hash)
            .map_err(|error| format!("cannot write {}: {error}", self.file.display()))
    }
}

fn add(path: &Path, hasher: &mut DefaultHasher) {
    path.hash(hasher);
    if path.is_dir() {
        let mut inside: Vec<_> =
            fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        inside.sort();
        for path in inside {
            add(&path, hasher);
        }
    } else {
        fs::read(path).ok().hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_current_until_a_source_changes() {
        let folder = std::env::temp_dir().join(format!("headwater-stamp-{}", std::process::id()));
        let source = folder.join("source/deep");
        fs::create_dir_all(&source).unwrap();
        fs::write(source.join("a.txt"), "one").unwrap();
        let stamp = || Stamp::new(folder.join("stamp"), &[folder.join("source"), folder.join("absent")]);
        assert!(!stamp().is_current());
        stamp().write().unwrap();
        assert!(stamp().is_current());
        fs::write(source.join("a.txt"), "two").unwrap();
        assert!(!stamp().is_current(), "another content");
        fs::write(source.join("a.txt"), "one").unwrap();
        assert!(stamp().is_current(), "the same content, written anew");
        fs::write(source.join("b.txt"), "").unwrap();
        assert!(!stamp().is_current(), "another file");
        fs::remove_dir_all(&folder).unwrap();
    }
}
