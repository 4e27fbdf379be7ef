//! The condition keys that a request over HTTP has.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html>

use std::borrow::Cow;

use http::{HeaderMap, Uri, header};
use kernel::Timestamp;
use wire::sigv4;

use crate::authorize::{Key, request_tags};
use crate::tags;

/// Headers that are keys under the name `s3:` and their own.
const HEADERS: [&str; 16] = [
    "if-match",
    "if-none-match",
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
];

/// Parameters of the actions [`LISTS`].
const PARAMETERS: [&str; 3] = ["prefix", "delimiter", "max-keys"];

/// Actions whose parameters are keys.
pub(crate) const LISTS: [&str; 2] = ["s3:ListBucket", "s3:ListBucketVersions"];

/// The keys of any request: how it is signed, and by what it was sent.
pub(crate) fn of_any(headers: &HeaderMap, uri: &Uri, now: Timestamp) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut add = |name: &'static str, value: String| keys.push((Cow::Borrowed(name), vec![value]));
    let signed = |name: &str| parameter(uri, name);
    if headers.contains_key(header::AUTHORIZATION) {
        add("s3:authType", "REST-HEADER".to_owned());
        add("s3:signatureversion", "AWS4-HMAC-SHA256".to_owned());
    } else if signed("X-Amz-Signature").is_some() {
        add("s3:authType", "REST-QUERY-STRING".to_owned());
        add("s3:signatureversion", "AWS4-HMAC-SHA256".to_owned());
        if let Some(date) = signed("X-Amz-Date").as_deref().and_then(sigv4::parse_date) {
            add("s3:signatureAge", now.since(date).as_millis().to_string());
        }
    } else if signed("Signature").is_some() {
        add("s3:authType", "REST-QUERY-STRING".to_owned());
        add("s3:signatureversion", "AWS".to_owned());
    }
    for (name, header) in [("aws:UserAgent", header::USER_AGENT), ("aws:Referer", header::REFERER)] {
        if let Some(value) = text(headers, header.as_str()) {
            add(name, value);
        }
    }
    keys
}

/// The keys of a request for this action.
pub(crate) fn of_action(headers: &HeaderMap, uri: &Uri, action: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    for name in HEADERS {
        if let Some(value) = text(headers, name) {
            keys.push((Cow::Owned(format!("s3:{name}")), vec![value]));
        }
    }
    if LISTS.contains(&action) {
        for name in PARAMETERS {
            if let Some(value) = parameter(uri, name) {
                keys.push((Cow::Owned(format!("s3:{name}")), vec![value]));
            }
        }
    }
    if let Some(version) = version(uri) {
        keys.push((Cow::Borrowed("s3:VersionId"), vec![version]));
    }
    // One that breaks the rules is refused by the operation.
    if let Ok(tags) = tags::of_header(text(headers, "x-amz-tagging").as_deref()) {
        keys.extend(request_tags(&tags));
    }
    keys
}

/// The action of a request: another one where it names a version.
pub(crate) fn versioned(action: &'static str, uri: &Uri) -> &'static str {
    if version(uri).is_some() { of_version(action) } else { action }
}

/// The action on a version that corresponds to one on an object.
pub(crate) fn of_version(action: &'static str) -> &'static str {
    match action {
        "s3:GetObject" => "s3:GetObjectVersion",
        "s3:DeleteObject" => "s3:DeleteObjectVersion",
        "s3:GetObjectTagging" => "s3:GetObjectVersionTagging",
        "s3:PutObjectTagging" => "s3:PutObjectVersionTagging",
        "s3:DeleteObjectTagging" => "s3:DeleteObjectVersionTagging",
        other => other,
    }
}

fn version(uri: &Uri) -> Option<String> {
    parameter(uri, "versionId").filter(|version| !version.is_empty())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    // One without a value is as good as none to the operation.
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.filter(|value| !value.is_empty()).map(str::to_owned)
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
    };
    uri.query()?
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .find(|(found, _)| decode(found) == name)
        .map(|(_, value)| decode(value))
}
