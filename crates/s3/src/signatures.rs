//! Tests of signatures as other clients make them: in the query of a presigned request, and on every chunk of a body.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>

use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use kernel::{Clock, SystemClock, Timestamp};
use sha2::{Digest, Sha256};
use wire::sigv4::{self, Signer};

use crate::testing::{Answer, Client, KEY, SECRET};

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn day(date: &str) -> &str {
    date.split_once('T').unwrap().0
}

fn scope(date: &str) -> String {
    format!("{}/us-east-1/s3/aws4_request", day(date))
}

/// The signature of a text whose scope is of this date.
fn sign(date: &str, text: &str) -> String {
    let mut key = mac(format!("AWS4{SECRET}").as_bytes(), day(date));
    for part in ["us-east-1", "s3", "aws4_request"] {
        key = mac(&key, part);
    }
    hex::encode(mac(&key, text))
}

fn presigned(method: &str, path: &str, now: Timestamp, expires_s: u64) -> String {
    let date = sigv4::format_date(now);
    let credential = format!("{KEY}/{}", scope(&date));
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={date}&X-Amz-Expires={expires_s}&X-Amz-SignedHeaders=host",
        credential.replace('/', "%2F")
    );
    let canonical = format!("{method}\n{path}\n{query}\nhost:localhost\n\nhost\nUNSIGNED-PAYLOAD");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{}\n{}", scope(&date), sha256(canonical.as_bytes()));
    format!("{path}?{query}&X-Amz-Signature={}", sign(&date, &text))
}

#[tokio::test]
async fn a_presigned_request_works_until_it_expires() {
    let client = Client::with_bucket().await;
    // The verifier asks the system's clock as well.
    client.clock.advance(SystemClock.now().since(client.clock.now()));
    let host = [("host", "localhost")];
    let now = client.clock.now();
    let put = presigned("PUT", "/lake/a%20b", now, 60);
    client.send("PUT", &put, &host, Bytes::from_static(b"hello")).await.expect("200");
    let get = presigned("GET", "/lake/a%20b", now, 60);
    assert_eq!(client.send("GET", &get, &host, Bytes::new()).await.expect("200").text(), "hello");
    client.send("DELETE", &get, &host, Bytes::new()).await.expect("403 SignatureDoesNotMatch");
    let longer = get.replace("X-Amz-Expires=60", "X-Amz-Expires=61");
    client.send("GET", &longer, &host, Bytes::new()).await.expect("403 SignatureDoesNotMatch");
    client.clock.advance(Duration::from_secs(61));
    let answer = client.send("GET", &get, &host, Bytes::new()).await.expect("403 AccessDenied");
    assert_eq!(answer.element("Message"), Some("Request has expired"));
}

/// A body in chunks, each of which is signed, as is what follows the last.
struct Chunked<'a> {
    chunks: &'a [&'a str],
    trailer: Option<&'a str>,
    /// What is said instead of the last signature.
    forged: Option<&'a str>,
}

impl Chunked<'_> {
    async fn put(&self, client: &Client, uri: &str) -> Answer {
        let length: usize = self.chunks.iter().map(|chunk| chunk.len()).sum();
        let length = length.to_string();
        let content = match self.trailer {
            None => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Some(_) => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        };
        let mut headers = vec![
            ("host", "localhost"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-content-sha256", content),
            ("x-amz-decoded-content-length", &length),
        ];
        if self.trailer.is_some() {
            headers.push(("x-amz-trailer", "x-amz-checksum-crc32"));
        }
        let now = client.clock.now();
        let signer =
            Signer { access_key_id: KEY, secret_access_key: SECRET, region: "us-east-1", service: "s3" };
        let added = signer.sign(&Method::PUT, &uri.parse().unwrap(), &headers, &Bytes::new(), now).unwrap();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
        let (_, authorization) = added.iter().find(|(name, _)| *name == "authorization").unwrap();
        let (_, seed) = authorization.split_once("Signature=").unwrap();
        client.send("PUT", uri, &headers, self.body(&sigv4::format_date(now), seed).into()).await
    }

    fn body(&self, date: &str, seed: &str) -> String {
        let mut before = seed.to_owned();
        let mut body = String::new();
        let scope = scope(date);
        for chunk in self.chunks.iter().copied().chain([""]) {
            let (none, hash) = (sha256(b""), sha256(chunk.as_bytes()));
            let text = format!("AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{scope}\n{before}\n{none}\n{hash}");
            before = sign(date, &text);
            let last = chunk.is_empty() && self.trailer.is_none();
            let said = self.forged.filter(|_| last).unwrap_or(&before);
            body += &format!("{:x};chunk-signature={said}\r\n{chunk}", chunk.len());
            body += if chunk.is_empty() { "" } else { "\r\n" };
        }
        if let Some(trailer) = self.trailer {
            let hash = sha256(format!("{trailer}\n").as_bytes());
            let signature =
                sign(date, &format!("AWS4-HMAC-SHA256-TRAILER\n{date}\n{scope}\n{before}\n{hash}"));
            let said = self.forged.unwrap_or(&signature);
            body += &format!("{trailer}\r\nx-amz-trailer-signature:{said}\r\n");
        }
        body + "\r\n"
    }
}

const FORGED: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

#[tokio::test]
async fn a_body_in_signed_chunks_is_stored_if_every_signature_is_right() {
    let client = Client::with_bucket().await;
    let chunks = ["hello, ", "chunked ", "world"];
    let right = Chunked { chunks: &chunks, trailer: None, forged: None };
    right.put(&client, "/lake/k").await.expect("200");
    let get = client.get("/lake/k").await.expect("200");
    assert_eq!((get.text(), get.header("content-encoding")), ("hello, chunked world", None));
    let wrong = Chunked { chunks: &chunks, trailer: None, forged: Some(FORGED) };
    wrong.put(&client, "/lake/wrong").await.expect("403 SignatureDoesNotMatch");
    client.get("/lake/wrong").await.expect("404 NoSuchKey");
    assert_eq!(client.blobs().await, 1);
}

#[tokio::test]
async fn a_signed_trailer_brings_the_checksum() {
    let client = Client::with_bucket().await;
    let put = async |key: &str, crc: &str, forged| {
        let trailer = format!("x-amz-checksum-crc32:{crc}");
        let body = Chunked { chunks: &["hel", "lo"], trailer: Some(&trailer), forged };
        body.put(&client, &format!("/lake/{key}")).await
    };
    let answer = put("k", "NhCmhg==", None).await.expect("200");
    assert_eq!(answer.header("x-amz-checksum-crc32"), Some("NhCmhg=="));
    assert_eq!(client.get("/lake/k").await.text(), "hello");
    put("l", "NhCmhw==", None).await.expect("400 BadDigest");
    put("l", "NhCmhg==", Some(FORGED)).await.expect("403 SignatureDoesNotMatch");
    assert_eq!(client.blobs().await, 1);
}
