//! Every bucket in memory: what requests are decided from, without a read of the store (A9).
//!
//! 1. One change at a time: a bucket is put here after its commit and before anyone is told of it.
//! 2. A change whose caller went away between commit and directory, or whose commit failed with an unknown outcome, is found by the next
//!    change, which reads every bucket again first. Nobody was told of it, so nobody can miss it meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, RwLock};

use kernel::{AccountId, Metrics};
use store::table::Stored;
use store::{Batch, Expect, Revision, TableError};
use tokio::sync::MutexGuard;

use crate::bucket::Bucket;
use crate::metrics::BucketMetrics;
use crate::{Error, S3, bucket_policy};

/// A bucket, and what its policy comes to.
pub(crate) struct Known {
    pub(crate) bucket: Bucket,
    pub(crate) policy_is_public: bool,
    /// Whether its policy depends on the tags that an object has.
    pub(crate) asks_for_tags: bool,
    metrics: OnceLock<BucketMetrics>,
}

impl Known {
    fn new(bucket: Bucket) -> Self {
        let policy = bucket.policy.as_deref();
        Self {
            policy_is_public: policy.is_some_and(bucket_policy::is_public),
            asks_for_tags: policy
                .is_some_and(|text| text.to_ascii_lowercase().contains("s3:existingobjecttag")),
            bucket,
            metrics: OnceLock::new(),
        }
    }

    /// Whether its owner keeps strangers out, whatever its policy says.
    pub(crate) fn restricts_public(&self) -> bool {
        let block = self.bucket.public_access_block;
        self.policy_is_public && block.is_some_and(|block| block.restrict_public_buckets)
    }

    /// Its counters, which are there from its first request on.
    pub(crate) fn metrics(&self, name: &str, metrics: &Metrics) -> &BucketMetrics {
        self.metrics.get_or_init(|| BucketMetrics::new(metrics, &self.bucket.labels(name)))
    }
}

/// All buckets, by name.
#[derive(Default)]
pub(crate) struct Directory(RwLock<BTreeMap<String, Arc<Known>>>);

impl Directory {
    /// The bucket, unless it is being deleted.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Known>> {
        let all = self.0.read().expect("no holder of this lock panics");
        all.get(name).filter(|known| !known.bucket.deleting).cloned()
    }

    /// The buckets of an account, by name.
    pub(crate) fn of(&self, account: &AccountId) -> Vec<(String, Arc<Known>)> {
        let all = self.0.read().expect("no holder of this lock panics");
        all.iter()
            .filter(|(_, known)| known.bucket.account == *account && !known.bucket.deleting)
            .map(|(name, known)| (name.clone(), Arc::clone(known)))
            .collect()
    }

    /// How many buckets an account has, those that are being deleted among them.
    pub(crate) fn count(&self, account: &AccountId) -> usize {
        let all = self.0.read().expect("no holder of this lock panics");
        all.values().filter(|known| known.bucket.account == *account).count()
    }

    fn set(&self, name: &str, bucket: Option<Bucket>) {
        let mut all = self.0.write().expect("no holder of this lock panics");
        match bucket {
            Some(bucket) => drop(all.insert(name.to_owned(), Arc::new(Known::new(bucket)))),
            None => drop(all.remove(name)),
        }
    }
}

/// The right to change buckets, and whether the last change is in the store but perhaps not in the directory.
#[derive(Default)]
pub(crate) struct InFlight(bool);

impl S3 {
    /// Fills the directory from the store.
    pub(crate) async fn load_buckets(&self) -> Result<(), Error> {
        let all = self.buckets.list(&[]).await?;
        let known = all.into_iter().filter_map(|(parts, stored)| {
            Some((parts.into_iter().next()?, Arc::new(Known::new(stored.entity))))
        });
        *self.directory.0.write().expect("no holder of this lock panics") = known.collect();
        Ok(())
    }

    /// Writes a bucket where `expect` holds, in the store and then in the directory.
    pub(crate) async fn set_bucket(
        &self,
        name: &str,
        bucket: &Bucket,
        expect: Expect,
    ) -> Result<Revision, Error> {
        let batch = self.buckets.with_check(Batch::default(), &[name], expect);
        let batch = self.buckets.with_put(batch, &[name], bucket);
        self.commit_bucket(name, batch, Some(bucket)).await
    }

    /// Deletes a bucket that is as it was read.
    pub(crate) async fn remove_bucket(&self, name: &str, read: &Stored<Bucket>) -> Result<(), Error> {
        let batch = self.buckets.with_check(Batch::default(), &[name], Expect::At(read.revision));
        let batch = self.buckets.with_delete(batch, &[name]);
        self.commit_bucket(name, batch, None).await.map(drop)
    }

    async fn commit_bucket(
        &self,
        name: &str,
        batch: Batch,
        bucket: Option<&Bucket>,
    ) -> Result<Revision, Error> {
        let mut turn = self.turn().await?;
        turn.0 = true;
        let committed = self.buckets.commit(batch).await;
        match &committed {
            Ok(_) => self.directory.set(name, bucket.cloned()),
            Err(TableError::Conflict) => {}
            Err(_) => return Ok(committed?),
        }
        turn.0 = false;
        Ok(committed?)
    }

    /// Waits for the changes before, and makes up for one that was cut off.
    async fn turn(&self) -> Result<MutexGuard<'_, InFlight>, Error> {
        let mut turn = self.changing.lock().await;
        if turn.0 {
            self.load_buckets().await?;
            turn.0 = false;
        }
        Ok(turn)
    }
}

#[cfg(test)]
impl S3 {
    /// As if an account had this many buckets.
    pub(crate) fn fill(&self, account: &AccountId, count: usize) {
        for n in 0..count {
            let bucket =
                Bucket::new(account.clone(), kernel::Region::default_region(), kernel::Timestamp::EPOCH);
            self.directory.set(&format!("many-{n}"), Some(bucket));
        }
    }

    /// As if the last change had been cut off between store and directory.
    pub(crate) async fn cut_off(&self) {
        self.changing.lock().await.0 = true;
    }
}
