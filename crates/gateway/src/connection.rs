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
//! 4. A certificate's connection whose rate, or whose account's, is used up is not read until some of it is there again.
//! 5. At its end the session is given back first, then the will is published, then what is still to be said is sent; publishes
//!    that have begun are carried to their end.
//!
//! Source: <https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html>

mod publishing;
mod subscribe;

use std::sync::Arc;

use bytes::BytesMut;
use futures::future::{self, FutureExt, OptionFuture};
use futures::stream::{FuturesUnordered, StreamExt};
use kernel::{Context, Principal, Stop, Timestamp};
use mqtt::limits::{PACKET_BYTES_MAX, SESSION_EXPIRY_SECONDS_DEFAULT};
use mqtt::{Accept, CloseCause, Connect, Event, ReasonCode, Session, SessionConfig, Version};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use self::publishing::Publishing;
use crate::authorize::Permissions;
use crate::broker::{AttachError, AttachRequest, Attachment, Broker, Departure};
use crate::delivery::{Deliverer, QueueReader};
use crate::error::Chain;
use crate::limits::{CLOSE_TIMEOUT, PUBLISHES_PENDING_MAX, READ_BYTES_MAX, READ_BYTES_MIN};
use crate::mailbox::Mailbox;
use crate::metrics::Outcome;
use crate::throttle::ConnectionRates;
use crate::will::{self, StoredWill};
use crate::{Config, Error, Gateway};

/// Who is at the other end.
pub(crate) struct Peer {
    permissions: Permissions,
    source_ip: String,
    principal: Principal,
    broker: Arc<Broker>,
}

