//! Signature Version 4: verifies header and presigned requests, and signs for our own clients.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//!
//! 1. There is one verifier: [`verify`] is the only way from a request to a [`Principal`].
//! 2. The signature covers method, path, query, the signed headers and the body's hash; `host` and every `x-amz-*` header
//!    must be signed.
//! 3. Signatures are compared in constant time.
//! 4. A header signature is good for 15 minutes around its date, a presigned one for its own `X-Amz-Expires`, at most seven
//!    days.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use kernel::{Clock, Principal, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::authorize::{Credential, Credentials, Unusable};
use crate::envelope::Fault;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The header in which temporary credentials carry their token.
pub const TOKEN: &str = "x-amz-security-token";

/// How far a request's date may be from the node's: 15 minutes.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
const SKEW_MAX_MS: i64 = 15 * 60 * 1000;

/// The longest life of a presigned request: seven days.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
const EXPIRES_MAX_S: i64 = 7 * 24 * 60 * 60;

/// What RFC 3986 calls unreserved stays; everything else is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a signature is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The access key.
    pub access_key_id: String,
    /// `20170826`.
    pub date: String,
    /// `us-east-1`.
    pub region: String,
    /// The service's signing name.
    pub service: String,
}

impl Scope {
    fn parse(credential: &str) -> Option<Self> {
        // Access key ids contain no slash, but be strict from the right: AKID/date/region/service/aws4_request.
        let mut parts = credential.rsplitn(5, '/');
        let terminator = parts.next()?;
        let (service, region, date) = (parts.next()?, parts.next()?, parts.next()?);
        let access_key_id = parts.next()?;
        let whole = terminator == "aws4_request" && date.len() == 8 && !access_key_id.is_empty();
        whole.then(|| Self {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }

    fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// Who signed, and for where.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Whom the key belongs to.
    pub principal: Principal,
    /// Where the signature is valid.
    pub scope: Scope,
}

struct Presented {
    scope: Scope,
    signed_headers: Vec<String>,
    signature: String,
    /// `20170826T074712Z`.
    date: String,
    /// Seconds a presigned request lives; none for a header signature.
    expires_s: Option<i64>,
}

/// The scope a request claims, unverified: for choosing the service that will verify it.
pub fn claimed_scope(parts: &Parts) -> Option<Scope> {
    if let Some(header) = header(&parts.headers, "authorization") {
        let credential = header.split_once("Credential=")?.1.split([',', ' ']).next()?;
        return Scope::parse(credential);
    }
    let query = query_pairs(&parts.uri);
    Scope::parse(value(&query, "X-Amz-Credential")?)
}

/// The principal behind a request.
///
/// # Errors
/// AWS's fault for a signature that is missing, incomplete, of an unknown key, out of time or wrong; the codes are those of
/// the JSON protocols.
pub fn verify(
    parts: &Parts,
    body: &Bytes,
    credentials: &dyn Credentials,
    clock: &dyn Clock,
) -> Result<Verified, Fault> {
    let query = query_pairs(&parts.uri);
    let presented = match header(&parts.headers, "authorization") {
        Some(authorization) => from_header(authorization, &parts.headers)?,
        None if value(&query, "X-Amz-Algorithm").is_some() => from_query(&query)?,
        None => {
            return Err(Fault::new(
                403,
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            ));
        }
    };
    let token = header(&parts.headers, TOKEN).or_else(|| value(&query, "X-Amz-Security-Token"));
    let credential = credential(credentials, &presented.scope.access_key_id, token)?;
    check_time(&presented, clock.now())?;
    check_signed_headers(&presented, &parts.headers)?;
    let payload_hash = payload_hash(&parts.headers, body, presented.expires_s.is_some())?;
    let path = canonical_path(parts.uri.path());
    let canonical = canonical_request(parts, &path, &query, &presented.signed_headers, &payload_hash);
    let expected = signature(credential.secret.expose(), &presented.scope, &presented.date, &canonical);
    if !bool::from(expected.as_bytes().ct_eq(presented.signature.as_bytes())) {
        return Err(mismatch());
    }
    Ok(Verified { principal: credential.principal, scope: presented.scope })
}

/// Temporary credentials come with their token, which is signed like every `x-amz-*` header and query parameter; other keys come
/// without one.
fn credential(
    credentials: &dyn Credentials,
    access_key_id: &str,
    token: Option<&str>,
) -> Result<Credential, Fault> {
    let found = match token {
        Some(token) => credentials.find_temporary(access_key_id, token),
        None => credentials.find(access_key_id).ok_or(Unusable::Invalid),
    };
    found.map_err(|unusable| match unusable {
        Unusable::Invalid => Fault::new(
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        Unusable::Expired => {
            Fault::new(403, "ExpiredTokenException", "The security token included in the request is expired")
        }
    })
}

fn mismatch() -> Fault {
    Fault::new(
        403,
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.",
    )
}

fn incomplete(message: impl Into<String>) -> Fault {
    Fault::new(400, "IncompleteSignatureException", message)
}

fn from_header(authorization: &str, headers: &HeaderMap) -> Result<Presented, Fault> {
    let Some(fields) = authorization.strip_prefix(ALGORITHM) else {
        return Err(incomplete(format!(
            "'{authorization}' not a valid authorization header, only {ALGORITHM} is supported."
        )));
    };
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    };
    let missing = |name: &str| {
        incomplete(format!("Authorization header requires '{name}' parameter. Authorization={ALGORITHM}"))
    };
    let credential = field("Credential").ok_or_else(|| missing("Credential"))?;
    let signature = field("Signature").ok_or_else(|| missing("Signature"))?;
    let signed_headers = field("SignedHeaders").ok_or_else(|| missing("SignedHeaders"))?;
    let date = header(headers, "x-amz-date").or_else(|| header(headers, "date")).ok_or_else(|| {
        incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    })?;
    Ok(Presented {
        scope: Scope::parse(&credential).ok_or_else(|| {
            incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
        })?,
        signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
        signature,
        date: date.to_owned(),
        expires_s: None,
    })
}

fn from_query(query: &[(String, String)]) -> Result<Presented, Fault> {
    let field = |name: &str| {
        value(query, name).ok_or_else(|| {
            incomplete(format!(
                "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
            ))
        })
    };
    if field("X-Amz-Algorithm")? != ALGORITHM {
        return Err(incomplete(format!("X-Amz-Algorithm only supports {ALGORITHM}.")));
    }
    let expires_s = match value(query, "X-Amz-Expires") {
        None => 15 * 60,
        Some(text) => text
            .parse()
            .ok()
            .filter(|seconds| (1..=EXPIRES_MAX_S).contains(seconds))
            .ok_or_else(|| incomplete("X-Amz-Expires must be a number of seconds from 1 to 604800."))?,
    };
    Ok(Presented {
        scope: Scope::parse(field("X-Amz-Credential")?).ok_or_else(|| {
            incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
        })?,
        signed_headers: field("X-Amz-SignedHeaders")?.split(';').map(str::to_owned).collect(),
        signature: field("X-Amz-Signature")?.to_owned(),
        date: field("X-Amz-Date")?.to_owned(),
        expires_s: Some(expires_s),
    })
}

/// Milliseconds since the epoch of `20170826T074712Z`.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let digits = |range: std::ops::Range<usize>| -> Option<i64> {
        let part = text.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    if text.len() != 16 || text.get(8..9) != Some("T") || text.get(15..) != Some("Z") {
        return None;
    }
    let (year, month, day) = (digits(0..4)?, digits(4..6)?, digits(6..8)?);
    let (hour, minute, second) = (digits(9..11)?, digits(11..13)?, digits(13..15)?);
    let legal =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    if !legal {
        return None;
    }
    // Days since the epoch of a Gregorian date, counting years from March.
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 719_469;
    Some(Timestamp::from_millis((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000))
}

/// `20170826T074712Z`.
pub fn format_date(at: Timestamp) -> String {
    at.to_iso8601().chars().filter(|c| !matches!(c, '-' | ':')).take(15).collect::<String>() + "Z"
}

fn check_time(presented: &Presented, now: Timestamp) -> Result<(), Fault> {
    let date = &presented.date;
    let at = parse_date(date).ok_or_else(|| {
        incomplete("Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601")
    })?;
    let scope_date = &presented.scope.date;
    if !date.starts_with(scope_date.as_str()) {
        return Err(Fault::new(
            403,
            "InvalidSignatureException",
            format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope_date}' != '{date}'."
            ),
        ));
    }
    let expired = |message: String| Err(Fault::new(403, "InvalidSignatureException", message));
    let age_ms = now.as_millis() - at.as_millis();
    if age_ms < -SKEW_MAX_MS {
        let latest = Timestamp::from_millis(now.as_millis() + SKEW_MAX_MS);
        return expired(format!(
            "Signature not yet current: {date} is still later than {} ({} + 15 min.)",
            format_date(latest),
            format_date(now)
        ));
    }
    let life_ms = presented.expires_s.map_or(SKEW_MAX_MS, |seconds| seconds * 1000);
    if age_ms > life_ms {
        let earliest = Timestamp::from_millis(now.as_millis() - life_ms);
        return expired(format!(
            "Signature expired: {date} is now earlier than {} ({} - {} min.)",
            format_date(earliest),
            format_date(now),
            life_ms / 60_000
        ));
    }
    Ok(())
}

