//! `PutObject`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
//!
//! Differs from AWS: encryption headers, storage classes but STANDARD, object locks, website redirects and appending are refused, not ignored;
//! an Expires header must be a date.

use s3s::dto::{PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response};
use store::Batch;

use crate::authorize::Caller;
use crate::checksum::{Expected, Said};
use crate::condition::WriteCondition;
use crate::convert::{self, check_acl, check_storage_class, checksum_of, described_by, refuse, set_checksum};
use crate::object::{Change, Object};
use crate::service::check_key;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `EntityTooLarge`, `BadDigest`, `PreconditionFailed`, `MetadataTooLarge`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<PutObjectInput>,
) -> Result<S3Response<PutObjectOutput>, Error> {
    let mut input = request.input;
    refuse!(input, Error::NotImplemented; object_lock_legal_hold_status, object_lock_mode, object_lock_retain_until_date,
        server_side_encryption, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5, ssekms_encryption_context,
        ssekms_key_id,
        website_redirect_location, write_offset_bytes);
    if input.bucket_key_enabled == Some(true) {
        return Err(Error::NotImplemented);
    }
    refuse!(input, Error::AccessControlListNotSupported; grant_full_control, grant_read, grant_read_acp, grant_write_acp);
    check_acl(input.acl.as_ref().map(s3s::dto::ObjectCannedACL::as_str))?;
    check_storage_class(input.storage_class.as_ref())?;
    check_key(&input.key)?;
    let condition =
        WriteCondition::new(convert::tags(input.if_match.take()), convert::tags(input.if_none_match.take()))?;
    let described = described_by!(input)?;
    s3.allow_tags(caller, &input.bucket, &input.key, &described)?;
    let expected = Expected::new(Said {
        headers: &request.headers,
        given: checksum_of!(input)?,
        content_md5: input.content_md5.as_deref(),
        algorithm: input.checksum_algorithm.as_ref().map(s3s::dto::ChecksumAlgorithm::as_str),
        trailers: request.trailing_headers,
        length: input.content_length,
    })?;
    // Refused before the body is read, if it can be known.
    s3.bucket(caller, &input.bucket).await?;
    let written = s3.write(convert::incoming(input.body), expected).await?;
    let object = Object::new(written, described, s3.clock.now());
    let change =
        Change { bucket: &input.bucket, key: &input.key, condition: &condition, with: Batch::default() };
    s3.put_object(caller, change, &object).await?;
    let mut output = PutObjectOutput {
        e_tag: Some(convert::etag(&object.etag)),
        checksum_type: convert::checksum_type(object.checksum.as_ref()),
        ..PutObjectOutput::default()
    };
    set_checksum!(output, object.checksum.as_ref());
    Ok(S3Response::new(output))
}

#[cfg(test)]
mod tests {
    use crate::metrics::{OBJECTS, PUT_OBJECTS};
    use crate::testing::{Client, LAKE};

    #[tokio::test]
    async fn an_object_comes_back_as_it_was_put() {
        let client = Client::with_bucket().await;
        let headers = [
            ("content-type", "text/plain"),
            ("content-encoding", "gzip"),
            ("cache-control", "no-store"),
            ("x-amz-meta-colour", "blue"),
        ];
        let put = client.call("PUT", "/lake/k", &headers, "hello\n").await.expect("200");
        assert_eq!(put.header("etag"), Some("\"b1946ac92492d2347c6235b4d2611184\""));
        let get = client.get("/lake/k").await.expect("200");
        assert_eq!(get.text(), "hello\n");
        for (name, value) in headers.into_iter().chain([
            ("etag", "\"b1946ac92492d2347c6235b4d2611184\""),
            ("content-length", "6"),
            ("last-modified", "Sat, 26 Aug 2017 07:47:12 GMT"),
            ("accept-ranges", "bytes"),
        ]) {
            assert_eq!(get.header(name), Some(value), "{name}");
        }
        let head = client.call("HEAD", "/lake/k", &[], "").await.expect("200");
        assert_eq!(
            (head.header("content-length"), head.header("x-amz-meta-colour")),
            (Some("6"), Some("blue"))
        );
    }

    #[tokio::test]
    async fn replacing_an_object_deletes_its_blob_and_counts_once() {
        let client = Client::with_bucket().await;
        for body in ["one", "two"] {
            client.put("/lake/k", body).await.expect("200");
        }
        assert_eq!(client.get("/lake/k").await.text(), "two");
        assert_eq!(client.blobs().await, 1);
        assert_eq!(client.metrics.counter(&PUT_OBJECTS, &LAKE).value(), 2);
        assert_eq!(client.metrics.gauge(&OBJECTS, &LAKE).value(), 1);
    }

