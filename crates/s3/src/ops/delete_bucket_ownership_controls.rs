//! `DeleteBucketOwnershipControls`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketOwnershipControls.html>
//!
//! Differs from AWS: the bucket takes no access control lists afterwards either.

use s3s::dto::{DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::bucket::OwnershipControls;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<DeleteBucketOwnershipControlsInput>,
) -> Result<S3Response<DeleteBucketOwnershipControlsOutput>, Error> {
    s3.change_bucket(caller, &request.input.bucket, |bucket| {
        bucket.ownership_controls = OwnershipControls::Deleted;
        Ok(())
    })
    .await?;
    Ok(S3Response::new(DeleteBucketOwnershipControlsOutput {}))
}
