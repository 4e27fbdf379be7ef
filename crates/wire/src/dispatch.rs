//! From an HTTP request to an operation's handler and back, in the same steps for all of them.
//!
//! Which service a request is for, in this order, so that a request which says more than one thing means one:
//! 1. `Smithy-Protocol: rpc-v2-cbor`: the service in the path.
//! 2. The scope of its signature, in the header or the query string.
//! 3. `X-Amz-Target`.
//! 4. Unsigned, a form with an `Action` and the `Version` of a service's API.
//!
//! What says none of these is S3's. A request for a service that is not there is answered here, in the protocol it shows, with a status that no
//! SDK retries.

mod route;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::request::Parts;
use http::{HeaderValue, Request, Response, header};
use kernel::{AccountId, Clock, Context, Entropy, Principal, Region};
use serde_json::Value;

use crate::authorize::{Authorize, Credentials};
use crate::dialect::Dialect;
use crate::dispatch::route::{Matched, Route, matched};
use crate::envelope::Fault;
use crate::limits::INFLATED_BYTES_MAX;
use crate::operation::{Input, Output, Protocol, Service};
use crate::quotas::{Attempt, QuotaConfig, Quotas};
use crate::regions::{self, Regions};
use crate::sigv4;

/// Serves the operations of every service but S3.
pub struct Dispatcher {
    services: Vec<Arc<dyn Service>>,
    credentials: Arc<dyn Credentials>,
    authorize: Arc<dyn Authorize>,
    quotas: Arc<Quotas>,
    regions: Regions,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
}

/// How a request came to the node: what the connection tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The caller's address without port.
    pub source_ip: Option<String>,
    /// Whether it came over TLS.
    pub secure: bool,
}

impl Dispatcher {
    /// A dispatcher of these services, with the usual quotas.
    pub fn new(
        services: Vec<Arc<dyn Service>>,
        credentials: Arc<dyn Credentials>,
        authorize: Arc<dyn Authorize>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
    ) -> Self {
        let quotas =
            Arc::new(Quotas::new(QuotaConfig::default(), Arc::clone(&clock), kernel::Metrics::default()));
        Self { services, credentials, authorize, quotas, regions: Regions::default(), clock, entropy }
    }

    /// The same with quotas that it shares with S3.
    #[must_use]
    pub fn with_quotas(self, quotas: Arc<Quotas>) -> Self {
        Self { quotas, ..self }
    }

    /// Every service, for tests and generated documents.
    pub fn services(&self) -> &[Arc<dyn Service>] {
        &self.services
    }

    /// Whether a request is for one of these services, or for one that is not there; everything else is S3's.
    pub fn serves(&self, parts: &Parts) -> bool {
        !matches!(route::route(&self.services, parts), Route::S3)
    }

    /// Answers a request that [`Dispatcher::serves`].
    pub async fn handle(&self, request: Request<Bytes>, arrival: Arrival) -> Response<Bytes> {
        let request_id = self.entropy.uuid();
        let (parts, body) = request.into_parts();
        let service = match route::route(&self.services, &parts) {
            Route::Service(service) => Some(service),
            Route::Form => route::by_form(&self.services, &parts, &body),
            Route::Nobody | Route::S3 => None,
        };
        let Some(service) = service else {
            let dialect = Dialect::guess(&parts);
            let fault = route::unknown(&dialect, &parts, &body);
            return stamp(dialect.refusal(&fault, &request_id), &request_id);
        };
        let descriptor = service.descriptor();
        let dialect = Dialect::of(&parts, descriptor.protocols);
        let mut operation = String::new();
        let asked = Asked { parts: &parts, body, dialect: &dialect, request_id: &request_id, arrival };
        let response = match self.answer(service, asked, &mut operation).await {
            Ok(output) => dialect.answer(&operation, output, &request_id),
            Err(fault) => dialect.refusal(&fault, &request_id),
        };
        tracing::debug!(
            service = descriptor.signing_name,
            operation,
            status = response.status().as_u16(),
            request_id,
            "request"
        );
        stamp(response, &request_id)
    }

    async fn answer(
        &self,
        service: &Arc<dyn Service>,
        asked: Asked<'_>,
        operation: &mut String,
    ) -> Result<Output, Fault> {
        let source_ip = asked.arrival.source_ip.clone();
        let source_ip = source_ip.as_deref();
        let caller = self.caller(service, &asked).map_err(|fault| for_protocol(fault, asked.dialect))?;
        if caller.is_none() && asked.parts.headers.contains_key(header::CONTENT_ENCODING) {
            // Nobody makes the node compute before it is known who they are, or what they ask.
            return Err(for_protocol(sigv4::missing(), asked.dialect));
        }
        let body = inflated(asked.parts, asked.body)?;
        let Matched { operation: named, input } =
            matched(service.as_ref(), asked.dialect, asked.parts, &body)?;
        operation.clone_from(&named);
        if caller.is_none() && !service.is_unsigned(operation) {
            return Err(for_protocol(sigv4::missing(), asked.dialect));
        }
        let proves_itself = caller.is_none();
        let (principal, region) = caller.unwrap_or((Principal::Anonymous, Region::default_region()));
        let admitted = self.quotas.admit(&principal, source_ip, region.as_str());
        admitted.map_err(|fault| for_protocol(fault, asked.dialect))?;
        let cx = Context {
            account: principal.account().cloned().unwrap_or_else(AccountId::default_account),
            principal,
            region,
            request_id: asked.request_id.to_owned(),
            source_ip: asked.arrival.source_ip,
            secure: asked.arrival.secure,
        };
        let call = service
            .perform(&cx, operation, input, &*self.authorize)
            .ok_or_else(|| route::unknown(asked.dialect, asked.parts, &body))?;
        if !proves_itself {
            return call.await;
        }
        // What the input proves may be guessed at as well.
        let attempt = Attempt::new(source_ip, "");
        self.quotas.attempt(attempt).map_err(|fault| for_protocol(fault, asked.dialect))?;
        call.await.inspect_err(|fault| self.quotas.failed(attempt, &fault.code))
    }

