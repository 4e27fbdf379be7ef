//! The operations: one row each here, one file each below.
//!
//! What is not in the table answers `NotImplemented`.

pub(crate) mod abort_multipart_upload;
pub(crate) mod complete_multipart_upload;
pub(crate) mod copy_object;
pub(crate) mod create_bucket;
pub(crate) mod create_multipart_upload;
pub(crate) mod delete_bucket;
pub(crate) mod delete_bucket_cors;
pub(crate) mod delete_bucket_ownership_controls;
pub(crate) mod delete_bucket_policy;
pub(crate) mod delete_bucket_tagging;
pub(crate) mod delete_object;
pub(crate) mod delete_object_tagging;
pub(crate) mod delete_objects;
pub(crate) mod delete_public_access_block;
pub(crate) mod get_bucket_accelerate_configuration;
pub(crate) mod get_bucket_acl;
pub(crate) mod get_bucket_cors;
pub(crate) mod get_bucket_encryption;
pub(crate) mod get_bucket_lifecycle_configuration;
pub(crate) mod get_bucket_location;
pub(crate) mod get_bucket_logging;
pub(crate) mod get_bucket_notification_configuration;
pub(crate) mod get_bucket_ownership_controls;
pub(crate) mod get_bucket_policy;
pub(crate) mod get_bucket_policy_status;
pub(crate) mod get_bucket_replication;
pub(crate) mod get_bucket_request_payment;
pub(crate) mod get_bucket_tagging;
pub(crate) mod get_bucket_versioning;
pub(crate) mod get_bucket_website;
pub(crate) mod get_object;
pub(crate) mod get_object_lock_configuration;
pub(crate) mod get_object_tagging;
pub(crate) mod get_public_access_block;
pub(crate) mod head_bucket;
pub(crate) mod head_object;
pub(crate) mod list_buckets;
pub(crate) mod list_multipart_uploads;
pub(crate) mod list_object_versions;
pub(crate) mod list_objects;
pub(crate) mod list_objects_v2;
pub(crate) mod list_parts;
pub(crate) mod put_bucket_cors;
pub(crate) mod put_bucket_ownership_controls;
pub(crate) mod put_bucket_policy;
pub(crate) mod put_bucket_tagging;
pub(crate) mod put_object;
pub(crate) mod put_object_tagging;
pub(crate) mod put_public_access_block;
pub(crate) mod upload_part;
pub(crate) mod upload_part_copy;

use std::pin::Pin;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, dto};
use wire::Fault;

use crate::authorize::Caller;
use crate::{Error, S3};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The operation's name in the API model.
    pub name: &'static str,
    /// The IAM action.
    pub action: &'static str,
    /// What it is authorised on.
    pub on: On,
}

/// What an operation is authorised on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Nothing in particular.
    Account,
    /// A bucket that is not there yet: no policy but the caller's own is asked.
    NewBucket,
    /// The bucket.
    Bucket,
    /// The object.
    Object,
    /// What the body says, by the operation itself.
    Body,
}

/// The service as `s3s` calls it.
pub(crate) struct Operations(pub(crate) Arc<S3>);

macro_rules! operations {
    ($($module:ident: $name:literal, $input:ident -> $output:ident, $action:literal on $on:ident;)*) => {
        /// Every operation, by name.
        pub const OPERATIONS: &[Entry] = &[$(Entry { name: $name, action: $action, on: On::$on },)*];

        impl s3s::S3 for Operations {
            $(
                fn $module<'life0, 'async_trait>(
                    &'life0 self,
                    request: S3Request<dto::$input>,
                ) -> Pin<Box<dyn Future<Output = S3Result<S3Response<dto::$output>>> + Send + 'async_trait>>
                where
                    'life0: 'async_trait,
                    Self: 'async_trait,
                {
                    Box::pin(async move {
                        let caller = caller(&request)?;
                        Box::pin($module::handle(&self.0, &caller, request)).await.map_err(|error| s3_error(&error))
                    })
                }
            )*
        }
    };
}

