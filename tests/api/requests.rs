//! One request for each operation there is, taken from the tables that serve them.

use bytes::Bytes;
use client::Answer;
use http::Method;
use testkit::{Sandbox, elements};
use wire::Protocol;

/// How the API of an operation speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// AWS JSON.
    Json,
    /// REST-JSON.
    Rest,
    /// Query.
    Query,
    /// Smithy RPC v2 CBOR.
    Cbor,
    /// S3's REST-XML.
    S3,
}

/// A request for an operation. Its input is as good as empty: nobody here is to get as far as to read it.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) speaks: Speaks,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Sample {
    /// What the log of a failed test says.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// Headers as a client takes them.
    pub(crate) fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// Every operation of every service of a node.
pub(crate) fn all(sandbox: &Sandbox) -> Vec<Sample> {
    let mut samples = Vec::new();
    for service in sandbox.node().dispatcher().services() {
        let descriptor = service.descriptor();
        for (operation, _, http) in service.operations() {
            let mut sample = Sample {
                service: descriptor.signing_name,
                operation,
                speaks: Speaks::Json,
                method: Method::POST,
                path: "/".to_owned(),
                headers: Vec::new(),
                body: Bytes::from_static(b"{}"),
            };
            match descriptor.protocols[0] {
                Protocol::Json { target_prefix, version } => {
                    sample.headers.push(("x-amz-target", format!("{target_prefix}.{operation}")));
                    sample.headers.push(("content-type", format!("application/x-amz-json-{version}")));
                }
                Protocol::RestJson => {
                    let http = http.expect("an operation of REST-JSON has a binding");
                    sample.speaks = Speaks::Rest;
                    sample.method = http.method.parse().expect("a method");
                    sample.path = labelled(http.path);
                }
                Protocol::Query { version, .. } => {
                    sample.speaks = Speaks::Query;
                    sample.headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
                    sample.body = format!("Action={operation}&Version={version}").into();
                }
                Protocol::RpcV2Cbor { service } => {
                    sample.speaks = Speaks::Cbor;
                    sample.path = format!("/service/{service}/operation/{operation}");
                    sample.headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
                    sample.body = Bytes::from_static(&[0xa0]);
                }
            }
            samples.push(sample);
        }
    }
    samples.extend(S3.iter().map(|(operation, method, path)| Sample {
        service: "s3",
        operation,
        speaks: Speaks::S3,
        method: method.parse().expect("a method"),
        path: (*path).to_owned(),
        headers: match operation.contains("Copy") {
            true => vec![("x-amz-copy-source", "lake/other".to_owned())],
            false => Vec::new(),
        },
        body: Bytes::new(),
    }));
    samples
}

/// A path with something for each of its labels.
fn labelled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

