//! `PutPublicAccessBlock`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html>
//!
//! Differs from AWS: `Content-MD5` and checksums of the body are neither required nor compared; the signature covers the body.

use s3s::dto::{PutPublicAccessBlockInput, PutPublicAccessBlockOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::bucket::PublicAccessBlock;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<PutPublicAccessBlockInput>,
) -> Result<S3Response<PutPublicAccessBlockOutput>, Error> {
    let input = request.input;
    let wanted = input.public_access_block_configuration;
    let block = PublicAccessBlock {
        block_public_acls: wanted.block_public_acls == Some(true),
        ignore_public_acls: wanted.ignore_public_acls == Some(true),
        block_public_policy: wanted.block_public_policy == Some(true),
        restrict_public_buckets: wanted.restrict_public_buckets == Some(true),
    };
    s3.change_bucket(caller, &input.bucket, |bucket| {
        bucket.public_access_block = Some(block);
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutPublicAccessBlockOutput {}))
}
