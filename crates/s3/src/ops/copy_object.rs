//! `CopyObject`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
//!
//! Differs from AWS: encryption and object locks are refused, as everywhere.

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, MetadataDirective, TaggingDirective,
};
use s3s::{S3Request, S3Response};
use store::Batch;

use crate::authorize::Caller;
use crate::checksum::{Algorithm, Expected};
use crate::condition::{ReadCondition, WriteCondition};
use crate::conditions::of_version;
use crate::convert::{
    self, check_acl, check_storage_class, check_version, described_by, refuse, set_checksum,
};
use crate::limits::PUT_BYTES_MAX;
use crate::object::{Change, Described, Object};
use crate::service::check_key;
use crate::{Error, S3, tags};

/// # Errors
/// `NoSuchBucket`, `NoSuchKey`, `PreconditionFailed`, `InvalidRequest`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<CopyObjectInput>,
) -> Result<S3Response<CopyObjectOutput>, Error> {
    let mut input = request.input;
    refuse!(input, Error::NotImplemented; object_lock_legal_hold_status, object_lock_mode, object_lock_retain_until_date,
        server_side_encryption, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5, ssekms_encryption_context,
        ssekms_key_id,
        copy_source_sse_customer_algorithm, copy_source_sse_customer_key, copy_source_sse_customer_key_md5, website_redirect_location);
    if input.bucket_key_enabled == Some(true) {
        return Err(Error::NotImplemented);
    }
    refuse!(input, Error::AccessControlListNotSupported; grant_full_control, grant_read, grant_read_acp, grant_write_acp);
    check_acl(input.acl.as_ref().map(s3s::dto::ObjectCannedACL::as_str))?;
    check_storage_class(input.storage_class.as_ref())?;
    check_key(&input.key)?;
    s3.bucket(caller, &input.bucket).await?;
    let (bucket, key) =
        allowed_source(s3, caller, &input.copy_source, input.expected_source_bucket_owner.as_deref()).await?;

    let tagging = input.tagging.take();
    let replace = input
        .metadata_directive
        .as_ref()
        .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    if !replace && bucket == input.bucket && key == input.key {
        return Err(Error::InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, \
             storage class, website redirect location or encryption attributes."
                .to_owned(),
        ));
    }
    let condition = ReadCondition {
        if_match: convert::tags(input.copy_source_if_match.take()),
        if_none_match: convert::tags(input.copy_source_if_none_match.take()),
        if_modified_since: input.copy_source_if_modified_since.as_ref().map(convert::timestamp),
        if_unmodified_since: input.copy_source_if_unmodified_since.as_ref().map(convert::timestamp),
    };
    let whole = |size: u64| if size > PUT_BYTES_MAX { Err(too_large()) } else { Ok(0..size) };
    let (from, _, body) = s3.open_source(caller, (bucket, key), &condition, whole).await?;
    let named = input
        .checksum_algorithm
        .as_ref()
        .map(|algorithm| Algorithm::parse(algorithm.as_str()))
        .transpose()?;
    let algorithm = named.or(from.checksum.map(|checksum| checksum.algorithm));
    let described = if replace { described_by!(input)? } else { from.described.clone() };
    let tags = match input.tagging_directive.as_ref().map(TaggingDirective::as_str) {
        Some(TaggingDirective::REPLACE) => tags::of_header(tagging.as_deref())?,
        _ if from.described.tags.is_empty() => from.described.tags,
        _ => {
            let action = source_action("s3:GetObjectTagging", &input.copy_source);
            s3.allow_existing(caller, action, (bucket, key), &[]).await?;
            from.described.tags
        }
    };
    let described = Described { tags, ..described };
    s3.allow_tags(caller, &input.bucket, &input.key, &described)?;
    let written = s3.write(body, Expected::copy(algorithm)).await?;
    let object = Object { records: from.records, ..Object::new(written, described, s3.clock.now()) };
    let condition = WriteCondition::None;
    let change =
        Change { bucket: &input.bucket, key: &input.key, condition: &condition, with: Batch::default() };
    s3.put_object(caller, change, &object).await?;

    let mut result = CopyObjectResult {
        e_tag: Some(convert::etag(&object.etag)),
        last_modified: Some(convert::time(object.last_modified)),
        checksum_type: convert::checksum_type(object.checksum.as_ref()),
        ..CopyObjectResult::default()
    };
    set_checksum!(result, object.checksum.as_ref());
    Ok(S3Response::new(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() }))
}

