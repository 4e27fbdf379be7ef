//! The listeners: connections are counted, owned by a task group, and refused nothing but room.
//!
//! 1. At most so many connections of a listener are open; further ones wait in the kernel's queue.
//! 2. TCP_NODELAY is set on each: a small packet never waits for a delayed ACK.
//! 3. A source address has a tenth of them at most, and an account nine tenths; one more is closed, so that there is room for others.
//! 4. A TLS handshake that takes too long ends, and so does a connection without CONNECT (`mqtt::Session`). Of handshakes too only so
//!    many are under way, a tenth of them from one address; further ones wait, as long as a handshake may take.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use kernel::metrics::Counter;
use kernel::{AccountId, Clock, Stop, TaskGroup, TaskKind};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::authenticate::certificate_id;
use crate::authorize::Permissions;
use crate::connection::{self, Peer};
use crate::limits::{ACCEPT_PAUSE, ADDRESS_SHARE, CONNECTIONS_MAX, HANDSHAKE_TIMEOUT};
use crate::shares::{Counted, Shares, source};
use crate::{Gateway, tasks};

/// MQTT in the clear, for the root of the account, from loopback addresses only.
pub(crate) fn plain(gateway: &Arc<Gateway>, group: &TaskGroup, listener: Arc<TcpListener>) {
    let gateway = Arc::clone(gateway);
    let clock = Arc::clone(&gateway.shared.clock);
    let bounds = Bounds::new(&gateway, CONNECTIONS_MAX, &tasks::CONNECTION);
    accept(group, listener, clock, bounds, move |stream, address, stop| {
        let gateway = Arc::clone(&gateway);
        async move {
            if !address.ip().to_canonical().is_loopback() {
                tracing::warn!(%address, "MQTT without TLS is for loopback addresses only");
                return;
            }
            match Peer::new(&gateway, Permissions::Root, source_ip(address)) {
                Ok(peer) => connection::run(gateway, stream, peer, stop).await,
                Err(error) => tracing::warn!(%address, %error, "a connection is not served"),
            }
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
    let bounds = Bounds::new(&gateway, CONNECTIONS_MAX, &tasks::CONNECTION);
    accept(group, listener, clock, bounds, move |stream, address, mut stop| {
        let (gateway, acceptor) = (Arc::clone(&gateway), acceptor.clone());
        async move {
            let Some(Admitted { stream, permissions, _counted }) =
                handshake(&gateway, &acceptor, Port::Mqtts, (stream, address), &mut stop).await
            else {
                return;
            };
            match Peer::new(&gateway, permissions, source_ip(address)) {
                Ok(peer) => connection::run(gateway, stream, peer, stop).await,
                Err(error) => tracing::warn!(%address, %error, "a connection is not served"),
            }
        }
    });
}

/// A TLS port.
#[derive(Clone, Copy)]
pub(crate) enum Port {
    Mqtts,
    Https,
}

/// A peer after its handshake.
pub(crate) struct Admitted {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) permissions: Permissions,
    /// Held as long as the connection.
    pub(crate) _counted: Counted<AccountId>,
}

/// The TLS handshake, and what its certificate may do. None ends the connection.
pub(crate) async fn handshake(
    gateway: &Gateway,
    acceptor: &TlsAcceptor,
    port: Port,
    (stream, address): (TcpStream, SocketAddr),
    stop: &mut Stop,
) -> Option<Admitted> {
    let Some(counted) = gateway.handshaking.enter(source(address.ip())) else {
        gateway.refusals.address.add(1);
        return None;
    };
    let accepting = async {
        let _permit = gateway.handshakes.acquire().await.expect("the semaphore is never closed");
        acceptor.accept(stream).await
    };
    let accepted = tokio::select! {
        accepted = accepting => accepted,
        () = gateway.shared.clock.sleep(HANDSHAKE_TIMEOUT) => {
            gateway.refusals.timeout.add(1);
            return None;
        }
        () = stop.stopped() => return None,
    };
    drop(counted);
    let stream = match accepted {
        Ok(stream) => stream,
        Err(error) => {
            gateway.refusals.handshake.add(1);
            if let Some(more) = gateway.connection_log.permit(gateway.shared.clock.now()) {
                tracing::warn!(%address, %error, more, "a TLS handshake failed");
            }
            return None;
        }
    };
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    // The handshake looked the same up; it may have been deactivated since.
    let permissions = Permissions::of(&gateway.devices, &certificate_id(certificate), &source_ip(address))?;
    let account = permissions.identity().map(|identity| identity.account.clone());
    let Some(counted) = gateway.certified[port as usize].enter(account) else {
        gateway.refusals.account.add(1);
        return None;
    };
    Some(Admitted { stream, permissions, _counted: counted })
}

pub(crate) fn source_ip(address: SocketAddr) -> String {
    let ip: IpAddr = address.ip().to_canonical();
    ip.to_string()
}

/// How many connections a listener has, and what their tasks are.
pub(crate) struct Bounds {
    connections_max: usize,
    kind: &'static TaskKind,
    refused: Counter,
}

impl Bounds {
    pub(crate) fn new(gateway: &Gateway, connections_max: usize, kind: &'static TaskKind) -> Self {
        Self { connections_max, kind, refused: gateway.refusals.address.clone() }
    }
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
    let sources = Shares::new(bounds.connections_max / ADDRESS_SHARE);
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
            let Some(counted) = sources.enter(source(address.ip())) else {
                bounds.refused.add(1);
                continue;
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
                    drop((permit, counted));
                }
            });
        }
    });
}
