//! `GetBucketLocation`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>

use s3s::dto::{BucketLocationConstraint, GetBucketLocationInput, GetBucketLocationOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketLocationInput>,
) -> Result<S3Response<GetBucketLocationOutput>, Error> {
    let bucket = s3.bucket(caller, &request.input.bucket).await?.entity;
    // The first region has the empty constraint.
    let constraint = (bucket.region.as_str() != "us-east-1").then(|| String::from(bucket.region));
    let location_constraint = constraint.map(BucketLocationConstraint::from);
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}
