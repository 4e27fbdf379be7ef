//! The API port: what is the node's own, what is an operation, and what is S3's.
//!
//! 1. `/_headwater/…` is the node's own.
//! 2. Hosts of services that have hosts of their own and are not there are told so.
//! 3. A request whose protocol, signature, target or form names a service goes to the dispatcher, which has an order for these too.
//! 4. Everything else is S3's: anonymous, presigned and virtual-host requests have no other mark.
//!
//! A caller's address is that of the connection. `X-Forwarded-For` and its like are not looked at: anybody can write them.

use std::sync::{Arc, RwLock};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kernel::Entropy;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use wire::Fault;

use crate::ca;
use crate::http::{Body, Handler, Peer, full};
use crate::own;
use crate::parts::Reset;
use crate::services::Services;

/// The largest body of an operation: PutRecordBatch carries 4 MiB, which base64 makes a third longer.
const BODY_BYTES_MAX: usize = 16 << 20;

/// The largest body of a request without a signature: a form with a web identity's token of 20,000 characters.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
const UNSIGNED_BODY_BYTES_MAX: usize = 1 << 20;

/// Where the node's own routes are.
const OWN: &str = "/_headwater/";

/// Asks whoever owns the node to empty it; answered when it serves again.
pub(crate) type ResetRequest = oneshot::Sender<()>;

/// Answers the API port. Outlives the services behind it, which a reset replaces.
pub(crate) struct Front {
    services: RwLock<Option<Arc<Services>>>,
    reset: Reset,
    resets: mpsc::Sender<ResetRequest>,
    entropy: Entropy,
}

impl Front {
    pub(crate) fn new(reset: Reset, resets: mpsc::Sender<ResetRequest>, entropy: Entropy) -> Self {
        Self { services: RwLock::default(), reset, resets, entropy }
    }

    pub(crate) fn set(&self, services: Option<Arc<Services>>) {
        *self.services.write().expect("no holder of this lock panics") = services;
    }

    /// Whether there are services behind it.
    pub(crate) fn is_open(&self) -> bool {
        self.services().is_some()
    }

    fn services(&self) -> Option<Arc<Services>> {
        self.services.read().expect("no holder of this lock panics").clone()
    }

