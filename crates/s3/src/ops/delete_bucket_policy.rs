//! `DeleteBucketPolicy`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html>

use s3s::dto::{DeleteBucketPolicyInput, DeleteBucketPolicyOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `MethodNotAllowed` to other accounts.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<DeleteBucketPolicyInput>,
) -> Result<S3Response<DeleteBucketPolicyOutput>, Error> {
    let bucket = &request.input.bucket;
    s3.only_owner(caller, bucket)?;
    s3.change_bucket(caller, bucket, |bucket| {
        bucket.policy = None;
        Ok(())
    })
    .await?;
    Ok(S3Response::new(DeleteBucketPolicyOutput {}))
}
