//! What S3 reads of a body: XML of every operation that takes some, and chunks with their signatures and trailers.
//!
//! The request is signed and allowed. No body is the node's fault. The first line names the request; the rest is the body.

use std::sync::Arc;

use wire::testing::AllowAll;

use super::node::{ask, objects, signed};
use super::{REQUEST, halves};
use crate::{Body, Target};

pub(super) static TARGET: Target = Target {
    name: "s3_body",
    about: "XML and chunked bodies of S3",
    words: &[
        "<Tagging><TagSet>",
        "<Tag><Key>",
        "</Key><Value>",
        "<Object><Key>",
        "<![CDATA[",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>",
        "&b;",
        "&#x0;",
        "&#65;",
        "<?xml version=\"1.0\"?>",
        "xmlns=\"x\"",
        "<a><a><a><a>",
        "5;chunk-signature=",
        "\r\n",
        "0\r\n",
        "ffffffffffffffff\r\n",
        "x-amz-checksum-crc32:NhCmhg==",
        "<Part><PartNumber>1</PartNumber><ETag>",
    ],
    memory: REQUEST,
    mutations: 4_000,
    start,
    seeds,
};

/// Name, method and path, headers.
type Shape = (&'static str, (&'static str, &'static str), &'static [(&'static str, &'static str)]);

const SHAPES: &[Shape] = &[
    ("CreateBucket", ("PUT", "/other-bucket"), &[]),
    ("DeleteObjects", ("POST", "/lake?delete="), &[]),
    ("PutBucketTagging", ("PUT", "/lake?tagging="), &[]),
    ("PutObjectTagging", ("PUT", "/lake/k?tagging="), &[]),
    ("PutBucketPolicy", ("PUT", "/lake?policy="), &[]),
    ("PutPublicAccessBlock", ("PUT", "/lake?publicAccessBlock="), &[]),
    ("PutBucketOwnershipControls", ("PUT", "/lake?ownershipControls="), &[]),
    ("PutBucketEncryption", ("PUT", "/lake?encryption="), &[]),
    ("CompleteMultipartUpload", ("POST", "/lake/k?uploadId=u"), &[]),
    ("PutObject", ("PUT", "/lake/k"), &[]),
    (
        "Unsigned",
        ("PUT", "/lake/k"),
        &[
            ("content-encoding", "aws-chunked"),
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("x-amz-decoded-content-length", "5"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
        ],
    ),
    (
        "Signed",
        ("PUT", "/lake/k"),
        &[
            ("content-encoding", "aws-chunked"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("x-amz-decoded-content-length", "5"),
        ],
    ),
    (
        "SignedTrailer",
        ("PUT", "/lake/k"),
        &[
            ("content-encoding", "aws-chunked"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
            ("x-amz-decoded-content-length", "5"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
        ],
    ),
];

fn start() -> Body {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let front = objects(Arc::new(AllowAll));
    let made = signed("s3", ("PUT", "/lake"), &[], b"").expect("a request");
    assert_eq!(runtime.block_on(ask(&front, made)).status(), 200);
    Box::new(move |input| {
        let (name, body) = halves(input, b'\n');
        let Some((name, line, headers)) = SHAPES.iter().find(|(shape, ..)| shape.as_bytes() == name) else {
            return;
        };
        let request = signed("s3", *line, headers, body).expect("a request");
        let answer = runtime.block_on(ask(&front, request));
        let status = answer.status();
        let text = String::from_utf8_lossy(answer.body());
        assert!(!status.is_server_error() || status == 501, "{name}: {status} {text}");
        if *name == "Signed" || *name == "SignedTrailer" {
            // Nobody who writes a seed can sign a chunk of these.
            assert!(!status.is_success(), "{name}: {text}");
        }
    })
}

fn seeds() -> Vec<Vec<u8>> {
    let signature = "0".repeat(64);
    let tagging = "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>a</Key><Value>&lt;b&gt;</Value></Tag></TagSet></Tagging>";
    let policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::lake/*\"}]}";
    [
        "CreateBucket\n<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>".to_owned(),
        "DeleteObjects\n<?xml version=\"1.0\" encoding=\"UTF-8\"?><Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><VersionId>null</VersionId></Object><Quiet>true</Quiet></Delete>".to_owned(),
        format!("PutBucketTagging\n{tagging}"),
        format!("PutObjectTagging\n{tagging}"),
        format!("PutBucketPolicy\n{policy}"),
        "PutPublicAccessBlock\n<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>".to_owned(),
        "PutBucketOwnershipControls\n<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>".to_owned(),
        "PutBucketEncryption\n<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>".to_owned(),
        "CompleteMultipartUpload\n<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag></Part></CompleteMultipartUpload>".to_owned(),
        "PutObject\nhello".to_owned(),
        "Unsigned\n5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n".to_owned(),
        "Unsigned\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n".to_owned(),
        format!("Signed\n5;chunk-signature={signature}\r\nhello\r\n0;chunk-signature={signature}\r\n\r\n"),
        format!("SignedTrailer\n5;chunk-signature={signature}\r\nhello\r\n0;chunk-signature={signature}\r\nx-amz-checksum-crc32:NhCmhg==\r\nx-amz-trailer-signature:{signature}\r\n\r\n"),
    ]
    .map(String::into_bytes)
    .to_vec()
}
