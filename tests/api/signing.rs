//! Signature version 4 as S3's clients write it where it is more than a header: presigned requests and signed chunks.
//!
//! Written from the specification and not from `wire`, so that the two check each other.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>

use hmac::{Hmac, KeyInit, Mac};
use iam::RootKey;
use kernel::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A key at one moment in us-east-1.
pub(crate) struct Signing<'a> {
    key: &'a RootKey,
    /// `20260101T000000Z`.
    date: String,
}

impl<'a> Signing<'a> {
    pub(crate) fn new(key: &'a RootKey, now: Timestamp) -> Self {
        let date: String = now.to_iso8601().chars().filter(|c| c.is_ascii_alphanumeric()).take(15).collect();
        Self { key, date: date + "Z" }
    }

    fn day(&self) -> &str {
        self.date.split('T').next().expect("a date has a day")
    }

    fn scope(&self) -> String {
        format!("{}/us-east-1/s3/aws4_request", self.day())
    }

    fn sign(&self, text: &str) -> String {
        let secret = format!("AWS4{}", self.key.secret_access_key.expose());
        let parts = [self.day(), "us-east-1", "s3", "aws4_request"];
        let key = parts.iter().fold(secret.into_bytes(), |key, part| hmac(&key, part.as_bytes()));
        hex::encode(hmac(&key, text.as_bytes()))
    }

    /// Path and query of a request that whoever has it may send for so many seconds. `query` is what it asks besides.
    pub(crate) fn presign(
        &self,
        method: &str,
        host: &str,
        path: &str,
        query: &[(&str, &str)],
        expires_s: u64,
    ) -> String {
        let credential = format!("{}/{}", self.key.access_key_id, self.scope());
        let expires_s = expires_s.to_string();
        let mut pairs: Vec<(&str, &str)> = vec![
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &self.date),
            ("X-Amz-Expires", &expires_s),
            ("X-Amz-SignedHeaders", "host"),
        ];
        pairs.extend(query);
        pairs.sort_unstable();
        let escape = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        let query = pairs.join("&");
        let canonical = format!("{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let hash = sha256(canonical.as_bytes());
        let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{}\n{hash}", self.date, self.scope());
        format!("{path}?{query}&X-Amz-Signature={}", self.sign(&to_sign))
    }

    /// A body in signed chunks after a request with the signature `seed`.
    pub(crate) fn chunks(&self, seed: &str, chunks: &[&[u8]]) -> Vec<u8> {
        let mut body = Vec::new();
        let mut previous = seed.to_owned();
        for chunk in chunks.iter().chain([&b"".as_slice()]) {
            let to_sign = format!(
                "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{previous}\n{}\n{}",
                self.date,
                self.scope(),
                sha256(b""),
                sha256(chunk)
            );
            previous = self.sign(&to_sign);
            body.extend(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).into_bytes());
            body.extend(*chunk);
            body.extend(b"\r\n");
        }
        body
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn it_signs_as_the_documentation_does() {
    // The example of <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>.
    let key = RootKey::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let signing = Signing::new(&key, Timestamp::from_millis(1_369_353_600_000));
    let url = signing.presign("GET", "examplebucket.s3.amazonaws.com", "/test.txt", &[], 86_400);
    assert_eq!(
        url.rsplit_once('=').expect("a signature").1,
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}
