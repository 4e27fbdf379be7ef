//! `PutBucketTagging`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>
//!
//! Differs from AWS: `Content-MD5` and checksums of the body are neither required nor compared; the signature covers the body.

use s3s::dto::{PutBucketTaggingInput, PutBucketTaggingOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3, tags};

/// # Errors
/// `NoSuchBucket`, `InvalidTag`, `BadRequest` for too many.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<PutBucketTaggingInput>,
) -> Result<S3Response<PutBucketTaggingOutput>, Error> {
    let input = request.input;
    let tags = tags::of_bucket(input.tagging.tag_set)?;
    s3.change_bucket(caller, &input.bucket, |bucket| {
        bucket.tags.clone_from(&tags);
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutBucketTaggingOutput {}))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Client, tagging};

    #[tokio::test]
    async fn tags_are_replaced_told_and_deleted() {
        let client = Client::with_bucket().await;
        let put = async |tags: &[(&str, &str)], outcome: &str| {
            client.call("PUT", "/lake?tagging", &[], tagging(tags)).await.expect(outcome);
        };
        let answer = client.get("/lake?tagging").await.expect("404 NoSuchTagSet");
        assert_eq!(answer.element("Message"), Some("The TagSet does not exist"));
        put(&[("team", "iot"), ("stage", "dev")], "200").await;
        put(&[("team", "data \u{e9}"), ("empty", "")], "200").await;
        let told = client.get("/lake?tagging").await.expect("200");
        assert_eq!(
            (told.elements("Key"), told.elements("Value")),
            (vec!["empty", "team"], vec!["", "data \u{e9}"])
        );
        client.put("/lake/k", "x").await.expect("200");
        client.delete("/lake?tagging").await.expect("204");
        client.get("/lake?tagging").await.expect("404 NoSuchTagSet");
        client.get("/lake/k").await.expect("200");
        client.get("/nolake?tagging").await.expect("404 NoSuchBucket");
        client.call("PUT", "/nolake?tagging", &[], tagging(&[])).await.expect("404 NoSuchBucket");
    }

    #[tokio::test]
    async fn tags_are_refused() {
        let client = Client::with_bucket().await;
        let check = async |tags: &[(&str, &str)], message: &str| {
            let answer =
                client.call("PUT", "/lake?tagging", &[], tagging(tags)).await.expect("400 InvalidTag");
            assert_eq!(answer.element("Message"), Some(message));
        };
        let long = "x".repeat(257);
        check(&[("", "v")], "The TagKey you have provided is invalid").await;
        check(&[("k#", "v")], "The TagKey you have provided is invalid").await;
        check(&[(&long, "v")], "The TagKey you have provided is invalid").await;
        check(&[("aws:k", "v")], "System tags cannot be added/updated by requester").await;
        check(&[("k", &long)], "The TagValue you have provided is invalid").await;
        check(&[("k", "v"), ("k", "w")], "Cannot provide multiple Tags with the same key").await;
        let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|key| (key.as_str(), "v")).collect();
        client.call("PUT", "/lake?tagging", &[], tagging(&many)).await.expect("400 BadRequest");
        client.call("PUT", "/lake?tagging", &[], "<Tagging>").await.expect("400 MalformedXML");
        client.get("/lake?tagging").await.expect("404 NoSuchTagSet");
    }
}
