//! `CreateMultipartUpload`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>

use s3s::dto::{CreateMultipartUploadInput, CreateMultipartUploadOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::checksum::Algorithm;
use crate::convert::{self, check_acl, check_storage_class, described_by, refuse};
use crate::multipart::Upload;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `InvalidRequest`, `MetadataTooLarge`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<CreateMultipartUploadInput>,
) -> Result<S3Response<CreateMultipartUploadOutput>, Error> {
    let mut input = request.input;
    refuse!(input, Error::NotImplemented; object_lock_legal_hold_status, object_lock_mode, object_lock_retain_until_date,
        server_side_encryption, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5, ssekms_encryption_context,
        ssekms_key_id,
        website_redirect_location);
    if input.bucket_key_enabled == Some(true) {
        return Err(Error::NotImplemented);
    }
    refuse!(input, Error::AccessControlListNotSupported; grant_full_control, grant_read, grant_read_acp, grant_write_acp);
    check_acl(input.acl.as_ref().map(s3s::dto::ObjectCannedACL::as_str))?;
    check_storage_class(input.storage_class.as_ref())?;
    let algorithm = input
        .checksum_algorithm
        .as_ref()
        .map(|algorithm| Algorithm::parse(algorithm.as_str()))
        .transpose()?;
    let wanted = input.checksum_type.as_ref().map(s3s::dto::ChecksumType::as_str);
    if wanted.is_some() && algorithm.is_none() {
        return Err(Error::InvalidRequest(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
                .to_owned(),
        ));
    }
    let kind = algorithm.map(|algorithm| algorithm.kind(wanted)).transpose()?;
    let described = described_by!(input)?;
    s3.allow_tags(caller, &input.bucket, &input.key, &described)?;
    let upload = Upload { initiated_at: s3.clock.now(), described, algorithm, kind, sealed: false };
    let upload_id = s3.create_upload(caller, &input.bucket, &input.key, &upload).await?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload_id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: kind.map(convert::kind),
        ..CreateMultipartUploadOutput::default()
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::Client;

    #[tokio::test]
    async fn a_kind_of_checksum_needs_an_algorithm() {
        let client = Client::with_bucket().await;
        let kind = ("x-amz-checksum-type", "FULL_OBJECT");
        let answer = client.call("POST", "/lake/k?uploads", &[kind], "").await.expect("400 InvalidRequest");
        assert_eq!(
            answer.element("Message"),
            Some("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
        );
        let both = [kind, ("x-amz-checksum-algorithm", "CRC32")];
        client.call("POST", "/lake/k?uploads", &both, "").await.expect("200");
    }
}
