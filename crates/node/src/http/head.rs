//! What a request's head must be before anyone looks at it: of a bounded size, and with one meaning.
//!
//! `hyper` has refused by now, with a status and no body, what is no HTTP: control characters, folded headers, lengths that contradict each
//! other; and it ends the connection after a request with both `Content-Length` and `Transfer-Encoding`, whose length alone it drops. What
//! is left are requests that two servers in a row might read differently.
//! <https://www.rfc-editor.org/rfc/rfc9112#section-11.2>

use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Method, Response, Version, header};
use wire::Fault;

use crate::limits::{HEAD_BYTES_MAX, HEADERS_MAX};

/// Checks a head, and names the host where HTTP/2 says `:authority`, since `host` is what a client signs.
///
/// # Errors
/// The fault to answer with; the connection ends after it.
pub(super) fn check(parts: &mut Parts) -> Result<(), Fault> {
    size(parts)?;
    if parts.method == Method::CONNECT || !parts.uri.path().starts_with('/') {
        return Err(malformed("The request is for no resource of this server."));
    }
    host(parts)
}

/// After an answer to a malformed request nobody knows where the next begins.
pub(super) fn close<B>(parts: &Parts, answer: &mut Response<B>) {
    if parts.version <= Version::HTTP_11 {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

fn size(parts: &Parts) -> Result<(), Fault> {
    let headers: usize =
        parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if headers + target > HEAD_BYTES_MAX || parts.headers.len() > HEADERS_MAX {
        let message = "Your request header section exceeds the maximum allowed size.";
        return Err(Fault::new(431, "RequestHeaderSectionTooLarge", message));
    }
    Ok(())
}

fn host(parts: &mut Parts) -> Result<(), Fault> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(malformed("A request has one Host."));
    }
    let Some(host) = first else {
        let authority = parts.uri.authority().filter(|_| parts.version > Version::HTTP_11);
        if let Some(authority) = authority.and_then(|name| HeaderValue::from_str(name.as_str()).ok()) {
            parts.headers.insert(header::HOST, authority);
            return Ok(());
        }
        // HTTP/1.0 knows no hosts.
        return if parts.version == Version::HTTP_10 {
            Ok(())
        } else {
            Err(malformed("A request has a Host."))
        };
    };
    let named = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    let Some(named) = named.filter(|named| !named.as_str().contains('@')) else {
        return Err(malformed("The Host is none."));
    };
    // `GET http://other/ HTTP/1.1`, or `:authority` beside `host`.
    if parts.uri.authority().is_some_and(|authority| *authority != named) {
        return Err(malformed("The request names two hosts."));
    }
    Ok(())
}

fn malformed(message: &str) -> Fault {
    Fault::new(400, "BadRequest", message)
}
