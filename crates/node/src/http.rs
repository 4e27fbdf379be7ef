//! The HTTP server under every HTTP port of the node: connections are counted, owned, and ended in order.
//!
//! 1. At most [`CONNECTIONS_MAX`] connections of a port are open; further ones wait in the kernel's queue.
//! 2. A connection that does not finish its request's head in [`HEAD_TIMEOUT`] is closed: slow clients hold nothing.
//! 3. TCP_NODELAY is set on every connection: a small answer never waits for a delayed ACK.
//! 4. On shutdown a connection finishes the request at hand and takes no further one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use kernel::TaskGroup;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::tasks;

/// How many connections one port holds open. Each costs a task and some kilobytes of buffers.
const CONNECTIONS_MAX: usize = 2048;

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// How many requests of one HTTP/2 connection are served at the same time.
const STREAMS_MAX: u32 = 128;

/// The largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// An answer's body.
pub(crate) type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Answers the requests of one port.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The answer; every failure is one too.
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> BoxFuture<'static, Response<Body>>;
}

/// A body that is already whole.
pub(crate) fn full(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// The whole body of a request.
///
/// # Errors
/// The answer to give: 413 for a body over `bytes_max`, 400 for one that breaks off.
pub(crate) async fn collect(body: Incoming, bytes_max: usize) -> Result<Bytes, Response<Body>> {
    let refused = |status: StatusCode| {
        let mut response = Response::new(full(Bytes::new()));
        *response.status_mut() = status;
        response
    };
    // Unread, so that a client that waits for `100 Continue` does not send it at all.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(refused(StatusCode::PAYLOAD_TOO_LARGE));
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(refused(StatusCode::PAYLOAD_TOO_LARGE)),
        Err(_) => Err(refused(StatusCode::BAD_REQUEST)),
    }
}

/// Accepts connections until the group is cancelled. Each connection is a task of the group.
pub(crate) fn serve(group: &TaskGroup, listener: Arc<TcpListener>, handler: Arc<impl Handler>) {
    let connections = group.child("connections");
    group.spawn(&tasks::ACCEPT, |mut stop| async move {
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let permit = tokio::select! {
                permit = Arc::clone(&permits).acquire_owned() => permit.expect("the semaphore is never closed"),
                () = stop.stopped() => return,
            };
            let (stream, peer) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, or a client that left before it was accepted.
                        tracing::warn!(%error, "a connection was not accepted");
                        tokio::task::yield_now().await;
                        continue;
                    }
                },
                () = stop.stopped() => return,
            };
            stream.set_nodelay(true).ok();
            let handler = Arc::clone(&handler);
            connections.spawn(&tasks::CONNECTION, |mut stop| async move {
                let service = service_fn(move |request| {
                    let answer = Arc::clone(&handler).handle(request, peer);
                    async move { Ok::<_, std::convert::Infallible>(answer.await) }
                });
                let mut builder = auto::Builder::new(TokioExecutor::new());
                builder
                    .http1()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEAD_TIMEOUT)
                    .max_buf_size(HEAD_BYTES_MAX)
                    .http2()
                    .timer(TokioTimer::new())
                    .max_concurrent_streams(STREAMS_MAX)
                    .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX));
                let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
                tokio::pin!(connection);
                let ended = tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = stop.stopped() => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                };
                if let Err(error) = ended {
                    tracing::debug!(%peer, error, "connection ended");
                }
                drop(permit);
            });
        }
    });
}
