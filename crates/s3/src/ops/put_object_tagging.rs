//! `PutObjectTagging`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html>
//!
//! Differs from AWS: `Content-MD5` and checksums of the body are neither required nor compared; the signature covers the body.

use s3s::dto::{PutObjectTaggingInput, PutObjectTaggingOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::{Caller, request_tags};
use crate::conditions::of_version;
use crate::convert::check_version;
use crate::{Error, S3, tags};

/// # Errors
/// `NoSuchBucket`, `NoSuchKey`, `InvalidTag`, `BadRequest` for too many.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<PutObjectTaggingInput>,
) -> Result<S3Response<PutObjectTaggingOutput>, Error> {
    let input = request.input;
    let tags = tags::of_object(input.tagging.tag_set)?;
    let action = match input.version_id {
        Some(_) => of_version("s3:PutObjectTagging"),
        None => "s3:PutObjectTagging",
    };
    let name = (input.bucket.as_str(), input.key.as_str());
    s3.allow_existing(caller, action, name, &request_tags(&tags)).await?;
    check_version(input.version_id.as_deref())?;
    s3.tag_object(caller, &input.bucket, &input.key, &tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: None }))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Answer, Client, tagging};

    fn pairs(answer: &Answer) -> Vec<(&str, &str)> {
        answer.elements("Key").into_iter().zip(answer.elements("Value")).collect()
    }

    #[tokio::test]
    async fn tags_come_with_the_object_and_are_replaced_told_and_deleted() {
        let client = Client::with_bucket().await;
        client.call("PUT", "/lake/k", &[("x-amz-tagging", "a=1&b=2")], "x").await.expect("200");
        let told = client.get("/lake/k?tagging").await.expect("200");
        assert_eq!(pairs(&told), [("a", "1"), ("b", "2")]);
        let get = client.get("/lake/k").await.expect("200");
        assert_eq!(get.header("x-amz-tagging-count"), Some("2"));
        client.call("PUT", "/lake/k?tagging", &[], tagging(&[("c", "3")])).await.expect("200");
        assert_eq!(pairs(&client.get("/lake/k?tagging").await), [("c", "3")]);
        let after = client.get("/lake/k").await.expect("200");
        assert_eq!((after.text(), after.header("etag")), ("x", get.header("etag")));
        client.delete("/lake/k?tagging").await.expect("204");
        assert!(pairs(&client.get("/lake/k?tagging").await).is_empty());
        assert_eq!(client.get("/lake/k").await.header("x-amz-tagging-count"), None);
        assert_eq!(client.blobs().await, 1);
    }

    #[tokio::test]
    async fn a_copy_keeps_or_replaces_them_and_an_upload_brings_them() {
        let client = Client::with_bucket().await;
        client.call("PUT", "/lake/k", &[("x-amz-tagging", "a=1")], "x").await.expect("200");
        let source = ("x-amz-copy-source", "lake/k");
        client.call("PUT", "/lake/kept", &[source, ("x-amz-tagging", "b=2")], "").await.expect("200");
        assert_eq!(pairs(&client.get("/lake/kept?tagging").await), [("a", "1")]);
        let replace = [source, ("x-amz-tagging", "b=2"), ("x-amz-tagging-directive", "REPLACE")];
        client.call("PUT", "/lake/replaced", &replace, "").await.expect("200");
        assert_eq!(pairs(&client.get("/lake/replaced?tagging").await), [("b", "2")]);
        let metadata = [source, ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-m", "v")];
        client.call("PUT", "/lake/described", &metadata, "").await.expect("200");
        assert_eq!(pairs(&client.get("/lake/described?tagging").await), [("a", "1")]);

        let begun =
            client.call("POST", "/lake/m?uploads", &[("x-amz-tagging", "u=1")], "").await.expect("200");
        let id = begun.element("UploadId").unwrap();
        let part = client.put(&format!("/lake/m?partNumber=1&uploadId={id}"), "x").await.expect("200");
        let etag = part.header("etag").unwrap();
        let body = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>");
        let body = format!("<CompleteMultipartUpload>{body}</CompleteMultipartUpload>");
        client.call("POST", &format!("/lake/m?uploadId={id}"), &[], body).await.expect("200");
        assert_eq!(pairs(&client.get("/lake/m?tagging").await), [("u", "1")]);
    }

    #[tokio::test]
    async fn tags_are_refused() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "x").await.expect("200");
        client.get("/lake/none?tagging").await.expect("404 NoSuchKey");
        client.call("PUT", "/lake/none?tagging", &[], tagging(&[])).await.expect("404 NoSuchKey");
        client.call("PUT", "/lake/k?tagging", &[], tagging(&[("", "v")])).await.expect("400 InvalidTag");
        let many: Vec<String> = (0..11).map(|n| n.to_string()).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|key| (key.as_str(), "v")).collect();
        client.call("PUT", "/lake/k?tagging", &[], tagging(&many)).await.expect("400 BadRequest");
        client
            .call("PUT", "/lake/k", &[("x-amz-tagging", "a=1&a=2")], "x")
            .await
            .expect("400 InvalidArgument");
        client.get("/lake/forbidden?tagging").await.expect("403 AccessDenied");
    }
}
