//! `DeleteObjectTagging`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html>

use s3s::dto::{DeleteObjectTaggingInput, DeleteObjectTaggingOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::convert::check_version;
use crate::tags::Tags;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `NoSuchKey`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<DeleteObjectTaggingInput>,
) -> Result<S3Response<DeleteObjectTaggingOutput>, Error> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    s3.tag_object(caller, &input.bucket, &input.key, &Tags::new()).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id: None }))
}
