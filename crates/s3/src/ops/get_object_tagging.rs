//! `GetObjectTagging`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html>

use s3s::dto::{GetObjectTaggingInput, GetObjectTaggingOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::convert::check_version;
use crate::{Error, S3, tags};

/// # Errors
/// `NoSuchBucket`, `NoSuchKey`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetObjectTaggingInput>,
) -> Result<S3Response<GetObjectTaggingOutput>, Error> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    let object = s3.object(caller, &input.bucket, &input.key).await?;
    Ok(S3Response::new(GetObjectTaggingOutput {
        tag_set: tags::to_set(object.described.tags),
        version_id: None,
    }))
}
