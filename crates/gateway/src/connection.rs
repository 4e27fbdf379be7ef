//! One connection of a device, as one task: bytes to events, events to answers, and deliveries.
//!
//! ```text
//!          ┌──────────────── turn ────────────────┐
//!  wait ──►│ orders ► events ► mailbox ► queue    │──► wait: for the socket to take output, for a publish to become
//!          └──────────────────────────────────────┘         durable, for deliveries, for input, for the keep-alive
//! ```
//!
//! 1. Publishes become durable while the connection reads on: up to [`PUBLISHES_PENDING_MAX`] at a time, each acknowledged when it
//!    has, in any order. They begin in the order of their packets. Beyond that the socket is not read, and TCP pushes back.
//! 2. Everything a turn has to say is written at once, after it.
//! 3. A publish or subscribe that is not for clients (`$…`) ends the connection, and so does a publish that the policies do not
//!    allow; a subscribe that they do not allow is answered so.
//! 4. At its end the session is given back first, then the will is published, then what is still to be said is sent; publishes
//!    that have begun are carried to their end.
//!
//! Source: <https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html>

mod subscribe;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use bytes::BytesMut;
use futures::future::{self, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use kernel::{Context, Principal, Stop, Timestamp};
use mqtt::limits::{PACKET_BYTES_MAX, SESSION_EXPIRY_SECONDS_DEFAULT};
use mqtt::{
    Accept, BasicIngest, CloseCause, Connect, Event, PacketId, Publish, ReasonCode, Session, SessionConfig,
    Version, topic,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::authorize::{Action, Permissions};
use crate::broker::{AttachError, AttachRequest, Attachment, Broker, Departure};
use crate::delivery::{Deliverer, QueueReader};
use crate::error::Chain;
use crate::limits::{CLOSE_TIMEOUT, PUBLISHES_PENDING_MAX, READ_BYTES_MAX, READ_BYTES_MIN};
use crate::mailbox::Mailbox;
use crate::publish::{Consequences, Inbound};
use crate::will::{self, StoredWill, WaitingWill};
use crate::{Error, Gateway};

/// Who is at the other end.
pub(crate) struct Peer {
    pub(crate) permissions: Permissions,
    pub(crate) source_ip: String,
}

/// A publish that has begun; resolves when it is durable.
struct Publishing {
    /// None at QoS 0.
    packet_id: Option<PacketId>,
    consequences: Consequences,
}

impl Future for Publishing {
    type Output = (Option<PacketId>, Result<(), Error>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let result = ready!(self.consequences.poll_unpin(cx));
        Poll::Ready((self.packet_id, result))
    }
}

struct Connection {
    gateway: Arc<Gateway>,
    broker: Arc<Broker>,
    cx: Arc<Context>,
    permissions: Permissions,
    session: Session,
    input: BytesMut,
    /// How much the next read asks for.
    read_bytes: usize,
    publishes: FuturesUnordered<Publishing>,
    attachment: Option<Attachment>,
    queue: Option<QueueReader>,
}

/// Serves a connection until it ends.
pub(crate) fn run<S>(
    gateway: Arc<Gateway>,
    stream: S,
    peer: Peer,
    stop: Stop,
) -> impl Future<Output = ()> + Send
where
    S: AsyncRead + AsyncWrite + Send,
{
    let identity = peer.permissions.identity();
    let (account, region, principal) = match identity {
        Some(identity) => (
            identity.account.clone(),
            identity.region.clone(),
            Principal::Certificate {
                account: identity.account.clone(),
                certificate_id: identity.certificate_id.clone(),
            },
        ),
        None => {
            let account = gateway.config.account.clone();
            (account.clone(), gateway.config.region.clone(), Principal::Root { account })
        }
    };
    let now_ms = gateway.shared.clock.now().as_millis();
    let connection = Connection {
        broker: gateway.broker(&account, &region),
        cx: Arc::new(Context {
            principal,
            account,
            region,
            request_id: gateway.shared.entropy.uuid(),
            source_ip: Some(peer.source_ip),
            secure: peer.permissions.identity().is_some(),
        }),
        permissions: peer.permissions,
        session: Session::new(SessionConfig::default(), now_ms),
        input: BytesMut::new(),
        read_bytes: READ_BYTES_MIN,
        publishes: FuturesUnordered::new(),
        attachment: None,
        queue: None,
        gateway,
    };
    connection.serve(stream, stop)
}

impl Connection {
    fn now(&self) -> Timestamp {
        self.gateway.shared.clock.now()
    }

    async fn serve<S: AsyncRead + AsyncWrite + Send>(mut self, stream: S, mut stop: Stop) {
        let clock = Arc::clone(&self.gateway.shared.clock);
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut unflushed = false;
        let mut timer = clock.sleep_until(Timestamp::EPOCH);
        let mut timer_ms = 0;
        loop {
            self.turn().await;
            let Some(deadline_ms) = self.session.deadline_ms() else { break };
            // The deadline moves with every packet, the timer only when it fires too early.
            if timer_ms == 0 {
                timer_ms = deadline_ms;
                timer = clock.sleep_until(Timestamp::from_millis(deadline_ms));
            }
            // Whatever is in the input is a whole packet that may not be taken yet, or less.
            let reads = self.input.len() < PACKET_BYTES_MAX && self.publishes.len() < PUBLISHES_PENDING_MAX;
            if reads {
                self.input.reserve(self.read_bytes);
            }
            let mailbox = self.attachment.as_ref().map(|attachment| Arc::clone(&attachment.mailbox));
            tokio::select! {
                biased;
                () = stop.stopped() => self.session.disconnect(ReasonCode::ServerShuttingDown),
                sent = send(&mut writer, &mut self.session.output), if unflushed || !self.session.output.is_empty() => {
                    match sent {
                        Ok(flushed) => unflushed = !flushed,
                        Err(_) => self.session.connection_lost(),
                    }
                }
                Some((packet_id, result)) = self.publishes.next(), if !self.publishes.is_empty() => {
                    self.settle(packet_id, result);
                    // Whatever one commit has made durable is acknowledged with one write.
                    while let Some(Some((packet_id, result))) = self.publishes.next().now_or_never() {
                        self.settle(packet_id, result);
                    }
                }
                () = woken(mailbox.as_deref()) => {}
                () = queue_woken(self.queue.as_mut()) => {}
                read = reader.read_buf(&mut self.input), if reads => match read {
                    Ok(0) | Err(_) => self.session.connection_lost(),
                    Ok(bytes) => self.adapt_reads(bytes),
                },
                () = &mut timer => {
                    timer_ms = 0;
                    self.session.expire(clock.now().as_millis());
                }
            }
        }
        Box::pin(self.close(&mut writer, &mut stop)).await;
    }

    /// Everything that can be done without waiting for others.
    async fn turn(&mut self) {
        self.follow_orders();
        while self.publishes.len() < PUBLISHES_PENDING_MAX {
            let now_ms = self.now().as_millis();
            let Some(event) = self.session.receive(&mut self.input, now_ms) else { break };
            self.handle(event).await;
        }
        if self.input.is_empty() {
            // An idle connection holds no buffer.
            self.input = BytesMut::new();
        }
        let Some(attachment) = &self.attachment else { return };
        let mailbox = Arc::clone(&attachment.mailbox);
        let gateway = Arc::clone(&self.gateway);
        let mut deliverer = Deliverer {
            session: &mut self.session,
            permissions: &mut self.permissions,
            cells: &gateway.shared.cells,
            now: gateway.shared.clock.now(),
        };
        deliverer.mailbox(&mailbox);
        if let Some(queue) = &mut self.queue {
            Box::pin(deliverer.queue(queue)).await;
            queue.trim(&self.session);
        }
    }

    fn follow_orders(&mut self) {
        let Some(attachment) = &self.attachment else { return };
        let orders = attachment.mailbox.orders();
        if let Some(reason) = orders.close {
            self.session.disconnect(reason);
        }
        if orders.recheck && !self.permissions.is_active() {
            self.session.disconnect(ReasonCode::NotAuthorized);
        }
    }

    /// The next read asks for twice what this one got: a burst is read in few calls, and what is idle holds little.
    fn adapt_reads(&mut self, bytes: usize) {
        self.read_bytes = (bytes * 2).clamp(READ_BYTES_MIN, READ_BYTES_MAX);
    }

    async fn handle(&mut self, event: Event) {
        match event {
            // Boxed, since they are rare: an idle connection does not carry the room that they need.
            Event::Connect(connect) => Box::pin(self.connect(*connect)).await,
            Event::Publish(publish) => self.publish(publish),
            Event::Subscribe(request) => Box::pin(self.subscribe(request)).await,
            Event::Unsubscribe(request) => Box::pin(self.unsubscribe(request)).await,
            // Its place is free now; the delivery that follows fills it.
            Event::Acknowledged { .. } => {}
        }
    }

    async fn connect(&mut self, connect: Connect) {
        let cells = &self.gateway.shared.cells;
        let expiry_seconds = expiry_seconds(&connect);
        let assigned = connect.client_id.is_empty().then(|| self.gateway.shared.entropy.uuid());
        let client_id = assigned.as_deref().unwrap_or(&connect.client_id);
        if !self.permissions.connect(client_id, &connect, expiry_seconds > 0) {
            cells.connects_refused.add(1);
            self.log_refusal("its policies do not allow it to connect", client_id);
            return self.session.refuse(ReasonCode::NotAuthorized);
        }
        let request = AttachRequest {
            client_id,
            clean_start: connect.clean_start,
            expiry_seconds,
            identity: self.permissions.identity().cloned(),
            will: connect.will.as_ref().and_then(|will| StoredWill::encode(will, &self.cx.principal)),
        };
        match self.broker.attach(request).await {
            Ok((attachment, will)) => {
                cells.connects_accepted.add(1);
                cells.connections.add(1);
                let log = Arc::clone(&self.gateway.shared.log);
                self.queue = attachment.queue.clone().map(|id| QueueReader::new(log, id));
                let session_present = attachment.present;
                self.attachment = Some(attachment);
                let now_ms = self.now().as_millis();
                self.session.accept(Accept { session_present, assigned_client_id: assigned }, now_ms);
                // The certificate may have changed before the watcher could know of this connection.
                if !self.permissions.is_active() {
                    self.session.disconnect(ReasonCode::NotAuthorized);
                }
                if let Some(will) = will {
                    self.begin_will(will);
                }
            }
            Err(error) => {
                cells.connects_refused.add(1);
                self.log_refusal(&Chain(&error).to_string(), client_id);
                let too_many = matches!(error, AttachError::TooMany);
                let reason = if too_many { ReasonCode::QuotaExceeded } else { ReasonCode::ServerUnavailable };
                self.session.refuse(reason);
            }
        }
    }

    fn log_refusal(&self, reason: &str, client_id: &str) {
        if let Some(more) = self.gateway.connection_log.permit(self.now()) {
            tracing::warn!(
                client_id,
                principal = self.cx.principal.arn(),
                reason,
                more,
                "a client is refused"
            );
        }
    }

    fn publish(&mut self, publish: Publish) {
        let Publish { delivery, retain, message, .. } = publish;
        let topic = &message.topic;
        let allowed = self.permissions.allows(Action::Publish, topic)
            && (!retain || self.permissions.allows(Action::RetainPublish, topic));
        if !allowed {
            self.gateway.shared.cells.publish_denied.add(1);
            if let Some(more) = self.gateway.publish_log.permit(self.now()) {
                let principal = self.cx.principal.arn();
                tracing::warn!(topic = &**topic, principal, more, "a publish is not allowed");
            }
            return self.session.disconnect(ReasonCode::NotAuthorized);
        }
        if topic::is_reserved(topic) && BasicIngest::parse(topic).is_none() {
            return self.session.disconnect(ReasonCode::TopicNameInvalid);
        }
        self.gateway.shared.cells.publish_in(delivery.qos()).add(1);
        let session = self.attachment.as_ref().map(|attachment| &attachment.session);
        let inbound = Inbound {
            message,
            qos: delivery.qos(),
            retain,
            client_id: session.map(|session| Arc::clone(&session.client_id)),
            publisher: session.map(|session| session.number),
            hops: 0,
            received_at: self.now(),
        };
        match self.gateway.begin(&self.broker, &self.cx, inbound) {
            Ok(consequences) => self.pursue(delivery.packet_id(), consequences),
            Err(error) => self.settle(delivery.packet_id(), Err(error)),
        }
    }

    /// Begins something that becomes durable later. Polled here once, so that effects begin in the order of their packets.
    fn pursue(&mut self, packet_id: Option<PacketId>, consequences: Consequences) {
        let mut publishing = Publishing { packet_id, consequences };
        match (&mut publishing).now_or_never() {
            Some((packet_id, result)) => self.settle(packet_id, result),
            None => self.publishes.push(publishing),
        }
    }

    fn settle(&mut self, packet_id: Option<PacketId>, result: Result<(), Error>) {
        let reason = match result {
            Ok(()) => ReasonCode::Success,
            Err(error) => {
                self.gateway.publish_failed(&error);
                error.reason()
            }
        };
        if let Some(packet_id) = packet_id {
            self.session.ack(packet_id, reason);
        }
    }

    /// Publishes a will without waiting for it.
    fn begin_will(&mut self, waiting: WaitingWill) {
        match self.gateway.begin_will(&self.broker, waiting) {
            Ok(consequences) => self.pursue(None, consequences),
            Err(error) => self.gateway.publish_failed(&error),
        }
    }

    async fn close<W: AsyncWrite + Unpin>(mut self, writer: &mut W, stop: &mut Stop) {
        let Some(closed) = self.session.closed().cloned() else { return };
        if let Some(attachment) = self.attachment.take() {
            tracing::debug!(client_id = %attachment.session.client_id, cause = ?closed.cause, "disconnected");
            if let Some(queue) = &mut self.queue {
                queue.finish(&self.session).await;
            }
            let will = closed.will.filter(|will| will::is_allowed(&mut self.permissions, will));
            let departure = Departure {
                expiry_seconds: closed.session_expiry_seconds,
                will: will.map(|will| (will, Arc::clone(&self.cx))),
            };
            let broker = Arc::clone(&self.broker);
            if let Some(will) = broker.detach(attachment, departure).await {
                self.begin_will(will);
            }
            // Whoever sees the number fall finds the session given back.
            self.gateway.shared.cells.connections.add(-1);
        }
        if closed.cause != CloseCause::ConnectionLost {
            let output = &mut self.session.output;
            let sent = async {
                while !send(writer, output).await? {}
                writer.shutdown().await
            };
            let clock = Arc::clone(&self.gateway.shared.clock);
            tokio::select! {
                // A client that is gone already needs no goodbye.
                sent = sent => drop(sent),
                () = clock.sleep(CLOSE_TIMEOUT) => {}
            }
        }
        loop {
            tokio::select! {
                biased;
                done = self.publishes.next() => match done {
                    Some((_, Ok(()))) => {}
                    Some((_, Err(error))) => self.gateway.publish_failed(&error),
                    None => return,
                },
                () = stop.stopped() => return,
            }
        }
    }
}

/// How long the session of a client lives after its connection, as `mqtt::Session` grants it.
fn expiry_seconds(connect: &Connect) -> u32 {
    let wanted = match connect.version {
        Version::V311 if connect.clean_start => 0,
        Version::V311 => SESSION_EXPIRY_SECONDS_DEFAULT,
        Version::V5 => connect.properties.session_expiry_seconds.unwrap_or_default(),
    };
    wanted.min(SESSION_EXPIRY_SECONDS_DEFAULT)
}

/// Writes some output, or flushes if there is none left. Whether all is flushed. May be dropped at any await.
async fn send<W: AsyncWrite + Unpin>(writer: &mut W, output: &mut BytesMut) -> std::io::Result<bool> {
    if !output.is_empty() {
        if writer.write_buf(output).await? == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        if !output.is_empty() {
            return Ok(false);
        }
        // What is left of a burst is not held by an idle connection.
        *output = BytesMut::new();
    }
    writer.flush().await?;
    Ok(true)
}

async fn woken(mailbox: Option<&Mailbox>) {
    match mailbox {
        Some(mailbox) => mailbox.woken().await,
        None => future::pending().await,
    }
}

async fn queue_woken(queue: Option<&mut QueueReader>) {
    match queue {
        Some(queue) => queue.woken().await,
        None => future::pending().await,
    }
}
