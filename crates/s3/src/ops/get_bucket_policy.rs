//! `GetBucketPolicy`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>
//!
//! Differs from AWS: the text is as it was put, and not written anew.

use s3s::dto::{GetBucketPolicyInput, GetBucketPolicyOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `NoSuchBucketPolicy`, `MethodNotAllowed` to other accounts.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketPolicyInput>,
) -> Result<S3Response<GetBucketPolicyOutput>, Error> {
    let bucket = &request.input.bucket;
    s3.only_owner(caller, bucket)?;
    let policy = s3.bucket(caller, bucket).await?.entity.policy.ok_or(Error::NoSuchBucketPolicy)?;
    Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(policy) }))
}
