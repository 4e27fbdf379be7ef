//! Every operation of S3 against every way to be signed wrongly: nothing is done, and AWS's error says why.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>

use std::time::Duration;

use bytes::Bytes;
use client::Answer;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request};
use iam::RootKey;
use kernel::Clock;
use sha1::Sha1;
use testkit::{HttpConnection, Sandbox};
use wire::sigv4::Signer;

use crate::requests::{self, Sample, Speaks, outcome};
use crate::s3_presigned;
use crate::signing::Signing;

/// How a request is made out to be someone's.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Not at all.
    None,
    /// A header with a signature of another secret.
    BadSignature,
    /// A key that nobody has.
    UnknownKey,
    /// A presigned URL that is over.
    ExpiredUrl,
    /// A presigned URL for another host.
    UrlOfAnotherHost,
    /// A presigned URL for another method.
    UrlOfAnotherMethod,
    /// A presigned URL with another secret.
    ForgedUrl,
    /// A body whose checksum follows it unsigned, and no signature besides.
    UnsignedTrailer,
    /// The same with a signature of another secret.
    ForgedUnsignedTrailer,
    /// The same with a presigned URL of another secret.
    ForgedUrlWithUnsignedTrailer,
    /// Signature version 2 in a header.
    Version2Header,
    /// Signature version 2 in the query, with another secret.
    ForgedVersion2Url,
    /// Signature version 2 in the query, over.
    ExpiredVersion2Url,
    /// Two ways at once.
    TwoSignatures,
}

const SHAPES: [(Shape, &str); 14] = [
    (Shape::None, "403 AccessDenied"),
    (Shape::BadSignature, "403 SignatureDoesNotMatch"),
    (Shape::UnknownKey, "403 InvalidAccessKeyId"),
    (Shape::ExpiredUrl, "403 AccessDenied"),
    (Shape::UrlOfAnotherHost, "403 SignatureDoesNotMatch"),
    (Shape::UrlOfAnotherMethod, "403 SignatureDoesNotMatch"),
    (Shape::ForgedUrl, "403 SignatureDoesNotMatch"),
    (Shape::UnsignedTrailer, "403 AccessDenied"),
    (Shape::ForgedUnsignedTrailer, "403 SignatureDoesNotMatch"),
    (Shape::ForgedUrlWithUnsignedTrailer, "501 NotImplemented"),
    (Shape::Version2Header, "400 InvalidRequest"),
    (Shape::ForgedVersion2Url, "403 SignatureDoesNotMatch"),
    (Shape::ExpiredVersion2Url, "403 AccessDenied"),
    (Shape::TwoSignatures, "400 InvalidArgument"),
];

const TRAILER: [(&str, &str); 4] = [
    ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    ("content-encoding", "aws-chunked"),
    ("x-amz-decoded-content-length", "5"),
    ("x-amz-trailer", "x-amz-checksum-crc32"),
];

const CHUNKED: &str = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";

/// A sample on its way.
struct Attack<'a> {
    sandbox: &'a Sandbox,
    sample: &'a Sample,
    host: String,
}

