//! Which service and operation a request names, before anything is verified.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http::request::Parts;

use crate::cbor::{self, Instants};
use crate::dialect::{Dialect, is_form, is_rpc_v2_cbor};
use crate::envelope::Fault;
use crate::operation::{Input, Opaque, Protocol, Service};
use crate::query::Form;
use crate::sigv4;

/// Where a request goes.
pub(super) enum Route<'a> {
    /// To this service.
    Service(&'a Arc<dyn Service>),
    /// To the service whose API's version its form names.
    Form,
    /// To a service that is not there.
    Nobody,
    /// To S3.
    S3,
}

pub(super) fn route<'a>(services: &'a [Arc<dyn Service>], parts: &Parts) -> Route<'a> {
    let find = |matches: &dyn Fn(&Arc<dyn Service>) -> bool| {
        services.iter().find(|service| matches(service)).map_or(Route::Nobody, Route::Service)
    };
    let speaks = |service: &Arc<dyn Service>, matches: &dyn Fn(&Protocol) -> bool| {
        service.descriptor().protocols.iter().any(matches)
    };
    if is_rpc_v2_cbor(&parts.headers) {
        let named = rpc_path(parts.uri.path()).map(|(service, _)| service).unwrap_or_default();
        return find(&|service| {
            speaks(
                service,
                &|protocol| matches!(protocol, Protocol::RpcV2Cbor { service } if *service == named),
            )
        });
    }
    if let Some(scope) = sigv4::claimed_scope(parts) {
        if scope.service == "s3" {
            return Route::S3;
        }
        return find(&|service| service.descriptor().signing_name == scope.service);
    }
    if sigv4::is_signed(parts) {
        // Signature version 2, or nothing that anybody can read: S3 says so.
        return Route::S3;
    }
    if let Some(target) = parts.headers.get("x-amz-target") {
        let prefix = target.to_str().ok().and_then(|target| target.rsplit_once('.'));
        let prefix = prefix.map(|(prefix, _)| prefix).unwrap_or_default();
        return find(&|service| {
            speaks(
                service,
                &|protocol| matches!(protocol, Protocol::Json { target_prefix, .. } if *target_prefix == prefix),
            )
        });
    }
    let form = matches!(parts.method, Method::POST | Method::GET) && parts.uri.path() == "/";
    if form && is_form(parts) { Route::Form } else { Route::S3 }
}

/// The service whose version an unsigned form names.
pub(super) fn by_form<'a>(
    services: &'a [Arc<dyn Service>],
    parts: &Parts,
    body: &Bytes,
) -> Option<&'a Arc<dyn Service>> {
    let form = Form::read(parts.uri.query().unwrap_or_default(), body).ok()?;
    let asked = form.version?;
    services.iter().find(|service| {
        let mut protocols = service.descriptor().protocols.iter();
        protocols.any(|protocol| matches!(protocol, Protocol::Query { version, .. } if *version == asked))
    })
}

/// The operation a request names, and its input.
pub(super) struct Matched {
    pub(super) operation: String,
    pub(super) input: Input,
}

/// # Errors
/// The fault for an operation that is not there, or an input that cannot be read.
pub(super) fn matched(
    service: &dyn Service,
    dialect: &Dialect,
    parts: &Parts,
    body: &Bytes,
) -> Result<Matched, Fault> {
    let unknown = || unknown(dialect, parts, body);
    match dialect.protocol {
        Protocol::Json { target_prefix, .. } => {
            let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
            let operation = target.and_then(|target| target.strip_prefix(target_prefix)?.strip_prefix('.'));
            let operation = operation.ok_or_else(unknown)?.to_owned();
            let input = match dialect.cbor {
                Some(instants) => members(body, instants)?,
                None => Input::Text(body.clone()),
            };
            Ok(Matched { operation, input })
        }
        Protocol::RpcV2Cbor { .. } => {
            let named = rpc_path(parts.uri.path()).filter(|_| parts.method == Method::POST);
            let operation = named.ok_or_else(unknown)?.1.to_owned();
            Ok(Matched { operation, input: members(body, Instants::Seconds)? })
        }
        Protocol::RestJson => {
            let bound = service.operations().into_iter().find_map(|(name, _, http)| {
                let http = http?;
                Some((name, http, http.matches(parts.method.as_str(), parts.uri.path())?))
            });
            let (name, http, labels) = bound.ok_or_else(unknown)?;
            let input = Input::Members(http.input(labels, parts, body)?);
            Ok(Matched { operation: name.to_owned(), input })
        }
        Protocol::Query { version, .. } => {
            let form = Form::read(parts.uri.query().unwrap_or_default(), body)?;
            if form.version.as_deref() != Some(version) {
                return Err(no_action(form.action.as_deref(), form.version.as_deref()));
            }
            let operation = form.action.clone().ok_or_else(|| no_action(None, Some(version)))?;
            Ok(Matched { operation, input: Input::Document(Opaque(form.into_document())) })
        }
    }
}

fn members(body: &Bytes, instants: Instants) -> Result<Input, Fault> {
    let read = cbor::read(body, instants);
    let document = read.map_err(|error| Fault::new(400, "SerializationException", error.to_string()))?;
    Ok(Input::Document(Opaque(document)))
}

/// Service and operation of `/service/{Service}/operation/{Operation}`, which may follow a prefix.
fn rpc_path(path: &str) -> Option<(&str, &str)> {
    let mut segments = path.rsplit('/');
    let operation = segments.next()?;
    let (marker, service, first) = (segments.next()?, segments.next()?, segments.next()?);
    (marker == "operation" && first == "service" && !operation.is_empty()).then_some((service, operation))
}

/// The fault for an operation that is not there.
pub(super) fn unknown(dialect: &Dialect, parts: &Parts, body: &Bytes) -> Fault {
    if !matches!(dialect.protocol, Protocol::Query { .. }) {
        return Fault::unknown_operation();
    }
    match Form::read(parts.uri.query().unwrap_or_default(), body) {
        Ok(form) => no_action(form.action.as_deref(), form.version.as_deref()),
        Err(fault) => fault,
    }
}

/// What the Query protocol says of an action that is not there, or not in this version.
fn no_action(action: Option<&str>, version: Option<&str>) -> Fault {
    let Some(action) = action.filter(|action| !action.is_empty()) else {
        let message = "The request is missing an action or a required parameter.";
        return Fault::new(400, "MissingAction", message);
    };
    let version = version.unwrap_or("NO_VERSION_SPECIFIED");
    Fault::new(400, "InvalidAction", format!("Could not find operation {action} for version {version}"))
}