operations! {
    abort_multipart_upload: "AbortMultipartUpload", AbortMultipartUploadInput -> AbortMultipartUploadOutput, "s3:AbortMultipartUpload" on Object;
    complete_multipart_upload: "CompleteMultipartUpload", CompleteMultipartUploadInput -> CompleteMultipartUploadOutput, "s3:PutObject" on Object;
    copy_object: "CopyObject", CopyObjectInput -> CopyObjectOutput, "s3:PutObject" on Object;
    create_bucket: "CreateBucket", CreateBucketInput -> CreateBucketOutput, "s3:CreateBucket" on NewBucket;
    create_multipart_upload: "CreateMultipartUpload", CreateMultipartUploadInput -> CreateMultipartUploadOutput, "s3:PutObject" on Object;
    delete_bucket: "DeleteBucket", DeleteBucketInput -> DeleteBucketOutput, "s3:DeleteBucket" on Bucket;
    delete_bucket_cors: "DeleteBucketCors", DeleteBucketCorsInput -> DeleteBucketCorsOutput, "s3:PutBucketCORS" on Bucket;
    delete_bucket_ownership_controls: "DeleteBucketOwnershipControls", DeleteBucketOwnershipControlsInput -> DeleteBucketOwnershipControlsOutput, "s3:PutBucketOwnershipControls" on Bucket;
    delete_bucket_policy: "DeleteBucketPolicy", DeleteBucketPolicyInput -> DeleteBucketPolicyOutput, "s3:DeleteBucketPolicy" on Bucket;
    delete_bucket_tagging: "DeleteBucketTagging", DeleteBucketTaggingInput -> DeleteBucketTaggingOutput, "s3:PutBucketTagging" on Bucket;
    delete_object: "DeleteObject", DeleteObjectInput -> DeleteObjectOutput, "s3:DeleteObject" on Object;
    delete_object_tagging: "DeleteObjectTagging", DeleteObjectTaggingInput -> DeleteObjectTaggingOutput, "s3:DeleteObjectTagging" on Object;
    delete_objects: "DeleteObjects", DeleteObjectsInput -> DeleteObjectsOutput, "s3:DeleteObject" on Body;
    delete_public_access_block: "DeletePublicAccessBlock", DeletePublicAccessBlockInput -> DeletePublicAccessBlockOutput, "s3:PutBucketPublicAccessBlock" on Bucket;
    get_bucket_accelerate_configuration: "GetBucketAccelerateConfiguration", GetBucketAccelerateConfigurationInput -> GetBucketAccelerateConfigurationOutput, "s3:GetAccelerateConfiguration" on Bucket;
    get_bucket_acl: "GetBucketAcl", GetBucketAclInput -> GetBucketAclOutput, "s3:GetBucketAcl" on Bucket;
    get_bucket_cors: "GetBucketCors", GetBucketCorsInput -> GetBucketCorsOutput, "s3:GetBucketCORS" on Bucket;
    get_bucket_encryption: "GetBucketEncryption", GetBucketEncryptionInput -> GetBucketEncryptionOutput, "s3:GetEncryptionConfiguration" on Bucket;
    get_bucket_lifecycle_configuration: "GetBucketLifecycleConfiguration", GetBucketLifecycleConfigurationInput -> GetBucketLifecycleConfigurationOutput, "s3:GetLifecycleConfiguration" on Bucket;
    get_bucket_location: "GetBucketLocation", GetBucketLocationInput -> GetBucketLocationOutput, "s3:GetBucketLocation" on Bucket;
    get_bucket_logging: "GetBucketLogging", GetBucketLoggingInput -> GetBucketLoggingOutput, "s3:GetBucketLogging" on Bucket;
    get_bucket_notification_configuration: "GetBucketNotificationConfiguration", GetBucketNotificationConfigurationInput -> GetBucketNotificationConfigurationOutput, "s3:GetBucketNotification" on Bucket;
    get_bucket_ownership_controls: "GetBucketOwnershipControls", GetBucketOwnershipControlsInput -> GetBucketOwnershipControlsOutput, "s3:GetBucketOwnershipControls" on Bucket;
    get_bucket_policy: "GetBucketPolicy", GetBucketPolicyInput -> GetBucketPolicyOutput, "s3:GetBucketPolicy" on Bucket;
    get_bucket_policy_status: "GetBucketPolicyStatus", GetBucketPolicyStatusInput -> GetBucketPolicyStatusOutput, "s3:GetBucketPolicyStatus" on Bucket;
    get_bucket_replication: "GetBucketReplication", GetBucketReplicationInput -> GetBucketReplicationOutput, "s3:GetReplicationConfiguration" on Bucket;
    get_bucket_request_payment: "GetBucketRequestPayment", GetBucketRequestPaymentInput -> GetBucketRequestPaymentOutput, "s3:GetBucketRequestPayment" on Bucket;
    get_bucket_tagging: "GetBucketTagging", GetBucketTaggingInput -> GetBucketTaggingOutput, "s3:GetBucketTagging" on Bucket;
    get_bucket_versioning: "GetBucketVersioning", GetBucketVersioningInput -> GetBucketVersioningOutput, "s3:GetBucketVersioning" on Bucket;
    get_bucket_website: "GetBucketWebsite", GetBucketWebsiteInput -> GetBucketWebsiteOutput, "s3:GetBucketWebsite" on Bucket;
    get_object: "GetObject", GetObjectInput -> GetObjectOutput, "s3:GetObject" on Object;
    get_object_lock_configuration: "GetObjectLockConfiguration", GetObjectLockConfigurationInput -> GetObjectLockConfigurationOutput, "s3:GetBucketObjectLockConfiguration" on Bucket;
    get_object_tagging: "GetObjectTagging", GetObjectTaggingInput -> GetObjectTaggingOutput, "s3:GetObjectTagging" on Object;
    get_public_access_block: "GetPublicAccessBlock", GetPublicAccessBlockInput -> GetPublicAccessBlockOutput, "s3:GetBucketPublicAccessBlock" on Bucket;
    head_bucket: "HeadBucket", HeadBucketInput -> HeadBucketOutput, "s3:ListBucket" on Bucket;
    head_object: "HeadObject", HeadObjectInput -> HeadObjectOutput, "s3:GetObject" on Object;
    list_buckets: "ListBuckets", ListBucketsInput -> ListBucketsOutput, "s3:ListAllMyBuckets" on Account;
    list_multipart_uploads: "ListMultipartUploads", ListMultipartUploadsInput -> ListMultipartUploadsOutput, "s3:ListBucketMultipartUploads" on Bucket;
    list_object_versions: "ListObjectVersions", ListObjectVersionsInput -> ListObjectVersionsOutput, "s3:ListBucketVersions" on Bucket;
    list_objects: "ListObjects", ListObjectsInput -> ListObjectsOutput, "s3:ListBucket" on Bucket;
    list_objects_v2: "ListObjectsV2", ListObjectsV2Input -> ListObjectsV2Output, "s3:ListBucket" on Bucket;
    list_parts: "ListParts", ListPartsInput -> ListPartsOutput, "s3:ListMultipartUploadParts" on Object;
    put_bucket_cors: "PutBucketCors", PutBucketCorsInput -> PutBucketCorsOutput, "s3:PutBucketCORS" on Bucket;
    put_bucket_ownership_controls: "PutBucketOwnershipControls", PutBucketOwnershipControlsInput -> PutBucketOwnershipControlsOutput, "s3:PutBucketOwnershipControls" on Bucket;
    put_bucket_policy: "PutBucketPolicy", PutBucketPolicyInput -> PutBucketPolicyOutput, "s3:PutBucketPolicy" on Bucket;
    put_bucket_tagging: "PutBucketTagging", PutBucketTaggingInput -> PutBucketTaggingOutput, "s3:PutBucketTagging" on Bucket;
    put_object: "PutObject", PutObjectInput -> PutObjectOutput, "s3:PutObject" on Object;
    put_object_tagging: "PutObjectTagging", PutObjectTaggingInput -> PutObjectTaggingOutput, "s3:PutObjectTagging" on Body;
    put_public_access_block: "PutPublicAccessBlock", PutPublicAccessBlockInput -> PutPublicAccessBlockOutput, "s3:PutBucketPublicAccessBlock" on Bucket;
    upload_part: "UploadPart", UploadPartInput -> UploadPartOutput, "s3:PutObject" on Object;
    upload_part_copy: "UploadPartCopy", UploadPartCopyInput -> UploadPartCopyOutput, "s3:PutObject" on Object;
}

