//! `DeleteBucketTagging`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html>

use kernel::Context;
use s3s::dto::{DeleteBucketTaggingInput, DeleteBucketTaggingOutput};
use s3s::{S3Request, S3Response};

use crate::convert::check_owner;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    cx: &Context,
    request: S3Request<DeleteBucketTaggingInput>,
) -> Result<S3Response<DeleteBucketTaggingOutput>, Error> {
    check_owner(cx, request.input.expected_bucket_owner.as_deref())?;
    s3.change_bucket(cx, &request.input.bucket, |bucket| bucket.tags.clear()).await?;
    Ok(S3Response::new(DeleteBucketTaggingOutput {}))
}
