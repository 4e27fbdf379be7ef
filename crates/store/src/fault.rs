//! A disk that fails on demand: what was written but not synced is lost when its power is cut, sector by sector, as chance
//! has it; syncs and preallocations fail when told to.
//!
//! Files are in memory. Each keeps what is durable, what a reader sees now, and the writes between the two.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use kernel::Entropy;

use crate::log::segment::disk::{Disk, DiskFile};

/// What a device writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// The disk. Clones share it.
#[derive(Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Content>,
    /// Writes and syncs that still succeed; none if all do.
    operations_left: Option<u64>,
    sync_error: Option<io::ErrorKind>,
    create_error: Option<io::ErrorKind>,
    lies: bool,
}

#[derive(Clone, Default)]
struct Content {
    durable: Vec<u8>,
    now: Vec<u8>,
    pending: Vec<(usize, Vec<u8>)>,
}

struct SimFile {
    disk: SimDisk,
    name: String,
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// Lets `n` more writes and syncs succeed; every one after them fails, and so it stays.
    pub fn fail_after(&self, n: u64) {
        self.state().operations_left = Some(n);
    }

    /// Makes every sync fail with this error, or succeed again.
    pub fn fail_syncs(&self, error: Option<io::ErrorKind>) {
        self.state().sync_error = error;
    }

    /// Makes every preallocation fail with this error, or succeed again.
    pub fn fail_creates(&self, error: Option<io::ErrorKind>) {
        self.state().create_error = error;
    }

    /// Syncs return at once and make nothing durable: the negative control of a test with power cuts.
    pub fn lie(&self) {
        self.state().lies = true;
    }

    /// The disk as the next boot finds it after the power was cut: of what was not synced, each sector is there or not.
    #[must_use]
    pub fn after_power_cut(&self, entropy: &Entropy) -> Self {
        self.copy(|content| {
            let mut image = content.durable.clone();
            // Most cuts lose all or nothing of a write; the rest are torn.
            let keep = entropy.below(4);
            for (position, bytes) in &content.pending {
                for (nth, sector) in bytes.chunks(SECTOR).enumerate() {
                    if keep == 0 || (keep > 1 && entropy.below(2) == 0) {
                        let at = position + nth * SECTOR;
                        image[at..at + sector.len()].copy_from_slice(sector);
                    }
                }
            }
            image
        })
    }

    /// The disk as the next process finds it after this one was killed: everything written is there.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        self.copy(|content| content.now.clone())
    }

    fn copy(&self, image: impl Fn(&Content) -> Vec<u8>) -> Self {
        let fresh = |content| {
            let image = image(content);
            Content { durable: image.clone(), now: image, pending: Vec::new() }
        };
        let state = self.state();
        let files = state.files.iter().map(|(name, content)| (name.clone(), fresh(content))).collect();
        Self { state: Arc::new(Mutex::new(State { files, lies: state.lies, ..State::default() })) }
    }

    /// Changes a file behind the back of whoever uses it.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let content = state.files.get_mut(name).expect("the file to tamper with is there");
        change(&mut content.now);
        content.durable.clone_from(&content.now);
        content.pending.clear();
    }

    /// A file's bytes as a reader sees them.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.state().files.get(name).expect("the file to look at is there").now.clone()
    }
}

impl State {
    fn spend(&mut self) -> io::Result<()> {
        match &mut self.operations_left {
            Some(0) => Err(io::Error::other("the disk has failed")),
            Some(n) => {
                *n -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn file(&mut self, name: &str) -> io::Result<&mut Content> {
        self.files.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().files.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.state().file(name)?;
        Ok(Arc::new(SimFile { disk: self.clone(), name: name.to_owned() }))
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        if let Some(error) = state.create_error {
            return Err(error.into());
        }
        let zeros = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
        let content = Content { durable: zeros.clone(), now: zeros, pending: Vec::new() };
        state.files.insert(name.to_owned(), content);
        drop(state);
        self.open(name)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state().files.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.state().file(&self.name)?.now.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let now = &state.file(&self.name)?.now;
        let from = usize::try_from(position).map_err(io::Error::other)?;
        let found = now.get(from..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let spent = state.spend();
        let content = state.file(&self.name)?;
        let from = usize::try_from(position).map_err(io::Error::other)?;
        // The write that fails may have reached the disk in part.
        content.pending.push((from, bytes.to_owned()));
        let target = content.now.get_mut(from..).and_then(|rest| rest.get_mut(..bytes.len()));
        target.expect("the log writes inside its segments").copy_from_slice(bytes);
        spent
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.spend()?;
        if let Some(error) = state.sync_error {
            return Err(error.into());
        }
        let lies = state.lies;
        let content = state.file(&self.name)?;
        if !lies {
            for (position, bytes) in content.pending.drain(..) {
                content.durable[position..position + bytes.len()].copy_from_slice(&bytes);
            }
        }
        Ok(())
    }
}
