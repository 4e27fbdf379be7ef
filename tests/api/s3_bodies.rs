//! The ways in which S3's clients send a body: hashed, unsigned, in signed chunks, in chunks with a checksum behind them.

use bytes::Bytes;
use client::Answer;
use http::Method;
use kernel::Clock;
use testkit::Sandbox;
use wire::sigv4::Signer;

use crate::requests::{Speaks, outcome};
use crate::signing::Signing;

async fn put(sandbox: &Sandbox, key: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let path = format!("/lake/{key}");
    sandbox.api().send("s3", Method::PUT, &path, headers, body.into()).await.expect("an answer")
}

/// The signature of a PUT with these headers, which its chunks go on from.
fn seed(sandbox: &Sandbox, key: &str, headers: &[(&str, &str)]) -> String {
    let root = sandbox.key();
    let signer = Signer {
        access_key_id: &root.access_key_id,
        secret_access_key: root.secret_access_key.expose(),
        region: "us-east-1",
        service: "s3",
    };
    let host = sandbox.addresses().api.to_string();
    let uri = format!("http://{host}/lake/{key}").parse().expect("a URI");
    let mut all = vec![("host", host.as_str())];
    all.extend(headers);
    let added = signer.sign(&Method::PUT, &uri, &all, &Bytes::new(), sandbox.clock().now());
    let added = added.expect("it can be signed");
    let (_, authorization) = added.iter().find(|(name, _)| *name == "authorization").expect("it is signed");
    authorization.rsplit_once("Signature=").expect("it has a signature").1.to_owned()
}

#[tokio::test]
async fn an_unsigned_payload_is_taken() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    let answer = put(&sandbox, "k", &[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")], "anything").await;
    assert_eq!(outcome(Speaks::S3, &answer), "200");
    assert_eq!(sandbox.object("lake", "k").await, "anything");
}

#[tokio::test]
async fn a_payload_with_another_hash_is_not() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    let hash = "0".repeat(64);
    let answer = put(&sandbox, "k", &[("x-amz-content-sha256", &hash)], "anything").await;
    assert_eq!(outcome(Speaks::S3, &answer), "400 XAmzContentSHA256Mismatch");
    assert_eq!(sandbox.keys("lake", "").await, [""; 0]);
}

#[tokio::test]
async fn signed_chunks_become_one_object() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    let first = vec![b'a'; 64 * 1024];
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("x-amz-decoded-content-length", "66560"),
    ];
    let second = vec![b'b'; 1024];
    let signing = Signing::new(sandbox.key(), sandbox.clock().now());
    let body = signing.chunks(&seed(&sandbox, "k", &headers), &[&first, &second]);
    let answer = put(&sandbox, "k", &headers, body).await;
    assert_eq!(outcome(Speaks::S3, &answer), "200", "{:?}", answer.body);
    assert_eq!(sandbox.object("lake", "k").await, [first, second].concat());
}

#[tokio::test]
async fn a_chunk_changed_on_its_way_makes_no_object() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("x-amz-decoded-content-length", "10"),
    ];
    let signing = Signing::new(sandbox.key(), sandbox.clock().now());
    let mut body = signing.chunks(&seed(&sandbox, "k", &headers), &[b"hello", b"world"]);
    let at = body.windows(5).position(|window| window == b"world").expect("the second chunk is there");
    body[at] = b'W';
    let answer = put(&sandbox, "k", &headers, body).await;
    assert_eq!(outcome(Speaks::S3, &answer), "403 SignatureDoesNotMatch", "{:?}", answer.body);
    assert_eq!(sandbox.keys("lake", "").await, [""; 0]);
}

#[tokio::test]
async fn a_checksum_may_follow_the_chunks() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "10"),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    // CRC-32 of "helloworld" is f9eb20ad.
    for (key, checksum, expected) in [("right", "+esgrQ==", "200"), ("wrong", "AAAAAA==", "400 BadDigest")] {
        let body = format!("5\r\nhello\r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n");
        let answer = put(&sandbox, key, &headers, body).await;
        assert_eq!(outcome(Speaks::S3, &answer), expected, "{key}: {:?}", answer.body);
    }
    assert_eq!(sandbox.keys("lake", "").await, ["right"]);
    assert_eq!(sandbox.object("lake", "right").await, "helloworld");
}

#[tokio::test]
async fn a_body_of_twenty_mebibytes_is_an_object_like_others() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    let body: Vec<u8> = (0..20u32 << 20).map(|n| (n % 251) as u8).collect();
    let answer = put(&sandbox, "large", &[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")], body.clone()).await;
    assert_eq!(outcome(Speaks::S3, &answer), "200", "{:?}", answer.body);
    assert!(sandbox.object("lake", "large").await == body, "it is read as it was written");
}
