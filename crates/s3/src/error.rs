//! What S3 answers when it cannot, in AWS's own words.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
//!
//! A full disk is `ServiceUnavailable` (503): every AWS client retries it with backoff and without lowering its own rate for good, as it
//! would for `SlowDown`; `InternalError` would hide from the operator that nothing is broken.

use std::error::Error as StdError;
use std::io;

use kernel::{ErrorKind, ServiceError};
use store::TableError;

/// An error of an S3 operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The principal may not, or the bucket is another account's.
    #[error("{0}")]
    AccessDenied(String),
    /// The bucket takes no access control lists.
    #[error("The bucket does not allow ACLs")]
    AccessControlListNotSupported,
    /// The body is not what its digest says.
    #[error("{0}")]
    BadDigest(String),
    /// Another account has the name.
    #[error(
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a \
         different name and try again."
    )]
    BucketAlreadyExists,
    /// The account has the bucket already.
    #[error("Your previous request to create the named bucket succeeded and you already own it.")]
    BucketAlreadyOwnedByYou,
    /// There are objects left.
    #[error("The bucket you tried to delete is not empty")]
    BucketNotEmpty,
    /// Another change won.
    #[error("The conditional request cannot succeed due to a conflicting operation against this resource.")]
    ConditionalRequestConflict,
    /// A tag breaks the rules.
    #[error("{0}")]
    InvalidTag(&'static str),
    /// More tags than a bucket or an object may have.
    #[error("{0}")]
    TooManyTags(&'static str),
    /// The bucket has no tags.
    #[error("The TagSet does not exist")]
    NoSuchTagSet,
    /// The bucket has no policy.
    #[error("The bucket policy does not exist")]
    NoSuchBucketPolicy,
    /// The bucket has no rules for browsers.
    #[error("The CORS configuration does not exist")]
    NoSuchCORSConfiguration,
    /// Nothing expires in the bucket.
    #[error("The lifecycle configuration does not exist")]
    NoSuchLifecycleConfiguration,
    /// The bucket is no website.
    #[error("The specified bucket does not have a website configuration")]
    NoSuchWebsiteConfiguration,
    /// Nothing is locked in the bucket.
    #[error("Object Lock configuration does not exist for this bucket")]
    ObjectLockConfigurationNotFoundError,
    /// The bucket is copied nowhere.
    #[error("The replication configuration was not found")]
    ReplicationConfigurationNotFoundError,
    /// The bucket says nothing of encryption.
    #[error("The server side encryption configuration was not found")]
    ServerSideEncryptionConfigurationNotFoundError,
    /// The object is over 5 GiB.
    #[error("Your proposed upload exceeds the maximum allowed size")]
    EntityTooLarge,
    /// A part but the last is under 5 MiB.
    #[error("Your proposed upload is smaller than the minimum allowed size")]
    EntityTooSmall,
    /// The location constraint does not fit the region asked.
    #[error(
        "The {0} location constraint is incompatible for the region specific endpoint this request was sent to."
    )]
    IllegalLocationConstraintException(String),
    /// What the bucket's owner is expected to be is no account.
    #[error("The value of the expected bucket owner parameter must be an AWS account ID.")]
    InvalidBucketOwnerAWSAccountID,
    /// The document is no policy, or none of this bucket.
    #[error("{0}")]
    MalformedPolicy(String),
    /// Only the bucket's own account does this, whoever is allowed to.
    #[error("The specified method is not allowed against this resource.")]
    MethodNotAllowed,
    /// The bucket does not tell who owns its objects.
    #[error("The bucket ownership controls were not found")]
    OwnershipControlsNotFoundError,
    /// The bucket keeps no public access out.
    #[error("The public access block configuration was not found")]
    NoSuchPublicAccessBlockConfiguration,
    /// The account has as many as it may.
    #[error("You have attempted to create more buckets than allowed")]
    TooManyBuckets,
    /// The body ended early or is broken.
    #[error("You did not provide the number of bytes specified by the Content-Length HTTP header")]
    IncompleteBody,
    /// A parameter is wrong.
    #[error("{0}")]
    InvalidArgument(String),
    /// The name breaks the rules.
    #[error("The specified bucket is not valid.")]
    InvalidBucketName,
    /// Content-MD5 is no digest.
    #[error("The Content-MD5 you specified was invalid.")]
    InvalidDigest,
    /// There is no such region.
    #[error("The specified location-constraint is not valid")]
    InvalidLocationConstraint,
    /// A part is not there or another one.
    #[error(
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may \
         not match the part's entity tag."
    )]
    InvalidPart,
    /// Part numbers do not ascend.
    #[error("The list of parts was not in ascending order. Parts must be ordered by part number.")]
    InvalidPartOrder,
    /// The range is outside the object.
    #[error("The requested range is not satisfiable")]
    InvalidRange,
    /// The request contradicts itself.
    #[error("{0}")]
    InvalidRequest(String),
    /// Over 1,024 bytes.
    #[error("Your key is too long")]
    KeyTooLongError,
    /// The body is not the XML expected.
    #[error("The XML you provided was not well-formed or did not validate against our published schema")]
    MalformedXML,
    /// Over 2 KB of user metadata.
    #[error("Your metadata headers exceed the maximum allowed metadata size")]
    MetadataTooLarge,
    /// There is no such bucket.
    #[error("The specified bucket does not exist")]
    NoSuchBucket,
    /// There is no such object.
    #[error("The specified key does not exist.")]
    NoSuchKey,
    /// There is no such upload.
    #[error(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )]
    NoSuchUpload,
    /// A header or parameter asks for what we do not do.
    #[error("A header you provided implies functionality that is not implemented")]
    NotImplemented,
    /// The reader has it already.
    #[error("Not Modified")]
    NotModified {
        /// The object's etag, which the answer carries.
        etag: String,
    },
    /// A condition does not hold.
    #[error("At least one of the pre-conditions you specified did not hold")]
    PreconditionFailed,
    /// A chunk's signature is wrong.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    )]
    SignatureDoesNotMatch,
    /// The body's hash is not the one signed.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    XAmzContentSHA256Mismatch,
    /// The disk is full or the store busy.
    #[error("Service is unable to handle request.")]
    ServiceUnavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The principal, or its account, has used up its quota of requests.
    #[error("Please reduce your request rate.")]
    SlowDown,
    /// A bug or a broken disk.
    #[error("We encountered an internal error. Please try again.")]
    Internal(#[source] Box<dyn StdError + Send + Sync>),
}

