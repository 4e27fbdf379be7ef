//! `PutBucketPolicy`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
//!
//! Differs from AWS: whether `x-amz-confirm-remove-self-bucket-access` is given makes no difference; `Content-MD5` and checksums of the
//! body are neither required nor compared; the signature covers the body.

use s3s::dto::{PutBucketPolicyInput, PutBucketPolicyOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3, bucket_policy};

/// # Errors
/// `NoSuchBucket`, `MalformedPolicy`, `AccessDenied`, `MethodNotAllowed` to other accounts.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<PutBucketPolicyInput>,
) -> Result<S3Response<PutBucketPolicyOutput>, Error> {
    let PutBucketPolicyInput { bucket: name, policy, .. } = request.input;
    s3.only_owner(caller, &name)?;
    let is_public = bucket_policy::check(&policy, &name)?;
    s3.change_bucket(caller, &name, |bucket| {
        let blocked = bucket.public_access_block.is_some_and(|block| block.block_public_policy);
        if is_public && blocked {
            return Err(Error::AccessDenied(format!(
                "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::{name}\" because public \
                 policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
                caller.principal.arn()
            )));
        }
        bucket.policy = Some(policy.clone());
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutBucketPolicyOutput {}))
}
