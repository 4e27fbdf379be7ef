//! The canonical form of a request, and the signature of it.

use hmac::{Hmac, KeyInit, Mac};
use http::Uri;
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::{ALGORITHM, Scope};

/// What RFC 3986 calls unreserved stays; everything else is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A parameter of the query string, decoded.
pub(super) type Pair = (String, String);

/// `path` and `payload_hash` are canonical already; `query` is what is signed of it.
pub(super) fn canonical_request(
    parts: &Parts,
    path: &str,
    query: &[Pair],
    signed_headers: &[String],
    payload_hash: &str,
) -> String {
    let mut pairs: Vec<(String, String)> =
        query.iter().map(|(name, value)| (escape(name), escape(value))).collect();
    pairs.sort();
    let query: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut text = format!("{}\n{path}\n{}\n", parts.method, query.join("&"));
    for name in signed_headers {
        let values: Vec<String> = parts
            .headers
            .get_all(name)
            .iter()
            .map(|value| {
                let value = String::from_utf8_lossy(value.as_bytes());
                value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        text.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    text.push('\n');
    text.push_str(&signed_headers.join(";"));
    text.push('\n');
    text.push_str(payload_hash);
    text
}

/// The path escaped once more, segment by segment, after removing `.`, `..` and empty segments: what every service but S3 signs.
pub(super) fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    if segments.is_empty() {
        return "/".to_owned();
    }
    let mut out = String::with_capacity(path.len() + 8);
    for segment in segments {
        out.push('/');
        out.extend(utf8_percent_encode(segment, ESCAPED));
    }
    // A dot at the end is a folder, as in RFC 3986, 5.2.4.
    if ["/", "/.", "/.."].iter().any(|end| path.ends_with(end)) {
        out.push('/');
    }
    out
}

pub(super) fn signature(secret: &str, scope: &Scope, date: &str, canonical: &str) -> String {
    let to_sign = format!("{ALGORITHM}\n{date}\n{}\n{}", scope.text(), sha256_hex(canonical.as_bytes()));
    let mut key = hmac(format!("AWS4{secret}").as_bytes(), scope.date.as_bytes());
    for part in [scope.region.as_str(), scope.service.as_str(), "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    hex::encode(hmac(&key, to_sign.as_bytes()))
}

pub(super) fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

pub(super) fn escape(text: &str) -> String {
    percent_encode(text.as_bytes(), ESCAPED).to_string()
}

pub(super) fn query_pairs(uri: &Uri) -> Vec<Pair> {
    // Unlike a form, a canonical query keeps `+` as it is.
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    uri.query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

pub(super) fn value<'a>(query: &'a [Pair], name: &str) -> Option<&'a str> {
    query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}