/// The row of an operation.
pub(crate) fn entry(name: &str) -> Option<&'static Entry> {
    OPERATIONS.iter().find(|entry| entry.name == name)
}

/// The caller that the authorisation left with the request.
fn caller<T>(request: &S3Request<T>) -> S3Result<Caller> {
    request.extensions.get::<Caller>().cloned().ok_or_else(|| {
        s3_error(&Error::Internal("a request reached its operation without being authorised".into()))
    })
}

/// An error in the words of `s3s`. An internal one is logged here, once, whole.
pub(crate) fn s3_error(error: &Error) -> S3Error {
    let fault = Fault::from_service(error);
    let code = S3ErrorCode::from_bytes(fault.code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut rendered = S3Error::with_message(code, fault.message);
    if let Ok(status) = StatusCode::from_u16(fault.status) {
        rendered.set_status_code(status);
    }
    if let Error::NotModified { etag } = error
        && let Ok(value) = HeaderValue::from_str(&format!("\"{etag}\""))
    {
        rendered.set_headers(HeaderMap::from_iter([(header::ETAG, value)]));
    }
    if matches!(error, Error::ServiceUnavailable(_)) {
        tracing::warn!(error = error as &dyn std::error::Error, "the store could not");
    }
    rendered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Client;

    #[test]
    fn rows_are_in_order_and_have_an_action_of_s3() {
        assert!(OPERATIONS.is_sorted_by(|one, next| one.name < next.name));
        assert!(OPERATIONS.iter().all(|entry| entry.action.starts_with("s3:")));
    }

    #[tokio::test]
    async fn what_a_bucket_cannot_have_is_said_not_to_be_configured() {
        let client = Client::with_bucket().await;
        for (query, outcome, message) in [
            ("policy", "404 NoSuchBucketPolicy", "The bucket policy does not exist"),
            ("policyStatus", "404 NoSuchBucketPolicy", "The bucket policy does not exist"),
            ("cors", "404 NoSuchCORSConfiguration", "The CORS configuration does not exist"),
            (
                "website",
                "404 NoSuchWebsiteConfiguration",
                "The specified bucket does not have a website configuration",
            ),
            ("lifecycle", "404 NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
            (
                "replication",
                "404 ReplicationConfigurationNotFoundError",
                "The replication configuration was not found",
            ),
            (
                "encryption",
                "404 ServerSideEncryptionConfigurationNotFoundError",
                "The server side encryption configuration was not found",
            ),
            (
                "object-lock",
                "404 ObjectLockConfigurationNotFoundError",
                "Object Lock configuration does not exist for this bucket",
            ),
        ] {
            let answer = client.get(&format!("/lake?{query}")).await.expect(outcome);
            assert_eq!(answer.element("Message"), Some(message));
            client.get(&format!("/nolake?{query}")).await.expect("404 NoSuchBucket");
        }
    }

    #[tokio::test]
    async fn what_every_bucket_has_is_told() {
        let client = Client::with_bucket().await;
        for (query, element, content) in [
            ("versioning", "Status", None),
            ("accelerate", "Status", None),
            ("logging", "LoggingEnabled", None),
            ("notification", "QueueConfiguration", None),
            ("requestPayment", "Payer", Some("BucketOwner")),
            ("acl", "Permission", Some("FULL_CONTROL")),
            ("ownershipControls", "ObjectOwnership", Some("BucketOwnerEnforced")),
            ("publicAccessBlock", "RestrictPublicBuckets", Some("true")),
        ] {
            let answer = client.get(&format!("/lake?{query}")).await.expect("200");
            assert_eq!(answer.element(element), content, "{query}: {}", answer.text());
            client.get(&format!("/nolake?{query}")).await.expect("404 NoSuchBucket");
        }
        let acl = client.get("/lake?acl").await;
        let ids = acl.elements("ID");
        assert!(ids.len() == 2 && ids[0] == ids[1], "{}", acl.text());
    }
}
