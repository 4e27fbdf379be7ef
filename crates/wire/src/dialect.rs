//! Which of a service's protocols a request speaks, and how an answer in it is written.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, header};
use serde_json::json;

use crate::cbor::{self, Instants};
use crate::document::Document;
use crate::envelope::Fault;
use crate::operation::{Opaque, Output, Protocol};
use crate::query;

/// The content type of AWS JSON whose bodies are CBOR: what the AWS SDKs for Java speak with Kinesis.
const AWS_CBOR: &str = "application/x-amz-cbor-1.1";

/// The header by which Smithy's protocols are told apart, in requests and in answers.
pub(crate) const SMITHY_PROTOCOL: &str = "smithy-protocol";

/// Its value.
const RPC_V2_CBOR: &str = "rpc-v2-cbor";

/// A protocol, and what a request chose within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) protocol: Protocol,
    /// What tag 1 counts, where bodies are CBOR.
    pub(crate) cbor: Option<Instants>,
    /// The request wants the code that the Query protocol has for an error (`x-amzn-query-mode: true`).
    /// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>
    query_error: bool,
    /// Codes of the Query protocol, where they are not the shapes' names.
    codes: &'static [(&'static str, &'static str)],
}

impl Dialect {
    /// What a request speaks with a service of these protocols, the first of which is the default.
    pub(crate) fn of(parts: &Parts, protocols: &[Protocol]) -> Self {
        let headers = &parts.headers;
        let spoken = protocols.iter().find(|protocol| match protocol {
            Protocol::RpcV2Cbor { .. } => is_rpc_v2_cbor(headers),
            Protocol::Json { .. } => headers.contains_key("x-amz-target"),
            Protocol::Query { .. } => is_form(parts),
            Protocol::RestJson => false,
        });
        let protocol = *spoken.or(protocols.first()).unwrap_or(&Protocol::RestJson);
        let codes = protocols.iter().find_map(|protocol| match protocol {
            Protocol::Query { codes, .. } => Some(*codes),
            _ => None,
        });
        Self::new(protocol, headers, codes.unwrap_or_default())
    }

    /// What a request for a service that is not there speaks, as far as it shows.
    pub(crate) fn guess(parts: &Parts) -> Self {
        Self::of(
            parts,
            &[
                Protocol::RestJson,
                Protocol::RpcV2Cbor { service: "" },
                Protocol::Json { version: "1.0", target_prefix: "" },
                Protocol::Query { version: "", namespace: "", codes: &[] },
            ],
        )
    }

    fn new(protocol: Protocol, headers: &HeaderMap, codes: &'static [(&'static str, &'static str)]) -> Self {
        let cbor = match protocol {
            Protocol::RpcV2Cbor { .. } => Some(Instants::Seconds),
            Protocol::Json { .. } if content_type(headers).eq_ignore_ascii_case(AWS_CBOR) => {
                Some(Instants::Milliseconds)
            }
            _ => None,
        };
        let mode = headers.get("x-amzn-query-mode");
        Self { protocol, cbor, query_error: mode.is_some_and(|mode| mode.as_bytes() == b"true"), codes }
    }

    /// The answer to a request that was done.
    pub(crate) fn answer(&self, operation: &str, output: Output, request_id: &str) -> Response<Bytes> {
        let body = match (output, self.protocol, self.cbor) {
            (Output::Json(text), ..) if text == "null" => Bytes::from_static(b"{}"),
            (Output::Json(text), ..) => text,
            (Output::Document(Opaque(document)), Protocol::Query { namespace, .. }, _) => {
                query::render(operation, namespace, &document, request_id).into()
            }
            // An operation without output answers nothing at all.
            (Output::Document(Opaque(Document::Null)), ..) => {
                let mut response = Response::new(Bytes::new());
                self.name(response.headers_mut());
                response.headers_mut().remove(header::CONTENT_TYPE);
                return response;
            }
            (Output::Document(Opaque(document)), _, instants) => {
                cbor::write(&document, instants.unwrap_or(Instants::Seconds))
            }
        };
        let mut response = Response::new(body);
        self.name(response.headers_mut());
        response
    }

    /// The answer to a request that was not.
    pub(crate) fn refusal(&self, fault: &Fault, request_id: &str) -> Response<Bytes> {
        let mut response = Response::new(match self.protocol {
            Protocol::Query { namespace, .. } => {
                query::render_fault(fault, self.query_code(fault), namespace, request_id).into()
            }
            Protocol::RestJson => Bytes::from(json!({"message": fault.message}).to_string()),
            Protocol::Json { .. } | Protocol::RpcV2Cbor { .. } => self.typed_fault(fault),
        });
        *response.status_mut() = fault.http_status();
        self.name(response.headers_mut());
        let named = match self.protocol {
            Protocol::RestJson => Some(("x-amzn-errortype", fault.code.clone())),
            Protocol::Json { .. } | Protocol::RpcV2Cbor { .. } if self.query_error => {
                let party = if fault.status < 500 { "Sender" } else { "Receiver" };
                Some(("x-amzn-query-error", format!("{};{party}", self.query_code(fault))))
            }
            _ => None,
        };
        if let Some((name, value)) = named
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }

    /// The Query protocol's code of an error, whose shape may have another name.
    fn query_code<'a>(&self, fault: &'a Fault) -> &'a str {
        let renamed = self.codes.iter().find(|(shape, _)| *shape == fault.code);
        renamed.map_or(&fault.code, |(_, code)| code)
    }

    fn typed_fault(&self, fault: &Fault) -> Bytes {
        let Some(instants) = self.cbor else {
            return json!({"__type": fault.code, "message": fault.message}).to_string().into();
        };
        let text = |text: &str| Document::Text(text.to_owned());
        let members = [("__type", text(&fault.code)), ("message", text(&fault.message))];
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        cbor::write(&Document::Map(members), instants)
    }

    /// The headers that say what an answer's body is.
    fn name(&self, headers: &mut HeaderMap) {
        let content_type = match (self.protocol, self.cbor) {
            (Protocol::RpcV2Cbor { .. }, _) => "application/cbor",
            (Protocol::Json { .. }, Some(_)) => AWS_CBOR,
            (Protocol::Json { version: "1.0", .. }, None) => "application/x-amz-json-1.0",
            (Protocol::Json { .. }, None) => "application/x-amz-json-1.1",
            (Protocol::RestJson, _) => "application/json",
            (Protocol::Query { .. }, _) => "text/xml",
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if matches!(self.protocol, Protocol::RpcV2Cbor { .. }) {
            headers.insert(SMITHY_PROTOCOL, HeaderValue::from_static(RPC_V2_CBOR));
        }
    }
}

pub(crate) fn is_rpc_v2_cbor(headers: &HeaderMap) -> bool {
    headers.get(SMITHY_PROTOCOL).is_some_and(|value| value.as_bytes() == RPC_V2_CBOR.as_bytes())
}

/// Whether a request is of the Query protocol: a form, or the same in the query string.
pub(crate) fn is_form(parts: &Parts) -> bool {
    content_type(&parts.headers).eq_ignore_ascii_case("application/x-www-form-urlencoded")
        || query::names_action(parts.uri.query().unwrap_or_default())
}

/// The media type alone, without its parameters.
fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}
