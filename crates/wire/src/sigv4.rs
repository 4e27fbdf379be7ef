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
//!
//! AWS's signing test suite is held to in `sigv4/vectors.rs`.
//!
//! Differs from AWS: every service takes a presigned request whose token was added after signing; on AWS each service wants it signed, or
//! each does not. A token is of use only with the key that it was made with, so nothing is gained by exchanging it.

mod canonical;
mod date;
mod presented;
mod signer;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use kernel::{Clock, Principal, Timestamp};
use subtle::ConstantTimeEq;

use self::canonical::{Pair, canonical_path, canonical_request, query_pairs, sha256_hex, signature, value};
pub use self::date::{format_date, parse_date};
use self::presented::{Presented, from_header, from_query, incomplete};
pub use self::signer::Signer;
use crate::authorize::{Credential, Credentials, Unusable};
use crate::envelope::Fault;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The header in which temporary credentials carry their token.
pub const TOKEN: &str = "x-amz-security-token";

/// The parameter in which presigned requests carry it.
const TOKEN_PARAMETER: &str = "X-Amz-Security-Token";

/// How far a request's date may be from the node's: 15 minutes.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
const SKEW_MAX_MS: i64 = 15 * 60 * 1000;

/// The longest life of a presigned request: seven days.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
const EXPIRES_MAX_S: i64 = 7 * 24 * 60 * 60;

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

/// The scope a request claims, unverified: for choosing the service that will verify it.
pub fn claimed_scope(parts: &Parts) -> Option<Scope> {
    if let Some(header) = header(&parts.headers, "authorization") {
        let credential = header.split_once("Credential=")?.1.split([',', ' ']).next()?;
        return Scope::parse(credential);
    }
    let query = query_pairs(&parts.uri);
    Scope::parse(value(&query, "X-Amz-Credential")?)
}

/// Whether a request shows a signature of any kind.
pub fn is_signed(parts: &Parts) -> bool {
    parts.headers.contains_key("authorization")
        || query_pairs(&parts.uri).iter().any(|(name, _)| {
            matches!(name.as_str(), "X-Amz-Algorithm" | "X-Amz-Signature" | "X-Amz-Credential")
        })
}

/// The fault for a request that shows none.
pub(crate) fn missing() -> Fault {
    Fault::new(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
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
        None => return Err(missing()),
    };
    let token = header(&parts.headers, TOKEN).or_else(|| value(&query, TOKEN_PARAMETER));
    let credential = credential(credentials, &presented.scope.access_key_id, token)?;
    check_time(&presented, clock.now())?;
    check_signed_headers(&presented, &parts.headers)?;
    let payload_hash = payload_hash(&parts.headers, body)?;
    let path = canonical_path(parts.uri.path());
    let matches = |query: &[Pair]| {
        let canonical = canonical_request(parts, &path, query, &presented.signed_headers, &payload_hash);
        let expected = signature(credential.secret.expose(), &presented.scope, &presented.date, &canonical);
        bool::from(expected.as_bytes().ct_eq(presented.signature.as_bytes()))
    };
    let presigned = presented.expires_s.is_some();
    let mut signed = query;
    signed.retain(|(name, _)| !(presigned && name == "X-Amz-Signature"));
    if matches(&signed) {
        return Ok(Verified { principal: credential.principal, scope: presented.scope });
    }
    let all = signed.len();
    signed.retain(|(name, _)| name != TOKEN_PARAMETER);
    if presigned && signed.len() < all && matches(&signed) {
        return Ok(Verified { principal: credential.principal, scope: presented.scope });
    }
    Err(mismatch())
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
    // HTTP/2 has `:authority`, which the front door copies to `host`. Who presigns does not always know the body.
    let free = |name: &str| presented.expires_s.is_some() && name == "x-amz-content-sha256";
    let required = headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| *name == "host" || (name.starts_with("x-amz-") && !free(name)));
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

fn payload_hash(headers: &HeaderMap, body: &Bytes) -> Result<String, Fault> {
    match header(headers, "x-amz-content-sha256") {
        Some(UNSIGNED_PAYLOAD) => Ok(UNSIGNED_PAYLOAD.to_owned()),
        Some(given) => {
            let actual = sha256_hex(body);
            // Streaming signatures exist for S3 only, whose bodies do not come here.
            if bool::from(given.as_bytes().ct_eq(actual.as_bytes())) { Ok(actual) } else { Err(mismatch()) }
        }
        None => Ok(sha256_hex(body)),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
