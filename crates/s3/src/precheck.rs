//! What is checked of a request before `s3s` sees it, because `s3s` does not check it or would ask the system's clock.
//!
//! 1. The signature's scope names S3.
//! 2. A header signature is good for 15 minutes around its date; a presigned request from its date for `X-Amz-Expires` seconds, at most seven
//!    days, or until `Expires` (signature version 2).
//! 3. `host` and every `x-amz-*` header is signed.
//! 4. What a header asks for that `s3s` does not know is refused, not ignored.
//! 5. A request is signed in one way at most, so that nobody takes another for it.
//! 6. A version 2 signature is taken in a presigned request only, and a form upload not at all: `s3s` would gather its file in memory.
//!
//! `s3s` compares a presigned request's date with the system's clock as well; so a test with a clock of its own cannot use one that has
//! expired by the system's.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>

use http::request::Parts;
use http::{Method, header};
use kernel::{Region, Timestamp};
use wire::{Fault, sigv4};

use crate::limits::{EXPIRES_MAX_S, SKEW_MAX_MS};
use crate::sigv2;

/// Headers that ask for something and are none of `s3s`'s.
const UNKNOWN: [&str; 10] = [
    "x-amz-bucket-namespace",
    "x-amz-checksum-md5",
    "x-amz-checksum-sha512",
    "x-amz-checksum-xxhash128",
    "x-amz-checksum-xxhash3",
    "x-amz-checksum-xxhash64",
    "x-amz-object-annotation-directive",
    "x-amz-object-lock-event-hold",
    "x-amz-object-lock-event-hold-duration-days",
    "x-amz-object-lock-event-hold-duration-years",
];

/// Parameters that signature version 2 covers or is made of.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>
const SIGNED_V2: [&str; 30] = [
    "",
    "AWSAccessKeyId",
    "Expires",
    "Signature",
    "accelerate",
    "acl",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// Parameters that choose no operation, and which version 2 leaves to whoever has the URL, as on AWS.
const OF_LISTS: [&str; 16] = [
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "list-type",
    "marker",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "prefix",
    "start-after",
    "upload-id-marker",
    "version-id-marker",
    "x-id",
];

/// Checks a request; the region its signature is for, if it is signed and says so.
///
/// # Errors
/// AWS's fault.
pub(crate) fn check(parts: &Parts, now: Timestamp) -> Result<Option<Region>, Fault> {
    let text = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let form = text(header::CONTENT_TYPE)
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"));
    if parts.method == Method::POST && form {
        return Err(not_implemented());
    }
    if UNKNOWN.iter().any(|name| parts.headers.contains_key(*name)) {
        return Err(not_implemented());
    }
    let query = query(parts);
    let parameter =
        |name: &str| query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let mechanisms = parts.headers.get_all(header::AUTHORIZATION).iter().count()
        + usize::from(parameter("Signature").is_some())
        + usize::from(parameter("X-Amz-Signature").is_some());
    if mechanisms > 1 {
        return Err(Fault::new(
            400,
            "InvalidArgument",
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the \
             Authorization header should be specified",
        ));
    }
    if parameter("Signature").is_some() {
        check_expiry_v2(parameter("Expires"), now)?;
        return check_signed_parameters_v2(&query).map(|()| None);
    }
    if parameter("X-Amz-Signature").is_some() {
        let region = check_scope(parameter("X-Amz-Credential").unwrap_or_default())?;
        check_presigned(parameter("X-Amz-Date"), parameter("X-Amz-Expires"), now)?;
        check_signed_headers(parts, parameter("X-Amz-SignedHeaders").unwrap_or_default(), Form::Presigned)?;
        return Ok(region);
    }
    let Some(authorization) = text(header::AUTHORIZATION) else { return Ok(None) };
    if !authorization.starts_with("AWS4-") {
        return Err(Fault::new(
            400,
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        ));
    }
    // Fields end at commas alone, as they do for `s3s`: a space belongs to what it stands in.
    let fields = authorization.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or_default().1;
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_default()
    };
    let region = check_scope(field("Credential"))?;
    let date = parts.headers.get("x-amz-date").and_then(|date| date.to_str().ok());
    let date = date.map(|date| sigv4::parse_date(date).ok_or_else(no_date)).transpose()?;
    if let Some(date) = date
        && (now.as_millis() - date.as_millis()).abs() > SKEW_MAX_MS
    {
        return Err(Fault::new(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ));
    }
    check_signed_headers(parts, field("SignedHeaders"), Form::Header)?;
    Ok(region)
}

