//! `DeleteBucketCors`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html>

use s3s::dto::{DeleteBucketCorsInput, DeleteBucketCorsOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<DeleteBucketCorsInput>,
) -> Result<S3Response<DeleteBucketCorsOutput>, Error> {
    s3.change_bucket(caller, &request.input.bucket, |bucket| {
        bucket.cors.clear();
        Ok(())
    })
    .await?;
    Ok(S3Response::new(DeleteBucketCorsOutput {}))
}
