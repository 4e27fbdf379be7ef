//! `PutBucketOwnershipControls`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html>
//!
//! Differs from AWS: BucketOwnerPreferred and ObjectWriter are refused, since there are no access control lists.

use s3s::dto::{ObjectOwnership, PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::bucket::OwnershipControls;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `MalformedXML`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<PutBucketOwnershipControlsInput>,
) -> Result<S3Response<PutBucketOwnershipControlsOutput>, Error> {
    let input = request.input;
    let [rule] = input.ownership_controls.rules.as_slice() else { return Err(Error::MalformedXML) };
    match rule.object_ownership.as_str() {
        ObjectOwnership::BUCKET_OWNER_ENFORCED => {}
        ObjectOwnership::BUCKET_OWNER_PREFERRED | ObjectOwnership::OBJECT_WRITER => {
            return Err(Error::NotImplemented);
        }
        _ => return Err(Error::MalformedXML),
    }
    s3.change_bucket(caller, &input.bucket, |bucket| {
        bucket.ownership_controls = OwnershipControls::BucketOwnerEnforced;
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutBucketOwnershipControlsOutput {}))
}
