//! Signatures: what a request claims, and the verifier, which must never believe any.
//!
//! The verifier knows the key by which the seeds are signed, with another secret: whatever a mutation makes of a signature, it is wrong.
//! An input is four lines: path and query, `authorization`, `x-amz-date`, other headers as `name: value` separated by tabs; and a body.

use bytes::Bytes;
use kernel::ManualClock;
use wire::sigv4;

use super::node::{KEY, Keys, NOW, request, signed};
use super::{PARSER, halves};
use crate::Target;

pub(super) static TARGET: Target = Target {
    name: "sigv4",
    about: "the signature of a request, in its headers or its query",
    words: &[
        "AWS4-HMAC-SHA256 ",
        "Credential=",
        "AKIDEXAMPLE/20260101/us-east-1/iam/aws4_request",
        "SignedHeaders=host;x-amz-date",
        "Signature=",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "X-Amz-Credential=",
        "X-Amz-Expires=604800",
        "X-Amz-Signature=",
        "x-amz-security-token: token",
        "x-amz-content-sha256: UNSIGNED-PAYLOAD",
        "20260101T000000Z",
        "99999999T999999Z",
        "%00",
        "&",
        "=",
    ],
    memory: PARSER,
    mutations: 20_000,
    start: || Box::new(verify),
    seeds,
};

fn verify(input: &[u8]) {
    let (uri, rest) = halves(input, b'\n');
    let (authorization, rest) = halves(rest, b'\n');
    let (date, rest) = halves(rest, b'\n');
    let (others, body) = halves(rest, b'\n');
    let Ok(uri) = std::str::from_utf8(uri) else { return };
    let mut headers: Vec<(&str, &[u8])> = vec![("host", b"localhost")];
    if !authorization.is_empty() {
        headers.push(("authorization", authorization));
    }
    if !date.is_empty() {
        headers.push(("x-amz-date", date));
    }
    for other in others.split(|byte| *byte == b'\t') {
        let (name, value) = halves(other, b':');
        if let Ok(name) = std::str::from_utf8(name) {
            headers.push((name, value.trim_ascii()));
        }
    }
    headers.retain(|(name, _)| !name.is_empty());
    let Some(request) = request(("POST", uri), &headers, body) else { return };
    let (parts, body) = request.into_parts();
    let claimed = sigv4::claimed_scope(&parts);
    let keys = Keys { secret: "another" };
    match sigv4::verify(&parts, &body, &keys, &ManualClock::new(NOW)) {
        Ok(verified) => panic!("{:?} is believed", verified.scope),
        Err(fault) => {
            assert!(fault.status == 400 || fault.status == 403, "{fault:?}");
            assert!(!fault.message.contains("another"), "{fault:?}");
        }
    }
    drop(claimed);
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let token = [("x-amz-security-token", "token")];
    let free = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    for (uri, headers, body) in [
        ("/", [].as_slice(), "Action=ListUsers&Version=2010-05-08"),
        ("/a/../b//c%20d?x=1&y=&x=%2F", &token, "{}"),
        ("/", &free, "anything"),
    ] {
        let request = signed("iam", ("POST", uri), headers, body.as_bytes()).expect("a request");
        let header = |name: &str| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        let others: Vec<String> = ["x-amz-content-sha256", "x-amz-security-token", "content-length"]
            .iter()
            .filter(|name| request.headers().contains_key(**name))
            .map(|name| format!("{name}: {}", header(name)))
            .collect();
        let lines = [uri, header("authorization"), header("x-amz-date"), &others.join("\t"), body];
        seeds.push(lines.join("\n").into_bytes());
    }
    let query = format!(
        "/?Action=GetCallerIdentity&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={KEY}%2F20260101%2Fus-east-1%2Fsts%2Faws4_request\
         &X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host"
    );
    let signature = "0".repeat(64);
    for end in ["", "&X-Amz-Security-Token=token", "&X-Amz-Security-Token=over"] {
        seeds.push(format!("{query}{end}&X-Amz-Signature={signature}\n\n\n\n").into_bytes());
    }
    seeds.push(Bytes::from_static(b"/\nAWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/iam/aws4_request\n20260101T000000Z\n\n").to_vec());
    seeds.push(b"/\nBasic dXNlcjpwYXNz\n\ndate: Thu, 01 Jan 2026 00:00:00 GMT\n".to_vec());
    seeds
}
