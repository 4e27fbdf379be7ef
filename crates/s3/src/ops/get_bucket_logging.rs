//! `GetBucketLogging`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html>

use s3s::dto::{GetBucketLoggingInput, GetBucketLoggingOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketLoggingInput>,
) -> Result<S3Response<GetBucketLoggingOutput>, Error> {
    s3.bucket(caller, &request.input.bucket).await?;
    Ok(S3Response::new(GetBucketLoggingOutput { logging_enabled: None }))
}
