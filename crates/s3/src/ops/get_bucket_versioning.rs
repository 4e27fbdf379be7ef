//! `GetBucketVersioning`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>

use kernel::Context;
use s3s::dto::{GetBucketVersioningInput, GetBucketVersioningOutput};
use s3s::{S3Request, S3Response};

use crate::convert::check_owner;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    cx: &Context,
    request: S3Request<GetBucketVersioningInput>,
) -> Result<S3Response<GetBucketVersioningOutput>, Error> {
    check_owner(cx, request.input.expected_bucket_owner.as_deref())?;
    s3.bucket(cx, &request.input.bucket).await?;
    // A bucket whose versioning was never switched on has neither status.
    Ok(S3Response::new(GetBucketVersioningOutput { mfa_delete: None, status: None }))
}