impl Peer {
    /// A peer with these rights.
    ///
    /// # Errors
    /// `ThrottlingException` when its account has messages in as many regions as it may.
    pub(crate) fn new(gateway: &Gateway, permissions: Permissions, source_ip: String) -> Result<Self, Error> {
        let (account, region, principal) = match permissions.identity() {
            Some(identity) => {
                let (account, certificate_id) = (identity.account.clone(), identity.certificate_id.clone());
                (&identity.account, &identity.region, Principal::Certificate { account, certificate_id })
            }
            None => {
                let Config { account, region, .. } = &gateway.config;
                (account, region, Principal::Root { account: account.clone() })
            }
        };
        let broker = gateway.broker(account, region)?;
        Ok(Self { permissions, source_ip, principal, broker })
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
    /// None for the root.
    rates: Option<ConnectionRates>,
    /// Until when the connection is not read, since its rate is used up.
    held_until: Option<Timestamp>,
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
    let Peer { permissions, source_ip, principal, broker } = peer;
    let certified = permissions.identity().is_some();
    let now_ms = gateway.shared.clock.now().as_millis();
    let connection = Connection {
        cx: Arc::new(Context {
            principal,
            account: broker.account.clone(),
            region: broker.region.clone(),
            request_id: gateway.shared.entropy.uuid(),
            source_ip: Some(source_ip),
            secure: certified,
        }),
        broker,
        permissions,
        session: Session::new(SessionConfig::default(), now_ms),
        input: BytesMut::new(),
        read_bytes: READ_BYTES_MIN,
        publishes: FuturesUnordered::new(),
        attachment: None,
        queue: None,
        rates: certified.then(|| ConnectionRates::new(&gateway.config.quotas)),
        held_until: None,
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
            let held = OptionFuture::from(self.held_until.map(|at| clock.sleep_until(at)));
            let is_held = self.held_until.is_some();
            let reads = !is_held
                && self.input.len() < PACKET_BYTES_MAX
                && self.publishes.len() < PUBLISHES_PENDING_MAX;
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
                Some((pursued, result)) = self.publishes.next(), if !self.publishes.is_empty() => {
                    self.settle(pursued, result);
                    // Whatever one commit has made durable is acknowledged with one write.
                    while let Some(Some((pursued, result))) = self.publishes.next().now_or_never() {
                        self.settle(pursued, result);
                    }
                }
                () = woken(mailbox.as_deref()) => {}
                () = queue_woken(self.queue.as_mut()) => {}
                read = reader.read_buf(&mut self.input), if reads => match read {
                    Ok(0) | Err(_) => self.session.connection_lost(),
                    Ok(bytes) => self.adapt_reads(bytes),
                },
                Some(()) = held, if is_held => {}
                // What the client has sent meanwhile is not read: its silence is ours.
                () = &mut timer, if !is_held => {
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
        self.held_until = None;
        while self.publishes.len() < PUBLISHES_PENDING_MAX {
            let now = self.now();
            self.held_until = self.next_allowed(now);
            if self.held_until.is_some() {
                break;
            }
            let now_ms = now.as_millis();
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
            cells: &self.broker.cells,
            now: gateway.shared.clock.now(),
        };
        deliverer.mailbox(&mailbox);
        if let Some(queue) = &mut self.queue {
            Box::pin(deliverer.queue(queue)).await;
            queue.trim(&self.session);
        }
    }

    /// When the client may send more; none if it may now.
    fn next_allowed(&self, now: Timestamp) -> Option<Timestamp> {
        let rates = self.rates.as_ref().filter(|_| self.attachment.is_some())?;
        rates.next(now).max(self.broker.publishes.next(now))
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
        let expiry_seconds = expiry_seconds(&connect);
        let assigned = connect.client_id.is_empty().then(|| self.gateway.shared.entropy.uuid());
        let client_id = assigned.as_deref().unwrap_or(&connect.client_id);
        if self.rates.is_some() && !self.broker.connects.try_take(self.now()) {
            self.broker.cells.connects(Outcome::Throttle).add(1);
            self.log_refusal("its account connects too often", client_id);
            return self.session.refuse(reason_of(connect.version, ReasonCode::ConnectionRateExceeded));
        }
        if !self.permissions.connect(client_id, &connect, expiry_seconds > 0) {
            self.broker.cells.connects(Outcome::AuthError).add(1);
            self.log_refusal("its policies do not allow it to connect", client_id);
            return self.session.refuse(ReasonCode::NotAuthorized);
        }
        let request = AttachRequest {
            client_id,
            clean_start: connect.clean_start,
            expiry_seconds,
            principal: self.cx.principal.arn(),
            permissions: &mut self.permissions,
            will: connect.will.as_ref().and_then(|will| StoredWill::encode(will, &self.cx.principal)),
        };
        match self.broker.attach(request).await {
            Ok((attachment, will)) => {
                self.broker.cells.connects(Outcome::Success).add(1);
                self.broker.cells.connections.add(1);
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
                self.log_refusal(&Chain(&error).to_string(), client_id);
                let (outcome, reason) = match error {
                    AttachError::TooMany => {
                        (Outcome::Throttle, reason_of(connect.version, ReasonCode::QuotaExceeded))
                    }
                    AttachError::TakenOver => (Outcome::ClientError, ReasonCode::ServerUnavailable),
                    AttachError::Busy | AttachError::Store(_) => {
                        (Outcome::ServerError, ReasonCode::ServerUnavailable)
                    }
                };
                self.broker.cells.connects(outcome).add(1);
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

    async fn close<W: AsyncWrite + Unpin>(mut self, writer: &mut W, stop: &mut Stop) {
        let Some(closed) = self.session.closed().cloned() else { return };
        if let Some(attachment) = self.attachment.take() {
            tracing::debug!(client_id = &*attachment.session.client_id, cause = ?closed.cause, "disconnected");
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
            self.broker.cells.connections.add(-1);
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
                    Some((pursued, result)) => self.conclude(pursued, result),
                    None => return,
                },
                () = stop.stopped() => return,
            }
        }
    }
}

/// Why a client may not connect just now, in the words of its version: MQTT 3.1.1 has one for all of that.
fn reason_of(version: Version, reason: ReasonCode) -> ReasonCode {
    if version == Version::V311 { ReasonCode::ServerUnavailable } else { reason }
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
