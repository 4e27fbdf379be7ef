//! Multipart uploads.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>
//!
//! The parts of a completed upload stay where they are and become the content of the object, so completing one writes no bytes.
//!
//! 1. Completing and aborting *seal* the upload, then list its parts, then commit on the sealed revision. Uploading a part breaks the seal in
//!    the commit that adds the part, which makes the other begin anew: no part is left behind, and none slips into an object unseen.
//! 2. A seal means nothing else: one that a crash left behind hinders nobody.

use std::collections::HashSet;

use kernel::Timestamp;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use store::table::Stored;
use store::{Batch, Entity, Expect, Revision, TableError};

use crate::authorize::Caller;
use crate::checksum::{self, Algorithm, Checksum, ChecksumKind, Expected};
use crate::condition::WriteCondition;
use crate::content::{Content, Incoming};
use crate::limits::{PART_BYTES_MIN, PART_NUMBER_MAX};
use crate::object::{Change, Described, Object};
use crate::service::check_key;
use crate::{Error, S3};

/// How often a change is tried anew after another change came first.
const ATTEMPTS_MAX: usize = 100;

/// An upload in progress, by bucket, key and upload id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) initiated_at: Timestamp,
    #[serde(flatten)]
    pub(crate) described: Described,
    /// The checksum each part brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) algorithm: Option<Algorithm>,
    /// How the object's checksum is made of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<ChecksumKind>,
    /// Invariant 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) sealed: bool,
}

/// A part, by upload id and part number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) size: u64,
    /// The MD5 in hex.
    pub(crate) etag: String,
    pub(crate) last_modified: Timestamp,
    pub(crate) blob: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<Checksum>,
}

impl Entity for Upload {
    const TABLE: &'static str = "s3_upload";
    const VERSION: u8 = 1;
}

impl Entity for Part {
    const TABLE: &'static str = "s3_part";
    const VERSION: u8 = 1;
}

/// Which upload.
#[derive(Clone, Copy)]
pub(crate) struct UploadName<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
    pub(crate) upload_id: &'a str,
}

impl<'a> UploadName<'a> {
    fn parts(&self) -> [&'a str; 3] {
        [self.bucket, self.key, self.upload_id]
    }
}

/// A part that the completion names.
pub(crate) struct Named {
    pub(crate) number: i32,
    pub(crate) etag: Option<String>,
    pub(crate) checksum: Option<Checksum>,
}

/// What a client says of the object it completes.
#[derive(Default)]
pub(crate) struct Claim {
    pub(crate) checksum: Option<Checksum>,
    /// `FULL_OBJECT` or `COMPOSITE`.
    pub(crate) kind: Option<String>,
    /// Bytes.
    pub(crate) size: Option<u64>,
}

impl Claim {
    fn check(&self, object: &Object) -> Result<(), Error> {
        let known = object.checksum.as_ref();
        let of = |checksum: Option<&Checksum>| match checksum {
            Some(checksum) => checksum.algorithm.name().to_lowercase(),
            None => "null".to_owned(),
        };
        if self.checksum.is_some() && of(self.checksum.as_ref()) != of(known) {
            return Err(Error::InvalidRequest(format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                of(known),
                of(self.checksum.as_ref())
            )));
        }
        let kind = match known.map(|known| known.kind) {
            Some(ChecksumKind::FullObject) => "FULL_OBJECT",
            Some(ChecksumKind::Composite) => "COMPOSITE",
            None => "null",
        };
        if self.kind.as_deref().is_some_and(|said| said != kind) {
            return Err(Error::InvalidRequest(format!(
                "The upload was created using the {kind} checksum mode. The complete request must use the same checksum mode."
            )));
        }
        if let Some(said) = self.checksum.as_ref().filter(|said| !agrees(said, object.checksum.as_ref())) {
            return Err(Error::BadDigest(format!(
                "The {} you specified did not match the calculated checksum.",
                said.algorithm.name()
            )));
        }
        if self.size.is_some_and(|size| size != object.size) {
            return Err(Error::InvalidRequest(
                "The provided 'x-amz-mp-object-size' header does not match what was computed.".to_owned(),
            ));
        }
        Ok(())
    }
}

