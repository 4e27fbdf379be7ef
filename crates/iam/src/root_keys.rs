//! The keys of the first account's root: the one of now, and for as long as the operator wants it the one before.
//!
//! 1. The file is the truth, because clients read it: a rotation is one rename, before it the old key is the root's and after it the
//!    new one, with the old one beside it until its time is over.
//! 2. A key that the operator chose is the operator's to change: it is not rotated here.
//!
//! Rotated again while a key before is still good, that one is refused at once: there are never more than two, as with AWS's users.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use kernel::{Entropy, Secret, Timestamp};

use crate::root_key::{self, Previous, RootKey, RootKeyError, Stored};

/// The keys of a root. Clones share them, so that what follows a reset has the keys of now.
#[derive(Clone, Debug)]
pub struct RootKeys(Arc<Keys>);

#[derive(Debug)]
struct Keys {
    stored: RwLock<Stored>,
    /// None where the operator chose the key.
    file: Option<PathBuf>,
    /// Held by the thread that writes the file.
    rotating: Mutex<()>,
}

impl RootKeys {
    /// A key chosen by the operator.
    pub fn chosen(key: RootKey) -> Self {
        Self::of(Stored { current: key, previous: None }, None)
    }

    /// The keys in `path`; one is generated and written durably with mode 0600 if there is no such file.
    ///
    /// # Errors
    /// See [`RootKeyError`].
    pub fn in_file(path: &Path, entropy: &Entropy) -> Result<Self, RootKeyError> {
        let stored = root_key::load_or_generate(path, entropy)?;
        Ok(Self::of(stored, Some(path.to_owned())))
    }

    fn of(stored: Stored, file: Option<PathBuf>) -> Self {
        Self(Arc::new(Keys { stored: RwLock::new(stored), file, rotating: Mutex::default() }))
    }

    /// The key of now.
    pub fn current(&self) -> RootKey {
        self.0.stored.read().expect("no holder of this lock panics").current.clone()
    }

    /// The secret of a key that is good at `now`.
    pub(crate) fn find(&self, access_key_id: &str, now: Timestamp) -> Option<Secret<String>> {
        let stored = self.0.stored.read().expect("no holder of this lock panics");
        let previous = stored.previous.as_ref().filter(|previous| now < previous.until);
        let mut keys = std::iter::once(&stored.current).chain(previous.map(|previous| &previous.key));
        keys.find(|key| key.access_key_id == access_key_id).map(|key| key.secret_access_key.clone())
    }

    /// Puts `key` in the place of the one of now, which stays good until `until`. None where the operator chose the key.
    ///
    /// # Errors
    /// When the file cannot be written; then whichever key it holds is the root's.
    pub(crate) async fn rotate(
        &self,
        key: RootKey,
        until: Option<Timestamp>,
    ) -> Option<Result<(), RootKeyError>> {
        let file = self.0.file.clone()?;
        let keys = Arc::clone(&self.0);
        // To its end, even when whoever asked goes away: one at a time, and file and memory agree.
        let work = move || {
            let _turn = keys.rotating.lock().expect("no holder of this lock panics");
            let current = keys.stored.read().expect("no holder of this lock panics").current.clone();
            let next = Stored { current: key, previous: until.map(|until| Previous { key: current, until }) };
            let written = root_key::write(&file, &next);
            let now = match &written {
                Ok(()) => Some(next),
                Err(_) => root_key::read(&file).ok(),
            };
            if let Some(now) = now {
                *keys.stored.write().expect("no holder of this lock panics") = now;
            }
            written
        };
        Some(kernel::blocking(work).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn ids(keys: &RootKeys, of: &[&RootKey], now: Timestamp) -> Vec<bool> {
        of.iter().map(|key| keys.find(&key.access_key_id, now).is_some()).collect()
    }

    #[tokio::test]
    async fn the_old_key_is_good_for_as_long_as_was_asked_and_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (path, entropy) = (dir.path().join("credentials"), Entropy::seeded(1));
        let keys = RootKeys::in_file(&path, &entropy).unwrap();
        let (first, second, third) =
            (keys.current(), RootKey::generate(&entropy), RootKey::generate(&entropy));
        keys.rotate(second.clone(), Some(at(1000))).await.unwrap().unwrap();
        for keys in [&keys, &RootKeys::in_file(&path, &entropy).unwrap()] {
            assert_eq!(ids(keys, &[&first, &second], at(999)), [true, true]);
            assert_eq!(ids(keys, &[&first, &second], at(1000)), [false, true]);
            assert_eq!(keys.find(&second.access_key_id, at(0)).unwrap(), second.secret_access_key);
        }
        assert_eq!(RootKey::load(&path).unwrap().access_key_id, second.access_key_id);
        keys.rotate(third.clone(), None).await.unwrap().unwrap();
        assert_eq!(ids(&keys, &[&first, &second, &third], at(0)), [false, false, true]);
    }

    #[tokio::test]
    async fn those_who_rotate_at_once_leave_one_key_in_file_and_memory() {
        let dir = tempfile::tempdir().unwrap();
        let (path, entropy) = (dir.path().join("credentials"), Entropy::seeded(1));
        let keys = RootKeys::in_file(&path, &entropy).unwrap();
        let mut rotations: Vec<_> =
            (0..16).map(|_| Box::pin(keys.rotate(RootKey::generate(&entropy), Some(at(1))))).collect();
        // One of them asks and goes away.
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for rotation in &mut rotations {
            assert!(rotation.as_mut().poll(&mut context).is_pending());
        }
        drop(rotations.pop());
        for rotation in rotations {
            rotation.await.unwrap().unwrap();
        }
        keys.rotate(RootKey::generate(&entropy), Some(at(1))).await.unwrap().unwrap();
        let stored = root_key::read(&path).unwrap();
        assert_eq!(stored.current.access_key_id, keys.current().access_key_id);
        assert!(keys.find(&stored.previous.unwrap().key.access_key_id, at(0)).is_some());
    }

    #[tokio::test]
    async fn a_chosen_key_is_not_rotated() {
        let keys = RootKeys::chosen(RootKey::new("AKID", "secret"));
        assert!(keys.rotate(RootKey::new("AKID2", "secret"), None).await.is_none());
        assert_eq!(keys.current().access_key_id, "AKID");
    }

    #[tokio::test]
    async fn a_crash_before_the_rename_leaves_the_old_key_and_a_full_disk_too() {
        let dir = tempfile::tempdir().unwrap();
        let (path, entropy) = (dir.path().join("credentials"), Entropy::seeded(1));
        let keys = RootKeys::in_file(&path, &entropy).unwrap();
        let first = keys.current();
        // Cut off while the new file was written.
        std::fs::write(path.with_extension("tmp"), "[default]\naws_access").unwrap();
        assert_eq!(RootKeys::in_file(&path, &entropy).unwrap().current().access_key_id, first.access_key_id);
        keys.rotate(RootKey::generate(&entropy), None).await.unwrap().unwrap();
        let second = keys.current();
        // Something in the way that cannot be replaced stands for a disk that cannot be written.
        std::fs::create_dir_all(path.with_extension("tmp").join("x")).unwrap();
        assert!(keys.rotate(RootKey::generate(&entropy), None).await.unwrap().is_err());
        assert_eq!(keys.current().access_key_id, second.access_key_id);
        assert_eq!(RootKey::load(&path).unwrap().access_key_id, second.access_key_id);
    }
}
