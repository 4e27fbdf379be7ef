//! Objects: what is known of them, and how one replaces another.

use std::collections::BTreeMap;
use std::ops::Range;

use kernel::Timestamp;
use ports::RecordRange;
use serde::{Deserialize, Serialize};
use store::table::Stored;
use store::{Batch, Entity, Expect, TableError};

use crate::authorize::Caller;
use crate::bucket::Bucket;
use crate::checksum::Checksum;
use crate::condition::{ReadCondition, WriteCondition};
use crate::content::{Content, Outgoing, ReadError, Written};
use crate::limits::METADATA_BYTES_MAX;
use crate::metrics::{OBJECT_BYTES, OBJECTS, PUT_OBJECTS};
use crate::service::check_key;
use crate::tags::Tags;
use crate::{Error, S3};

/// How often a change is tried anew after another change came first.
const ATTEMPTS_MAX: usize = 100;

/// An object, by its bucket and key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    /// Bytes.
    pub(crate) size: u64,
    /// Without quotation marks.
    pub(crate) etag: String,
    pub(crate) last_modified: Timestamp,
    #[serde(flatten)]
    pub(crate) described: Described,
    pub(crate) content: Content,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<Checksum>,
    /// The records it holds, when a delivery stream wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) records: Option<RecordRange>,
}

/// What its writer says of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Described {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Timestamp>,
    /// The `x-amz-meta-*` headers, without that prefix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Tags::is_empty")]
    pub(crate) tags: Tags,
}

impl Described {
    /// # Errors
    /// `MetadataTooLarge`.
    pub(crate) fn check(self) -> Result<Self, Error> {
        let bytes: usize = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > METADATA_BYTES_MAX { Err(Error::MetadataTooLarge) } else { Ok(self) }
    }
}

impl Entity for Object {
    const TABLE: &'static str = "s3_object";
    const VERSION: u8 = 1;
}

impl Object {
    /// An object whose content was just written.
    pub(crate) fn new(written: Written, described: Described, now: Timestamp) -> Self {
        Self {
            size: written.size,
            etag: written.etag,
            last_modified: now,
            described,
            content: Content::Blob(written.blob),
            checksum: written.checksum,
            records: None,
        }
    }
}

/// What a change of an object commits besides it.
pub(crate) struct Change<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
    pub(crate) condition: &'a WriteCondition,
    /// Further changes and preconditions of the same commit.
    pub(crate) with: Batch,
}

impl S3 {
    /// The object.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchKey`; `AccessDenied` where the key is not there and the caller may not know.
    pub(crate) async fn object(&self, caller: &Caller, bucket: &str, key: &str) -> Result<Object, Error> {
        self.bucket(caller, bucket).await?;
        check_key(key)?;
        let found = self.objects.get(&[bucket, key]).await?;
        self.met(caller, bucket)?;
        Ok(found.ok_or_else(|| self.no_such_key(caller, bucket))?.entity)
    }

    /// An object and those of its bytes that `choose` names, all of one moment.
    ///
    /// # Errors
    /// Those of [`S3::object`], `condition` and `choose`.
    pub(crate) async fn open_object(
        &self,
        caller: &Caller,
        (bucket, key): (&str, &str),
        condition: impl Fn(&Object) -> Result<(), Error> + Send,
        choose: impl Fn(u64) -> Result<Range<u64>, Error> + Send,
    ) -> Result<(Object, Range<u64>, Outgoing), Error> {
        for _ in 0..ATTEMPTS_MAX {
            let object = self.object(caller, bucket, key).await?;
            condition(&object)?;
            let range = choose(object.size)?;
            match self.read(&object.content, range.clone()).await {
                Ok(body) => return Ok((object, range, body)),
                Err(ReadError::Failed(error)) => return Err(error),
                Err(ReadError::Gone) => {
                    // Replaced between the two reads; but an object that still is what it was has lost its bytes.
                    if self.object(caller, bucket, key).await.is_ok_and(|now| now.content == object.content) {
                        return Err(Error::Internal(
                            format!("a blob of {:?} is missing", object.content).into(),
                        ));
                    }
                }
            }
        }
        Err(Error::ConditionalRequestConflict)
    }

    /// Makes `object` the object of its key; durable when it resolves. Its blob is deleted if that fails for certain.
    ///
    /// # Errors
    /// `NoSuchBucket`, those of the condition, `ConditionalRequestConflict`.
    pub(crate) async fn put_object(
        &self,
        caller: &Caller,
        change: Change<'_>,
        object: &Object,
    ) -> Result<(), Error> {
        let result = self.replace(caller, &change, Some(object)).await;
        if let (Err(error), Content::Blob(blob)) = (&result, &object.content)
            && !error.leaves_doubt()
        {
            self.discard(std::slice::from_ref(blob)).await;
        }
        result
    }

    /// Deletes the object of a key; silent if there is none and none is required.
    ///
    /// # Errors
    /// `NoSuchBucket`, those of the condition.
    pub(crate) async fn delete_object(
        &self,
        caller: &Caller,
        bucket: &str,
        key: &str,
        condition: &WriteCondition,
    ) -> Result<(), Error> {
        check_key(key)?;
        self.replace(caller, &Change { bucket, key, condition, with: Batch::default() }, None).await
    }

