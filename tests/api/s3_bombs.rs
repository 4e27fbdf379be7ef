//! Bodies and headers made to cost a node more than they cost their sender.

use bytes::Bytes;
use client::Answer;
use http::Method;
use testkit::Sandbox;

use crate::requests::{Speaks, outcome};

async fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    sandbox.put("lake", "k", "content").await;
    sandbox
}

async fn send(
    sandbox: &Sandbox,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    sandbox.api().send("s3", method, path, headers, body.into()).await.expect("an answer")
}

#[tokio::test]
async fn xml_is_bounded_in_size_and_depth_and_expands_nothing() {
    let sandbox = sandbox().await;
    let entities = "<!DOCTYPE t [<!ENTITY a \"xxxxxxxxxx\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]>";
    let tag = |value: &str| {
        format!("<Tagging><TagSet><Tag><Key>k</Key><Value>{value}</Value></Tag></TagSet></Tagging>")
    };
    let deep = format!("<Tagging>{}{}", "<TagSet>".repeat(200_000), "</TagSet>".repeat(200_000));
    let large = format!("{}<!--{}-->", tag("v"), "x".repeat(4 << 20));
    let many =
        format!("<Tagging><TagSet>{}</TagSet></Tagging>", "<Tag><Key>k</Key><Value/></Tag>".repeat(60_000));
    for path in ["/lake?tagging", "/lake/k?tagging"] {
        for (what, body, expect) in [
            ("an entity", format!("{entities}{}", tag("&b;")), "400 MalformedXML"),
            ("a file", format!("{entities}{}", tag("&c;")), "400 MalformedXML"),
            ("depth", deep.clone(), "400 MalformedXML"),
            ("size", large.clone(), "400 MaxMessageLengthExceeded"),
            ("a multitude", many.clone(), "400 BadRequest"),
            ("no end", "<Tagging><TagSet><Tag>".to_owned(), "400 MalformedXML"),
            ("no XML", "\u{1}\u{2}".to_owned(), "400 MalformedXML"),
        ] {
            let answer = send(&sandbox, Method::PUT, path, &[], body).await;
            assert_eq!(outcome(Speaks::S3, &answer), expect, "{path} {what}");
        }
    }
    let answer = send(&sandbox, Method::GET, "/lake?tagging", &[], "").await;
    assert_eq!(outcome(Speaks::S3, &answer), "404 NoSuchTagSet");
}

#[tokio::test]
async fn lists_in_bodies_have_their_quotas() {
    let sandbox = sandbox().await;
    let objects = "<Object><Key>k</Key></Object>".repeat(1001);
    let answer =
        send(&sandbox, Method::POST, "/lake?delete", &[], format!("<Delete>{objects}</Delete>")).await;
    assert_eq!(outcome(Speaks::S3, &answer), "400 MalformedXML");
    let answer = send(&sandbox, Method::POST, "/lake/m?uploads", &[], "").await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let id = testkit::elements(&text, "UploadId").next().expect("an id");
    let parts: String = (1..=10_001)
        .map(|n| format!("<Part><PartNumber>{n}</PartNumber><ETag>\"{:032x}\"</ETag></Part>", n))
        .collect();
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let answer = send(&sandbox, Method::POST, &format!("/lake/m?uploadId={id}"), &[], body).await;
    assert_eq!(outcome(Speaks::S3, &answer), "400 InvalidArgument");
    let statements = "{\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"s3:*\", \"Resource\": \"arn:aws:s3:::lake/*\"},".repeat(5_000);
    let statements = statements.trim_end_matches(',');
    let answer =
        send(&sandbox, Method::PUT, "/lake?policy", &[], format!("{{\"Statement\": [{statements}]}}")).await;
    assert_eq!(outcome(Speaks::S3, &answer), "400 MalformedPolicy");
    let answer = send(&sandbox, Method::PUT, "/lake?policy", &[], "{\"a\":".repeat(500_000)).await;
    assert_eq!(outcome(Speaks::S3, &answer), "400 MalformedPolicy");
    assert_eq!(sandbox.keys("lake", "").await, ["k"]);
}

#[tokio::test]
async fn headers_have_their_quotas() {
    let sandbox = sandbox().await;
    let long = "x".repeat(2049);
    let tags: Vec<String> = (0..11).map(|n| format!("{n}=x")).collect();
    let tags = tags.join("&");
    for (name, value, expect) in [
        ("x-amz-meta-a", long.as_str(), "400 MetadataTooLarge"),
        ("x-amz-tagging", tags.as_str(), "400 BadRequest"),
    ] {
        let answer = send(&sandbox, Method::PUT, "/lake/new", &[(name, value)], "x").await;
        assert_eq!(outcome(Speaks::S3, &answer), expect, "{name}");
    }
    let path = format!("/lake/{}", "k".repeat(1025));
    let answer = send(&sandbox, Method::PUT, &path, &[], "x").await;
    assert_eq!(outcome(Speaks::S3, &answer), "400 KeyTooLongError");
    let path = format!("/lake?list-type=2&prefix={}", "%2F".repeat(20_000));
    let answer = send(&sandbox, Method::GET, &path, &[], "").await;
    assert!(answer.status.is_client_error() || answer.status.is_success(), "{}", answer.status);
    assert_eq!(sandbox.keys("lake", "").await, ["k"]);
}

/// A small body that would be gigabytes were it decompressed is kept as it came.
#[tokio::test]
async fn an_upload_is_not_decompressed() {
    let sandbox = sandbox().await;
    let zeros =
        [&b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"[..], &[0xed, 0xc1, 0x01, 0x0d].repeat(1000)].concat();
    let answer =
        send(&sandbox, Method::PUT, "/lake/bomb.gz", &[("content-encoding", "gzip")], zeros.clone()).await;
    assert_eq!(outcome(Speaks::S3, &answer), "200");
    assert_eq!(sandbox.object("lake", "bomb.gz").await, zeros);
}