    #[tokio::test]
    async fn a_large_body_is_streamed_and_read_back_by_range() {
        let client = Client::with_bucket().await;
        let body: Vec<u8> = (0..7_000_000u32).map(|n| (n % 251) as u8).collect();
        client.put("/lake/k", body.clone()).await.expect("200");
        assert!(client.get("/lake/k").await.expect("200").body == body);
        let range =
            client.call("GET", "/lake/k", &[("range", "bytes=5242870-6500000")], "").await.expect("206");
        assert!(range.body == body[5_242_870..=6_500_000]);
        assert_eq!(range.header("content-range"), Some("bytes 5242870-6500000/7000000"));
    }

    #[tokio::test]
    async fn digests_are_verified_before_anything_is_stored() {
        let client = Client::with_bucket().await;
        let check = async |name: &str, value: &str, outcome: &str| {
            client.call("PUT", "/lake/k", &[(name, value)], "hello").await.expect(outcome);
        };
        check("content-md5", "XUFAKrxLKna5cZ2REBfFkg==", "200").await;
        check("content-md5", "XUFAKrxLKna5cZ2REBfFkw==", "400 BadDigest").await;
        check("content-md5", "short", "400 InvalidDigest").await;
        check("x-amz-checksum-crc32", "NhCmhg==", "200").await;
        check("x-amz-checksum-crc32", "NhCmhw==", "400 BadDigest").await;
        check("x-amz-checksum-crc32", "NhCm", "400 InvalidRequest").await;
        check("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", "200").await;
        check("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCU=", "400 BadDigest").await;
        assert_eq!(client.blobs().await, 1);
    }

    #[tokio::test]
    async fn conditions_guard_what_is_there() {
        let client = Client::with_bucket().await;
        let check = async |name: &str, value: &str, outcome: &str| {
            client.call("PUT", "/lake/k", &[(name, value)], "hello").await.expect(outcome);
        };
        check("if-match", "\"5d41402abc4b2a76b9719d911017c592\"", "404 NoSuchKey").await;
        check("if-none-match", "*", "200").await;
        check("if-none-match", "*", "412 PreconditionFailed").await;
        check("if-match", "\"5d41402abc4b2a76b9719d911017c592\"", "200").await;
        check("if-match", "\"00000000000000000000000000000000\"", "412 PreconditionFailed").await;
        check("if-none-match", "\"5d41402abc4b2a76b9719d911017c592\"", "501 NotImplemented").await;
        assert_eq!(client.blobs().await, 1);
    }

    #[tokio::test]
    async fn what_is_not_done_is_refused() {
        let client = Client::with_bucket().await;
        let check = async |name: &str, value: &str, outcome: &str| {
            client.call("PUT", "/lake/k", &[(name, value)], "hello").await.expect(outcome);
        };
        check("x-amz-acl", "private", "200").await;
        check("x-amz-acl", "public-read", "400 AccessControlListNotSupported").await;
        check("x-amz-storage-class", "STANDARD", "200").await;
        check("x-amz-storage-class", "GLACIER", "501 NotImplemented").await;
        check("x-amz-server-side-encryption", "aws:kms", "501 NotImplemented").await;
        check("x-amz-server-side-encryption-context", "e30=", "501 NotImplemented").await;
        check("x-amz-server-side-encryption-bucket-key-enabled", "true", "501 NotImplemented").await;
        check("x-amz-expected-bucket-owner", "000000000000", "200").await;
        check("x-amz-expected-bucket-owner", "111111111111", "403 AccessDenied").await;
        check("x-amz-meta-long", &"x".repeat(2048), "400 MetadataTooLarge").await;
        client.put("/nolake/k", "x").await.expect("404 NoSuchBucket");
    }

    #[tokio::test]
    async fn racing_writers_leave_one_object_and_one_blob() {
        let client = Client::with_bucket().await;
        let puts = (0..20).map(|n| client.put("/lake/k", format!("{n}")));
        for answer in futures::future::join_all(puts).await {
            answer.expect("200");
        }
        assert_eq!(client.blobs().await, 1);
        let only_one = (0..5).map(|_| client.call("PUT", "/lake/new", &[("if-none-match", "*")], "x"));
        let won = futures::future::join_all(only_one).await.into_iter().filter(|answer| answer.status == 200);
        assert_eq!(won.count(), 1);
        assert_eq!(client.blobs().await, 2);
    }
}
