//! `HeadBucket`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>

use kernel::Context;
use s3s::dto::{HeadBucketInput, HeadBucketOutput};
use s3s::{S3Request, S3Response};

use crate::convert::check_owner;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    cx: &Context,
    request: S3Request<HeadBucketInput>,
) -> Result<S3Response<HeadBucketOutput>, Error> {
    check_owner(cx, request.input.expected_bucket_owner.as_deref())?;
    let bucket = s3.bucket(cx, &request.input.bucket).await?.entity;
    Ok(S3Response::new(HeadBucketOutput {
        bucket_region: Some(bucket.region.into()),
        ..HeadBucketOutput::default()
    }))
}