    /// Gives an object other tags, and leaves it as it is otherwise.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchKey`.
    pub(crate) async fn tag_object(
        &self,
        caller: &Caller,
        bucket: &str,
        key: &str,
        tags: &Tags,
    ) -> Result<(), Error> {
        check_key(key)?;
        for _ in 0..ATTEMPTS_MAX {
            let home = self.bucket(caller, bucket).await?;
            let found = self.objects.get(&[bucket, key]).await?;
            let Stored { mut entity, revision } = found.ok_or_else(|| self.no_such_key(caller, bucket))?;
            entity.described.tags.clone_from(tags);
            let batch = self.buckets.with_check(Batch::default(), &[bucket], Expect::At(home.revision));
            let batch = self.objects.with_check(batch, &[bucket, key], Expect::At(revision));
            match self.objects.commit(self.objects.with_put(batch, &[bucket, key], &entity)).await {
                Ok(_) => return Ok(()),
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::ConditionalRequestConflict)
    }

    /// Replaces the object of a key by another or by none, then deletes the blobs of the old one.
    async fn replace(
        &self,
        caller: &Caller,
        change: &Change<'_>,
        object: Option<&Object>,
    ) -> Result<(), Error> {
        let &Change { bucket, key, condition, .. } = change;
        for _ in 0..ATTEMPTS_MAX {
            let home = self.bucket(caller, bucket).await?;
            let existing = self.objects.get(&[bucket, key]).await?;
            condition.check(existing.as_ref().map(|stored| &stored.entity))?;
            if existing.is_none() && object.is_none() {
                return Ok(());
            }
            let batch = self.guarded(change, &home, existing.as_ref());
            let batch = match object {
                Some(object) => self.objects.with_put(batch, &[bucket, key], object),
                None => self.objects.with_delete(batch, &[bucket, key]),
            };
            let (batch, blobs) = self.with_content_dropped(batch, existing.as_ref()).await?;
            match self.objects.commit(batch).await {
                Ok(_) => {
                    let delta = i64::from(object.is_some()) - i64::from(existing.is_some());
                    let labels = home.entity.labels(bucket);
                    self.metrics.gauge(&OBJECTS, &labels).add(delta);
                    let bytes = |size: Option<u64>| size.map_or(0, |size| i64::try_from(size).unwrap_or(0));
                    let old = bytes(existing.as_ref().map(|stored| stored.entity.size));
                    let delta = bytes(object.map(|object| object.size)) - old;
                    self.metrics.gauge(&OBJECT_BYTES, &labels).add(delta);
                    if object.is_some() {
                        self.metrics.counter(&PUT_OBJECTS, &labels).add(1);
                    }
                    self.discard(&blobs).await;
                    return Ok(());
                }
                // Further preconditions are the caller's to look at again.
                Err(TableError::Conflict) if !change.with.checks.is_empty() => {
                    return Err(Error::ConditionalRequestConflict);
                }
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::ConditionalRequestConflict)
    }

    fn guarded(
        &self,
        change: &Change<'_>,
        home: &Stored<Bucket>,
        existing: Option<&Stored<Object>>,
    ) -> Batch {
        let batch = self.buckets.with_check(change.with.clone(), &[change.bucket], Expect::At(home.revision));
        let expect = existing.map_or(Expect::Absent, |stored| Expect::At(stored.revision));
        self.objects.with_check(batch, &[change.bucket, change.key], expect)
    }

    /// Adds the deletion of the parts of an object, and tells its blobs.
    async fn with_content_dropped(
        &self,
        mut batch: Batch,
        object: Option<&Stored<Object>>,
    ) -> Result<(Batch, Vec<String>), Error> {
        match object.map(|stored| &stored.entity.content) {
            None => Ok((batch, Vec::new())),
            Some(Content::Blob(blob)) => Ok((batch, vec![blob.clone()])),
            Some(Content::Parts(upload_id)) => {
                let mut blobs = Vec::new();
                for (parts, stored) in self.parts.list(&[upload_id]).await? {
                    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                    batch = self.parts.with_delete(batch, &parts);
                    blobs.push(stored.entity.blob);
                }
                Ok((batch, blobs))
            }
        }
    }

    /// The source of a copy.
    pub(crate) async fn open_source(
        &self,
        caller: &Caller,
        source: (&str, &str),
        condition: &ReadCondition,
        choose: impl Fn(u64) -> Result<Range<u64>, Error> + Send,
    ) -> Result<(Object, Range<u64>, Outgoing), Error> {
        self.open_object(caller, source, |object| condition.check_source(object), choose).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Object {
        /// An object with this etag and date.
        pub(crate) fn for_test(etag: &str, last_modified: Timestamp) -> Self {
            Self {
                size: 0,
                etag: etag.to_owned(),
                last_modified,
                described: Described::default(),
                content: Content::Blob("objects/00/00".to_owned()),
                checksum: None,
                records: None,
            }
        }
    }

    #[test]
    fn version_1_decodes() {
        let json = include_str!("../entities/s3_object/v1.json");
        let object: Object = store::entity::decode(&[b"\x01", json.as_bytes()].concat()).unwrap();
        assert_eq!(object.described.metadata["colour"], "blue");
        assert_eq!(object.content, Content::Blob("objects/ab/0123456789abcdef0123456789abcd".to_owned()));
        assert_eq!(object.records.unwrap().next, 20);
        let again: serde_json::Value = serde_json::from_slice(
            store::entity::encode(&Object::for_test("e", Timestamp::EPOCH)).get(1..).unwrap(),
        )
        .unwrap();
        assert_eq!(
            again,
            serde_json::json!({"size": 0, "etag": "e", "last_modified": 0, "content": {"blob": "objects/00/00"}})
        );
    }
}
