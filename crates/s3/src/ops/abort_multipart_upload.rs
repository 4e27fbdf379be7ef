//! `AbortMultipartUpload`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>

use s3s::dto::{AbortMultipartUploadInput, AbortMultipartUploadOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::convert::refuse;
use crate::multipart::UploadName;
use crate::{Error, S3};

/// # Errors
/// `NoSuchUpload`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<AbortMultipartUploadInput>,
) -> Result<S3Response<AbortMultipartUploadOutput>, Error> {
    let input = request.input;
    refuse!(input, Error::NotImplemented; if_match_initiated_time);
    let name = UploadName { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id };
    s3.abort_upload(caller, name).await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}
