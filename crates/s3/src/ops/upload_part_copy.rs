//! `UploadPartCopy`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>

use s3s::dto::{CopyPartResult, Range, UploadPartCopyInput, UploadPartCopyOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::checksum::Expected;
use crate::condition::ReadCondition;
use crate::convert::{self, refuse, set_checksum};
use crate::multipart::UploadName;
use crate::ops::copy_object::allowed_source;
use crate::{Error, S3};

/// # Errors
/// `NoSuchUpload`, `NoSuchKey`, `InvalidArgument`, `PreconditionFailed`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<UploadPartCopyInput>,
) -> Result<S3Response<UploadPartCopyOutput>, Error> {
    let mut input = request.input;
    refuse!(input, Error::NotImplemented; sse_customer_algorithm, sse_customer_key, sse_customer_key_md5,
        copy_source_sse_customer_algorithm, copy_source_sse_customer_key, copy_source_sse_customer_key_md5);
    let name = UploadName { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id };
    s3.upload(caller, name).await?;
    let (bucket, key) =
        allowed_source(s3, caller, &input.copy_source, input.expected_source_bucket_owner.as_deref()).await?;
    let condition = ReadCondition {
        if_match: convert::tags(input.copy_source_if_match.take()),
        if_none_match: convert::tags(input.copy_source_if_none_match.take()),
        if_modified_since: input.copy_source_if_modified_since.as_ref().map(convert::timestamp),
        if_unmodified_since: input.copy_source_if_unmodified_since.as_ref().map(convert::timestamp),
    };
    let range = input.copy_source_range.as_deref().map(parse).transpose()?;
    let choose = |size: u64| match range {
        None => Ok(0..size),
        Some((first, last)) if last < size => Ok(first..last + 1),
        Some(_) => {
            Err(Error::argument(format!("Range specified is not valid for source object of size: {size}")))
        }
    };
    let (_, _, body) = s3.open_source(caller, (bucket, key), &condition, choose).await?;
    let part = s3.put_part(caller, name, input.part_number, body, Expected::default()).await?;
    let mut result = CopyPartResult {
        e_tag: Some(convert::etag(&part.etag)),
        last_modified: Some(convert::time(part.last_modified)),
        ..CopyPartResult::default()
    };
    set_checksum!(result, part.checksum.as_ref());
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        ..UploadPartCopyOutput::default()
    }))
}

/// `bytes=0-9`, both ends given.
fn parse(text: &str) -> Result<(u64, u64), Error> {
    match Range::parse(text) {
        Ok(Range::Int { first, last: Some(last) }) => Ok((first, last)),
        _ => Err(Error::argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of \
             the first and last bytes to copy",
        )),
    }
}
