//! Tests of the verifier against our own signer, and of what it refuses.

use kernel::{AccountId, ManualClock, Secret};

use http::{Method, Uri};

use super::*;
use crate::authorize::Credential;

struct OneKey;

const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

impl Credentials for OneKey {
    fn find(&self, access_key_id: &str) -> Option<Credential> {
        (access_key_id == KEY).then(|| Credential {
            secret: Secret::new(SECRET.to_owned()),
            principal: Principal::Root { account: AccountId::default_account() },
        })
    }

    fn find_temporary(&self, access_key_id: &str, token: &str) -> Result<Credential, Unusable> {
        match token {
            "over" => Err(Unusable::Expired),
            "token" => self.find(access_key_id).ok_or(Unusable::Invalid),
            _ => Err(Unusable::Invalid),
        }
    }
}

fn at(date: &str) -> ManualClock {
    ManualClock::new(parse_date(date).unwrap())
}

fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut builder = http::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap().into_parts().0
}

fn signed(uri: &str, body: &Bytes, clock: &dyn Clock) -> Parts {
    let signer =
        Signer { access_key_id: KEY, secret_access_key: SECRET, region: "eu-west-1", service: "iotdata" };
    let uri: Uri = uri.parse().unwrap();
    let added = signer.sign(&Method::POST, &uri, &[("host", "h")], body, clock.now()).unwrap();
    let mut headers = vec![("host", "h")];
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
    request("POST", &uri.to_string(), &headers)
}

#[test]
fn what_we_sign_we_verify_and_nothing_else() {
    let clock = at("20150830T123600Z");
    let body = Bytes::from_static(b"{}");
    let uri = "/topics/a%2Fb%20c?qos=1&x=%2B";
    let good = signed(uri, &body, &clock);
    assert_eq!(verify(&good, &body, &OneKey, &clock).unwrap().scope.service, "iotdata");

    let code = |parts: &Parts, body: &Bytes, clock: &ManualClock| {
        verify(parts, body, &OneKey, clock).unwrap_err().code
    };
    assert_eq!(code(&good, &Bytes::from_static(b"{ }"), &clock), "InvalidSignatureException");
    let mut other_path = good.clone();
    other_path.uri = "/topics/a%2Fb%20d?qos=1&x=%2B".parse().unwrap();
    assert_eq!(code(&other_path, &body, &clock), "InvalidSignatureException");
    let mut other_query = good.clone();
    other_query.uri = "/topics/a%2Fb%20c?qos=0&x=%2B".parse().unwrap();
    assert_eq!(code(&other_query, &body, &clock), "InvalidSignatureException");
    let mut extra = good.clone();
    extra.headers.insert("x-amz-target", "Evil.Op".parse().unwrap());
    assert_eq!(code(&extra, &body, &clock), "InvalidSignatureException");
    let mut unsigned = good.clone();
    unsigned.headers.remove("authorization");
    assert_eq!(code(&unsigned, &body, &clock), "MissingAuthenticationTokenException");
    let mut stranger = good.clone();
    let other = good.headers["authorization"].to_str().unwrap().replace(KEY, "AKIDSTRANGER");
    stranger.headers.insert("authorization", other.parse().unwrap());
    assert_eq!(code(&stranger, &body, &clock), "UnrecognizedClientException");
    let mut halved = good.clone();
    halved.headers.insert("authorization", "AWS4-HMAC-SHA256 Credential=a/b".parse().unwrap());
    assert_eq!(code(&halved, &body, &clock), "IncompleteSignatureException");
}

#[test]
fn temporary_credentials_need_their_token_and_it_must_be_signed() {
    let clock = at("20150830T123600Z");
    let body = Bytes::new();
    let signed_with = |token: &str| {
        let signer = Signer { access_key_id: KEY, secret_access_key: SECRET, region: "r", service: "iam" };
        let given = [("host", "h"), (TOKEN, token)];
        let uri: Uri = "/".parse().unwrap();
        let added = signer.sign(&Method::POST, &uri, &given, &body, clock.now()).unwrap();
        let headers: Vec<_> = given.into_iter().chain(added.iter().map(|(n, v)| (*n, v.as_str()))).collect();
        request("POST", "/", &headers)
    };
    verify(&signed_with("token"), &body, &OneKey, &clock).unwrap();
    let code = |parts: &Parts| verify(parts, &body, &OneKey, &clock).unwrap_err().to_string();
    assert_eq!(
        code(&signed_with("over")),
        "ExpiredTokenException: The security token included in the request is expired"
    );
    assert_eq!(
        code(&signed_with("other")),
        "UnrecognizedClientException: The security token included in the request is invalid."
    );
    let mut added_later = signed("/", &body, &clock);
    added_later.headers.insert(TOKEN, "token".parse().unwrap());
    assert_eq!(
        code(&added_later),
        "InvalidSignatureException: 'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization."
    );
}

#[test]
fn a_signature_is_good_for_fifteen_minutes_around_its_date() {
    let body = Bytes::new();
    let parts = signed("/", &body, &at("20150830T123600Z"));
    for good in ["20150830T122100Z", "20150830T125100Z"] {
        verify(&parts, &body, &OneKey, &at(good)).unwrap();
    }
    let late = verify(&parts, &body, &OneKey, &at("20150830T125101Z")).unwrap_err();
    assert_eq!(
        late.message,
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"
    );
    let early = verify(&parts, &body, &OneKey, &at("20150830T122059Z")).unwrap_err();
    assert_eq!(
        early.message,
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)"
    );
}

