//! `GetBucketLifecycleConfiguration`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>

use s3s::dto::{GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `NoSuchLifecycleConfiguration`: no bucket has one.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> Result<S3Response<GetBucketLifecycleConfigurationOutput>, Error> {
    s3.bucket(caller, &request.input.bucket).await?;
    Err(Error::NoSuchLifecycleConfiguration)
}
