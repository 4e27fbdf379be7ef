//! `GetPublicAccessBlock`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html>

use s3s::dto::{GetPublicAccessBlockInput, GetPublicAccessBlockOutput, PublicAccessBlockConfiguration};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `NoSuchPublicAccessBlockConfiguration`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetPublicAccessBlockInput>,
) -> Result<S3Response<GetPublicAccessBlockOutput>, Error> {
    let bucket = s3.bucket(caller, &request.input.bucket).await?.entity;
    let block = bucket.public_access_block.ok_or(Error::NoSuchPublicAccessBlockConfiguration)?;
    let configuration = PublicAccessBlockConfiguration {
        block_public_acls: Some(block.block_public_acls),
        block_public_policy: Some(block.block_public_policy),
        ignore_public_acls: Some(block.ignore_public_acls),
        restrict_public_buckets: Some(block.restrict_public_buckets),
    };
    Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration: Some(configuration) }))
}
