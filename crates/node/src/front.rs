//! The API port: what is the node's own, what is an operation, and what is S3's.
//!
//! 1. `/_headwater/…` is the node's own.
//! 2. A request whose signature, target or form names a service goes to the dispatcher.
//! 3. Everything else is S3's: anonymous, presigned and virtual-host requests have no other mark.

use std::net::SocketAddr;
use std::sync::{Arc, RwLock};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use wire::Arrival;

use crate::http::{Body, Handler, collect, full};
use crate::parts::Reset;
use crate::services::Services;

/// The largest body of an operation: PutRecordBatch carries 4 MiB, which base64 makes a third longer.
const BODY_BYTES_MAX: usize = 16 << 20;

/// Asks whoever owns the node to empty it; answered when it serves again.
pub(crate) type ResetRequest = oneshot::Sender<()>;

/// Answers the API port. Outlives the services behind it, which a reset replaces.
pub(crate) struct Front {
    services: RwLock<Option<Arc<Services>>>,
    reset: Reset,
    resets: mpsc::Sender<ResetRequest>,
}

impl Front {
    pub(crate) fn new(reset: Reset, resets: mpsc::Sender<ResetRequest>) -> Self {
        Self { services: RwLock::default(), reset, resets }
    }

    pub(crate) fn set(&self, services: Option<Arc<Services>>) {
        *self.services.write().expect("no holder of this lock panics") = services;
    }

    fn services(&self) -> Option<Arc<Services>> {
        self.services.read().expect("no holder of this lock panics").clone()
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let Some(services) = self.services() else {
            return text(StatusCode::SERVICE_UNAVAILABLE, "The node is starting.\n");
        };
        let (mut parts, body) = request.into_parts();
        name_host(&mut parts);
        if parts.uri.path().starts_with("/_headwater/") {
            let body = match collect(body, BODY_BYTES_MAX).await {
                Ok(body) => body,
                Err(answer) => return answer,
            };
            return self.own(&services, &parts, &body).await;
        }
        let arrival = Arrival { source_ip: Some(peer.ip().to_string()), secure: false };
        if services.dispatcher.serves(&parts) {
            let body = match collect(body, BODY_BYTES_MAX).await {
                Ok(body) => body,
                Err(answer) => return answer,
            };
            return services.dispatcher.handle(Request::from_parts(parts, body), arrival).await.map(full);
        }
        let answer = services.s3_front.handle(Request::from_parts(parts, body), arrival).await;
        answer.map(|body| body.map_err(Into::into).boxed_unsync())
    }

    async fn own(&self, services: &Services, parts: &http::request::Parts, body: &Bytes) -> Response<Body> {
        match (&parts.method, parts.uri.path()) {
            (&Method::GET, "/_headwater/health") => json_answer(StatusCode::OK, &json!({"status": "ready"})),
            (&Method::GET, "/_headwater/ca.pem") => {
                text(StatusCode::OK, ports::Devices::ca_certificate_pem(&*services.iot).as_ref())
            }
            (&Method::POST, "/_headwater/reset") => self.empty(services, parts, body).await,
            _ => text(StatusCode::NOT_FOUND, "There is nothing here.\n"),
        }
    }

    async fn empty(&self, services: &Services, parts: &http::request::Parts, body: &Bytes) -> Response<Body> {
        let verified = wire::sigv4::verify(parts, body, &*services.iam, &*services.clock);
        match verified {
            Ok(verified) if matches!(verified.principal, kernel::Principal::Root { .. }) => {}
            Ok(_) => {
                return fault(&wire::Fault::new(
                    403,
                    "AccessDeniedException",
                    "Only the root may reset a node.",
                ));
            }
            Err(error) => return fault(&error),
        }
        if self.reset == Reset::Refused {
            let message = "This node was not started with --allow-reset.";
            return fault(&wire::Fault::new(403, "AccessDeniedException", message));
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
        peer: SocketAddr,
    ) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move { self.answer(request, peer).await })
    }
}

/// HTTP/2 says `:authority` where HTTP/1.1 says `host`, which is what a client signs.
fn name_host(parts: &mut http::request::Parts) {
    if !parts.headers.contains_key(header::HOST)
        && let Some(authority) = parts.uri.authority()
        && let Ok(host) = header::HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(header::HOST, host);
    }
}

fn fault(fault: &wire::Fault) -> Response<Body> {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json_answer(status, &json!({"__type": fault.code, "message": fault.message}))
}

fn json_answer(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = text(status, &value.to_string());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(full(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    response
}