fn check_signed_headers(presented: &Presented, headers: &HeaderMap) -> Result<(), Fault> {
    let signed = |name: &str| presented.signed_headers.iter().any(|signed| signed == name);
    // HTTP/2 has `:authority`, which the front door copies to `host`.
    let required = headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| *name == "host" || (name.starts_with("x-amz-") && presented.expires_s.is_none()));
    for name in required {
        if !signed(name) {
            return Err(Fault::new(
                403,
                "InvalidSignatureException",
                format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."),
            ));
        }
    }
    if signed("host") { Ok(()) } else { Err(mismatch()) }
}

fn payload_hash(headers: &HeaderMap, body: &Bytes, presigned: bool) -> Result<String, Fault> {
    match header(headers, "x-amz-content-sha256") {
        Some(UNSIGNED_PAYLOAD) => Ok(UNSIGNED_PAYLOAD.to_owned()),
        Some(given) => {
            let actual = sha256_hex(body);
            // Streaming signatures exist for S3 only, whose bodies do not come here.
            if bool::from(given.as_bytes().ct_eq(actual.as_bytes())) { Ok(actual) } else { Err(mismatch()) }
        }
        None if presigned && body.is_empty() => Ok(sha256_hex(b"")),
        None => Ok(sha256_hex(body)),
    }
}

