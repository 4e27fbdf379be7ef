//! The HTTP server under every HTTP port of the node: connections are counted, owned, and ended in order.
//!
//! 1. A port has at most [`CONNECTIONS_MAX`] connections open; further ones wait in the kernel's queue. A source address has at
//!    most [`crate::limits::CONNECTIONS_PER_SOURCE_MAX`] of them; further ones are closed.
//! 2. Whoever holds something has to move: there is a time for the handshake, the head of a request, its body, and for taking the answer
//!    (`limits.rs`). Slow clients hold nothing.
//! 3. A request's head is whole and means one thing before anyone sees it (`http/head.rs`). A body in memory has been given room for
//!    (`http/body.rs`).
//! 4. TCP_NODELAY is set on every connection: a small answer never waits for a delayed ACK.
//! 5. On shutdown a connection finishes the request at hand and takes no further one.

mod activity;
mod body;
mod head;
mod sources;
mod timer;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use kernel::metrics::Gauge;
use kernel::{Clock, Metrics, Stop, TaskGroup};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wire::{Arrival, Fault};

use self::activity::{Activity, Tracked, Verdict, Watched};
pub(crate) use self::body::{Body, Collected, Paced, full};
use self::sources::{Source, Sources};
use self::timer::ConnectionTimer;
use crate::limits::{
    BODIES_KIB_MAX, CONNECTIONS_MAX, ERROR_RESETS_MAX, HANDSHAKE_TIMEOUT, HEAD_BYTES_MAX, HEAD_TIMEOUT,
    HEADERS_MAX, IDLE_TIMEOUT, PENDING_RESETS_MAX, SEND_BUFFER_BYTES, STREAMS_MAX,
};
use crate::metrics::{CONNECTIONS, CONNECTIONS_REFUSED, REQUESTS_REFUSED};
use crate::tasks;
use crate::tls::Tls;

/// How long the port rests when the system has no room for a further connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers the requests of one port.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The answer; every failure is one too.
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Arc<Peer>,
    ) -> BoxFuture<'static, Response<Body>>;

    /// The answer to a request that is refused for its form, size or pace, in the form its client reads.
    fn refuse(&self, parts: &Parts, fault: &Fault) -> Response<Body>;
}

/// What a port is made of.
pub(crate) struct Port {
    /// `api` or `console`.
    pub(crate) name: &'static str,
    /// Where it listens.
    pub(crate) listener: Arc<TcpListener>,
    /// What it presents, if it speaks TLS.
    pub(crate) tls: Option<Arc<Tls>>,
    /// The time by which clients are slow.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where connections are counted.
    pub(crate) metrics: Metrics,
}

/// Who sent a request: what the connection tells, and what the node still has room for.
pub(crate) struct Peer {
    address: SocketAddr,
    secure: bool,
    source: Source,
    shared: Arc<Shared>,
}

impl Peer {
    /// The connection, as operations know it.
    pub(crate) fn arrival(&self) -> Arrival {
        Arrival { source_ip: Some(self.address.ip().to_string()), secure: self.secure }
    }

    /// The whole body of a request, for as long as what is returned lives.
    ///
    /// # Errors
    /// The fault to answer with: 413 for a body over `bytes_max`, 408 for one that does not move, 400 for one that breaks off, 503 when
    /// there is no room for it.
    pub(crate) async fn collect(&self, body: Incoming, bytes_max: usize) -> Result<Collected, Fault> {
        let Shared { port, room } = &*self.shared;
        let collected = body::collect(body, bytes_max, [&self.source.room, room], &port.clock).await;
        collected.inspect_err(|fault| self.shared.count(fault.status))
    }

    /// The body as it comes, as long as it moves.
    pub(crate) fn paced(&self, body: Incoming) -> Paced {
        Paced::new(body, Arc::clone(&self.shared.port.clock))
    }
}

/// What the connections of a port share.
struct Shared {
    port: Port,
    /// Kibibytes of bodies for which there is room.
    room: Arc<Semaphore>,
}

impl Shared {
    fn count(&self, status: u16) {
        self.port.metrics.counter(&REQUESTS_REFUSED, &[self.port.name, &status.to_string()]).add(1);
    }

    fn refused(&self, reason: &'static str) {
        self.port.metrics.counter(&CONNECTIONS_REFUSED, &[self.port.name, reason]).add(1);
    }
}