/// S3 has no table of bindings of its own: the protocol layer routes.
const S3: &[(&str, &str, &str)] = &[
    ("AbortMultipartUpload", "DELETE", "/lake/k?uploadId=u"),
    ("CompleteMultipartUpload", "POST", "/lake/k?uploadId=u"),
    ("CopyObject", "PUT", "/lake/k"),
    ("CreateBucket", "PUT", "/lake"),
    ("CreateMultipartUpload", "POST", "/lake/k?uploads="),
    ("DeleteBucket", "DELETE", "/lake"),
    ("DeleteBucketCors", "DELETE", "/lake?cors="),
    ("DeleteBucketOwnershipControls", "DELETE", "/lake?ownershipControls="),
    ("DeleteBucketPolicy", "DELETE", "/lake?policy="),
    ("DeleteBucketTagging", "DELETE", "/lake?tagging="),
    ("DeleteObject", "DELETE", "/lake/k"),
    ("DeleteObjectTagging", "DELETE", "/lake/k?tagging="),
    ("DeleteObjects", "POST", "/lake?delete="),
    ("DeletePublicAccessBlock", "DELETE", "/lake?publicAccessBlock="),
    ("GetBucketAccelerateConfiguration", "GET", "/lake?accelerate="),
    ("GetBucketAcl", "GET", "/lake?acl="),
    ("GetBucketCors", "GET", "/lake?cors="),
    ("GetBucketEncryption", "GET", "/lake?encryption="),
    ("GetBucketLifecycleConfiguration", "GET", "/lake?lifecycle="),
    ("GetBucketLocation", "GET", "/lake?location="),
    ("GetBucketLogging", "GET", "/lake?logging="),
    ("GetBucketNotificationConfiguration", "GET", "/lake?notification="),
    ("GetBucketOwnershipControls", "GET", "/lake?ownershipControls="),
    ("GetBucketPolicy", "GET", "/lake?policy="),
    ("GetBucketPolicyStatus", "GET", "/lake?policyStatus="),
    ("GetBucketReplication", "GET", "/lake?replication="),
    ("GetBucketRequestPayment", "GET", "/lake?requestPayment="),
    ("GetBucketTagging", "GET", "/lake?tagging="),
    ("GetBucketVersioning", "GET", "/lake?versioning="),
    ("GetBucketWebsite", "GET", "/lake?website="),
    ("GetObject", "GET", "/lake/k"),
    ("GetObjectLockConfiguration", "GET", "/lake?object-lock="),
    ("GetObjectTagging", "GET", "/lake/k?tagging="),
    ("GetPublicAccessBlock", "GET", "/lake?publicAccessBlock="),
    ("HeadBucket", "HEAD", "/lake"),
    ("HeadObject", "HEAD", "/lake/k"),
    ("ListBuckets", "GET", "/"),
    ("ListMultipartUploads", "GET", "/lake?uploads="),
    ("ListObjectVersions", "GET", "/lake?versions="),
    ("ListObjects", "GET", "/lake"),
    ("ListObjectsV2", "GET", "/lake?list-type=2"),
    ("ListParts", "GET", "/lake/k?uploadId=u"),
    ("PutBucketCors", "PUT", "/lake?cors="),
    ("PutBucketOwnershipControls", "PUT", "/lake?ownershipControls="),
    ("PutBucketPolicy", "PUT", "/lake?policy="),
    ("PutBucketTagging", "PUT", "/lake?tagging="),
    ("PutObject", "PUT", "/lake/k"),
    ("PutObjectTagging", "PUT", "/lake/k?tagging="),
    ("PutPublicAccessBlock", "PUT", "/lake?publicAccessBlock="),
    ("UploadPart", "PUT", "/lake/k?partNumber=1&uploadId=u"),
    ("UploadPartCopy", "PUT", "/lake/k?partNumber=1&uploadId=u"),
];

/// Status and code of an answer: `403 AccessDenied`. The answer to HEAD has no code.
pub(crate) fn outcome(speaks: Speaks, answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let code = match speaks {
        Speaks::Json => answer.json()["__type"].as_str().unwrap_or_default().to_owned(),
        Speaks::Rest => {
            let header = answer.headers.get("x-amzn-errortype").and_then(|code| code.to_str().ok());
            header.unwrap_or_default().to_owned()
        }
        Speaks::Cbor => cbor_text(&answer.body, "__type"),
        Speaks::Query | Speaks::S3 => elements(&text, "Code").next().unwrap_or_default().to_owned(),
    };
    format!("{} {code}", answer.status.as_u16()).trim_end().to_owned()
}

/// The text of a member of a CBOR map whose values are all text; empty if it has none.
pub(crate) fn cbor_text(body: &[u8], member: &str) -> String {
    let mut tokens = minicbor::Decoder::new(body);
    let pairs = tokens.map_iter::<String, String>().expect("a map");
    let mut pairs = pairs.map(|pair| pair.expect("text"));
    pairs.find(|(name, _)| name == member).map(|(_, text)| text).unwrap_or_default()
}

#[tokio::test]
async fn the_samples_are_all_operations() {
    let sandbox = Sandbox::new().await;
    let known: Vec<&str> = S3.iter().map(|(name, ..)| *name).collect();
    let served: Vec<&str> = s3::OPERATIONS.iter().map(|entry| entry.name).collect();
    assert_eq!(known, served);
    let samples = all(&sandbox);
    for service in ["athena", "firehose", "glue", "iam", "iot", "iotdata", "monitoring", "s3", "sts"] {
        assert!(samples.iter().any(|sample| sample.service == service), "{service} has no operation");
    }
}