impl Attack<'_> {
    async fn send(&self, uri: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        let mut request = Request::builder().method(&self.sample.method).uri(uri).header("host", &self.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("an attack is a request");
        let mut connection = HttpConnection::plain(self.sandbox.addresses().api).await;
        let (parts, body) = connection.send(request).await.expect("an answer").into_parts();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// The headers of the sample and these, signed with a key.
    async fn signed(&self, key: &RootKey, more: &[(&str, &str)], uri: &str, body: Bytes) -> Answer {
        let signer = Signer {
            access_key_id: &key.access_key_id,
            secret_access_key: key.secret_access_key.expose(),
            region: "us-east-1",
            service: "s3",
        };
        let mut headers = vec![("host", self.host.as_str())];
        headers.extend(self.sample.headers());
        headers.extend(more);
        let now = self.sandbox.clock().now();
        let parsed = uri.parse().expect("a path");
        let added =
            signer.sign(&self.sample.method, &parsed, &headers, &body, now).expect("it can be signed");
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
        self.send(uri, headers.get(1..).unwrap_or_default(), body).await
    }

    async fn presigned(&self, key: &RootKey, method: &Method, host: &str, more: &[(&str, &str)]) -> Answer {
        let url = self.url(key, method, host);
        let body = if more.is_empty() { self.sample.body.clone() } else { CHUNKED.into() };
        let headers: Vec<(&str, &str)> =
            self.sample.headers().into_iter().chain(more.iter().copied()).collect();
        self.send(&url, &headers, body).await
    }

    fn url(&self, key: &RootKey, method: &Method, host: &str) -> String {
        let (path, query) = self.sample.path.split_once('?').unwrap_or((&self.sample.path, ""));
        let query: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        Signing::new(key, self.sandbox.clock().now()).presign(method.as_str(), host, path, &query, 60)
    }

    fn version_2(&self, key: &RootKey, expires: i64) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(key.secret_access_key.expose().as_bytes())
            .expect("HMAC takes a key of any length");
        let path = &self.sample.path;
        mac.update(format!("{}\n\n\n{expires}\n{path}", self.sample.method).as_bytes());
        let signature = base64(&mac.finalize().into_bytes());
        let join = if path.contains('?') { '&' } else { '?' };
        let id = &key.access_key_id;
        format!("{path}{join}AWSAccessKeyId={id}&Expires={expires}&Signature={signature}")
    }

    async fn run(&self, shape: Shape) -> Answer {
        let root = self.sandbox.key();
        let forger = RootKey::new(&root.access_key_id, "a guess");
        let (method, body) = (&self.sample.method, self.sample.body.clone());
        let path = self.sample.path.as_str();
        let now_s = self.sandbox.clock().now().as_millis() / 1000;
        match shape {
            Shape::None => self.send(path, &self.sample.headers(), body).await,
            Shape::BadSignature => self.signed(&forger, &[], path, body).await,
            Shape::UnknownKey => {
                self.signed(&RootKey::new("AKIASTRANGERSTRANGER", "x"), &[], path, body).await
            }
            Shape::ExpiredUrl => {
                let url = self.url(root, method, &self.host);
                self.sandbox.advance(Duration::from_secs(61));
                self.send(&url, &self.sample.headers(), body).await
            }
            Shape::UrlOfAnotherHost => self.presigned(root, method, "elsewhere.example", &[]).await,
            Shape::UrlOfAnotherMethod => {
                let other = if method == Method::GET { Method::PUT } else { Method::GET };
                self.presigned(root, &other, &self.host, &[]).await
            }
            Shape::ForgedUrl => self.presigned(&forger, method, &self.host, &[]).await,
            Shape::UnsignedTrailer => {
                let headers: Vec<_> = self.sample.headers().into_iter().chain(TRAILER).collect();
                self.send(path, &headers, CHUNKED.into()).await
            }
            Shape::ForgedUnsignedTrailer => self.signed(&forger, &TRAILER, path, CHUNKED.into()).await,
            Shape::ForgedUrlWithUnsignedTrailer => {
                // Only this one of the headers need not be signed.
                self.presigned(&forger, method, &self.host, TRAILER.get(..1).unwrap_or_default()).await
            }
            Shape::Version2Header => {
                let authorization = format!("AWS {}:c2lnbmF0dXJl", root.access_key_id);
                let mut headers = self.sample.headers();
                headers.extend([
                    ("authorization", authorization.as_str()),
                    ("date", "Sun, 01 Jan 2090 00:00:00 GMT"),
                ]);
                self.send(path, &headers, body).await
            }
            Shape::ForgedVersion2Url => {
                self.send(&self.version_2(&forger, now_s + 60), &self.sample.headers(), body).await
            }
            Shape::ExpiredVersion2Url => {
                self.send(&self.version_2(root, now_s - 1), &self.sample.headers(), body).await
            }
            Shape::TwoSignatures => {
                let url = self.url(root, method, &self.host);
                self.signed(root, &[], &url, body).await
            }
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, byte| (n << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[(n >> (18 - 6 * place)) as usize & 63]));
        }
        text.push_str(["%3D%3D", "%3D", ""][chunk.len() - 1]);
    }
    text.replace('+', "%2B").replace('/', "%2F")
}