/// The token of temporary credentials.
pub(crate) fn token(parts: &Parts) -> Option<String> {
    if let Some(token) = parts.headers.get(sigv4::TOKEN) {
        return token.to_str().ok().map(str::to_owned);
    }
    let named = |(name, _): &(String, String)| name.eq_ignore_ascii_case(sigv4::TOKEN);
    query(parts).into_iter().find(named).map(|(_, token)| token)
}

fn not_implemented() -> Fault {
    Fault::new(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
}

/// The access key of a presigned request of signature version 2.
pub(crate) fn access_key_v2(parts: &Parts) -> Option<String> {
    let query = query(parts);
    if !query.iter().any(|(name, _)| name == "Signature") {
        return None;
    }
    query.into_iter().find(|(name, _)| name == "AWSAccessKeyId").map(|(_, id)| id)
}

/// Whether a presigned request of signature version 2 is signed with this secret; `bucket` is what its host names.
pub(crate) fn is_signed_v2(parts: &Parts, bucket: Option<&str>, secret: &str) -> bool {
    let is_subresource = |name: &str| !name.is_empty() && SIGNED_V2.contains(&name);
    sigv2::is_signed(parts, &query(parts), bucket, secret, is_subresource)
}

/// Signature version 2 signs the token of a presigned request as the header it would otherwise be, which is where `s3s` looks for it.
pub(crate) fn sign_token_v2(parts: &mut Parts) {
    if access_key_v2(parts).is_some()
        && let Some(token) = token(parts)
        && let Ok(value) = http::HeaderValue::from_str(&token)
    {
        parts.headers.insert(sigv4::TOKEN, value);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Header,
    Presigned,
}

fn denied(message: &str) -> Fault {
    Fault::new(403, "AccessDenied", message)
}

fn malformed(message: String) -> Fault {
    Fault::new(400, "AuthorizationHeaderMalformed", message)
}

fn no_date() -> Fault {
    denied("AWS authentication requires a valid Date or x-amz-date header")
}

/// `<access key>/<date>/<region>/s3/aws4_request` and nothing else: only what has one reading goes on to `s3s`, which takes an access key
/// to the first slash, commas too, and computes with what are no digits before it looks at them.
fn check_scope(credential: &str) -> Result<Option<Region>, Fault> {
    let fields: Vec<&str> = credential.split('/').collect();
    let [_, date, region, service, "aws4_request"] = fields.as_slice() else {
        return Err(malformed(
            "The authorization header is malformed; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".".to_owned(),
        ));
    };
    if *service != "s3" {
        return Err(malformed(format!(
            "The authorization header is malformed; incorrect service \"{service}\". This endpoint belongs to \"s3\"."
        )));
    }
    if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed(format!(
            "The authorization header is malformed; incorrect date format \"{date}\". This date in the credential must be in the format \"yyyyMMdd\"."
        )));
    }
    let wrong =
        |_| malformed(format!("The authorization header is malformed; the region '{region}' is wrong"));
    region.parse().map(Some).map_err(wrong)
}

fn check_expiry_v2(expires: Option<&str>, now: Timestamp) -> Result<(), Fault> {
    let Some(expires_s) = expires.and_then(|text| text.parse::<i64>().ok()) else {
        return Err(denied(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
        ));
    };
    if now.as_millis().div_euclid(1000) > expires_s { Err(denied("Request has expired")) } else { Ok(()) }
}

/// Signature version 2 covers the parameters it knows of: another one could turn what was signed into another operation. So could one
/// that is there twice, which `s3s` leaves out of what it verifies and yet chooses the operation by.
fn check_signed_parameters_v2(query: &[(String, String)]) -> Result<(), Fault> {
    let known = |(name, _): &(String, String)| {
        let name = name.as_str();
        // boto3 writes the headers that it signs into the query as well, where they do nothing.
        let start = name.as_bytes().first_chunk::<6>();
        let header = start.is_some_and(|start| start.eq_ignore_ascii_case(b"x-amz-"));
        SIGNED_V2.contains(&name)
            || OF_LISTS.contains(&name)
            || header
            || ["content-md5", "content-type"].contains(&name)
    };
    let mut names: Vec<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let once = names.windows(2).all(|pair| pair.first() != pair.last());
    match once && query.iter().all(known) {
        true => Ok(()),
        false => Err(denied("There were parameters present in the request which were not signed")),
    }
}

