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
use store::{Entity, TableError};

use crate::metrics::{OBJECTS, PUT_OBJECTS};
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
    /// The bucket, if it is the caller's account's.
    ///
    /// # Errors
    /// `NoSuchBucket`, `AccessDenied`.
    pub(crate) async fn bucket(&self, cx: &Context, name: &str) -> Result<Stored<Bucket>, Error> {
        if !is_valid_name(name) {
            return Err(Error::NoSuchBucket);
        }
        let stored = self.buckets.get(&[name]).await?.filter(|stored| !stored.entity.deleting);
        let stored = stored.ok_or(Error::NoSuchBucket)?;
        if stored.entity.account == cx.account {
            Ok(stored)
        } else {
            Err(Error::AccessDenied("Access Denied".to_owned()))
        }
    }

    /// Every bucket of the caller's account, by name.
    pub(crate) async fn list_buckets(&self, cx: &Context) -> Result<Vec<(String, Bucket)>, Error> {
        let all = self.buckets.list(&[]).await?;
        Ok(all
            .into_iter()
            .filter(|(_, stored)| stored.entity.account == cx.account && !stored.entity.deleting)
            .filter_map(|(parts, stored)| Some((parts.into_iter().next()?, stored.entity)))
            .collect())
    }

    /// Creates a bucket.
    ///
    /// # Errors
    /// `InvalidBucketName`, `BucketAlreadyExists` when another account has it, `BucketAlreadyOwnedByYou`.
    pub(crate) async fn create_bucket(&self, cx: &Context, name: &str, region: Region) -> Result<(), Error> {
        if !is_valid_name(name) {
            return Err(Error::InvalidBucketName);
        }
        let bucket = Bucket {
            account: cx.account.clone(),
            region,
            created_at: self.clock.now(),
            deleting: false,
            tags: Tags::new(),
        };
        for _ in 0..ATTEMPTS_MAX {
            match self.buckets.insert(&[name], &bucket).await {
                Ok(_) => {
                    self.metrics.gauge(&OBJECTS, &[name]).set(0);
                    return Ok(());
                }
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
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
    /// `NoSuchBucket`.
    pub(crate) async fn change_bucket(
        &self,
        cx: &Context,
        name: &str,
        change: impl Fn(&mut Bucket) + Send,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS_MAX {
            let Stored { mut entity, revision } = self.bucket(cx, name).await?;
            change(&mut entity);
            match self.buckets.update(&[name], &entity, revision).await {
                Ok(_) => return Ok(()),
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::ConditionalRequestConflict)
    }

    /// Deletes an empty bucket and the multipart uploads begun in it.
    ///
    /// # Errors
    /// `NoSuchBucket`, `BucketNotEmpty`.
    pub(crate) async fn delete_bucket(&self, cx: &Context, name: &str) -> Result<(), Error> {
        let stored = self.bucket(cx, name).await?;
        if !self.is_empty(name).await? {
            return Err(Error::BucketNotEmpty);
        }
        let marked = Bucket { deleting: true, ..stored.entity.clone() };
        let revision = self.buckets.update(&[name], &marked, stored.revision).await?;
        self.finish_deletion(name, Stored { entity: marked, revision }).await
    }

    /// Brings a deletion from its mark to its end.
    async fn finish_deletion(&self, name: &str, marked: Stored<Bucket>) -> Result<(), Error> {
        if !self.is_empty(name).await? {
            let bucket = Bucket { deleting: false, ..marked.entity };
            self.buckets.update(&[name], &bucket, marked.revision).await?;
            return Err(Error::BucketNotEmpty);
        }
        for (parts, _) in self.uploads.list(&[name]).await? {
            if let [_, key, upload_id] = parts.as_slice() {
                self.drop_upload(name, key, upload_id).await?;
            }
        }
        self.buckets.delete_at(&[name], marked.revision).await?;
        self.metrics.forget(&OBJECTS, &[name]);
        self.metrics.forget(&PUT_OBJECTS, &[name]);
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
    }

    #[tokio::test]
    async fn a_deletion_interrupted_by_a_crash_is_undone_at_the_start() {
        let s3 = S3::for_test();
        let cx = wire::testing::context();
        s3.create_bucket(&cx, "abc", cx.region.clone()).await.unwrap();
        let stored = s3.bucket(&cx, "abc").await.unwrap();
        let marked = Bucket { deleting: true, ..stored.entity };
        s3.buckets.update(&["abc"], &marked, stored.revision).await.unwrap();
        assert!(matches!(s3.bucket(&cx, "abc").await, Err(Error::NoSuchBucket)));
        s3.recover().await.unwrap();
        s3.bucket(&cx, "abc").await.unwrap();
    }

    #[tokio::test]
    async fn a_deletion_whose_caller_hung_up_is_finished_when_the_name_is_wanted() {
        let s3 = S3::for_test();
        let cx = wire::testing::context();
        let mark = async || {
            let stored = s3.bucket(&cx, "abc").await.unwrap();
            let marked = Bucket { deleting: true, ..stored.entity };
            s3.buckets.update(&["abc"], &marked, stored.revision).await.unwrap();
        };
        s3.create_bucket(&cx, "abc", cx.region.clone()).await.unwrap();
        mark().await;
        let elsewhere: Region = "eu-west-1".parse().unwrap();
        s3.create_bucket(&cx, "abc", elsewhere.clone()).await.unwrap();
        assert_eq!(s3.bucket(&cx, "abc").await.unwrap().entity.region, elsewhere);

        // A put that came between the first look and the mark.
        s3.objects.put(&["abc", "k"], &Object::for_test("e", Timestamp::EPOCH)).await.unwrap();
        mark().await;
        let refused = s3.create_bucket(&cx, "abc", elsewhere).await;
        assert!(matches!(refused, Err(Error::BucketAlreadyOwnedByYou)));
        s3.object(&cx, "abc", "k").await.unwrap();
    }
}
