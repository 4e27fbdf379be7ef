//! `DeleteBucketTagging`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html>

use s3s::dto::{DeleteBucketTaggingInput, DeleteBucketTaggingOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<DeleteBucketTaggingInput>,
) -> Result<S3Response<DeleteBucketTaggingOutput>, Error> {
    s3.change_bucket(caller, &request.input.bucket, |bucket| {
        bucket.tags.clear();
        Ok(())
    })
    .await?;
    Ok(S3Response::new(DeleteBucketTaggingOutput {}))
}
