//! `GetBucketLifecycleConfiguration`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>

use kernel::Context;
use s3s::dto::{GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput};
use s3s::{S3Request, S3Response};

use crate::convert::check_owner;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `NoSuchLifecycleConfiguration`: no bucket has one.
pub(crate) async fn handle(
    s3: &S3,
    cx: &Context,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> Result<S3Response<GetBucketLifecycleConfigurationOutput>, Error> {
    check_owner(cx, request.input.expected_bucket_owner.as_deref())?;
    s3.bucket(cx, &request.input.bucket).await?;
    Err(Error::NoSuchLifecycleConfiguration)
}