fn too_large() -> Error {
    Error::InvalidRequest(
        "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
            .to_owned(),
    )
}

/// Bucket and key of a copy's source, which the caller may read.
///
/// # Errors
/// `NotImplemented` for access points, `InvalidArgument` for a version, `NoSuchBucket`, `AccessDenied`.
pub(crate) async fn allowed_source<'a>(
    s3: &S3,
    caller: &Caller,
    source: &'a CopySource,
    expected_owner: Option<&str>,
) -> Result<(&'a str, &'a str), Error> {
    let CopySource::Bucket { bucket, key, version_id } = source else { return Err(Error::NotImplemented) };
    s3.allow_existing(caller, source_action("s3:GetObject", source), (bucket, key), &[]).await?;
    s3.check_owner(caller, bucket, expected_owner)?;
    check_version(version_id.as_deref())?;
    Ok((bucket, key))
}

fn source_action(action: &'static str, source: &CopySource) -> &'static str {
    match source {
        CopySource::Bucket { version_id: Some(_), .. } => of_version(action),
        _ => action,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Client;

    #[tokio::test]
    async fn a_copy_keeps_or_replaces_what_is_said_of_it() {
        let client = Client::with_bucket().await;
        let blue = [("x-amz-meta-colour", "blue"), ("content-type", "text/plain")];
        client.call("PUT", "/lake/a%20b", &blue, "hello").await.expect("200");
        let source = ("x-amz-copy-source", "/lake/a%20b");
        let copy = client.call("PUT", "/lake/kept", &[source], "").await.expect("200");
        assert_eq!(copy.element("ETag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
        let kept = client.get("/lake/kept").await.expect("200");
        assert_eq!((kept.text(), kept.header("x-amz-meta-colour")), ("hello", Some("blue")));
        let red = [source, ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-colour", "red")];
        client.call("PUT", "/lake/replaced", &red, "").await.expect("200");
        let replaced = client.get("/lake/replaced").await.expect("200");
        assert_eq!(
            (replaced.header("x-amz-meta-colour"), replaced.header("content-type")),
            (Some("red"), Some("binary/octet-stream"))
        );
        client.delete("/lake/a%20b").await.expect("204");
        assert_eq!(client.get("/lake/kept").await.text(), "hello");
        assert_eq!(client.blobs().await, 2);
    }

    #[tokio::test]
    async fn a_copy_is_refused() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        let check = async |to: &str, headers: &[(&str, &str)], outcome: &str| {
            client.call("PUT", to, headers, "").await.expect(outcome);
        };
        check("/lake/k", &[("x-amz-copy-source", "lake/k")], "400 InvalidRequest").await;
        check("/lake/l", &[("x-amz-copy-source", "lake/none")], "404 NoSuchKey").await;
        check("/lake/l", &[("x-amz-copy-source", "none/k")], "404 NoSuchBucket").await;
        check("/lake/l", &[("x-amz-copy-source", "lake/forbidden")], "403 AccessDenied").await;
        let no_match = [("x-amz-copy-source", "lake/k"), ("x-amz-copy-source-if-match", "\"x\"")];
        check("/lake/l", &no_match, "412 PreconditionFailed").await;
        let same = [
            ("x-amz-copy-source", "lake/k"),
            ("x-amz-copy-source-if-none-match", "\"5d41402abc4b2a76b9719d911017c592\""),
        ];
        check("/lake/l", &same, "412 PreconditionFailed").await;
        let replace = [("x-amz-copy-source", "lake/k"), ("x-amz-metadata-directive", "REPLACE")];
        check("/lake/k", &replace, "200").await;
    }
}