fn check_presigned(date: Option<&str>, expires: Option<&str>, now: Timestamp) -> Result<(), Fault> {
    let refused = |message: &str| Fault::new(400, "AuthorizationQueryParametersError", message);
    let date = date
        .and_then(sigv4::parse_date)
        .ok_or_else(|| refused("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))?;
    let expires_s: i64 = expires
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| refused("X-Amz-Expires should be a number"))?;
    if expires_s < 0 {
        return Err(refused("X-Amz-Expires must be non-negative"));
    }
    if expires_s > EXPIRES_MAX_S {
        return Err(refused(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        ));
    }
    let age_ms = now.as_millis() - date.as_millis();
    if age_ms < -SKEW_MAX_MS {
        return Err(denied("Request is not yet valid"));
    }
    if age_ms > expires_s * 1000 { Err(denied("Request has expired")) } else { Ok(()) }
}

fn check_signed_headers(parts: &Parts, signed: &str, form: Form) -> Result<(), Fault> {
    let is_signed = |name: &str| signed.split(';').any(|signed| signed == name);
    // HTTP/2 has `:authority` instead of `host`, which the verifier puts in its place.
    let unsigned = parts.headers.keys().map(header::HeaderName::as_str).any(|name| {
        let required = name == "host" || name.starts_with("x-amz-");
        // The hash of a presigned body is unknown when the request is signed.
        let free = form == Form::Presigned && name == "x-amz-content-sha256";
        required && !free && !is_signed(name)
    });
    if unsigned || !is_signed("host") {
        return Err(denied("There were headers present in the request which were not signed"));
    }
    Ok(())
}

fn query(parts: &Parts) -> Vec<(String, String)> {
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
    };
    parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "20150830T123600Z";

    fn check_request(method: &str, uri: &str, headers: &[(&str, &str)], expect: &str) {
        let mut builder = http::Request::builder().method(method).uri(uri).header("host", "h");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let parts = builder.body(()).unwrap().into_parts().0;
        let found = match check(&parts, sigv4::parse_date(NOW).unwrap()) {
            Ok(region) => region.map_or("none".to_owned(), String::from),
            Err(fault) => format!("{} {} {}", fault.status, fault.code, fault.message),
        };
        assert_eq!(found, expect, "{uri} {headers:?}");
    }

    fn header(scope: &str, signed: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AK/20150830/{scope}/aws4_request, SignedHeaders={signed}, Signature=00"
        )
    }

    #[test]
    fn header_signatures() {
        let check = |scope: &str, signed: &str, date: &str, expect: &str| {
            let authorization = header(scope, signed);
            check_request("GET", "/", &[("authorization", &authorization), ("x-amz-date", date)], expect);
        };
        let skewed = "403 RequestTimeTooSkewed The difference between the request time and the current time is too large.";
        check("eu-west-1/s3", "host;x-amz-date", NOW, "eu-west-1");
        check("eu-west-1/s3", "host;x-amz-date", "20150830T125100Z", "eu-west-1");
        check("eu-west-1/s3", "host;x-amz-date", "20150830T125101Z", skewed);
        check("eu-west-1/s3", "host;x-amz-date", "20150830T122059Z", skewed);
        let unsigned = "403 AccessDenied There were headers present in the request which were not signed";
        check("eu-west-1/s3", "host", NOW, unsigned);
        check("eu-west-1/s3", "x-amz-date", NOW, unsigned);
        check(
            "eu-west-1/sts",
            "host;x-amz-date",
            NOW,
            "400 AuthorizationHeaderMalformed The authorization header is malformed; incorrect service \"sts\". This endpoint belongs to \"s3\".",
        );
    }

    #[test]
    fn a_date_is_digits_and_there_is_one() {
        let check = |scope: &str, date: &str, expect: &str| {
            let authorization = format!(
                "AWS4-HMAC-SHA256 Credential={scope}/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
            );
            check_request("GET", "/", &[("authorization", &authorization), ("x-amz-date", date)], expect);
        };
        check("AK/20150830", NOW, "us-east-1");
        for scope in
            ["AK", "A,K/2015#830", "AK/2015#830/20150830", "A K/2015#830/20150830", "A,K/2015#830/20150830"]
        {
            check(
                scope,
                NOW,
                "400 AuthorizationHeaderMalformed The authorization header is malformed; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            );
        }
        for scope in ["AK/2015#830", "AK/201508", "AK/"] {
            let date = scope.rsplit('/').next().unwrap();
            check(
                scope,
                NOW,
                &format!(
                    "400 AuthorizationHeaderMalformed The authorization header is malformed; incorrect date format \"{date}\". This date in the credential must be in the format \"yyyyMMdd\"."
                ),
            );
        }
        for date in ["2015#830T123600Z", "yesterday", ""] {
            check(
                "AK/20150830",
                date,
                "403 AccessDenied AWS authentication requires a valid Date or x-amz-date header",
            );
        }
    }

    #[test]
    fn presigned_requests() {
        let check = |date: &str, expires: &str, expect: &str| {
            let uri = format!(
                "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20150830%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date={date}&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
            );
            check_request("GET", &uri, &[], expect);
        };
        check(NOW, "604800", "eu-west-1");
        check("20150830T123500Z", "60", "eu-west-1");
        check("20150830T123500Z", "59", "403 AccessDenied Request has expired");
        check("20150830T125101Z", "60", "403 AccessDenied Request is not yet valid");
        check(
            NOW,
            "604801",
            "400 AuthorizationQueryParametersError X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        );
        check(NOW, "soon", "400 AuthorizationQueryParametersError X-Amz-Expires should be a number");
        check(
            "now",
            "60",
            "400 AuthorizationQueryParametersError X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
        );
    }

    #[test]
    fn version_2_is_for_presigned_requests_only() {
        let now_s = sigv4::parse_date(NOW).unwrap().as_millis() / 1000;
        let uri = |expires: i64| format!("/b/k?AWSAccessKeyId=AK&Signature=x&Expires={expires}");
        check_request("GET", &uri(now_s), &[], "none");
        check_request("GET", &uri(now_s - 1), &[], "403 AccessDenied Request has expired");
        check_request(
            "GET",
            "/b/k",
            &[("authorization", "AWS AK:sig"), ("date", "Sun, 30 Aug 2015 12:36:00 GMT")],
            "400 InvalidRequest The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        );
    }

    #[test]
    fn version_2_signs_what_chooses_the_operation() {
        let now_s = sigv4::parse_date(NOW).unwrap().as_millis() / 1000;
        let uri = |more: &str| format!("/b?AWSAccessKeyId=AK&Signature=x&Expires={now_s}{more}");
        for more in [
            "",
            "&list-type=2&prefix=a",
            "&tagging",
            "&content-type=a&x-amz-meta-a=b",
            "&x-amz-security-token=t&content-type=a&x-amz-meta-a=b",
        ] {
            check_request("GET", &uri(more), &[], "none");
        }
        let refused = "403 AccessDenied There were parameters present in the request which were not signed";
        for more in [
            "&publicAccessBlock",
            "&ownershipControls=",
            "&encryption",
            "&policyStatus",
            "&attributes",
            "&tagging&tagging",
        ] {
            check_request("PUT", &uri(more), &[], refused);
        }
    }

    #[test]
    fn a_request_is_signed_once() {
        let refused = "400 InvalidArgument Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
            string parameter or the Authorization header should be specified";
        let authorization = header("eu-west-1/s3", "host");
        check_request("GET", "/b?X-Amz-Signature=0", &[("authorization", &authorization)], refused);
        check_request("GET", "/b?Signature=0&X-Amz-Signature=0", &[], refused);
        let twice = [("authorization", authorization.as_str()), ("authorization", authorization.as_str())];
        check_request("GET", "/b", &twice, refused);
    }

    #[test]
    fn a_header_that_nobody_would_look_at_is_refused() {
        for name in UNKNOWN {
            let expect =
                "501 NotImplemented A header you provided implies functionality that is not implemented";
            check_request("PUT", "/b/k", &[(name, "x")], expect);
        }
    }

    #[test]
    fn a_form_upload_is_refused_unread() {
        check_request(
            "POST",
            "/b",
            &[("content-type", "multipart/form-data; boundary=x")],
            "501 NotImplemented A header you provided implies functionality that is not implemented",
        );
    }
}
