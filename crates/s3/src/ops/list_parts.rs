//! `ListParts`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>

use s3s::dto::{ChecksumAlgorithm, Initiator, ListPartsInput, ListPartsOutput, Part, StorageClass};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::convert::{self, refuse, set_checksum};
use crate::limits::LIST_MAX;
use crate::multipart::{UploadName, part_key};
use crate::{Error, S3};

/// # Errors
/// `NoSuchUpload`, `InvalidArgument`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<ListPartsInput>,
) -> Result<S3Response<ListPartsOutput>, Error> {
    let input = request.input;
    refuse!(input, Error::NotImplemented; sse_customer_algorithm, sse_customer_key, sse_customer_key_md5);
    let max = convert::page_size(input.max_parts, "max-parts", LIST_MAX)?;
    let marker = input.part_number_marker.unwrap_or(0).max(0);
    let name = UploadName { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id };
    let upload = s3.upload(caller, name).await?.entity;
    let mut found = s3.parts.page(&[&input.upload_id], "", Some(&part_key(marker)), max + 1).await?;
    let truncated = found.len() > max && max > 0;
    found.truncate(max);
    let parts: Vec<Part> = found
        .into_iter()
        .map(|(parts, stored)| {
            let part = stored.entity;
            let mut line = Part {
                e_tag: Some(convert::etag(&part.etag)),
                last_modified: Some(convert::time(part.last_modified)),
                part_number: parts.get(1).and_then(|number| number.parse().ok()),
                size: convert::length(part.size),
                ..Part::default()
            };
            set_checksum!(line, part.checksum.as_ref());
            line
        })
        .collect();
    let owner = convert::owner(&s3.bucket(caller, &input.bucket).await?.entity.account);
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        checksum_algorithm: upload
            .algorithm
            .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: upload.kind.map(convert::kind),
        initiator: Some(Initiator { id: owner.id.clone(), display_name: None }),
        is_truncated: Some(truncated),
        key: Some(input.key),
        max_parts: convert::count(max),
        next_part_number_marker: parts.last().and_then(|part| part.part_number).filter(|_| truncated),
        owner: Some(owner),
        part_number_marker: Some(marker),
        parts: Some(parts),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(input.upload_id),
        ..ListPartsOutput::default()
    }))
}
