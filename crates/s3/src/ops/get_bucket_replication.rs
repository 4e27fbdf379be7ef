//! `GetBucketReplication`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html>

use kernel::Context;
use s3s::dto::{GetBucketReplicationInput, GetBucketReplicationOutput};
use s3s::{S3Request, S3Response};

use crate::convert::check_owner;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `ReplicationConfigurationNotFoundError`: no bucket has one.
pub(crate) async fn handle(
    s3: &S3,
    cx: &Context,
    request: S3Request<GetBucketReplicationInput>,
) -> Result<S3Response<GetBucketReplicationOutput>, Error> {
    check_owner(cx, request.input.expected_bucket_owner.as_deref())?;
    s3.bucket(cx, &request.input.bucket).await?;
    Err(Error::ReplicationConfigurationNotFoundError)
}
