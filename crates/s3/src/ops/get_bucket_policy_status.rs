//! `GetBucketPolicyStatus`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html>

use s3s::dto::{GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput, PolicyStatus};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `NoSuchBucketPolicy`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketPolicyStatusInput>,
) -> Result<S3Response<GetBucketPolicyStatusOutput>, Error> {
    let known = s3.met(caller, &request.input.bucket)?;
    if known.bucket.policy.is_none() {
        return Err(Error::NoSuchBucketPolicy);
    }
    let policy_status = Some(PolicyStatus { is_public: Some(known.policy_is_public) });
    Ok(S3Response::new(GetBucketPolicyStatusOutput { policy_status }))
}
