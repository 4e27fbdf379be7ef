//! Where results go: ResultConfiguration, as requested, stored and answered.
//!
//! Differs from AWS: encryption and ACL options are checked, stored and answered; objects are stored as the bucket stores them.
//! Differs from AWS: without any output location, results go to `aws-athena-query-results-<account>-<region>`, which is created.

use kernel::Context;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::constraint::Violations;

/// ResultConfiguration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResultConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encryption_configuration: Option<EncryptionConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected_bucket_owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) acl_configuration: Option<AclConfiguration>,
}

/// EncryptionConfiguration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EncryptionConfiguration {
    encryption_option: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key: Option<String>,
}

/// AclConfiguration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AclConfiguration {
    s3_acl_option: String,
}

impl ResultConfiguration {
    /// # Errors
    /// `InvalidRequestException`.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let mut violations = Violations::default();
        if let Some(encryption) = &self.encryption_configuration {
            let path = "resultConfiguration.encryptionConfiguration.encryptionOption";
            let option = encryption.encryption_option.as_str();
            violations.one_of(path, Some(option), &["SSE_S3", "SSE_KMS", "CSE_KMS"]);
        }
        if let Some(acl) = &self.acl_configuration {
            let path = "resultConfiguration.aclConfiguration.s3AclOption";
            violations.one_of(path, Some(&acl.s3_acl_option), &["BUCKET_OWNER_FULL_CONTROL"]);
        }
        violations.finish()?;
        if let Some(encryption) = &self.encryption_configuration
            && encryption.encryption_option != "SSE_S3"
            && encryption.kms_key.is_none()
        {
            return Err(Error::invalid("KmsKey is required for SSE_KMS and CSE_KMS."));
        }
        if let Some(owner) = &self.expected_bucket_owner
            && (owner.len() != 12 || !owner.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(Error::invalid("ExpectedBucketOwner must be an AWS account ID."));
        }
        self.output_location.as_deref().map_or(Ok(()), |location| split(location).map(drop))
    }
}

/// Bucket and key of `s3://bucket/key`.
///
/// # Errors
/// `InvalidRequestException` for anything else.
pub(crate) fn split(location: &str) -> Result<(&str, &str), Error> {
    let invalid = || Error::invalid("outputLocation is not a valid S3 path.");
    let path = location.strip_prefix("s3://").ok_or_else(invalid)?;
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    // A key has 1,024 bytes, of which the result's own name needs some.
    if bucket.is_empty() || bucket.len() > 63 || key.len() > 900 || key.contains('\0') {
        return Err(invalid());
    }
    Ok((bucket, key))
}

/// `location` with one slash at its end.
pub(crate) fn folder(location: &str) -> String {
    format!("{}/", location.trim_end_matches('/'))
}

/// The bucket of results for which nobody named a place.
pub(crate) fn default_bucket(cx: &Context) -> String {
    format!("aws-athena-query-results-{}-{}", cx.account, cx.region)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_refused() {
        for (input, expect) in [
            (json!({"OutputLocation": "http://b/"}), "outputLocation is not a valid S3 path."),
            (json!({"OutputLocation": "s3://"}), "outputLocation is not a valid S3 path."),
            (json!({"ExpectedBucketOwner": "1"}), "ExpectedBucketOwner must be an AWS account ID."),
            (
                json!({"EncryptionConfiguration": {"EncryptionOption": "SSE_KMS"}}),
                "KmsKey is required for SSE_KMS and CSE_KMS.",
            ),
            (
                json!({"EncryptionConfiguration": {"EncryptionOption": "ROT13"}}),
                "1 validation error detected: Value 'ROT13' at 'resultConfiguration.encryptionConfiguration.\
                 encryptionOption' failed to satisfy constraint: Member must satisfy enum value set: [SSE_S3, SSE_KMS, \
                 CSE_KMS]",
            ),
            (
                json!({"AclConfiguration": {"S3AclOption": "PUBLIC"}}),
                "1 validation error detected: Value 'PUBLIC' at 'resultConfiguration.aclConfiguration.s3AclOption' failed \
                 to satisfy constraint: Member must satisfy enum value set: [BUCKET_OWNER_FULL_CONTROL]",
            ),
        ] {
            let configuration: ResultConfiguration = serde_json::from_value(input).unwrap();
            assert_eq!(configuration.check().unwrap_err().to_string(), expect);
        }
        assert_eq!(split("s3://b").unwrap(), ("b", ""));
        assert_eq!(folder("s3://b/a"), "s3://b/a/");
        assert_eq!(folder("s3://b/a/"), "s3://b/a/");
    }
}
