//! `DeleteObject`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>

use s3s::dto::{DeleteObjectInput, DeleteObjectOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::condition::WriteCondition;
use crate::convert::{self, check_version, refuse};
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `PreconditionFailed`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<DeleteObjectInput>,
) -> Result<S3Response<DeleteObjectOutput>, Error> {
    let input = request.input;
    refuse!(input, Error::NotImplemented; mfa, if_match_last_modified_time, if_match_size);
    check_version(input.version_id.as_deref())?;
    let condition = WriteCondition::new(convert::tags(input.if_match), None)?;
    s3.delete_object(caller, &input.bucket, &input.key, &condition).await?;
    Ok(S3Response::new(DeleteObjectOutput::default()))
}

#[cfg(test)]
mod tests {
    use crate::metrics::OBJECTS;
    use crate::testing::{Client, LAKE};

    #[tokio::test]
    async fn a_deletion_is_silent_about_what_is_not_there() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        let other = [("if-match", "\"x\"")];
        client.call("DELETE", "/lake/k", &other, "").await.expect("412 PreconditionFailed");
        client.delete("/lake/k").await.expect("204");
        client.delete("/lake/k").await.expect("204");
        client.get("/lake/k").await.expect("404 NoSuchKey");
        client.delete("/nolake/k").await.expect("404 NoSuchBucket");
        assert_eq!(client.blobs().await, 0);
        assert_eq!(client.metrics.gauge(&OBJECTS, &LAKE).value(), 0);
    }
}
