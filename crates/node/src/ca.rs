//! The node's own routes for its certificate authorities.
//!
//! | route | answer |
//! |---|---|
//! | `GET /_headwater/ca.pem` | every CA by which clients may know the node; for everyone |
//! | `GET /_headwater/ca.crl` | the revocation list of the CA that signs, DER; for everyone |
//! | `GET /_headwater/ca.crl.pem` | the revocation lists of all those CAs, PEM; for everyone |
//! | `GET /_headwater/ca` | `{signing: {certificateId, notBefore, notAfter}, replaced: […]}` |
//! | `POST /_headwater/ca/rotate` | the same, after another CA has begun to sign |
//! | `POST /_headwater/ca/retire` | the same, after replaced CAs are gone |
//!
//! The last three are signed, and for the root of the node's first account alone.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, header};
use serde_json::Value;
use wire::Fault;

use crate::http::{Body, full};
use crate::own::operator;
use crate::services::Services;

/// What can be asked of the CAs: a name for sentences and one of three things.
#[derive(Clone, Copy)]
enum Asked {
    Status,
    Rotate,
    Retire,
}

impl Asked {
    fn of(parts: &Parts) -> Option<Self> {
        match (&parts.method, parts.uri.path()) {
            (&Method::GET, "/_headwater/ca") => Some(Self::Status),
            (&Method::POST, "/_headwater/ca/rotate") => Some(Self::Rotate),
            (&Method::POST, "/_headwater/ca/retire") => Some(Self::Retire),
            _ => None,
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Status => "see its certificate authorities",
            Self::Rotate => "rotate its certificate authority",
            Self::Retire => "retire certificate authorities",
        }
    }
}

/// What the operator asks of the CAs; none if the request is about something else.
pub(crate) async fn operate(
    services: &Services,
    parts: &Parts,
    body: &Bytes,
) -> Option<Result<Value, Fault>> {
    let asked = Asked::of(parts)?;
    if let Err(error) = operator(services, parts, body, asked.what()) {
        return Some(Err(error));
    }
    let status = match asked {
        Asked::Status => Ok(services.iot.ca_status()),
        Asked::Rotate => services.iot.rotate_ca().await,
        Asked::Retire => services.iot.retire_ca().await,
    };
    Some(status.map_err(|error| Fault::from_service(&error)).map(|status| serde_json::json!(status)))
}

/// The revocation list of the CA that signs.
pub(crate) async fn crl_der(services: &Services) -> Result<Response<Body>, Fault> {
    let list = services.iot.crl_der().await.map_err(|error| Fault::from_service(&error))?;
    Ok(response(Bytes::from(list), "application/pkix-crl"))
}

/// The revocation lists of all CAs.
pub(crate) async fn crl_pem(services: &Services) -> Result<Response<Body>, Fault> {
    let lists = services.iot.crl_pem().await.map_err(|error| Fault::from_service(&error))?;
    Ok(response(Bytes::from(lists), "application/x-pem-file"))
}

fn response(body: Bytes, content_type: &'static str) -> Response<Body> {
    let mut response = Response::new(full(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