#[tokio::test]
async fn no_operation_is_done_for_a_request_that_is_not_rightly_signed() {
    let sandbox = s3_presigned::sandbox().await;
    let host = sandbox.addresses().api.to_string();
    let samples: Vec<Sample> =
        requests::all(&sandbox).into_iter().filter(|sample| sample.speaks == Speaks::S3).collect();
    let mut wrong = Vec::new();
    for sample in &samples {
        for (shape, expected) in SHAPES {
            let attack = Attack { sandbox: &sandbox, sample, host: host.clone() };
            let answer = attack.run(shape).await;
            // A URL's signature covers no header that came later.
            let in_url = matches!(
                shape,
                Shape::UrlOfAnotherHost
                    | Shape::UrlOfAnotherMethod
                    | Shape::ForgedUrl
                    | Shape::ForgedUrlWithUnsignedTrailer
            );
            // Version 2 covers the parameters it knew of in its day, and others are not taken.
            let unknown = ["encryption", "ownershipControls", "policyStatus", "publicAccessBlock"];
            let unknown = unknown.iter().any(|name| sample.path.ends_with(&format!("?{name}=")));
            let unsigned = (in_url && !sample.headers.is_empty())
                || (matches!(shape, Shape::ForgedVersion2Url) && unknown);
            let expected = if unsigned { "403 AccessDenied" } else { expected };
            let expected = match sample.method {
                // What HEAD is answered has no body.
                Method::HEAD => expected.split(' ').next().unwrap_or_default(),
                _ => expected,
            };
            let said = outcome(Speaks::S3, &answer);
            if said != expected {
                wrong.push(format!("{} {shape:?}: {said}, not {expected}", sample.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(samples.len(), s3::OPERATIONS.len());
    assert_eq!(sandbox.keys("lake", "").await, ["k"]);
    assert_eq!(sandbox.object("lake", "k").await, "content");
}

/// What reads its body refuses one whose chunks are not the ones signed, and has done nothing by then.
#[tokio::test]
async fn no_operation_takes_a_body_with_a_forged_chunk() {
    let sandbox = s3_presigned::sandbox().await;
    let key = sandbox.key();
    let tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    let block = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
    let policy = r#"{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::lake/*"}}"#;
    let delete = "<Delete><Object><Key>k</Key></Object></Delete>";
    for (method, path, body) in [
        (Method::PUT, "/lake/new", "hello"),
        (Method::PUT, "/lake?tagging=", tagging),
        (Method::PUT, "/lake/k?tagging=", tagging),
        (Method::PUT, "/lake?policy=", policy),
        (Method::PUT, "/lake?publicAccessBlock=", block),
        (Method::POST, "/lake?delete=", delete),
    ] {
        let length = body.len().to_string();
        let headers = [
            ("content-encoding", "aws-chunked"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("x-amz-decoded-content-length", length.as_str()),
        ];
        let signing = Signing::new(key, sandbox.clock().now());
        let forged = signing.chunks(&"0".repeat(64), &[body.as_bytes()]);
        let answer = sandbox.api().send("s3", method.clone(), path, &headers, forged.into()).await;
        let answer = answer.expect("an answer");
        assert_eq!(outcome(Speaks::S3, &answer), "403 SignatureDoesNotMatch", "{method} {path}");
        // Neither is a body that is not the one whose hash was signed.
        let hash = "0".repeat(64);
        let headers = [("x-amz-content-sha256", hash.as_str())];
        let answer = sandbox.api().send("s3", method.clone(), path, &headers, body.into()).await;
        let answer = answer.expect("an answer");
        assert_eq!(outcome(Speaks::S3, &answer), "400 XAmzContentSHA256Mismatch", "{method} {path}");
    }
    assert_eq!(sandbox.keys("lake", "").await, ["k"]);
    for (path, code) in [("/lake?policy", "404 NoSuchBucketPolicy"), ("/lake?tagging", "404 NoSuchTagSet")] {
        let answer = sandbox.api().send("s3", Method::GET, path, &[], Bytes::new()).await.expect("an answer");
        assert_eq!(outcome(Speaks::S3, &answer), code);
    }
}
