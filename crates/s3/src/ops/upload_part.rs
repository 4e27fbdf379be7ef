//! `UploadPart`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>

use s3s::dto::{UploadPartInput, UploadPartOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::checksum::{Expected, Said};
use crate::convert::{self, checksum_of, refuse, set_checksum};
use crate::multipart::UploadName;
use crate::{Error, S3};

/// # Errors
/// `NoSuchUpload`, `InvalidArgument`, `EntityTooLarge`, `BadDigest`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<UploadPartInput>,
) -> Result<S3Response<UploadPartOutput>, Error> {
    let mut input = request.input;
    refuse!(input, Error::NotImplemented; sse_customer_algorithm, sse_customer_key, sse_customer_key_md5);
    let expected = Expected::new(Said {
        headers: &request.headers,
        given: checksum_of!(input)?,
        content_md5: input.content_md5.as_deref(),
        algorithm: input.checksum_algorithm.as_ref().map(s3s::dto::ChecksumAlgorithm::as_str),
        trailers: request.trailing_headers,
        length: input.content_length,
    })?;
    let name = UploadName { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id };
    let body = convert::incoming(input.body);
    let part = s3.put_part(caller, name, input.part_number, body, expected).await?;
    let mut output =
        UploadPartOutput { e_tag: Some(convert::etag(&part.etag)), ..UploadPartOutput::default() };
    set_checksum!(output, part.checksum.as_ref());
    Ok(S3Response::new(output))
}
