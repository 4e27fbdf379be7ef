//! `ListMultipartUploads`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
//!
//! Differs from AWS: the initiator of every upload is said to be the bucket's owner.

use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    MultipartUpload, StorageClass,
};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::convert::{self, Encoding, given};
use crate::limits::LIST_MAX;
use crate::multipart::Upload;
use crate::{Error, S3};

enum Line {
    Upload(String, String, Box<Upload>),
    Prefix(String),
}

/// # Errors
/// `NoSuchBucket`, `InvalidArgument`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<ListMultipartUploadsInput>,
) -> Result<S3Response<ListMultipartUploadsOutput>, Error> {
    let input = request.input;
    let encoding = Encoding::new(input.encoding_type)?;
    let max = convert::page_size(input.max_uploads, "max-uploads", LIST_MAX)?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = given(input.delimiter);
    let key_marker = given(input.key_marker);
    let upload_id_marker = given(input.upload_id_marker).filter(|_| key_marker.is_some());
    let home = s3.bucket(caller, &input.bucket).await?.entity;

    let behind = |key: &str, upload_id: &str| match (&key_marker, &upload_id_marker) {
        (None, _) => true,
        (Some(marker), None) => key > marker.as_str(),
        (Some(marker), Some(id)) => (key, upload_id) > (marker.as_str(), id.as_str()),
    };
    let mut lines: Vec<Line> = Vec::new();
    let mut truncated = false;
    let uploads = s3.uploads.list(&[&input.bucket]).await?;
    s3.met(caller, &input.bucket)?;
    for (parts, stored) in uploads {
        let Ok([_, key, upload_id]) = <[String; 3]>::try_from(parts) else { continue };
        let Some(rest) = key.strip_prefix(&prefix) else { continue };
        let common = delimiter.as_ref().and_then(|delimiter| {
            let (head, _) = rest.split_once(delimiter.as_str())?;
            Some(format!("{prefix}{head}{delimiter}"))
        });
        let seen = common.as_ref().is_some_and(|common| {
            let marked = key_marker.as_ref().is_some_and(|marker| marker.starts_with(common));
            marked || matches!(lines.last(), Some(Line::Prefix(last)) if last == common)
        });
        if seen || !behind(&key, &upload_id) {
            continue;
        }
        if lines.len() == max {
            truncated = true;
            break;
        }
        lines.push(match common {
            Some(common) => Line::Prefix(common),
            None => Line::Upload(key, upload_id, Box::new(stored.entity)),
        });
    }
    let truncated = truncated && max > 0;
    let (next_key_marker, next_upload_id_marker) = match lines.last() {
        Some(Line::Upload(key, upload_id, _)) if truncated => {
            (Some(encoding.text(key)), Some(upload_id.clone()))
        }
        Some(Line::Prefix(common)) if truncated => (Some(encoding.text(common)), None),
        _ => (None, None),
    };
    let (mut uploads, mut common_prefixes) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            Line::Prefix(common) => {
                common_prefixes.push(CommonPrefix { prefix: Some(encoding.text(&common)) })
            }
            Line::Upload(key, upload_id, upload) => uploads.push(MultipartUpload {
                checksum_algorithm: upload
                    .algorithm
                    .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
                checksum_type: upload.kind.map(convert::kind),
                initiated: Some(convert::time(upload.initiated_at)),
                initiator: Some(Initiator { id: Some(convert::owner_id(&home.account)), display_name: None }),
                key: Some(encoding.text(&key)),
                owner: Some(convert::owner(&home.account)),
                storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
                upload_id: Some(upload_id),
            }),
        }
    }
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: Some(common_prefixes),
        delimiter: delimiter.map(|delimiter| encoding.text(&delimiter)),
        is_truncated: Some(truncated),
        key_marker: Some(key_marker.map(|marker| encoding.text(&marker)).unwrap_or_default()),
        max_uploads: convert::count(max),
        next_key_marker,
        next_upload_id_marker,
        prefix: Some(encoding.text(&prefix)),
        upload_id_marker: Some(upload_id_marker.unwrap_or_default()),
        uploads: Some(uploads),
        encoding_type: encoding.named(),
        ..ListMultipartUploadsOutput::default()
    }))
}
