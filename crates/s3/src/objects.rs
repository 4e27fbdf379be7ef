//! Objects without HTTP: the port through which rules, delivery streams, queries and Athena's results reach buckets.
//!
//! The caller's principal is authorised as it would be over HTTP, in the account of [`Context`]; a bucket of another account is within
//! reach if its policy allows.

use std::borrow::Cow;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use kernel::Context;
use ports::{ObjectInfo, Objects, PortError, PortFuture, PutObject};
use store::Batch;

use crate::authorize::{Caller, Target};
use crate::bucket::is_valid_name;
use crate::checksum::Expected;
use crate::condition::WriteCondition;
use crate::object::{Change, Described, Object};
use crate::service::{bucket_arn, check_key};
use crate::{Error, S3};

/// Objects that one scan of the store reads: a listing up to this size is of one moment.
const SCAN_MAX: usize = 1_000_000;

impl S3 {
    async fn put_bytes(&self, cx: &Context, put: PutObject) -> Result<ObjectInfo, Error> {
        let PutObject { bucket, key, body, content_type, content_encoding, records } = put;
        let caller = Caller::in_process(cx);
        self.allow(&caller, "s3:PutObject", Target::Object(&bucket, &key))?;
        check_key(&key)?;
        let body = stream::once(async move { Ok(body) }).boxed();
        let written = self.write(body, Expected::default()).await?;
        let described = Described { content_type, content_encoding, ..Described::default() };
        let object = Object { records, ..Object::new(written, described, self.clock.now()) };
        let condition = WriteCondition::None;
        let change = Change { bucket: &bucket, key: &key, condition: &condition, with: Batch::default() };
        self.put_object(&caller, change, &object).await?;
        Ok(info(key, object))
    }

    async fn get_bytes(
        &self,
        cx: &Context,
        bucket: &str,
        key: &str,
        range: Range<u64>,
    ) -> Result<Bytes, Error> {
        let caller = Caller::in_process(cx);
        self.allow_existing(&caller, "s3:GetObject", (bucket, key), &[]).await?;
        let clip = |size: u64| Ok(range.start.min(size)..range.end.min(size).max(range.start.min(size)));
        let (_, range, mut body) = self.open_object(&caller, (bucket, key), |_| Ok(()), clip).await?;
        let first = body.try_next().await?.unwrap_or_default();
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        if first.len() >= length {
            return Ok(first);
        }
        let mut bytes = BytesMut::with_capacity(length);
        bytes.extend_from_slice(&first);
        while let Some(chunk) = body.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    }

    async fn list_all(&self, cx: &Context, bucket: &str, prefix: &str) -> Result<Vec<ObjectInfo>, Error> {
        let caller = Caller::in_process(cx);
        let more = [(Cow::Borrowed("s3:prefix"), vec![prefix.to_owned()])];
        self.allow_with(&caller, "s3:ListBucket", Target::Bucket(bucket), &more)?;
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.objects.page(&[bucket], prefix, after.as_deref(), SCAN_MAX).await?;
            self.met(&caller, bucket)?;
            let whole = page.len() < SCAN_MAX;
            found.extend(
                page.into_iter()
                    .filter_map(|(parts, stored)| Some(info(parts.into_iter().nth(1)?, stored.entity))),
            );
            if whole {
                return Ok(found);
            }
            after = found.last().map(|info: &ObjectInfo| info.key.clone());
        }
    }

    async fn delete_key(&self, cx: &Context, bucket: &str, key: &str) -> Result<(), Error> {
        let caller = Caller::in_process(cx);
        self.allow(&caller, "s3:DeleteObject", Target::Object(bucket, key))?;
        self.delete_object(&caller, bucket, key, &WriteCondition::None).await
    }

    async fn have_bucket(&self, cx: &Context, bucket: &str) -> Result<(), Error> {
        if !is_valid_name(bucket) {
            return Err(Error::InvalidBucketName);
        }
        if self.directory.get(bucket).is_some_and(|known| known.bucket.account == cx.account) {
            return Ok(());
        }
        self.allow_account(&Caller::in_process(cx), "s3:CreateBucket", &bucket_arn(bucket))?;
        match self.create_bucket(cx, bucket, cx.region.clone()).await {
            Ok(()) | Err(Error::BucketAlreadyOwnedByYou) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn info(key: String, object: Object) -> ObjectInfo {
    ObjectInfo {
        key,
        size: object.size,
        etag: object.etag,
        last_modified: object.last_modified,
        content_encoding: object.described.content_encoding,
        records: object.records,
    }
}

fn port<T>(result: Result<T, Error>) -> Result<T, PortError> {
    result.map_err(PortError::from_service)
}

impl Objects for S3 {
    fn put<'a>(&'a self, cx: &'a Context, object: PutObject) -> PortFuture<'a, ObjectInfo> {
        Box::pin(async move { port(self.put_bytes(cx, object).await) })
    }

    fn get<'a>(&'a self, cx: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, Bytes> {
        Box::pin(async move { port(self.get_bytes(cx, bucket, key, 0..u64::MAX).await) })
    }

    fn check_get<'a>(&'a self, cx: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, ()> {
        Box::pin(async move {
            let caller = Caller::in_process(cx);
            port(self.allow_existing(&caller, "s3:GetObject", (bucket, key), &[]).await)
        })
    }

    fn get_range<'a>(
        &'a self,
        cx: &'a Context,
        bucket: &'a str,
        key: &'a str,
        range: Range<u64>,
    ) -> PortFuture<'a, Bytes> {
        Box::pin(async move { port(self.get_bytes(cx, bucket, key, range).await) })
    }

    fn list<'a>(
        &'a self,
        cx: &'a Context,
        bucket: &'a str,
        prefix: &'a str,
    ) -> PortFuture<'a, Vec<ObjectInfo>> {
        Box::pin(async move { port(self.list_all(cx, bucket, prefix).await) })
    }

    fn delete<'a>(&'a self, cx: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, ()> {
        Box::pin(async move { port(self.delete_key(cx, bucket, key).await) })
    }

    fn ensure_bucket<'a>(&'a self, cx: &'a Context, bucket: &'a str) -> PortFuture<'a, ()> {
        Box::pin(async move { port(self.have_bucket(cx, bucket).await) })
    }
}