impl Error {
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::InvalidArgument(message.into())
    }

    fn from_source(source: Box<dyn StdError + Send + Sync>) -> Self {
        if disk_is_full(source.as_ref()) { Self::ServiceUnavailable(source) } else { Self::Internal(source) }
    }

    /// Whether the failed change may have been made all the same.
    pub(crate) fn leaves_doubt(&self) -> bool {
        matches!(self, Self::ServiceUnavailable(_) | Self::Internal(_))
    }
}

fn disk_is_full(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let full = error.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        });
        if full {
            return true;
        }
        cause = error.source();
    }
    false
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AccessDenied(_) | Self::SignatureDoesNotMatch => ErrorKind::Denied,
            Self::NoSuchBucket
            | Self::NoSuchBucketPolicy
            | Self::NoSuchCORSConfiguration
            | Self::NoSuchKey
            | Self::NoSuchLifecycleConfiguration
            | Self::NoSuchPublicAccessBlockConfiguration
            | Self::OwnershipControlsNotFoundError
            | Self::NoSuchTagSet
            | Self::NoSuchUpload
            | Self::NoSuchWebsiteConfiguration
            | Self::ObjectLockConfigurationNotFoundError
            | Self::ReplicationConfigurationNotFoundError
            | Self::ServerSideEncryptionConfigurationNotFoundError => ErrorKind::NotFound,
            Self::BucketAlreadyExists
            | Self::BucketAlreadyOwnedByYou
            | Self::BucketNotEmpty
            | Self::ConditionalRequestConflict
            | Self::PreconditionFailed => ErrorKind::Conflict,
            Self::EntityTooLarge => ErrorKind::TooLarge,
            Self::ServiceUnavailable(_) => ErrorKind::Unavailable,
            Self::SlowDown => ErrorKind::Throttled,
            Self::Internal(_) => ErrorKind::Internal,
            _ => ErrorKind::Invalid,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::AccessDenied(_) => "AccessDenied",
            Self::AccessControlListNotSupported => "AccessControlListNotSupported",
            Self::BadDigest(_) => "BadDigest",
            Self::BucketAlreadyExists => "BucketAlreadyExists",
            Self::BucketAlreadyOwnedByYou => "BucketAlreadyOwnedByYou",
            Self::BucketNotEmpty => "BucketNotEmpty",
            Self::ConditionalRequestConflict => "ConditionalRequestConflict",
            Self::EntityTooLarge => "EntityTooLarge",
            Self::EntityTooSmall => "EntityTooSmall",
            Self::IllegalLocationConstraintException(_) => "IllegalLocationConstraintException",
            Self::IncompleteBody => "IncompleteBody",
            Self::InvalidArgument(_) => "InvalidArgument",
            Self::InvalidBucketName => "InvalidBucketName",
            Self::InvalidBucketOwnerAWSAccountID => "InvalidBucketOwnerAWSAccountID",
            Self::InvalidDigest => "InvalidDigest",
            Self::InvalidLocationConstraint => "InvalidLocationConstraint",
            Self::InvalidPart => "InvalidPart",
            Self::InvalidPartOrder => "InvalidPartOrder",
            Self::InvalidRange => "InvalidRange",
            Self::InvalidRequest(_) => "InvalidRequest",
            Self::InvalidTag(_) => "InvalidTag",
            Self::KeyTooLongError => "KeyTooLongError",
            Self::MalformedPolicy(_) => "MalformedPolicy",
            Self::MalformedXML => "MalformedXML",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::NoSuchPublicAccessBlockConfiguration => "NoSuchPublicAccessBlockConfiguration",
            Self::OwnershipControlsNotFoundError => "OwnershipControlsNotFoundError",
            Self::TooManyBuckets => "TooManyBuckets",
            Self::MetadataTooLarge => "MetadataTooLarge",
            Self::NoSuchBucket => "NoSuchBucket",
            Self::NoSuchBucketPolicy => "NoSuchBucketPolicy",
            Self::NoSuchCORSConfiguration => "NoSuchCORSConfiguration",
            Self::NoSuchLifecycleConfiguration => "NoSuchLifecycleConfiguration",
            Self::NoSuchWebsiteConfiguration => "NoSuchWebsiteConfiguration",
            Self::ObjectLockConfigurationNotFoundError => "ObjectLockConfigurationNotFoundError",
            Self::ReplicationConfigurationNotFoundError => "ReplicationConfigurationNotFoundError",
            Self::ServerSideEncryptionConfigurationNotFoundError => {
                "ServerSideEncryptionConfigurationNotFoundError"
            }
            Self::NoSuchKey => "NoSuchKey",
            Self::NoSuchTagSet => "NoSuchTagSet",
            Self::NoSuchUpload => "NoSuchUpload",
            Self::NotImplemented => "NotImplemented",
            Self::NotModified { .. } => "NotModified",
            Self::PreconditionFailed => "PreconditionFailed",
            Self::SignatureDoesNotMatch => "SignatureDoesNotMatch",
            Self::TooManyTags(_) => "BadRequest",
            Self::XAmzContentSHA256Mismatch => "XAmzContentSHA256Mismatch",
            Self::ServiceUnavailable(_) => "ServiceUnavailable",
            Self::SlowDown => "SlowDown",
            Self::Internal(_) => "InternalError",
        }
    }

    fn http_status(&self) -> u16 {
        match self {
            Self::EntityTooLarge => 400,
            Self::InvalidRange => 416,
            Self::MethodNotAllowed => 405,
            Self::NotImplemented => 501,
            Self::SlowDown => 503,
            Self::NotModified { .. } => 304,
            Self::PreconditionFailed => 412,
            _ => self.kind().http_status(),
        }
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        if error.is_transient() {
            return Self::ServiceUnavailable(Box::new(error));
        }
        match error {
            TableError::Conflict => Self::ConditionalRequestConflict,
            error => Self::from_source(Box::new(error)),
        }
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        Self::from_source(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob_error(kind: io::ErrorKind) -> Error {
        object_store::Error::Generic { store: "test", source: Box::new(io::Error::from(kind)) }.into()
    }

    #[test]
    fn a_full_disk_is_worth_a_retry_and_a_broken_one_is_not_called_full() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let error = blob_error(kind);
            assert_eq!((error.code(), error.http_status()), ("ServiceUnavailable", 503));
        }
        let error = blob_error(io::ErrorKind::InvalidData);
        assert_eq!((error.code(), error.http_status()), ("InternalError", 500));
    }
}
