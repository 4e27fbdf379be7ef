//! AWS's signing test suite, all of it: <https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite>.
//!
//! It is read from the sources of the crate `aws-sigv4` (Apache-2.0), wherever cargo keeps them, and not copied. The crate itself is the other
//! half of the test: it signs requests of all kinds, and the verifier must agree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{self, PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use http::{Method, Uri};
use kernel::{AccountId, ManualClock, Secret};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// The key of the suite, with any token.
struct SuiteKey;

const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const DATE: &str = "20150830T123600Z";

impl Credentials for SuiteKey {
    fn find(&self, access_key_id: &str) -> Option<Credential> {
        (access_key_id == KEY).then(|| Credential {
            secret: Secret::new(SECRET.to_owned()),
            principal: Principal::Root { account: AccountId::default_account() },
        })
    }

    fn find_temporary(&self, access_key_id: &str, _: &str) -> Result<Credential, Unusable> {
        self.find(access_key_id).ok_or(Unusable::Invalid)
    }
}

/// Where cargo keeps the suite.
fn suite() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let package = packages.find(|package| package["name"] == "aws-sigv4").unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().join("aws-signing-test-suite/v4")
}

/// A request as the suite writes it: not what HTTP allows (spaces in the path, headers of several lines), but what it means.
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Request {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1");
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            if line.starts_with(' ') {
                let (_, value) = headers.last_mut().unwrap();
                *value = format!("{value} {}", line.trim());
            } else {
                let (name, value) = line.split_once(':').unwrap();
                headers.push((name.to_lowercase(), value.trim().to_owned()));
            }
        }
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Bytes::from(body.trim_end().to_owned()),
        }
    }

    /// With the path as far as HTTP allows it; what it does not is escaped.
    fn parts(&self, with: &[(&str, &str)]) -> Parts {
        let path = self.path.replace(' ', "%20");
        let uri = if self.query.is_empty() { path } else { format!("{path}?{}", self.query) };
        let mut builder = http::Request::builder().method(self.method.as_str()).uri(uri);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        for (name, value) in with {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

struct Case {
    name: String,
    files: BTreeMap<String, String>,
    /// Whether paths are normalised, as every service but S3 has it.
    normalize: bool,
    /// Whether the token is no part of what is signed.
    omit_token: bool,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut cases: Vec<Self> =
            fs::read_dir(suite()).unwrap().map(|folder| Self::read(&folder.unwrap().path())).collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        cases
    }

    fn read(folder: &Path) -> Self {
        let files: BTreeMap<String, String> = fs::read_dir(folder)
            .unwrap()
            .map(|file| {
                let file = file.unwrap();
                (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap())
            })
            .collect();
        let context: Value =
            files.get("context.json").map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
        Self {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            files,
            normalize: context["normalize"] != false,
            omit_token: context["omit_session_token"] == true,
        }
    }

    fn file(&self, name: &str) -> &str {
        self.files.get(name).unwrap_or_else(|| panic!("{} has no {name}", self.name)).trim_end()
    }

    /// The suite's paths are not escaped yet; ours come from a URI, whose escapes are escaped once more.
    fn path(&self, raw: &str) -> String {
        if self.normalize {
            return canonical_path(raw);
        }
        raw.split('/').map(canonical::escape).collect::<Vec<_>>().join("/")
    }
}

/// Two older cases have no context, and no signature that fits their request: their canonical form is what they are about.
const CANONICAL_ONLY: [&str; 2] = ["double-encode-path", "double-url-encode"];

#[test]
fn every_case_has_its_canonical_form_and_signature() {
    let cases = Case::all();
    assert_eq!(cases.len(), 40, "the suite has grown or shrunk");
    for case in &cases {
        for kind in ["header", "query"] {
            if kind == "query" && CANONICAL_ONLY.contains(&case.name.as_str()) {
                continue;
            }
            let said = format!("{} {kind}", case.name);
            let canonical = case.file(&format!("{kind}-canonical-request.txt"));
            let signed_headers: Vec<String> =
                canonical.lines().rev().nth(1).unwrap().split(';').map(str::to_owned).collect();
            let payload_hash = canonical.lines().last().unwrap();
            let request = Request::read(case.file(&format!("{kind}-signed-request.txt")));
            let parts = request.parts(&[]);
            let mut query = query_pairs(&parts.uri);
            query.retain(|(name, _)| {
                name != "X-Amz-Signature" && !(case.omit_token && name == TOKEN_PARAMETER)
            });
            let path = case.path(&request.path);
            let made = canonical_request(&parts, &path, &query, &signed_headers, payload_hash);
            if CANONICAL_ONLY.contains(&case.name.as_str()) {
                // Their headers differ from those of the canonical form in the date, or lack one.
                assert_eq!(made.lines().nth(1), canonical.lines().nth(1), "{said}");
                continue;
            }
            assert_eq!(made, canonical, "{said}");
            let scope = Scope::parse(&format!("{KEY}/20150830/us-east-1/service/aws4_request")).unwrap();
            let signature = signature(SECRET, &scope, DATE, canonical);
            assert_eq!(signature, case.file(&format!("{kind}-signature.txt")), "{said}");
        }
    }
}

#[test]
fn every_case_is_verified_and_nothing_like_it() {
    let clock = ManualClock::new(parse_date(DATE).unwrap());
    let mut verified = 0;
    for case in
        Case::all().iter().filter(|case| case.normalize && !CANONICAL_ONLY.contains(&case.name.as_str()))
    {
        for kind in ["header", "query"] {
            let said = format!("{} {kind}", case.name);
            let request = Request::read(case.file(&format!("{kind}-signed-request.txt")));
            if request.path.contains(' ') {
                // No such request comes over HTTP.
                continue;
            }
            let parts = request.parts(&[]);
            let verdict = |parts: &Parts, body: &Bytes| {
                verify(parts, body, &SuiteKey, &clock).map(drop).map_err(|fault| fault.message)
            };
            if case.omit_token && kind == "header" {
                let refused = "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.";
                assert_eq!(verdict(&parts, &request.body), Err(refused.to_owned()), "{said}");
                continue;
            }
            assert_eq!(verdict(&parts, &request.body), Ok(()), "{said}");
            verified += 1;
            // Another method, another body, another parameter, another header that is signed.
            let mut other = parts.clone();
            other.method = if parts.method == Method::GET { Method::PUT } else { Method::GET };
            assert!(verdict(&other, &request.body).is_err(), "{said}");
            assert!(verdict(&parts, &Bytes::from_static(b"other")).is_err(), "{said}");
            let mut other = parts.clone();
            let joint = if parts.uri.query().is_some() { "&" } else { "?" };
            other.uri = format!("{}{joint}other=1", parts.uri).parse().unwrap();
            assert!(verdict(&other, &request.body).is_err(), "{said}");
            let mut other = parts.clone();
            other.headers.insert("host", "example.com".parse().unwrap());
            assert!(verdict(&other, &request.body).is_err(), "{said}");
        }
    }
    assert!(verified >= 55, "{verified}");
}

#[test]
fn every_case_is_signed_alike() {
    let signer =
        Signer { access_key_id: KEY, secret_access_key: SECRET, region: "us-east-1", service: "service" };
    for case in Case::all().iter().filter(|case| !CANONICAL_ONLY.contains(&case.name.as_str())) {
        let mut request = Request::read(case.file("header-signed-request.txt"));
        let expected = request.header("authorization").unwrap().to_owned();
        request.headers.retain(|(name, _)| {
            name != "authorization" && !(case.omit_token && name == "x-amz-security-token")
        });
        let payload_hash = case.file("header-canonical-request.txt").lines().last().unwrap();
        let path = case.path(&request.path);
        let made = signer.authorization(&request.parts(&[]), &path, payload_hash, DATE);
        assert_eq!(made, expected, "{}", case.name);
    }
}

/// A request as `aws-sigv4` signs it, in its headers or its query.
fn signed_by_aws(
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &Bytes,
    presigned: bool,
    token: Option<&str>,
) -> Parts {
    let mut settings = SigningSettings::default();
    if presigned {
        settings.signature_location = http_request::SignatureLocation::QueryParams;
        settings.expires_in = Some(std::time::Duration::from_secs(60));
    } else {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = AwsCredentials::new(KEY, SECRET, token.map(str::to_owned), None, "test").into();
    let at = parse_date(DATE).unwrap().as_millis();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("service")
        .time(std::time::UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(at).unwrap()))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let signable =
        SignableRequest::new(method, uri, headers.iter().copied(), SignableBody::Bytes(body)).unwrap();
    let (instructions, _) = http_request::sign(signable, &parameters).unwrap().into_parts();
    let mut builder = http::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let mut request = builder.body(()).unwrap();
    instructions.apply_to_request_http1x(&mut request);
    request.into_parts().0
}

proptest! {
    #[test]
    fn what_awss_own_client_signs_is_verified(
        segments in proptest::collection::vec("[a-zA-Z0-9._~:@!$'()*+,;=-]{0,6}(%2F|%20|%C3%A4|%25)?", 0..5),
        pairs in proptest::collection::vec(("[a-zA-Z0-9._~-]{1,6}(%2F|%20)?", "[a-zA-Z0-9._~:@/-]{0,6}(%2B|%3D|%26)?"), 0..5),
        value in "[ -~]{0,20}",
        body in proptest::collection::vec(any::<u8>(), 0..50),
        presigned in any::<bool>(),
        with_token in any::<bool>(),
    ) {
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut target = format!("https://example.com/{}", segments.join("/"));
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        prop_assume!(target.parse::<Uri>().is_ok());
        let headers = [("host", "example.com"), ("my-header", value.trim()), ("content-type", "text/plain")];
        let body = Bytes::from(body);
        let token = with_token.then_some("to/ken+==");
        let parts = signed_by_aws("POST", &target, &headers, &body, presigned, token);
        let clock = ManualClock::new(parse_date(DATE).unwrap());
        let verdict = verify(&parts, &body, &SuiteKey, &clock);
        prop_assert!(verdict.is_ok(), "{} {:?}: {:?}", parts.uri, parts.headers, verdict.err());
        prop_assert!(verify(&parts, &Bytes::from_static(b"something else entirely, longer than any body above"), &SuiteKey, &clock).is_err());
    }
}
