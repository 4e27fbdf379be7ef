//! `HeadBucket`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>

use s3s::dto::{HeadBucketInput, HeadBucketOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<HeadBucketInput>,
) -> Result<S3Response<HeadBucketOutput>, Error> {
    let bucket = s3.bucket(caller, &request.input.bucket).await?.entity;
    Ok(S3Response::new(HeadBucketOutput {
        bucket_region: Some(bucket.region.into()),
        ..HeadBucketOutput::default()
    }))
}
