//! `GetBucketWebsite`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketWebsite.html>

use s3s::dto::{GetBucketWebsiteInput, GetBucketWebsiteOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `NoSuchWebsiteConfiguration`: no bucket has one.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketWebsiteInput>,
) -> Result<S3Response<GetBucketWebsiteOutput>, Error> {
    s3.bucket(caller, &request.input.bucket).await?;
    Err(Error::NoSuchWebsiteConfiguration)
}
