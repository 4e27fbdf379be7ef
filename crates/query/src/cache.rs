//! Decoded objects, kept because a dashboard asks the same again every two seconds.
//!
//! An entry is everything one object yields for one set of columns. It is found by what the listing said of the
//! object: its etag, so that another content is another key, and when it was stored, because an object that is
//! replaced between listing and reading leaves an entry whose etag is of a content it does not hold; that one is never
//! found again. Bounded by bytes; the entry unused for longest goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::RecordBatch;
use kernel::{AccountId, Timestamp};

/// What an entry holds the decoded form of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    pub(crate) account: AccountId,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) etag: String,
    pub(crate) last_modified: Timestamp,
    /// Columns, types and SerDe properties, as text.
    pub(crate) shape: Arc<str>,
}

/// The batches of one object.
pub(crate) type Decoded = Arc<[RecordBatch]>;

/// Decoded objects, up to a number of bytes.
pub(crate) struct DecodedCache {
    bytes_max: usize,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_key: HashMap<Arc<CacheKey>, Entry>,
    by_use: BTreeMap<u64, Arc<CacheKey>>,
    bytes: usize,
    uses: u64,
}

struct Entry {
    decoded: Decoded,
    bytes: usize,
    used: u64,
}

impl DecodedCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, entries: Mutex::default() }
    }

    /// Bytes beyond which an object's batches are not worth keeping.
    pub(crate) fn entry_bytes_max(&self) -> usize {
        self.bytes_max / 8
    }

    pub(crate) fn get(&self, key: &CacheKey) -> Option<Decoded> {
        let mut entries = self.entries.lock().expect("no holder of this lock panics");
        let Entries { by_key, by_use, uses, .. } = &mut *entries;
        let (name, _) = by_key.get_key_value(key)?;
        let name = Arc::clone(name);
        let entry = by_key.get_mut(key)?;
        *uses += 1;
        by_use.remove(&entry.used);
        entry.used = *uses;
        by_use.insert(*uses, name);
        Some(Arc::clone(&entry.decoded))
    }

    pub(crate) fn insert(&self, key: CacheKey, decoded: Decoded) {
        let bytes = weigh(&key, &decoded);
        if bytes > self.entry_bytes_max() {
            return;
        }
        let mut entries = self.entries.lock().expect("no holder of this lock panics");
        entries.remove(&key);
        while entries.bytes + bytes > self.bytes_max {
            let Some((_, oldest)) = entries.by_use.pop_first() else { break };
            entries.remove(&oldest);
        }
        entries.uses += 1;
        let used = entries.uses;
        let key = Arc::new(key);
        entries.by_use.insert(used, Arc::clone(&key));
        entries.by_key.insert(key, Entry { decoded, bytes, used });
        entries.bytes += bytes;
    }
}

impl Entries {
    fn remove(&mut self, key: &CacheKey) {
        if let Some(entry) = self.by_key.remove(key) {
            self.by_use.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

/// Bytes that a batch holds on to.
pub(crate) fn batch_bytes(batch: &RecordBatch) -> usize {
    batch.get_array_memory_size() + size_of::<RecordBatch>()
}

fn weigh(key: &CacheKey, decoded: &[RecordBatch]) -> usize {
    let name = key.bucket.len() + key.key.len() + key.etag.len() + size_of::<CacheKey>() + size_of::<Entry>();
    name + decoded.iter().map(batch_bytes).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int64Array};

    use super::*;

    fn key(name: &str) -> CacheKey {
        CacheKey {
            account: "000000000000".parse().unwrap(),
            bucket: "b".to_owned(),
            key: name.to_owned(),
            etag: "e".to_owned(),
            last_modified: Timestamp::EPOCH,
            shape: "s".into(),
        }
    }

    fn decoded(rows: i64) -> Decoded {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        vec![RecordBatch::try_from_iter([("a", column)]).unwrap()].into()
    }

    #[test]
    fn the_entry_unused_for_longest_goes_first() {
        let one = weigh(&key("1"), &decoded(1_000));
        let cache = DecodedCache::new(one * 8 + 7);
        for name in 1..=8 {
            cache.insert(key(&name.to_string()), decoded(1_000));
        }
        assert!(cache.get(&key("1")).is_some());
        cache.insert(key("9"), decoded(1_000));
        assert!(cache.get(&key("1")).is_some(), "was used again");
        assert!(cache.get(&key("2")).is_none());
        assert!(cache.get(&key("9")).is_some());
        assert!(cache.entries.lock().unwrap().bytes <= one * 8 + 7);
    }

    #[test]
    fn another_etag_or_shape_is_another_entry() {
        let cache = DecodedCache::new(1 << 20);
        cache.insert(key("1"), decoded(1));
        assert!(cache.get(&CacheKey { etag: "other".to_owned(), ..key("1") }).is_none());
        assert!(cache.get(&CacheKey { shape: "other".into(), ..key("1") }).is_none());
    }

    #[test]
    fn what_is_too_large_is_not_kept_and_replacing_does_not_leak() {
        let cache = DecodedCache::new(1 << 20);
        cache.insert(key("1"), decoded(100_000));
        assert!(cache.get(&key("1")).is_none());
        cache.insert(key("2"), decoded(10));
        let bytes = cache.entries.lock().unwrap().bytes;
        cache.insert(key("2"), decoded(10));
        assert_eq!(cache.entries.lock().unwrap().bytes, bytes);
    }
}