#[test]
fn a_presigned_request_lives_as_long_as_it_says() {
    let base = "/?Action=GetCallerIdentity&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host";
    let unsigned = request("GET", base, &[("host", "h")]);
    let scope = claimed_scope(&unsigned).unwrap();
    let canonical = canonical_request(
        &unsigned,
        "/",
        &query_pairs(&unsigned.uri),
        &["host".to_owned()],
        &sha256_hex(b""),
    );
    let signature = signature(SECRET, &scope, "20150830T123600Z", &canonical);
    let uri = format!("{base}&X-Amz-Signature={signature}");
    let parts = request("GET", &uri, &[("host", "h")]);
    verify(&parts, &Bytes::new(), &OneKey, &at("20150830T123700Z")).unwrap();
    let late = verify(&parts, &Bytes::new(), &OneKey, &at("20150830T123701Z")).unwrap_err();
    assert!(late.message.starts_with("Signature expired"), "{late}");
    let week = request("GET", &uri.replace("Expires=60", "Expires=604801"), &[("host", "h")]);
    assert_eq!(
        verify(&week, &Bytes::new(), &OneKey, &at("20150830T123600Z")).unwrap_err().code,
        "IncompleteSignatureException"
    );
}

/// Whoever holds a presigned request does what it says, and chooses nothing more.
#[test]
fn a_presigned_requests_headers_are_signed() {
    let uri = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fglue%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host";
    let parts = request("POST", uri, &[("host", "h")]);
    let canonical =
        canonical_request(&parts, "/", &query_pairs(&parts.uri), &["host".to_owned()], &sha256_hex(b"{}"));
    let signature = signature(SECRET, &claimed_scope(&parts).unwrap(), "20150830T123600Z", &canonical);
    let uri = format!("{uri}&X-Amz-Signature={signature}");
    let said = |more: &[(&str, &str)]| {
        let headers: Vec<_> = [("host", "h")].iter().chain(more).copied().collect();
        let parts = request("POST", &uri, &headers);
        let verified = verify(&parts, &Bytes::from_static(b"{}"), &OneKey, &at("20150830T123600Z"));
        verified.map(drop).map_err(|fault| fault.message)
    };
    assert_eq!(said(&[("x-other", "1")]), Ok(()));
    assert_eq!(said(&[("x-amz-content-sha256", &sha256_hex(b"{}"))]), Ok(()));
    assert_eq!(
        said(&[("x-amz-target", "AWSGlue.DeleteDatabase")]),
        Err("'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.".to_owned())
    );
}

#[test]
fn dates_round_trip() {
    for date in ["19700101T000000Z", "20000229T235959Z", "20150830T123600Z", "21000301T000000Z"] {
        assert_eq!(format_date(parse_date(date).unwrap()), date);
    }
    assert_eq!(parse_date("20151330T123600Z"), None);
    assert_eq!(parse_date("2015-08-30T12:36"), None);
}

#[test]
fn a_presigned_requests_token_may_be_added_after_signing() {
    let base = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host";
    let clock = at("20150830T123600Z");
    let sign = |uri: &str| {
        let parts = request("GET", uri, &[("host", "h")]);
        let canonical =
            canonical_request(&parts, "/", &query_pairs(&parts.uri), &["host".to_owned()], &sha256_hex(b""));
        signature(SECRET, &claimed_scope(&parts).unwrap(), "20150830T123600Z", &canonical)
    };
    let with_token = format!("{base}&X-Amz-Security-Token=token");
    let said = |uri: String| {
        let parts = request("GET", &uri, &[("host", "h")]);
        verify(&parts, &Bytes::new(), &OneKey, &clock).map(drop).map_err(|fault| fault.code)
    };
    assert_eq!(said(format!("{with_token}&X-Amz-Signature={}", sign(&with_token))), Ok(()));
    assert_eq!(said(format!("{with_token}&X-Amz-Signature={}", sign(base))), Ok(()));
    // Another token is another matter, and nothing else may be added.
    let other = format!("{base}&X-Amz-Security-Token=other&X-Amz-Signature={}", sign(base));
    assert_eq!(said(other), Err("UnrecognizedClientException".to_owned()));
    let more = format!("{with_token}&more=1&X-Amz-Signature={}", sign(base));
    assert_eq!(said(more), Err("InvalidSignatureException".to_owned()));
}

proptest::proptest! {
    #[test]
    fn no_header_or_query_makes_the_verifier_panic(authorization in "\\PC*", query in "[ -~]*") {
        if let Ok(request) = http::Request::builder()
            .uri(format!("/?{}", query.replace(['#', '"', '<', '>', '\\', '^', '`', '{', '|', '}', ' '], "")))
            .header("host", "h")
            .header("x-amz-date", "20150830T123600Z")
            .header("authorization", authorization.replace(|c: char| c.is_control(), ""))
            .body(())
        {
            let parts = request.into_parts().0;
            claimed_scope(&parts);
            proptest::prop_assert!(verify(&parts, &Bytes::new(), &OneKey, &at("20150830T123600Z")).is_err());
        }
    }
}
