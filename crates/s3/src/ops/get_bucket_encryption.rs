//! `GetBucketEncryption`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>
//!
//! Differs from AWS: a bucket without a configuration says so, and not that its objects are encrypted with AES256, since here they are not.

use s3s::dto::{GetBucketEncryptionInput, GetBucketEncryptionOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `ServerSideEncryptionConfigurationNotFoundError`: no bucket has one.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketEncryptionInput>,
) -> Result<S3Response<GetBucketEncryptionOutput>, Error> {
    s3.bucket(caller, &request.input.bucket).await?;
    Err(Error::ServerSideEncryptionConfigurationNotFoundError)
}
