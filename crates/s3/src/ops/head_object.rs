//! `HeadObject`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
//!
//! Differs from AWS: `partNumber` and the `response-*` parameters are refused.

use s3s::dto::{HeadObjectInput, HeadObjectOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::condition::ReadCondition;
use crate::convert::{self, check_version, refuse, set_checksum};
use crate::ops::get_object::{UNKNOWN_TYPE, content_range};
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `NoSuchKey`, `InvalidRange`, `PreconditionFailed`, `NotModified`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<HeadObjectInput>,
) -> Result<S3Response<HeadObjectOutput>, Error> {
    let input = request.input;
    refuse!(input, Error::NotImplemented; part_number, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5,
        response_cache_control, response_content_disposition, response_content_encoding, response_content_language,
        response_content_type, response_expires);
    check_version(input.version_id.as_deref())?;
    let condition = ReadCondition {
        if_match: convert::tags(input.if_match),
        if_none_match: convert::tags(input.if_none_match),
        if_modified_since: input.if_modified_since.as_ref().map(convert::timestamp),
        if_unmodified_since: input.if_unmodified_since.as_ref().map(convert::timestamp),
    };
    let object = s3.object(caller, &input.bucket, &input.key).await?;
    condition.check(&object)?;
    let range =
        input.range.map(|range| range.check(object.size)).transpose().map_err(|_| Error::InvalidRange)?;
    let checksum = object.checksum.filter(|_| input.checksum_mode.is_some() && range.is_none());
    let length = range.as_ref().map_or(object.size, |range| range.end - range.start);
    let described = object.described;
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: convert::length(length),
        content_range: range.as_ref().map(|range| content_range(range, object.size)),
        content_type: Some(described.content_type.unwrap_or_else(|| UNKNOWN_TYPE.to_owned())),
        content_encoding: described.content_encoding,
        content_language: described.content_language,
        content_disposition: described.content_disposition,
        cache_control: described.cache_control,
        expires: described.expires.map(convert::time),
        e_tag: Some(convert::etag(&object.etag)),
        last_modified: Some(convert::time(object.last_modified)),
        metadata: convert::metadata_out(&described.metadata),
        checksum_type: convert::checksum_type(checksum.as_ref()),
        ..HeadObjectOutput::default()
    };
    set_checksum!(output, checksum.as_ref());
    Ok(S3Response::new(output))
}
