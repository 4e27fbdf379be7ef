//! Publish over HTTPS with a client certificate: `POST /topics/TOPIC?qos=1`.
//!
//! Source: <https://docs.aws.amazon.com/iot/latest/developerguide/http.html>
//!
//! 1. A request acts as the certificate of its connection; iot:Publish is asked for each, and iot:RetainPublish with `retain=true`.
//!    There is no client identifier, so policy variables of it are unknown.
//! 2. The answer means that every consequence of the message is durable.
//!
//! Differs from AWS: publish with SigV4 is the data plane's `Publish` on the API's port.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use kernel::{Context, ErrorKind, Principal, ServiceError, TaskGroup};
use mqtt::Qos;
use mqtt::limits::PAYLOAD_BYTES_MAX;
use percent_encoding::percent_decode_str;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_rustls::TlsAcceptor;
use wire::Blob;

use crate::authorize::{Action, Permissions};
use crate::error::Chain;
use crate::limits::{BODY_TIMEOUT, HEAD_BYTES_MAX, HEAD_TIMEOUT, HTTPS_CONNECTIONS_MAX};
use crate::listen::{Admitted, Bounds, Port, accept, handshake, source_ip};
use crate::metrics::{Outcome, Protocol};
use crate::ops::PublishRequest;
use crate::{Error, Gateway, tasks};

/// Serves the listener until the group is cancelled.
pub(crate) fn serve(
    gateway: &Arc<Gateway>,
    group: &TaskGroup,
    listener: Arc<TcpListener>,
    acceptor: TlsAcceptor,
) {
    let gateway = Arc::clone(gateway);
    let clock = Arc::clone(&gateway.shared.clock);
    let bounds = Bounds::new(&gateway, HTTPS_CONNECTIONS_MAX, &tasks::HTTPS_CONNECTION);
    accept(group, listener, clock, bounds, move |stream, address, mut stop| {
        let (gateway, acceptor) = (Arc::clone(&gateway), acceptor.clone());
        async move {
            let Some(Admitted { stream, permissions, _counted }) =
                handshake(&gateway, &acceptor, Port::Https, (stream, address), &mut stop).await
            else {
                return;
            };
            let publisher = Arc::new(Publisher { gateway, permissions: Mutex::new(permissions), address });
            let service = service_fn(move |request| {
                let publisher = Arc::clone(&publisher);
                async move { Ok::<_, Infallible>(publisher.answer(request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(HEAD_BYTES_MAX)
                .serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.stopped() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%address, %error, "an HTTPS connection ended");
            }
        }
    });
}

/// The other end of one connection.
struct Publisher {
    gateway: Arc<Gateway>,
    /// HTTP/1.1 has one request at a time, so nobody waits for it.
    permissions: Mutex<Permissions>,
    address: SocketAddr,
}

/// An answer that is not `OK`.
struct Refusal(StatusCode, String);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self(status, error.to_string())
    }
}

impl Publisher {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let trace_id = self.gateway.shared.entropy.uuid();
        let (status, message) = match self.publish(request, &trace_id).await {
            Ok(()) => (StatusCode::OK, "OK".to_owned()),
            Err(Refusal(status, message)) => (status, message),
        };
        let body = json!({ "message": message, "traceId": trace_id }).to_string();
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(id) = HeaderValue::from_str(&trace_id) {
            headers.insert("x-amzn-requestid", id);
        }
        response
    }

    async fn publish(&self, request: Request<Incoming>, trace_id: &str) -> Result<(), Refusal> {
        let (parts, body) = request.into_parts();
        let refuse = |status, message: &str| Refusal(status, message.to_owned());
        let topic = parts.uri.path().strip_prefix("/topics/").filter(|topic| !topic.is_empty());
        let Some(topic) = topic else { return Err(refuse(StatusCode::NOT_FOUND, "Not Found")) };
        if parts.method != Method::POST {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"));
        }
        let topic = percent_decode_str(topic)
            .decode_utf8()
            .map_err(|_| Error::InvalidTopic("The topic is not valid UTF-8.".to_owned()))?
            .into_owned();
        let request = describe(topic, parts.uri.query().unwrap_or_default(), &parts.headers)?;
        let cx = self.authorize(&request, trace_id).await?;
        let collected = tokio::select! {
            collected = Limited::new(body, PAYLOAD_BYTES_MAX).collect() => collected,
            () = self.gateway.shared.clock.sleep(BODY_TIMEOUT) => {
                return Err(refuse(StatusCode::REQUEST_TIMEOUT, "Request Timeout"));
            }
        };
        let payload = match collected {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Error::TooLarge.into()),
            Err(_) => return Err(refuse(StatusCode::BAD_REQUEST, "Bad Request")),
        };
        let request = PublishRequest { payload: Blob(payload), ..request };
        let message = request.into_message(self.gateway.shared.clock.now())?;
        let published = self.gateway.publish_message(&cx, message).await;
        if let Err(error) = &published
            && error.kind() == ErrorKind::Internal
        {
            tracing::error!(trace_id, error = %Chain(error), "an HTTPS publish failed");
        }
        Ok(published?)
    }

    async fn authorize(&self, request: &PublishRequest, trace_id: &str) -> Result<Context, Refusal> {
        let mut permissions = self.permissions.lock().await;
        let allowed = permissions.allows(Action::Publish, &request.topic)
            && (!request.retain.unwrap_or_default()
                || permissions.allows(Action::RetainPublish, &request.topic));
        let identity = permissions.identity().filter(|_| allowed);
        let Some(identity) = identity else {
            if let Some(identity) = permissions.identity()
                && let Some(broker) = self.gateway.known_broker(&identity.account, &identity.region)
            {
                let qos = if request.qos == Some(1) { Qos::AtLeastOnce } else { Qos::AtMostOnce };
                broker.cells.publish_in(Protocol::Http, qos, Outcome::AuthError).add(1);
            }
            return Err(Refusal(StatusCode::FORBIDDEN, "Forbidden".to_owned()));
        };
        Ok(Context {
            principal: Principal::Certificate {
                account: identity.account.clone(),
                certificate_id: identity.certificate_id.clone(),
            },
            account: identity.account.clone(),
            region: identity.region.clone(),
            request_id: trace_id.to_owned(),
            source_ip: Some(source_ip(self.address)),
            secure: true,
        })
    }
}

/// What query and headers say of the message.
fn describe(topic: String, query: &str, headers: &HeaderMap) -> Result<PublishRequest, Error> {
    let mut request = PublishRequest { topic, ..PublishRequest::default() };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let invalid = || Error::InvalidRequest(format!("The query parameter {name} is not valid."));
        let value = percent_decode_str(value).decode_utf8().map_err(|_| invalid())?.into_owned();
        match name {
            "qos" => request.qos = Some(value.parse().map_err(|_| invalid())?),
            "retain" => request.retain = Some(value.parse().map_err(|_| invalid())?),
            "contentType" => request.content_type = Some(value),
            "responseTopic" => request.response_topic = Some(value),
            "messageExpiry" => request.message_expiry = Some(value.parse().map_err(|_| invalid())?),
            _ => {}
        }
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    request.user_properties = header("x-amz-mqtt5-user-properties");
    request.payload_format_indicator = header("x-amz-mqtt5-payload-format-indicator");
    request.correlation_data = header("x-amz-mqtt5-correlation-data");
    Ok(request)
}
