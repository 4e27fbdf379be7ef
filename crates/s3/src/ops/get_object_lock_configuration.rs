//! `GetObjectLockConfiguration`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>

use s3s::dto::{GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `ObjectLockConfigurationNotFoundError`: no bucket has one.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetObjectLockConfigurationInput>,
) -> Result<S3Response<GetObjectLockConfigurationOutput>, Error> {
    s3.bucket(caller, &request.input.bucket).await?;
    Err(Error::ObjectLockConfigurationNotFoundError)
}