fn canonical_request(
    parts: &Parts,
    path: &str,
    query: &[(String, String)],
    signed_headers: &[String],
    payload_hash: &str,
) -> String {
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (escape(name), escape(value)))
        .collect();
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
fn canonical_path(path: &str) -> String {
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
    if path.ends_with('/') {
        out.push('/');
    }
    out
}

fn signature(secret: &str, scope: &Scope, date: &str, canonical: &str) -> String {
    let to_sign = format!("{ALGORITHM}\n{date}\n{}\n{}", scope.text(), sha256_hex(canonical.as_bytes()));
    let mut key = hmac(format!("AWS4{secret}").as_bytes(), scope.date.as_bytes());
    for part in [scope.region.as_str(), scope.service.as_str(), "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    hex::encode(hmac(&key, to_sign.as_bytes()))
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn escape(text: &str) -> String {
    percent_encode(text.as_bytes(), ESCAPED).to_string()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn query_pairs(uri: &Uri) -> Vec<(String, String)> {
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

fn value<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

/// What a client needs to sign.
#[derive(Clone, Debug)]
pub struct Signer<'a> {
    /// The access key.
    pub access_key_id: &'a str,
    /// Its other half.
    pub secret_access_key: &'a str,
    /// `us-east-1`.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
}

impl Signer<'_> {
    /// The headers that make a request authentic: `x-amz-date`, `x-amz-content-sha256`, `authorization`. `headers` are those to
    /// sign besides, `host` among them; if `x-amz-content-sha256` is (`UNSIGNED-PAYLOAD`, a streaming form), it is signed as it is
    /// given and not added once more.
    ///
    /// # Errors
    /// When `headers` cannot be part of a request.
    pub fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &[(&str, &str)],
        body: &Bytes,
        now: Timestamp,
    ) -> Result<Vec<(&'static str, String)>, http::Error> {
        let date = format_date(now);
        let given = headers.iter().find(|(name, _)| *name == "x-amz-content-sha256").map(|(_, value)| *value);
        let payload_hash = given.map_or_else(|| sha256_hex(body), str::to_owned);
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request = request.header("x-amz-date", &date);
        if given.is_none() {
            request = request.header("x-amz-content-sha256", &payload_hash);
        }
        let (parts, ()) = request.body(())?.into_parts();
        let mut signed_headers: Vec<String> =
            parts.headers.keys().map(|name| name.as_str().to_owned()).collect();
        signed_headers.sort();
        let scope = Scope {
            access_key_id: self.access_key_id.to_owned(),
            date: date.chars().take(8).collect(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
        };
        // S3 alone signs the path as it is sent.
        let path = if self.service == "s3" { uri.path().to_owned() } else { canonical_path(uri.path()) };
        let canonical = canonical_request(&parts, &path, &query_pairs(uri), &signed_headers, &payload_hash);
        let signature = signature(self.secret_access_key, &scope, &date, &canonical);
        let authorization = format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={signature}",
            self.access_key_id,
            scope.text(),
            signed_headers.join(";")
        );
        let mut added = vec![("x-amz-date", date), ("authorization", authorization)];
        if given.is_none() {
            added.push(("x-amz-content-sha256", payload_hash));
        }
        Ok(added)
    }
}

#[cfg(test)]
mod tests {
    use kernel::{AccountId, ManualClock, Secret};

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

    fn authorization(signed: &str, signature: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, Signature={signature}"
        )
    }

    /// Vectors of AWS's published SigV4 test suite, whose credentials and date are those of the constants above.
    #[test]
    fn published_vectors_verify() {
        let vectors = [
            ("GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (
                "GET",
                "/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            ("POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ];
        for (method, uri, signature) in vectors {
            let authorization = authorization("host;x-amz-date", signature);
            let parts = request(
                method,
                uri,
                &[
                    ("host", "example.amazonaws.com"),
                    ("x-amz-date", "20150830T123600Z"),
                    ("authorization", &authorization),
                ],
            );
            let verified = verify(&parts, &Bytes::new(), &OneKey, &at("20150830T123600Z"));
            assert_eq!(verified.map(|v| v.scope.region), Ok("us-east-1".to_owned()), "{method} {uri}");
        }
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
            let signer =
                Signer { access_key_id: KEY, secret_access_key: SECRET, region: "r", service: "iam" };
            let given = [("host", "h"), (TOKEN, token)];
            let uri: Uri = "/".parse().unwrap();
            let added = signer.sign(&Method::POST, &uri, &given, &body, clock.now()).unwrap();
            let headers: Vec<_> =
                given.into_iter().chain(added.iter().map(|(n, v)| (*n, v.as_str()))).collect();
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

    #[test]
    fn dates_round_trip() {
        for date in ["19700101T000000Z", "20000229T235959Z", "20150830T123600Z", "21000301T000000Z"] {
            assert_eq!(format_date(parse_date(date).unwrap()), date);
        }
        assert_eq!(parse_date("20151330T123600Z"), None);
        assert_eq!(parse_date("2015-08-30T12:36"), None);
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
}
