//! `GetBucketOwnershipControls`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html>

use s3s::dto::{
    GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput, ObjectOwnership,
    OwnershipControls as Told, OwnershipControlsRule,
};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::bucket::OwnershipControls;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `OwnershipControlsNotFoundError`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketOwnershipControlsInput>,
) -> Result<S3Response<GetBucketOwnershipControlsOutput>, Error> {
    let bucket = s3.bucket(caller, &request.input.bucket).await?.entity;
    if bucket.ownership_controls == OwnershipControls::Deleted {
        return Err(Error::OwnershipControlsNotFoundError);
    }
    let rule = OwnershipControlsRule {
        object_ownership: ObjectOwnership::from_static(ObjectOwnership::BUCKET_OWNER_ENFORCED),
    };
    let ownership_controls = Some(Told { rules: vec![rule] });
    Ok(S3Response::new(GetBucketOwnershipControlsOutput { ownership_controls }))
}
