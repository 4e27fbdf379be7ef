//! `GetBucketLogging`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html>

use kernel::Context;
use s3s::dto::{GetBucketLoggingInput, GetBucketLoggingOutput};
use s3s::{S3Request, S3Response};

use crate::convert::check_owner;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    cx: &Context,
    request: S3Request<GetBucketLoggingInput>,
) -> Result<S3Response<GetBucketLoggingOutput>, Error> {
    check_owner(cx, request.input.expected_bucket_owner.as_deref())?;
    s3.bucket(cx, &request.input.bucket).await?;
    Ok(S3Response::new(GetBucketLoggingOutput { logging_enabled: None }))
}