/// Accepts connections until the group is cancelled. Each connection is a task of the group.
pub(crate) fn serve(group: &TaskGroup, port: Port, handler: Arc<impl Handler>) {
    let connections = group.child("connections");
    let room = Arc::new(Semaphore::new(BODIES_KIB_MAX as usize));
    let shared = Arc::new(Shared { port, room });
    group.spawn(&tasks::ACCEPT, |mut stop| async move {
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let sources = Sources::default();
        loop {
            let permit = tokio::select! {
                permit = Arc::clone(&permits).acquire_owned() => permit.expect("the semaphore is never closed"),
                () = stop.stopped() => return,
            };
            let (stream, address) = tokio::select! {
                accepted = shared.port.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, or a client that left before it was accepted.
                        tracing::warn!(%error, "a connection was not accepted");
                        shared.port.clock.sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
                () = stop.stopped() => return,
            };
            let Some(source) = sources.enter(address.ip()) else {
                shared.refused("source");
                continue;
            };
            stream.set_nodelay(true).ok();
            let peer = Peer { address, secure: shared.port.tls.is_some(), source, shared: Arc::clone(&shared) };
            let handler = Arc::clone(&handler);
            connections.spawn(&tasks::CONNECTION, |stop| connection(stream, peer, handler, permit, stop));
        }
    });
}

/// Counts a connection for as long as it lives.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: Gauge) -> Self {
        gauge.add(1);
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    handler: Arc<impl Handler>,
    permit: OwnedSemaphorePermit,
    mut stop: Stop,
) {
    let shared = Arc::clone(&peer.shared);
    let _counted = Counted::new(shared.port.metrics.gauge(&CONNECTIONS, &[shared.port.name]));
    match &shared.port.tls {
        None => exchange(stream, peer, handler, stop).await,
        Some(tls) => {
            let secured = tokio::select! {
                secured = secure(stream, tls) => secured,
                () = shared.port.clock.sleep(HANDSHAKE_TIMEOUT) => Err("handshake"),
                () = stop.stopped() => return,
            };
            match secured {
                Ok(stream) => exchange(stream, peer, handler, stop).await,
                Err(reason) => shared.refused(reason),
            }
        }
    }
    drop(permit);
}

/// Begins TLS; a client that speaks HTTP is told so.
async fn secure(
    mut stream: TcpStream,
    tls: &Tls,
) -> Result<Box<tokio_rustls::server::TlsStream<TcpStream>>, &'static str> {
    let mut first = [0];
    match stream.peek(&mut first).await {
        // The first byte of every handshake is its record type, 22.
        Ok(1) if first != [22] => {
            let body = "This port speaks HTTPS.\n";
            let answer = format!(
                "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.ok();
            stream.shutdown().await.ok();
            return Err("plain");
        }
        Ok(1) => {}
        _ => return Err("handshake"),
    }
    let secured = tls.acceptor().accept(stream).await;
    secured.map(Box::new).map_err(|error| {
        tracing::debug!(%error, "no TLS handshake");
        "handshake"
    })
}

/// Serves the requests of a connection until it ends, or has to.
async fn exchange<S>(stream: S, peer: Peer, handler: Arc<impl Handler>, mut stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shared = Arc::clone(&peer.shared);
    let address = peer.address;
    let clock = Arc::clone(&shared.port.clock);
    let activity = Activity::new(Arc::clone(&clock));
    let peer = Arc::new(peer);
    let requests = Arc::clone(&activity);
    let service = service_fn(move |request: Request<Incoming>| {
        let begun = requests.begin();
        let (handler, peer) = (Arc::clone(&handler), Arc::clone(&peer));
        async move {
            let answer = answer(handler, request, peer).await;
            Ok::<_, std::convert::Infallible>(answer.map(|body| Tracked::new(body, begun)))
        }
    });
    let builder = builder(&clock);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let mut connection = pin!(builder.serve_connection(io, service));
    let (mut told_to_end, mut stopping) = (false, false);
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            verdict = activity.verdict() => match verdict {
                Verdict::Idle if !told_to_end => {}
                // It was told, and does not go.
                Verdict::Idle => return,
                Verdict::Stalled => return shared.refused("stalled"),
            },
            () = stop.stopped(), if !stopping => stopping = true,
        }
        told_to_end = true;
        activity.restart();
        connection.as_mut().graceful_shutdown();
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %address, error, "connection ended");
    }
}

async fn answer(handler: Arc<impl Handler>, request: Request<Incoming>, peer: Arc<Peer>) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    match head::check(&mut parts) {
        Ok(()) => handler.handle(Request::from_parts(parts, body), peer).await,
        Err(fault) => {
            peer.shared.count(fault.status);
            let mut answer = handler.refuse(&parts, &fault);
            head::close(&parts, &mut answer);
            answer
        }
    }
}

fn builder(clock: &Arc<dyn Clock>) -> auto::Builder<TokioExecutor> {
    let timer = ConnectionTimer::new(Arc::clone(clock));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(timer.clone())
        .header_read_timeout(HEAD_TIMEOUT)
        // Twice what a head may have, so that the node can say itself what is wrong with it.
        .max_buf_size(2 * HEAD_BYTES_MAX)
        .max_headers(2 * HEADERS_MAX)
        .http2()
        .timer(timer)
        .keep_alive_interval(IDLE_TIMEOUT)
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(ERROR_RESETS_MAX)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_header_list_size(u32::try_from(2 * HEAD_BYTES_MAX).unwrap_or(u32::MAX));
    builder
}
