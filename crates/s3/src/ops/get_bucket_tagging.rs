//! `GetBucketTagging`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>

use s3s::dto::{GetBucketTaggingInput, GetBucketTaggingOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3, tags};

/// # Errors
/// `NoSuchBucket`, `NoSuchTagSet`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketTaggingInput>,
) -> Result<S3Response<GetBucketTaggingOutput>, Error> {
    let found = s3.bucket(caller, &request.input.bucket).await?.entity.tags;
    if found.is_empty() {
        return Err(Error::NoSuchTagSet);
    }
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set: tags::to_set(found) }))
}
