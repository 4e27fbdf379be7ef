//! `GetBucketAccelerateConfiguration`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAccelerateConfiguration.html>

use s3s::dto::{GetBucketAccelerateConfigurationInput, GetBucketAccelerateConfigurationOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketAccelerateConfigurationInput>,
) -> Result<S3Response<GetBucketAccelerateConfigurationOutput>, Error> {
    s3.bucket(caller, &request.input.bucket).await?;
    // As of a bucket whose acceleration was never switched on.
    Ok(S3Response::new(GetBucketAccelerateConfigurationOutput { request_charged: None, status: None }))
}
