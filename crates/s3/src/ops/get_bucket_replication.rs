//! `GetBucketReplication`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html>

use s3s::dto::{GetBucketReplicationInput, GetBucketReplicationOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `ReplicationConfigurationNotFoundError`: no bucket has one.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketReplicationInput>,
) -> Result<S3Response<GetBucketReplicationOutput>, Error> {
    s3.bucket(caller, &request.input.bucket).await?;
    Err(Error::ReplicationConfigurationNotFoundError)
}
