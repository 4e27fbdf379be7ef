//! `GetBucketNotificationConfiguration`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html>

use s3s::dto::{GetBucketNotificationConfigurationInput, GetBucketNotificationConfigurationOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> Result<S3Response<GetBucketNotificationConfigurationOutput>, Error> {
    s3.bucket(caller, &request.input.bucket).await?;
    Ok(S3Response::new(GetBucketNotificationConfigurationOutput::default()))
}