/// The number of a part as its key has it.
pub(crate) fn part_key(number: i32) -> String {
    format!("{number:05}")
}

/// # Errors
/// `InvalidArgument`.
pub(crate) fn check_part_number(number: i32) -> Result<(), Error> {
    if (1..=PART_NUMBER_MAX).contains(&number) {
        Ok(())
    } else {
        Err(Error::argument("Part number must be an integer between 1 and 10000, inclusive"))
    }
}

impl S3 {
    /// Begins an upload and names it.
    ///
    /// # Errors
    /// `NoSuchBucket`, `KeyTooLongError`.
    pub(crate) async fn create_upload(
        &self,
        caller: &Caller,
        bucket: &str,
        key: &str,
        upload: &Upload,
    ) -> Result<String, Error> {
        check_key(key)?;
        // Ids of one key order by their date.
        let began = upload.initiated_at.as_millis();
        let upload_id = format!("{began:012x}{}", hex::encode(self.entropy.bytes::<16>()));
        for _ in 0..ATTEMPTS_MAX {
            let home = self.bucket(caller, bucket).await?;
            let parts = [bucket, key, &upload_id];
            let batch = self.buckets.with_check(Batch::default(), &[bucket], Expect::At(home.revision));
            let batch = self.uploads.with_check(batch, &parts, Expect::Absent);
            match self.uploads.commit(self.uploads.with_put(batch, &parts, upload)).await {
                Ok(_) => return Ok(upload_id),
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::ConditionalRequestConflict)
    }

    /// The upload.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchUpload`.
    pub(crate) async fn upload(
        &self,
        caller: &Caller,
        name: UploadName<'_>,
    ) -> Result<Stored<Upload>, Error> {
        self.bucket(caller, name.bucket).await?;
        check_key(name.key)?;
        let ours = name.upload_id.bytes().all(|b| b.is_ascii_hexdigit()) && !name.upload_id.is_empty();
        if !ours {
            return Err(Error::NoSuchUpload);
        }
        self.uploads.get(&name.parts()).await?.ok_or(Error::NoSuchUpload)
    }

    /// Stores a part, replacing one of the same number.
    ///
    /// # Errors
    /// `NoSuchUpload`, `InvalidArgument`, those of the body.
    pub(crate) async fn put_part(
        &self,
        caller: &Caller,
        name: UploadName<'_>,
        number: i32,
        body: Incoming,
        expected: Expected,
    ) -> Result<Part, Error> {
        check_part_number(number)?;
        let upload = self.upload(caller, name).await?.entity;
        let written = self.write(body, expected.or_algorithm(upload.algorithm)).await?;
        let part = Part {
            size: written.size,
            etag: written.etag,
            last_modified: self.clock.now(),
            blob: written.blob,
            checksum: written.checksum,
        };
        let result = self.commit_part(caller, name, number, &part).await;
        match &result {
            Ok(replaced) => self.discard(replaced).await,
            Err(error) if !error.leaves_doubt() => self.discard(std::slice::from_ref(&part.blob)).await,
            Err(_) => {}
        }
        result.map(|_| part)
    }

    /// Commits a part; the blobs it replaced.
    async fn commit_part(
        &self,
        caller: &Caller,
        name: UploadName<'_>,
        number: i32,
        part: &Part,
    ) -> Result<Vec<String>, Error> {
        let part_parts = [name.upload_id, &part_key(number)];
        for _ in 0..ATTEMPTS_MAX {
            let upload = self.upload(caller, name).await?;
            let replaced = self.parts.get(&part_parts).await?;
            let mut batch =
                self.uploads.with_check(Batch::default(), &name.parts(), Expect::At(upload.revision));
            if upload.entity.sealed {
                let open = Upload { sealed: false, ..upload.entity };
                batch = self.uploads.with_put(batch, &name.parts(), &open);
            }
            let expect = replaced.as_ref().map_or(Expect::Absent, |stored| Expect::At(stored.revision));
            let batch = self.parts.with_check(batch, &part_parts, expect);
            match self.parts.commit(self.parts.with_put(batch, &part_parts, part)).await {
                Ok(_) => return Ok(replaced.into_iter().map(|stored| stored.entity.blob).collect()),
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::ConditionalRequestConflict)
    }

    /// Seals an upload; the revision to commit on. None if it changed meanwhile.
    async fn seal(&self, name: UploadName<'_>, upload: &Stored<Upload>) -> Result<Option<Revision>, Error> {
        if upload.entity.sealed {
            return Ok(Some(upload.revision));
        }
        let sealed = Upload { sealed: true, ..upload.entity.clone() };
        match self.uploads.update(&name.parts(), &sealed, upload.revision).await {
            Ok(revision) => Ok(Some(revision)),
            Err(TableError::Conflict) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends an upload without an object.
    ///
    /// # Errors
    /// `NoSuchUpload`.
    pub(crate) async fn abort_upload(&self, caller: &Caller, name: UploadName<'_>) -> Result<(), Error> {
        self.upload(caller, name).await?;
        self.drop_upload(name.bucket, name.key, name.upload_id).await
    }

    /// Removes an upload, its parts and their blobs; silent if it is gone.
    pub(crate) async fn drop_upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<(), Error> {
        let name = UploadName { bucket, key, upload_id };
        for _ in 0..ATTEMPTS_MAX {
            let Some(upload) = self.uploads.get(&name.parts()).await? else { return Ok(()) };
            let Some(sealed_at) = self.seal(name, &upload).await? else { continue };
            let batch = self.uploads.with_check(Batch::default(), &name.parts(), Expect::At(sealed_at));
            let mut batch = self.uploads.with_delete(batch, &name.parts());
            let mut blobs = Vec::new();
            for (parts, stored) in self.parts.list(&[upload_id]).await? {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                batch = self.parts.with_delete(batch, &parts);
                blobs.push(stored.entity.blob);
            }
            match self.uploads.commit(batch).await {
                Ok(_) => {
                    self.discard(&blobs).await;
                    return Ok(());
                }
                Err(TableError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::ConditionalRequestConflict)
    }

    /// Makes the named parts the object of the upload's key.
    ///
    /// # Errors
    /// `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `MalformedXML`, those of the condition.
    pub(crate) async fn complete_upload(
        &self,
        caller: &Caller,
        name: UploadName<'_>,
        named: &[Named],
        claim: &Claim,
        condition: &WriteCondition,
    ) -> Result<Object, Error> {
        if named.is_empty() {
            return Err(Error::MalformedXML);
        }
        for part in named {
            check_part_number(part.number)?;
        }
        if !named.is_sorted_by(|one, next| one.number < next.number) {
            return Err(Error::InvalidPartOrder);
        }
        for _ in 0..ATTEMPTS_MAX {
            let upload = self.upload(caller, name).await?;
            let Some(sealed_at) = self.seal(name, &upload).await? else { continue };
            let stored = self.parts.list(&[name.upload_id]).await?;
            let chosen = choose(named, &stored)?;
            let object = assemble(&upload.entity, name.upload_id, &chosen, self.clock.now());
            claim.check(&object)?;
            let batch = self.uploads.with_check(Batch::default(), &name.parts(), Expect::At(sealed_at));
            let mut batch = self.uploads.with_delete(batch, &name.parts());
            let mut unused = Vec::new();
            let used: HashSet<&str> = chosen.iter().map(|part| part.blob.as_str()).collect();
            for (parts, stored) in &stored {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                if used.contains(stored.entity.blob.as_str()) {
                    continue;
                }
                batch = self.parts.with_delete(batch, &parts);
                unused.push(stored.entity.blob.clone());
            }
            let change = Change { bucket: name.bucket, key: name.key, condition, with: batch };
            match self.put_object(caller, change, &object).await {
                Ok(()) => {
                    self.discard(&unused).await;
                    return Ok(object);
                }
                Err(Error::ConditionalRequestConflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::ConditionalRequestConflict)
    }
}

type StoredParts = [(Vec<String>, Stored<Part>)];

/// The stored parts that a completion names.
fn choose<'a>(named: &[Named], stored: &'a StoredParts) -> Result<Vec<&'a Part>, Error> {
    let mut chosen = Vec::with_capacity(named.len());
    let mut rest = stored.iter();
    for part in named {
        let key = part_key(part.number);
        let found = rest.by_ref().find(|(parts, _)| parts.get(1) == Some(&key)).ok_or(Error::InvalidPart)?;
        let found = &found.1.entity;
        let same = part.etag.as_ref().is_some_and(|etag| *etag == found.etag)
            && part.checksum.as_ref().is_none_or(|said| agrees(said, found.checksum.as_ref()));
        if !same {
            return Err(Error::InvalidPart);
        }
        chosen.push(found);
    }
    let (_, all_but_last) = chosen.split_last().ok_or(Error::MalformedXML)?;
    if all_but_last.iter().any(|part| part.size < PART_BYTES_MIN) {
        return Err(Error::EntityTooSmall);
    }
    Ok(chosen)
}

/// Whether what a client says is what we know; what we do not know cannot be contradicted.
fn agrees(said: &Checksum, known: Option<&Checksum>) -> bool {
    known.is_none_or(|known| {
        let value = known.value.split('-').next();
        known.algorithm != said.algorithm || value == said.value.split('-').next()
    })
}

fn assemble(upload: &Upload, upload_id: &str, parts: &[&Part], now: Timestamp) -> Object {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(hex::decode(&part.etag).expect("a part's etag is the MD5 we wrote in hex"));
    }
    let checksum = upload.algorithm.zip(upload.kind).and_then(|(algorithm, kind)| {
        checksum::of_parts(algorithm, kind, parts.iter().map(|part| (part.checksum.as_ref(), part.size)))
    });
    Object {
        size: parts.iter().map(|part| part.size).sum(),
        etag: format!("{}-{}", hex::encode(md5.finalize()), parts.len()),
        last_modified: now,
        described: upload.described.clone(),
        content: Content::Parts(upload_id.to_owned()),
        checksum,
        records: None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::StreamExt;

    use super::*;

    #[test]
    fn version_1_decodes() {
        let json = include_str!("../entities/s3_upload/v1.json");
        let upload: Upload = store::entity::decode(&[b"\x01", json.as_bytes()].concat()).unwrap();
        assert_eq!((upload.algorithm, upload.sealed), (Some(Algorithm::Crc64nvme), false));
        let json = include_str!("../entities/s3_part/v1.json");
        let part: Part = store::entity::decode(&[b"\x01", json.as_bytes()].concat()).unwrap();
        assert_eq!(part.size, PART_BYTES_MIN);
    }

    fn body(bytes: &'static [u8]) -> Incoming {
        futures::stream::once(async move { Ok(Bytes::from_static(bytes)) }).boxed()
    }

    /// What would happen if a part arrived between a completion's listing of the parts and its commit.
    #[tokio::test]
    async fn a_part_breaks_the_seal_of_a_completion() {
        let s3 = S3::for_test();
        let cx = wire::testing::context();
        let caller = Caller::in_process(&cx);
        s3.create_bucket(&cx, "abc", cx.region.clone()).await.unwrap();
        let upload = Upload {
            initiated_at: s3.clock.now(),
            described: Described::default(),
            algorithm: None,
            kind: None,
            sealed: false,
        };
        let upload_id = s3.create_upload(&caller, "abc", "k", &upload).await.unwrap();
        let name = UploadName { bucket: "abc", key: "k", upload_id: &upload_id };
        let sealed_at = s3.seal(name, &s3.upload(&caller, name).await.unwrap()).await.unwrap().unwrap();
        s3.put_part(&caller, name, 1, body(b"late"), Expected::default()).await.unwrap();
        let upload = s3.upload(&caller, name).await.unwrap();
        assert!(!upload.entity.sealed);
        assert_ne!(upload.revision, sealed_at);
    }
}