    async fn answer(&self, request: Request<Incoming>, peer: &Peer) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        let Some(services) = self.services() else {
            return self.refuse(&parts, &Fault::new(503, "ServiceUnavailable", "The node is starting."));
        };
        let is_own = parts.uri.path().starts_with(OWN);
        if !is_own && is_absent(&parts) {
            return self.stamped(fault(&Fault::new(403, "ForbiddenException", "Forbidden")));
        }
        if !is_own && !services.dispatcher.serves(&parts) {
            let request = Request::from_parts(parts, peer.paced(body));
            let answer = services.s3_front.handle(request, peer.arrival()).await;
            return answer.map(|body| body.map_err(Into::into).boxed_unsync());
        }
        let signed = wire::sigv4::is_signed(&parts);
        let bytes_max = if signed { BODY_BYTES_MAX } else { UNSIGNED_BODY_BYTES_MAX };
        let body = match peer.collect(body, bytes_max).await {
            Ok(body) => body,
            Err(fault) => return self.refuse(&parts, &fault),
        };
        if is_own {
            parts.extensions.insert(peer.arrival());
            return self.stamped(self.own(&services, &parts, &body.bytes).await);
        }
        let request = Request::from_parts(parts, body.bytes.clone());
        services.dispatcher.handle(request, peer.arrival()).await.map(full)
    }

    /// Every answer can be named: those of operations have their own.
    fn stamped(&self, mut answer: Response<Body>) -> Response<Body> {
        if let Ok(id) = HeaderValue::from_str(&self.entropy.uuid()) {
            answer.headers_mut().insert("x-amzn-requestid", id);
        }
        answer
    }

    async fn own(&self, services: &Services, parts: &Parts, body: &Bytes) -> Response<Body> {
        match (&parts.method, parts.uri.path()) {
            (&Method::GET, "/_headwater/health") => json_answer(StatusCode::OK, &json!({"status": "ready"})),
            (&Method::GET, "/_headwater/ca.pem") => {
                text(StatusCode::OK, ports::Devices::ca_certificate_pem(&*services.iot).as_ref())
            }
            (&Method::GET, "/_headwater/ca.crl") => {
                ca::crl_der(services).await.unwrap_or_else(|error| fault(&error))
            }
            (&Method::GET, "/_headwater/ca.crl.pem") => {
                ca::crl_pem(services).await.unwrap_or_else(|error| fault(&error))
            }
            (&Method::POST, "/_headwater/reset") => self.empty(services, parts, body).await,
            (&Method::GET, "/_headwater/accounts") => match own::list_accounts(services, parts, body) {
                Ok(accounts) => json_answer(StatusCode::OK, &accounts),
                Err(error) => fault(&error),
            },
            (&Method::POST, "/_headwater/accounts") => {
                match own::create_account(services, parts, body).await {
                    Ok((status, account)) => json_answer(status, &account),
                    Err(error) => fault(&error),
                }
            }
            (&Method::POST, "/_headwater/root-keys") => {
                match own::rotate_root_key(services, parts, body).await {
                    Ok(key) => json_answer(StatusCode::OK, &key),
                    Err(error) => fault(&error),
                }
            }
            _ => match ca::operate(services, parts, body).await {
                Some(Ok(status)) => json_answer(StatusCode::OK, &status),
                Some(Err(error)) => fault(&error),
                None => text(StatusCode::NOT_FOUND, "There is nothing here.\n"),
            },
        }
    }

    async fn empty(&self, services: &Services, parts: &Parts, body: &Bytes) -> Response<Body> {
        if let Err(error) = own::operator(services, parts, body, "reset it") {
            return fault(&error);
        }
        if self.reset == Reset::Refused {
            let message = "This node was not started with --allow-reset.";
            return fault(&Fault::new(403, "AccessDeniedException", message));
        }
        let (done, finished) = oneshot::channel();
        if self.resets.send(done).await.is_err() || finished.await.is_err() {
            return text(StatusCode::SERVICE_UNAVAILABLE, "The node is stopping.\n");
        }
        json_answer(StatusCode::OK, &json!({"status": "empty"}))
    }
}

impl Handler for Front {
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Arc<Peer>,
    ) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move { self.answer(request, &peer).await })
    }

    fn refuse(&self, parts: &Parts, refused: &Fault) -> Response<Body> {
        if parts.uri.path().starts_with(OWN) {
            return self.stamped(fault(refused));
        }
        let request_id = self.entropy.uuid();
        let answer = wire::refusal(parts, refused, &request_id);
        answer.unwrap_or_else(|| s3_refusal(refused, &request_id)).map(full)
    }
}

/// Whether a request is for a kind of host that has its own way in on AWS and is not there: a function's URL, or an API of API Gateway.
/// Nothing else could answer it, and S3 would look for a bucket of that name.
fn is_absent(parts: &Parts) -> bool {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    matches!(host.split('.').nth(1), Some("lambda-url" | "execute-api"))
}

/// An error as S3 writes it, for a request that S3 does not see.
fn s3_refusal(fault: &Fault, request_id: &str) -> Response<Bytes> {
    // Codes and sentences of these faults are constants without special characters.
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
         <RequestId>{request_id}</RequestId></Error>",
        fault.code, fault.message
    );
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = fault.http_status();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        answer.headers_mut().insert("x-amz-request-id", id);
    }
    answer
}

fn fault(fault: &Fault) -> Response<Body> {
    json_answer(fault.http_status(), &json!({"__type": fault.code, "message": fault.message}))
}

fn json_answer(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = text(status, &value.to_string());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(full(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    response
}
