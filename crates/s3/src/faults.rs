//! The form of errors: the one envelope of S3, whoever found the error.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use wire::Fault;

use crate::Error;
use crate::front::Body;
use crate::limits::XML_BYTES_MAX;

/// What a request says of its body.
pub(crate) struct Claimed {
    hash: Option<HeaderValue>,
    length: usize,
}

impl Claimed {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let length = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
        let length = length("x-amz-decoded-content-length").or_else(|| length("content-length"));
        Self { hash: headers.get("x-amz-content-sha256").cloned(), length: length.unwrap_or(0) }
    }
}

/// An error that `s3s` rendered, taken apart; other answers as they are.
pub(crate) fn into_fault(
    mut response: Response<s3s::Body>,
    claimed: &Claimed,
) -> Result<Response<s3s::Body>, Fault> {
    let status = response.status();
    if status == StatusCode::NOT_MODIFIED {
        return Ok(response.map(|_| s3s::Body::empty()));
    }
    if status.as_u16() < 400 {
        // `s3s` says so of GET, but not of HEAD.
        if response.headers().contains_key(header::CONTENT_RANGE) {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        return Ok(response);
    }
    let body = response.into_body().bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(content, _)| unescape(content))
    };
    let code = element("Code").unwrap_or_else(|| "InternalError".to_owned());
    let said = element("Message");
    if code == "InternalError" && said.is_none() {
        return Err(unreadable_body(claimed));
    }
    let message = sentence(&code).map(str::to_owned).or(said).unwrap_or_else(|| code.clone());
    Err(Fault::new(status.as_u16(), code, message))
}

/// `s3s` has no words for a body of XML that it could not read to its end, which is the client's doing: it is too long, it is not the
/// one that was signed, or it broke off.
fn unreadable_body(claimed: &Claimed) -> Fault {
    if claimed.length > XML_BYTES_MAX {
        let code = "MaxMessageLengthExceeded";
        return Fault::new(400, code, sentence(code).unwrap_or_default());
    }
    Fault::from_service(&match claimed.hash.as_ref().map(HeaderValue::as_bytes) {
        Some(hash) if hash.starts_with(b"STREAMING-AWS4-HMAC-SHA256") => Error::SignatureDoesNotMatch,
        Some(hash) if hash.len() == 64 => Error::XAmzContentSHA256Mismatch,
        _ => Error::IncompleteBody,
    })
}

/// AWS's sentence for the codes that `s3s` itself answers with, in words of its own or in none.
fn sentence(code: &str) -> Option<&'static str> {
    Some(match code {
        "InvalidAccessKeyId" => "The AWS Access Key Id you provided does not exist in our records.",
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        }
        "InvalidURI" => "Couldn't parse the specified URI.",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "KeyTooLongError" => "Your key is too long",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "MissingRequestBodyError" => "Request Body is empty",
        "MalformedXML" => {
            "The XML you provided was not well-formed or did not validate against our published schema"
        }
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "NotImplemented" => "A header you provided implies functionality that is not implemented",
        _ => return None,
    })
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
pub(crate) fn render(
    fault: &Fault,
    method: &Method,
    path: &str,
    request_id: &str,
    host_id: &str,
) -> Response<Body> {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><Resource>{}</Resource>\
         <RequestId>{request_id}</RequestId><HostId>{host_id}</HostId></Error>",
        escape(&fault.code),
        escape(&fault.message),
        escape(path),
    );
    let body = if method == Method::HEAD { Bytes::new() } else { Bytes::from(text) };
    let mut response = Response::new(whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// A body that is there.
pub(crate) fn whole(bytes: Bytes) -> Body {
    Body::new(Full::new(bytes).map_err(|never| match never {}))
}
