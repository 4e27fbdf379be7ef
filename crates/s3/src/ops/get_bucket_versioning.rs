//! `GetBucketVersioning`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>

use s3s::dto::{GetBucketVersioningInput, GetBucketVersioningOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketVersioningInput>,
) -> Result<S3Response<GetBucketVersioningOutput>, Error> {
    s3.bucket(caller, &request.input.bucket).await?;
    // A bucket whose versioning was never switched on has neither status.
    Ok(S3Response::new(GetBucketVersioningOutput { mfa_delete: None, status: None }))
}
