//! The signature of a presigned request of version 2, compared in constant time, which `s3s` does not: here before it sees the request.
//!
//! ```text
//! VERB \n Content-MD5 \n Content-Type \n Expires \n
//! (x-amz-name:value,value \n)*  /bucket  /path  ?subresource&subresource=value
//! ```
//!
//! The bucket stands before the path only where the host names it. What is signed is what `s3s` takes to be signed: it verifies the same
//! request once more.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use sha1::Sha1;

/// Parameters that are no part of what is signed, being made of it.
const OF_SIGNATURES: [&str; 3] = ["AWSAccessKeyId", "Expires", "Signature"];

/// Whether a request is signed with this secret. `query` has only parameters that [`crate::precheck`] lets through, each once.
pub(crate) fn is_signed(
    parts: &Parts,
    query: &[(String, String)],
    bucket: Option<&str>,
    secret: &str,
    is_subresource: impl Fn(&str) -> bool,
) -> bool {
    let parameter = |name: &str| query.iter().find(|(found, _)| found == name).map(|(_, value)| value);
    let Some(signature) = parameter("Signature").and_then(|text| STANDARD.decode(text).ok()) else {
        return false;
    };
    let header =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut text = format!(
        "{}\n{}\n{}\n{}\n",
        parts.method,
        header("content-md5"),
        header("content-type"),
        parameter("Expires").map(String::as_str).unwrap_or_default()
    );
    let mut amz: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in &parts.headers {
        if name.as_str().starts_with("x-amz-") {
            amz.entry(name.as_str()).or_default().push(value.to_str().unwrap_or_default().trim());
        }
    }
    for (name, values) in amz {
        text += &format!("{name}:{}\n", values.join(","));
    }
    if let Some(bucket) = bucket {
        text += &format!("/{bucket}");
    }
    text += parts.uri.path();
    let mut named: Vec<&(String, String)> = query
        .iter()
        .filter(|(name, _)| is_subresource(name) && !OF_SIGNATURES.contains(&name.as_str()))
        .collect();
    named.sort_unstable();
    let named: Vec<String> = named
        .into_iter()
        .map(|(name, value)| if value.is_empty() { name.clone() } else { format!("{name}={value}") })
        .collect();
    if !named.is_empty() {
        text += &format!("?{}", named.join("&"));
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.verify_slice(&signature).is_ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::testing::{Client, KEY, SECRET};

    const EXPIRES: &str = "4102444800";

    /// A presigned URL whose signature is over `text`.
    fn url(path: &str, query: &str, text: &str) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let escaped: String =
            percent_encoding::utf8_percent_encode(&signature, percent_encoding::NON_ALPHANUMERIC).collect();
        format!("{path}?{query}AWSAccessKeyId={KEY}&Signature={escaped}&Expires={EXPIRES}")
    }

    /// Both verifiers must agree that these are signed; that anything else is not, one of them is enough.
    #[tokio::test]
    async fn every_part_of_what_is_signed_counts() {
        let client = Client::with_bucket().await;
        let send = async |method: &str, uri: &str, headers: &[(&str, &str)]| {
            client.send(method, uri, headers, Bytes::from_static(b"hello")).await.outcome()
        };
        let host = ("host", "localhost");
        let mismatch = "403 SignatureDoesNotMatch";
        let put = url("/lake/a%20b", "", &format!("PUT\n\n\n{EXPIRES}\n/lake/a%20b"));
        assert_eq!(send("PUT", &put, &[host]).await, "200");
        assert_eq!(send("GET", &put, &[host]).await, mismatch);
        assert_eq!(send("PUT", &put, &[host, ("content-type", "text/plain")]).await, mismatch);
        assert_eq!(send("PUT", &put, &[host, ("x-amz-meta-a", "b")]).await, mismatch);
        assert_eq!(send("PUT", &put.replace(EXPIRES, "4102444801"), &[host]).await, mismatch);
        let forged = put.replace("Signature=", "Signature=AAAA");
        assert_eq!(send("PUT", &forged, &[host]).await, mismatch);

        let typed = format!("PUT\n\ntext/plain\n{EXPIRES}\nx-amz-meta-a:b\nx-amz-meta-c:d\n/lake/k");
        let headers = [host, ("content-type", "text/plain"), ("x-amz-meta-c", "d"), ("x-amz-meta-a", " b ")];
        assert_eq!(send("PUT", &url("/lake/k", "", &typed), &headers).await, "200");

        let overrides =
            "response-content-type=text%2Fcsv&response-content-disposition=attachment%3B%20filename%3Da&";
        let text = format!(
            "GET\n\n\n{EXPIRES}\n/lake/k?response-content-disposition=attachment; filename=a&response-content-type=text/csv"
        );
        let get = url("/lake/k", overrides, &text);
        let answer = client.send("GET", &get, &[host], Bytes::new()).await.expect("200");
        assert_eq!(answer.header("content-type"), Some("text/csv"));
        assert_eq!(send("GET", &get.replace("csv", "xml"), &[host]).await, mismatch);

        let in_host = [("host", "lake.s3.localhost:4566")];
        let tagging = url("/k", "tagging&", &format!("GET\n\n\n{EXPIRES}\n/lake/k?tagging"));
        assert_eq!(send("GET", &tagging, &in_host).await, "200");
        let list = url("/", "prefix=k&", &format!("GET\n\n\n{EXPIRES}\n/lake/"));
        assert_eq!(send("GET", &list, &in_host).await, "200");
    }
}
