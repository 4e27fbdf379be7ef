//! Buckets.
//!
//! Deleting a bucket must not race with a put into it, though the two change different entities. So a deletion first marks the bucket, which
//! every put's precondition sees (invariant 4 of the crate), then looks for objects once more, then deletes it; when it finds one it takes
//! the mark back. A mark that a crash left behind is taken back at the next start; one that a caller who hung up left behind hides the bucket,
//! as a deletion does, until its name is asked for again: then the deletion is brought to its end first.
//!
//! Rules for names: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>

use std::net::Ipv4Addr;

use kernel::{AccountId, Context, Region, Timestamp};
use serde::{Deserialize, Serialize};
use store::table::Stored;
use store::{Entity, Expect};

use crate::authorize::Caller;
use crate::cors::CorsRule;
use crate::limits::BUCKETS_MAX;
use crate::metrics::{OBJECT_BYTES, OBJECTS, OF_BUCKETS};
use crate::tags::Tags;
use crate::{Error, S3};

/// A bucket, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) created_at: Timestamp,
    /// Marked by a deletion that is going on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deleting: bool,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub(crate) tags: Tags,
    /// The text of its policy, as it was put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    /// None once it was deleted.
    #[serde(default = "PublicAccessBlock::of_new_buckets")]
    pub(crate) public_access_block: Option<PublicAccessBlock>,
    /// What pages of other origins may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cors: Vec<CorsRule>,
    /// Once they were deleted nothing but their being told changes.
    #[serde(default)]
    pub(crate) ownership_controls: OwnershipControls,
}

/// What of public access the owner keeps out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicAccessBlock {
    /// Of no effect: there are no access control lists.
    pub(crate) block_public_acls: bool,
    /// Of no effect, likewise.
    pub(crate) ignore_public_acls: bool,
    /// No policy that lets the public in can be put.
    pub(crate) block_public_policy: bool,
    /// If the policy lets the public in, it lets in nobody but services and the owner's account.
    pub(crate) restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// What every bucket has from the start.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
    #[expect(clippy::unnecessary_wraps, reason = "it is the default of an optional member")]
    fn of_new_buckets() -> Option<Self> {
        Some(Self {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        })
    }
}

/// Whether the bucket tells who owns its objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OwnershipControls {
    /// The owner of the bucket, always.
    #[default]
    BucketOwnerEnforced,
    /// It does not tell.
    Deleted,
}

impl Bucket {
    pub(crate) fn new(account: AccountId, region: Region, created_at: Timestamp) -> Self {
        Self {
            account,
            region,
            created_at,
            deleting: false,
            tags: Tags::new(),
            policy: None,
            public_access_block: PublicAccessBlock::of_new_buckets(),
            cors: Vec::new(),
            ownership_controls: OwnershipControls::default(),
        }
    }

    /// The labels of its metrics.
    pub(crate) fn labels<'a>(&'a self, name: &'a str) -> [&'a str; 3] {
        [self.account.as_str(), self.region.as_str(), name]
    }
}

/// How often a change is tried anew after another change came first.
const ATTEMPTS_MAX: usize = 100;

impl Entity for Bucket {
    const TABLE: &'static str = "s3_bucket";
    const VERSION: u8 = 1;
}

/// Whether a bucket may have this name.
pub(crate) fn is_valid_name(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let alphanumeric = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let reserved_start = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|start| name.starts_with(start));
    let reserved_end =
        ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|end| name.ends_with(end));
    (3..=63).contains(&bytes.len())
        && bytes.iter().copied().all(legal)
        && alphanumeric(bytes.first())
        && alphanumeric(bytes.last())
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
        && !reserved_start
        && !reserved_end
}

impl S3 {
    /// The bucket as it is stored, if it is the one on which was decided (`authorize.rs`, invariant 6).
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub(crate) async fn bucket(&self, caller: &Caller, name: &str) -> Result<Stored<Bucket>, Error> {
        if !is_valid_name(name) {
            return Err(Error::NoSuchBucket);
        }
        let stored = self.buckets.get(&[name]).await?.filter(|stored| !stored.entity.deleting);
        stored.filter(|stored| caller.meets(name, &stored.entity)).ok_or(Error::NoSuchBucket)
    }

