//! What is in a bucket, as a client sees it.

use bytes::Bytes;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Sandbox;

impl Sandbox {
    /// Creates a bucket.
    ///
    /// # Panics
    /// If it is refused: the test has failed.
    pub async fn bucket(&self, name: &str) {
        let answer = self.api().send("s3", Method::PUT, &format!("/{name}"), &[], Bytes::new()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(answer.status.is_success(), "{name}: {:?}", answer.body);
    }

    /// Stores an object.
    ///
    /// # Panics
    /// If it is refused: the test has failed.
    pub async fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) {
        let answer = self.api().send("s3", Method::PUT, &format!("/{bucket}/{key}"), &[], body.into()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{key}: {error}"));
        assert!(answer.status.is_success(), "{key}: {:?}", answer.body);
    }

    /// The content of an object.
    ///
    /// # Panics
    /// If there is no such object: the test has failed.
    pub async fn object(&self, bucket: &str, key: &str) -> Bytes {
        let answer = self.api().send("s3", Method::GET, &format!("/{bucket}/{key}"), &[], Bytes::new()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{key}: {error}"));
        assert!(answer.status.is_success(), "{key}: {:?}", answer.body);
        answer.body
    }

    /// Every key that begins with `prefix`, in order.
    ///
    /// # Panics
    /// If there is no such bucket: the test has failed.
    pub async fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let api = self.api();
        let mut keys: Vec<String> = Vec::new();
        loop {
            let escape = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
            let after = keys.last().map(|key| format!("&start-after={}", escape(key))).unwrap_or_default();
            let path = format!("/{bucket}?list-type=2&prefix={}{after}", escape(prefix));
            let answer = api.send("s3", Method::GET, &path, &[], Bytes::new()).await;
            let answer = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(answer.status.is_success(), "{path}: {text}");
            keys.extend(elements(&text, "Key").map(str::to_owned));
            if !text.contains("<IsTruncated>true</IsTruncated>") {
                return keys;
            }
        }
    }
}

/// The contents of every element of this name, in order.
pub fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(open.as_str())?;
        let (content, after) = after.split_once(close.as_str())?;
        rest = after;
        Some(content)
    })
}
