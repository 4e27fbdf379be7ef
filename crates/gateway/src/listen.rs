//! The listeners: connections are counted, owned by a task group, and refused nothing but room.
//!
//! 1. At most so many connections of a listener are open; further ones wait in the kernel's queue.
//! 2. TCP_NODELAY is set on each: a small packet never waits for a delayed ACK.
//! 3. A TLS handshake that takes too long ends, and so does a connection without CONNECT (`mqtt::Session`).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use kernel::{Clock, Stop, TaskGroup, TaskKind};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::authenticate::certificate_id;
use crate::authorize::Permissions;
use crate::connection::{self, Peer};
use crate::limits::{ACCEPT_PAUSE, CONNECTIONS_MAX, HANDSHAKE_TIMEOUT};
use crate::{Gateway, tasks};

/// MQTT in the clear, for the root of the account, from loopback addresses only.
pub(crate) fn plain(gateway: &Arc<Gateway>, group: &TaskGroup, listener: Arc<TcpListener>) {
    let gateway = Arc::clone(gateway);
    let clock = Arc::clone(&gateway.shared.clock);
    let bounds = Bounds { connections_max: CONNECTIONS_MAX, kind: &tasks::CONNECTION };
    accept(group, listener, clock, bounds, move |stream, address, stop| {
        let gateway = Arc::clone(&gateway);
        async move {
            if !address.ip().to_canonical().is_loopback() {
                tracing::warn!(%address, "MQTT without TLS is for loopback addresses only");
                return;
            }
            let peer = Peer { permissions: Permissions::Root, source_ip: source_ip(address) };
            connection::run(gateway, stream, peer, stop).await;
        }
    });
}

/// MQTT over TLS, for registered certificates.
pub(crate) fn tls(
    gateway: &Arc<Gateway>,
    group: &TaskGroup,
    listener: Arc<TcpListener>,
    acceptor: TlsAcceptor,
) {
    let gateway = Arc::clone(gateway);
    let clock = Arc::clone(&gateway.shared.clock);
    let bounds = Bounds { connections_max: CONNECTIONS_MAX, kind: &tasks::CONNECTION };
    accept(group, listener, clock, bounds, move |stream, address, mut stop| {
        let (gateway, acceptor) = (Arc::clone(&gateway), acceptor.clone());
        async move {
            let Some((stream, permissions)) =
                handshake(&gateway, &acceptor, stream, address, &mut stop).await
            else {
                return;
            };
            let peer = Peer { permissions, source_ip: source_ip(address) };
            connection::run(gateway, stream, peer, stop).await;
        }
    });
}

/// The TLS handshake, and what its certificate may do. None ends the connection.
pub(crate) async fn handshake(
    gateway: &Gateway,
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    address: SocketAddr,
    stop: &mut Stop,
) -> Option<(TlsStream<TcpStream>, Permissions)> {
    let accepted = tokio::select! {
        accepted = acceptor.accept(stream) => accepted,
        () = gateway.shared.clock.sleep(HANDSHAKE_TIMEOUT) => return None,
        () = stop.stopped() => return None,
    };
    let stream = match accepted {
        Ok(stream) => stream,
        Err(error) => {
            if let Some(more) = gateway.connection_log.permit(gateway.shared.clock.now()) {
                tracing::warn!(%address, %error, more, "a TLS handshake failed");
            }
            return None;
        }
    };
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    // The handshake looked the same up; it may have been deactivated since.
    let permissions = Permissions::of(&gateway.devices, &certificate_id(certificate), &source_ip(address))?;
    Some((stream, permissions))
}

pub(crate) fn source_ip(address: SocketAddr) -> String {
    let ip: IpAddr = address.ip().to_canonical();
    ip.to_string()
}

/// How many connections a listener has, and what their tasks are.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) connections_max: usize,
    pub(crate) kind: &'static TaskKind,
}

/// Accepts connections until the group is cancelled. Each is a task of the group.
pub(crate) fn accept<F, Fut>(
    group: &TaskGroup,
    listener: Arc<TcpListener>,
    clock: Arc<dyn Clock>,
    bounds: Bounds,
    serve: F,
) where
    F: Fn(TcpStream, SocketAddr, Stop) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let connections = group.child("connections");
    group.spawn(&tasks::ACCEPT, |mut stop| async move {
        let permits = Arc::new(Semaphore::new(bounds.connections_max));
        loop {
            let permit = tokio::select! {
                permit = Arc::clone(&permits).acquire_owned() => permit.expect("the semaphore is never closed"),
                () = stop.stopped() => return,
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.stopped() => return,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, or a client that left before it was accepted.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::select! {
                        () = clock.sleep(ACCEPT_PAUSE) => continue,
                        () = stop.stopped() => return,
                    }
                }
            };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%address, %error, "a connection ended before it was served");
                continue;
            }
            connections.spawn(bounds.kind, |stop| {
                // Boxed, since each layer around a future would carry it twice: some 25 KB for each idle connection.
                let served = Box::pin(serve(stream, address, stop));
                async move {
                    served.await;
                    drop(permit);
                }
            });
        }
    });
}