    /// Who signed a request, and for which region; nobody, if it is not signed at all.
    fn caller(
        &self,
        service: &Arc<dyn Service>,
        asked: &Asked<'_>,
    ) -> Result<Option<(Principal, Region)>, Fault> {
        if !sigv4::is_signed(asked.parts) {
            return Ok(None);
        }
        let verified = self.quotas.verify(
            (asked.parts, &asked.body),
            asked.arrival.source_ip.as_deref(),
            &*self.credentials,
            &*self.clock,
        )?;
        let scoped = |what: String| {
            Fault::new(403, "InvalidSignatureException", format!("Credential should be scoped to {what}."))
        };
        let signing_name = service.descriptor().signing_name;
        if verified.scope.service != signing_name {
            return Err(scoped(format!("correct service: '{signing_name}'")));
        }
        let region = verified.scope.region.parse().map_err(|_| regions::invalid())?;
        if let Some(account) = verified.principal.account() {
            self.regions.admit(account, &region)?;
        }
        Ok(Some((verified.principal, region)))
    }

    /// Calls an operation in the name of a principal authenticated elsewhere (a console session). Authorised like any other call.
    ///
    /// # Errors
    /// The fault a client would see.
    pub async fn call_as(
        &self,
        cx: &Context,
        signing_name: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, Fault> {
        self.regions.admit(&cx.account, &cx.region)?;
        let named = |service: &&Arc<dyn Service>| service.descriptor().signing_name == signing_name;
        // `iot` and `iotdata` are two services; a name may also be shared by two tables.
        for service in self.services.iter().filter(named) {
            if let Some(call) = service.call(cx, operation, Input::Members(input.clone()), &*self.authorize) {
                let output = call.await?;
                return Ok(serde_json::from_slice(&output).expect("the encoder wrote JSON"));
            }
        }
        Err(Fault::unknown_operation())
    }

    /// A context for [`Dispatcher::call_as`] with a new request id.
    pub fn request_id(&self) -> String {
        self.entropy.uuid()
    }
}

/// The answer to a request that is refused before it can be handled: for its size, its pace, or because nothing is there yet. None if nothing in
/// it says that it is not S3's.
pub fn refusal(parts: &Parts, fault: &Fault, request_id: &str) -> Option<Response<Bytes>> {
    if matches!(route::route(&[], parts), Route::S3) {
        return None;
    }
    let dialect = Dialect::guess(parts);
    Some(stamp(dialect.refusal(&for_protocol(fault.clone(), &dialect), request_id), request_id))
}

/// A request on its way through the steps.
struct Asked<'a> {
    parts: &'a Parts,
    /// As it was signed: still compressed, if it came so.
    body: Bytes,
    dialect: &'a Dialect,
    request_id: &'a str,
    arrival: Arrival,
}

/// The body without its compression, which SDKs use for large inputs of CloudWatch. What grows beyond the largest body is refused.
fn inflated(parts: &Parts, body: Bytes) -> Result<Bytes, Fault> {
    let encoding = parts.headers.get(header::CONTENT_ENCODING);
    if encoding.is_none_or(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"gzip")) {
        return Ok(body);
    }
    let mut out = Vec::new();
    let read = GzDecoder::new(&body[..]).take(INFLATED_BYTES_MAX as u64 + 1).read_to_end(&mut out);
    if read.is_err() {
        return Err(Fault::new(400, "SerializationException", "The body is not gzip."));
    }
    if out.len() > INFLATED_BYTES_MAX {
        return Err(Fault::new(
            413,
            "RequestEntityTooLargeException",
            "The request is too large once it is uncompressed.",
        ));
    }
    Ok(out.into())
}

/// Some protocols have other names, or another status, for what is wrong with a signature or too much.
fn for_protocol(fault: Fault, dialect: &Dialect) -> Fault {
    if dialect.protocol == Protocol::RestJson && fault.code == "ThrottlingException" {
        return Fault { status: 429, ..fault };
    }
    if !matches!(dialect.protocol, Protocol::Query { .. }) {
        return fault;
    }
    let code = match fault.code.as_str() {
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        "IncompleteSignatureException" => "IncompleteSignature",
        "ExpiredTokenException" => "ExpiredToken",
        "ThrottlingException" => "Throttling",
        _ => return fault,
    };
    Fault { code: code.to_owned(), ..fault }
}

fn stamp(mut response: Response<Bytes>, request_id: &str) -> Response<Bytes> {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