    /// Creates a bucket.
    ///
    /// # Errors
    /// `InvalidBucketName`, `BucketAlreadyExists` when another account has it, `BucketAlreadyOwnedByYou`, `TooManyBuckets`.
    pub(crate) async fn create_bucket(&self, cx: &Context, name: &str, region: Region) -> Result<(), Error> {
        if !is_valid_name(name) {
            return Err(Error::InvalidBucketName);
        }
        let exists = self.directory.get(name).is_some();
        if !exists && self.directory.count(&cx.account) >= BUCKETS_MAX {
            return Err(Error::TooManyBuckets);
        }
        let bucket = Bucket::new(cx.account.clone(), region, self.clock.now());
        for _ in 0..ATTEMPTS_MAX {
            match self.set_bucket(name, &bucket, Expect::Absent).await {
                Ok(_) => {
                    self.metrics.gauge(&OBJECTS, &bucket.labels(name)).set(0);
                    self.metrics.gauge(&OBJECT_BYTES, &bucket.labels(name)).set(0);
                    return Ok(());
                }
                Err(Error::ConditionalRequestConflict) => {}
                Err(error) => return Err(error),
            }
            let Some(existing) = self.buckets.get(&[name]).await? else { continue };
            if existing.entity.account != cx.account {
                return Err(Error::BucketAlreadyExists);
            }
            if !existing.entity.deleting {
                return Err(Error::BucketAlreadyOwnedByYou);
            }
            match self.finish_deletion(name, existing).await {
                Err(Error::BucketNotEmpty) => return Err(Error::BucketAlreadyOwnedByYou),
                Ok(()) | Err(Error::ConditionalRequestConflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::ConditionalRequestConflict)
    }

    /// Changes what is said of a bucket.
    ///
    /// # Errors
    /// `NoSuchBucket`, those of the change.
    pub(crate) async fn change_bucket(
        &self,
        caller: &Caller,
        name: &str,
        change: impl Fn(&mut Bucket) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS_MAX {
            let Stored { mut entity, revision } = self.bucket(caller, name).await?;
            change(&mut entity)?;
            match self.set_bucket(name, &entity, Expect::At(revision)).await {
                Ok(_) => return Ok(()),
                Err(Error::ConditionalRequestConflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::ConditionalRequestConflict)
    }

    /// Deletes an empty bucket and the multipart uploads begun in it.
    ///
    /// # Errors
    /// `NoSuchBucket`, `BucketNotEmpty`.
    pub(crate) async fn delete_bucket(&self, caller: &Caller, name: &str) -> Result<(), Error> {
        let stored = self.bucket(caller, name).await?;
        if !self.is_empty(name).await? {
            return Err(Error::BucketNotEmpty);
        }
        let marked = Bucket { deleting: true, ..stored.entity.clone() };
        let revision = self.set_bucket(name, &marked, Expect::At(stored.revision)).await?;
        self.finish_deletion(name, Stored { entity: marked, revision }).await
    }

    /// Brings a deletion from its mark to its end.
    async fn finish_deletion(&self, name: &str, marked: Stored<Bucket>) -> Result<(), Error> {
        if !self.is_empty(name).await? {
            let bucket = Bucket { deleting: false, ..marked.entity };
            self.set_bucket(name, &bucket, Expect::At(marked.revision)).await?;
            return Err(Error::BucketNotEmpty);
        }
        for (parts, _) in self.uploads.list(&[name]).await? {
            if let [_, key, upload_id] = parts.as_slice() {
                self.drop_upload(name, key, upload_id).await?;
            }
        }
        self.remove_bucket(name, &marked).await?;
        for metric in OF_BUCKETS {
            self.metrics.forget(metric, &marked.entity.labels(name));
        }
        Ok(())
    }

    async fn is_empty(&self, name: &str) -> Result<bool, Error> {
        Ok(self.objects.page(&[name], "", None, 1).await?.is_empty())
    }

    /// Takes back the marks of deletions that a crash interrupted.
    pub(crate) async fn undo_interrupted_deletions(&self) -> Result<(), Error> {
        for (parts, stored) in self.buckets.list(&[]).await? {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            if stored.entity.deleting {
                let bucket = Bucket { deleting: false, ..stored.entity };
                self.buckets.update(&parts, &bucket, stored.revision).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Object;
    use crate::service::S3;

    #[test]
    fn names_follow_the_rules() {
        for good in ["abc", "pydata.iot.serverless", "a-b", "0123", &"a".repeat(63)] {
            assert!(is_valid_name(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "ab",
            &long,
            "Abc",
            "a_b",
            "-ab",
            "ab-",
            ".ab",
            "a..b",
            "192.168.5.4",
            "xn--abc",
            "abc-s3alias",
            "ab\0c",
        ] {
            assert!(!is_valid_name(bad), "{bad}");
        }
    }

    #[test]
    fn version_1_decodes() {
        let json = include_str!("../entities/s3_bucket/v1.json");
        let bucket: Bucket = store::entity::decode(&[b"\x01", json.as_bytes()].concat()).unwrap();
        assert_eq!(bucket.region.as_str(), "ap-southeast-1");
        assert!(!bucket.deleting);
        assert_eq!(bucket.public_access_block, PublicAccessBlock::of_new_buckets());
    }

    #[tokio::test]
    async fn an_account_has_a_quota_of_buckets_and_no_other_feels_it() {
        let s3 = S3::for_test();
        let cx = wire::testing::context();
        s3.fill(&cx.account, BUCKETS_MAX - 1);
        s3.create_bucket(&cx, "last", cx.region.clone()).await.unwrap();
        let full = s3.create_bucket(&cx, "more", cx.region.clone()).await;
        assert!(matches!(full, Err(Error::TooManyBuckets)));
        let again = s3.create_bucket(&cx, "last", cx.region.clone()).await;
        assert!(matches!(again, Err(Error::BucketAlreadyOwnedByYou)));
        let other = Context { account: "111111111111".parse().unwrap(), ..cx };
        s3.create_bucket(&other, "more", other.region.clone()).await.unwrap();
    }

    #[tokio::test]
    async fn a_deletion_interrupted_by_a_crash_is_undone_at_the_start() {
        let s3 = S3::for_test();
        let cx = wire::testing::context();
        s3.create_bucket(&cx, "abc", cx.region.clone()).await.unwrap();
        let stored = s3.bucket(&Caller::in_process(&cx), "abc").await.unwrap();
        let marked = Bucket { deleting: true, ..stored.entity };
        s3.buckets.update(&["abc"], &marked, stored.revision).await.unwrap();
        assert!(matches!(s3.bucket(&Caller::in_process(&cx), "abc").await, Err(Error::NoSuchBucket)));
        s3.recover().await.unwrap();
        s3.bucket(&Caller::in_process(&cx), "abc").await.unwrap();
    }

    #[tokio::test]
    async fn a_deletion_whose_caller_hung_up_is_finished_when_the_name_is_wanted() {
        let s3 = S3::for_test();
        let cx = wire::testing::context();
        let mark = async || {
            let stored = s3.bucket(&Caller::in_process(&cx), "abc").await.unwrap();
            let marked = Bucket { deleting: true, ..stored.entity };
            s3.set_bucket("abc", &marked, Expect::At(stored.revision)).await.unwrap();
        };
        s3.create_bucket(&cx, "abc", cx.region.clone()).await.unwrap();
        mark().await;
        let elsewhere: Region = "eu-west-1".parse().unwrap();
        s3.create_bucket(&cx, "abc", elsewhere.clone()).await.unwrap();
        assert_eq!(s3.bucket(&Caller::in_process(&cx), "abc").await.unwrap().entity.region, elsewhere);

        // A put that came between the first look and the mark.
        s3.objects.put(&["abc", "k"], &Object::for_test("e", Timestamp::EPOCH)).await.unwrap();
        mark().await;
        let refused = s3.create_bucket(&cx, "abc", elsewhere).await;
        assert!(matches!(refused, Err(Error::BucketAlreadyOwnedByYou)));
        s3.object(&Caller::in_process(&cx), "abc", "k").await.unwrap();
    }
}