#[cfg(test)]
mod tests {
    use kernel::ErrorKind;
    use ports::RecordRange;

    use super::*;
    use crate::testing::Client;

    fn put(key: &str, body: &'static [u8], records: Option<RecordRange>) -> PutObject {
        let (bucket, key) = ("lake".to_owned(), key.to_owned());
        PutObject { bucket, key, body: Bytes::from_static(body), records, ..PutObject::default() }
    }

    #[tokio::test]
    async fn the_port_and_http_see_the_same_objects() {
        let client = Client::new();
        let (cx, objects): (_, &dyn Objects) = (wire::testing::context(), &*client.s3);
        objects.ensure_bucket(&cx, "lake").await.unwrap();
        objects.ensure_bucket(&cx, "lake").await.unwrap();
        let records = Some(RecordRange { log: "firehose/a".to_owned(), first: 3, next: 9 });
        let put_info = objects.put(&cx, put("a/1", b"0123456789", records.clone())).await.unwrap();
        assert_eq!(client.get("/lake/a/1").await.expect("200").text(), "0123456789");
        client.put("/lake/a/2", "hello").await.expect("200");
        client.put("/lake/b", "hello").await.expect("200");
        let listed = objects.list(&cx, "lake", "a/").await.unwrap();
        assert_eq!(listed.iter().map(|info| info.key.as_str()).collect::<Vec<_>>(), ["a/1", "a/2"]);
        assert_eq!((&listed[0], listed[0].records.clone()), (&put_info, records));
        assert_eq!(objects.get(&cx, "lake", "a/2").await.unwrap(), "hello");
        assert_eq!(objects.get_range(&cx, "lake", "a/1", 2..5).await.unwrap(), "234");
        assert_eq!(objects.get_range(&cx, "lake", "a/1", 8..50).await.unwrap(), "89");
        assert_eq!(objects.get_range(&cx, "lake", "a/1", 50..60).await.unwrap(), "");
        objects.delete(&cx, "lake", "a/1").await.unwrap();
        objects.delete(&cx, "lake", "a/1").await.unwrap();
        client.get("/lake/a/1").await.expect("404 NoSuchKey");
    }

    #[tokio::test]
    async fn an_object_of_many_chunks_is_read_whole() {
        let client = Client::with_bucket().await;
        let body: Vec<u8> = (0..3_000_000u32).map(|n| (n % 253) as u8).collect();
        client.put("/lake/k", body.clone()).await.expect("200");
        let cx = wire::testing::context();
        assert!(Objects::get(&*client.s3, &cx, "lake", "k").await.unwrap() == body);
    }

    #[tokio::test]
    async fn errors_keep_their_kind_and_code() {
        let client = Client::with_bucket().await;
        let (cx, objects): (_, &dyn Objects) = (wire::testing::context(), &*client.s3);
        let check =
            |error: PortError, kind, code: &str| assert_eq!((error.kind, error.code.as_str()), (kind, code));
        check(objects.get(&cx, "lake", "none").await.unwrap_err(), ErrorKind::NotFound, "NoSuchKey");
        check(objects.get(&cx, "none", "k").await.unwrap_err(), ErrorKind::NotFound, "NoSuchBucket");
        check(objects.list(&cx, "none", "").await.unwrap_err(), ErrorKind::NotFound, "NoSuchBucket");
        check(
            objects.put(&cx, put("forbidden", b"", None)).await.unwrap_err(),
            ErrorKind::Denied,
            "AccessDenied",
        );
        check(objects.get(&cx, "lake", "forbidden").await.unwrap_err(), ErrorKind::Denied, "AccessDenied");
        check(objects.put(&cx, put("", b"", None)).await.unwrap_err(), ErrorKind::Invalid, "InvalidArgument");
        check(objects.ensure_bucket(&cx, "A").await.unwrap_err(), ErrorKind::Invalid, "InvalidBucketName");
        let account: kernel::AccountId = "111111111111".parse().unwrap();
        let other =
            Context { principal: kernel::Principal::Root { account: account.clone() }, account, ..cx };
        check(
            objects.ensure_bucket(&other, "lake").await.unwrap_err(),
            ErrorKind::Conflict,
            "BucketAlreadyExists",
        );
    }
}
