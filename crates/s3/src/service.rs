//! The service: its stores, and what every operation needs.

use std::sync::{Arc, OnceLock};

use kernel::{Arn, Clock, Entropy, Metrics};
use object_store::ObjectStore;
use store::{MetaStore, Table};
use wire::{Authorize, Quotas, Resource};

use crate::Error;
use crate::bucket::Bucket;
use crate::directory::{Directory, InFlight};
use crate::limits::KEY_BYTES_MAX;
use crate::metrics::{OBJECT_BYTES, OBJECTS};
use crate::multipart::{Part, Upload};
use crate::object::Object;

/// Buckets, objects and multipart uploads of every account.
pub struct S3 {
    /// By name: names are shared by all accounts.
    pub(crate) buckets: Table<Bucket>,
    /// By bucket and key.
    pub(crate) objects: Table<Object>,
    /// By bucket, key and upload id.
    pub(crate) uploads: Table<Upload>,
    /// By upload id and part number, of uploads in progress and of the objects they became.
    pub(crate) parts: Table<Part>,
    /// The buckets in memory.
    pub(crate) directory: Directory,
    pub(crate) changing: tokio::sync::Mutex<InFlight>,
    pub(crate) blobs: Arc<dyn ObjectStore>,
    pub(crate) authorize: Arc<dyn Authorize>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    pub(crate) metrics: Metrics,
    /// How much each principal may still ask for, over HTTP; unset, anything.
    pub(crate) quotas: OnceLock<Arc<Quotas>>,
}

impl S3 {
    /// The service over its stores. A blob that `blobs` has acknowledged must be durable.
    pub fn new(
        meta: &Arc<dyn MetaStore>,
        blobs: Arc<dyn ObjectStore>,
        authorize: Arc<dyn Authorize>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
        metrics: &Metrics,
    ) -> Self {
        Self {
            buckets: Table::new(Arc::clone(meta)),
            objects: Table::new(Arc::clone(meta)),
            uploads: Table::new(Arc::clone(meta)),
            parts: Table::new(Arc::clone(meta)),
            directory: Directory::default(),
            changing: tokio::sync::Mutex::default(),
            blobs,
            authorize,
            clock,
            entropy,
            metrics: metrics.clone(),
            quotas: OnceLock::new(),
        }
    }

    /// Holds callers over HTTP to these quotas, which they share with every other service's.
    pub fn limit(&self, quotas: Arc<Quotas>) {
        self.quotas.get_or_init(|| quotas);
    }

    /// Takes up what a crash interrupted. Reads buckets only.
    ///
    /// # Errors
    /// `ServiceUnavailable`, `Internal`.
    pub async fn recover(&self) -> Result<(), Error> {
        self.undo_interrupted_deletions().await?;
        self.load_buckets().await
    }

    /// Sets every bucket's gauges to the number and size of its objects.
    pub(crate) async fn count_objects(&self) -> Result<(), Error> {
        for (parts, stored) in self.buckets.list(&[]).await? {
            let [name] = parts.as_slice() else { continue };
            let (mut count, mut bytes) = (0, 0);
            let mut after: Option<String> = None;
            loop {
                let page = self.objects.page(&[name], "", after.as_deref(), 1000).await?;
                count += i64::try_from(page.len()).unwrap_or(i64::MAX);
                bytes += page.iter().map(|(_, stored)| stored.entity.size).sum::<u64>();
                let full = page.len() == 1000;
                after = page.into_iter().next_back().and_then(|(parts, _)| parts.into_iter().nth(1));
                if !full {
                    break;
                }
            }
            let labels = stored.entity.labels(name);
            self.metrics.gauge(&OBJECTS, &labels).set(count);
            self.metrics.gauge(&OBJECT_BYTES, &labels).set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
        Ok(())
    }
}

/// `arn:aws:s3:::bucket`
pub(crate) fn bucket_arn(bucket: &str) -> Resource {
    Arn::new("s3", "", "", bucket).into()
}

/// `arn:aws:s3:::bucket/key`
pub(crate) fn object_arn(bucket: &str, key: &str) -> Resource {
    Arn::new("s3", "", "", &format!("{bucket}/{key}")).into()
}

/// Whether a key may name an object.
///
/// Differs from AWS: a key may not contain a NUL character.
///
/// # Errors
/// `KeyTooLongError`, `InvalidArgument`.
pub(crate) fn check_key(key: &str) -> Result<(), Error> {
    if key.len() > KEY_BYTES_MAX {
        return Err(Error::KeyTooLongError);
    }
    if key.is_empty() {
        return Err(Error::argument("Object key must not be empty."));
    }
    if key.contains('\0') {
        return Err(Error::argument("Object key must not contain a NUL character."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kernel::{ManualClock, Timestamp};
    use object_store::memory::InMemory;
    use store::Batch;
    use store::meta::memory::MemoryMetaStore;
    use wire::testing::AllowAll;

    use super::*;

    impl S3 {
        /// A service on memory, at 2017-08-26.
        pub(crate) fn for_test() -> Self {
            let meta: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::new());
            let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_503_733_632_345)));
            let entropy = Entropy::seeded(1);
            Self::new(
                &meta,
                Arc::new(InMemory::new()),
                Arc::new(AllowAll),
                clock,
                entropy,
                &Metrics::default(),
            )
        }
    }

    #[tokio::test]
    async fn a_start_reads_no_objects() {
        let s3 = S3::for_test();
        let cx = wire::testing::context();
        s3.create_bucket(&cx, "abc", cx.region.clone()).await.unwrap();
        // One that cannot be read would be noticed.
        let broken = Batch::default().put(Table::<Object>::key(&["abc", "k"]), &b"\xff"[..]);
        s3.objects.commit(broken).await.unwrap();
        s3.recover().await.unwrap();
        assert!(s3.count_objects().await.is_err());
    }

    #[tokio::test]
    async fn the_gauge_is_counted_after_a_start() {
        let s3 = S3::for_test();
        let cx = wire::testing::context();
        s3.create_bucket(&cx, "abc", cx.region.clone()).await.unwrap();
        for n in 0..1001 {
            let object = Object::for_test("e", Timestamp::EPOCH);
            s3.objects.put(&["abc", &n.to_string()], &object).await.unwrap();
        }
        let labels = ["000000000000", "us-east-1", "abc"];
        assert_eq!(s3.metrics.gauge(&OBJECTS, &labels).value(), 0);
        s3.count_objects().await.unwrap();
        assert_eq!(s3.metrics.gauge(&OBJECTS, &labels).value(), 1001);
    }
}
