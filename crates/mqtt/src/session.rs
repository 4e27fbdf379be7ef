//! The server's end of one MQTT connection: bytes in, events out, bytes out. No socket, no clock.
//!
//! ```text
//!                 CONNECT                accept()
//! AwaitingConnect ───────► Deciding ───────────────► Connected
//!        │                    │ refuse()                 │ DISCONNECT, keep-alive, violation, disconnect()
//!        │ timeout, violation ▼                          ▼
//!        └─────────────────► Closed ◄────────────────────┘        connection_lost() from anywhere
//! ```
//!
//! The invariants are numbered in the crate's documentation, S1 to S8.
//!
//! Source: MQTT 3.1.1 and 5 §3 and §4; AWS IoT Core, "MQTT 5 supported features", "MQTT reason codes" and
//! "AWS IoT differences from MQTT specifications"
//! (<https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html>).
//!
//! Differs from AWS: a packet above the maximum packet size is answered with the standard's 0x95, which AWS
//! does not list.
//! Differs from AWS: an unacknowledged message is sent again when the client comes back, not during the
//! connection (MQTT-4.4.0-1).

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use bytes::BytesMut;

use crate::codec::{Decoder, encode, encoded_bytes};
use crate::event::{
    Accept, CloseCause, Closed, Delivered, Event, Outgoing, RequestedSubscription, SessionConfig,
    SubscribeRequest, UnsubscribeRequest,
};
use crate::inflight::Inflight;
use crate::limits::{
    CLIENT_ID_BYTES_MAX, CONNECT_TIMEOUT_MS, INFLIGHT_MAX, KEEP_ALIVE_SECONDS_MAX, KEEP_ALIVE_SECONDS_MIN,
    MESSAGE_EXPIRY_SECONDS_MAX, OUTPUT_BYTES_MAX, PACKET_BYTES_MAX, PAYLOAD_BYTES_MAX, TOPIC_ALIAS_MAX,
};
use crate::packet::{
    Ack, Connack, Connect, Delivery, Disconnect, Message, Packet, PacketId, Publish, Qos, Suback, Subscribe,
    Unsuback, Unsubscribe, Version, Will,
};
use crate::properties::{AckProperties, ConnackProperties};
use crate::reason::{ReasonCode, Violation, allowed};
use crate::topic::{TopicFilter, check_name_limits};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    AwaitingConnect,
    Deciding,
    Connected,
    Closed,
}

/// See the module and crate documentation.
#[derive(Debug)]
pub struct Session {
    /// What is to be sent, in order. The caller takes it (`split`, `advance`) whenever it likes.
    pub output: BytesMut,
    config: SessionConfig,
    phase: Phase,
    decoder: Decoder,
    deadline_ms: i64,
    keep_alive_seconds: u16,
    /// What CONNACK will say, while the caller decides.
    connack: Option<Box<ConnackProperties>>,
    session_expiry_seconds: u32,
    will: Option<Will>,
    /// Publishes at QoS 1 that the caller has not acknowledged.
    incoming: Vec<PacketId>,
    inflight: Inflight,
    client_packet_bytes_max: Option<NonZeroU32>,
    aliases: [Option<Arc<str>>; TOPIC_ALIAS_MAX as usize],
    closed: Option<Closed>,
}

impl Session {
    /// A transport has just been opened. `now_ms` is of any clock that does not go back; all others of this
    /// session must be of the same.
    pub fn new(config: SessionConfig, now_ms: i64) -> Self {
        Self {
            output: BytesMut::new(),
            config,
            phase: Phase::AwaitingConnect,
            decoder: Decoder::new(PACKET_BYTES_MAX),
            deadline_ms: now_ms.saturating_add(CONNECT_TIMEOUT_MS),
            keep_alive_seconds: KEEP_ALIVE_SECONDS_MAX,
            connack: None,
            session_expiry_seconds: 0,
            will: None,
            incoming: Vec::new(),
            inflight: Inflight::new(INFLIGHT_MAX),
            client_packet_bytes_max: None,
            aliases: Default::default(),
            closed: None,
        }
    }

    /// Takes packets from the front of `input` until one needs the caller, or none is whole, or the session
    /// must not read on (S4, S5).
    pub fn receive(&mut self, input: &mut BytesMut, now_ms: i64) -> Option<Event> {
        while self.may_read() {
            match self.decoder.decode(input) {
                Ok(Some(packet)) => {
                    if self.phase == Phase::Connected {
                        self.restart_keep_alive(now_ms);
                    }
                    match self.handle(packet) {
                        Ok(None) => {}
                        Ok(Some(event)) => return Some(event),
                        Err(violation) => self.fail(violation),
                    }
                }
                Ok(None) => return None,
                Err(violation) => self.fail(violation),
            }
        }
        None
    }

    /// Answers CONNECT. Without effect when the connection has ended meanwhile.
    pub fn accept(&mut self, accept: Accept, now_ms: i64) {
        if self.phase == Phase::Closed {
            return;
        }
        assert_eq!(self.phase, Phase::Deciding, "accept answers Event::Connect");
        self.phase = Phase::Connected;
        self.restart_keep_alive(now_ms);
        let mut properties = *self.connack.take().expect("set when the phase became Deciding");
        properties.assigned_client_id = accept.assigned_client_id;
        self.write(&Packet::Connack(Box::new(Connack {
            session_present: accept.session_present,
            reason: ReasonCode::Success,
            properties,
        })));
    }

    /// Answers CONNECT with a failure, and closes. Without effect when the connection has ended meanwhile.
    pub fn refuse(&mut self, reason: ReasonCode) {
        if self.phase == Phase::Closed {
            return;
        }
        assert_eq!(self.phase, Phase::Deciding, "refuse answers Event::Connect");
        self.write_refusal(reason);
        self.close(CloseCause::Refused(reason));
    }

    /// Answers a publish at QoS 1. MQTT 3.1.1 has no way to say no: a failure closes the connection.
    /// Without effect for an identifier that is not awaiting it.
    pub fn ack(&mut self, packet_id: PacketId, reason: ReasonCode) {
        if self.phase != Phase::Connected {
            return;
        }
        let Some(position) = self.incoming.iter().position(|&other| other == packet_id) else { return };
        self.incoming.swap_remove(position);
        if reason.is_failure() && self.version() == Version::V311 {
            self.disconnect(reason);
        } else {
            self.write(&Packet::Puback(Ack::new(packet_id, or_unspecified(reason, allowed::PUBACK))));
        }
    }

    /// Answers a subscribe: one code for each requested subscription, in their order.
    pub fn suback(&mut self, packet_id: PacketId, codes: &[ReasonCode]) {
        if self.phase != Phase::Connected {
            return;
        }
        let codes = codes.iter().map(|&code| or_unspecified(code, allowed::SUBACK)).collect();
        self.write(&Packet::Suback(Suback { packet_id, codes, properties: AckProperties::default() }));
    }

    /// Answers an unsubscribe: one code for each filter, in their order.
    pub fn unsuback(&mut self, packet_id: PacketId, codes: &[ReasonCode]) {
        if self.phase != Phase::Connected {
            return;
        }
        let codes = codes.iter().map(|&code| or_unspecified(code, allowed::UNSUBACK)).collect();
        self.write(&Packet::Unsuback(Unsuback { packet_id, codes, properties: AckProperties::default() }));
    }

    /// Sends a message to the client, if it may have one more.
    pub fn deliver(&mut self, outgoing: Outgoing<'_>) -> Delivered {
        if self.phase != Phase::Connected || self.output.len() >= OUTPUT_BYTES_MAX {
            return Delivered::Blocked;
        }
        let at_least_once = outgoing.qos != Qos::AtMostOnce;
        if at_least_once && self.inflight.is_full() {
            return Delivered::Blocked;
        }
        let mut message = outgoing.message.clone();
        message.properties.topic_alias = None;
        message.properties.message_expiry_seconds = message
            .properties
            .message_expiry_seconds
            .map(|left| left.saturating_sub(outgoing.waited_seconds));
        let mut publish =
            Publish { dup: false, delivery: Delivery::AtMostOnce, retain: outgoing.retain, message };
        let mut packet_id = None;
        if at_least_once {
            packet_id = self.inflight.insert(outgoing.token);
            publish.delivery = Delivery::AtLeastOnce(packet_id.expect("it was not full"));
        }
        if self.write_if_taken(&Packet::Publish(publish)) {
            return if at_least_once { Delivered::InFlight } else { Delivered::Sent };
        }
        if let Some(packet_id) = packet_id {
            self.inflight.remove(packet_id);
        }
        Delivered::TooLarge
    }

    /// Ends the connection from our side: taken over, shutting down, not authorized, administrative action.
    /// An MQTT 5 client is told the reason. The will is published (MQTT 5 §3.1.2.5).
    pub fn disconnect(&mut self, reason: ReasonCode) {
        if self.phase == Phase::Connected {
            self.write_disconnect(reason);
        }
        self.close(CloseCause::ServerDisconnect(reason));
    }

    /// The transport ended or failed.
    pub fn connection_lost(&mut self) {
        self.close(CloseCause::ConnectionLost);
    }

    /// When [`Session::expire`] is due; it moves with every packet. Nothing once closed.
    pub fn deadline_ms(&self) -> Option<i64> {
        (self.phase != Phase::Closed).then_some(self.deadline_ms)
    }

    /// Closes the connection if its deadline has passed.
    pub fn expire(&mut self, now_ms: i64) {
        if now_ms < self.deadline_ms {
            return;
        }
        match self.phase {
            Phase::Connected => {
                self.write_disconnect(ReasonCode::KeepAliveTimeout);
                self.close(CloseCause::KeepAliveTimeout);
            }
            Phase::AwaitingConnect | Phase::Deciding => self.close(CloseCause::ConnectTimeout),
            Phase::Closed => {}
        }
    }

    /// Set once; then flush the output, close the transport and act on it.
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// Tokens of deliveries without an acknowledgement, in the order of sending: what a client that comes
    /// back must be sent again, before anything newer.
    pub fn unacked(&self) -> impl Iterator<Item = u64> + '_ {
        self.inflight.tokens()
    }

    fn may_read(&self) -> bool {
        let inbound_full = self.incoming.len() >= INFLIGHT_MAX.into();
        match self.phase {
            Phase::AwaitingConnect => true,
            // An MQTT 5 client was told the receive maximum, so it is read on and found out.
            Phase::Connected => {
                self.output.len() < OUTPUT_BYTES_MAX && !(inbound_full && self.version() == Version::V311)
            }
            Phase::Deciding | Phase::Closed => false,
        }
    }

    fn handle(&mut self, packet: Packet) -> Result<Option<Event>, Violation> {
        match packet {
            Packet::Connect(connect) => self.handle_connect(connect),
            Packet::Publish(publish) => self.handle_publish(publish),
            Packet::Subscribe(subscribe) => handle_subscribe(subscribe).map(Some),
            Packet::Unsubscribe(unsubscribe) => Ok(Some(handle_unsubscribe(&unsubscribe))),
            Packet::Puback(ack) => Ok(self
                .inflight
                .remove(ack.packet_id)
                .map(|token| Event::Acknowledged { token, reason: ack.reason })),
            Packet::Pingreq => {
                self.write(&Packet::Pingresp);
                Ok(None)
            }
            Packet::Disconnect(disconnect) => {
                self.handle_disconnect(&disconnect)?;
                Ok(None)
            }
            Packet::Pubrec(_) | Packet::Pubrel(_) | Packet::Pubcomp(_) => {
                Err(Violation::protocol("an acknowledgement of QoS 2, which nobody sent"))
            }
            Packet::Auth(_) => Err(Violation::protocol("AUTH without an authentication method")),
            Packet::Connack(_) | Packet::Suback(_) | Packet::Unsuback(_) | Packet::Pingresp => {
                Err(Violation::protocol("a packet that only a server sends"))
            }
        }
    }

    fn handle_connect(&mut self, connect: Box<Connect>) -> Result<Option<Event>, Violation> {
        check_connect(&connect)?;
        let properties = &connect.properties;
        let expiry_max = self.config.session_expiry_seconds_max;
        let requested_expiry = match connect.version {
            Version::V311 if connect.clean_start => 0,
            Version::V311 => expiry_max,
            Version::V5 => properties.session_expiry_seconds.unwrap_or_default(),
        };
        self.session_expiry_seconds = requested_expiry.min(expiry_max);
        self.keep_alive_seconds = match connect.keep_alive_seconds {
            0 => KEEP_ALIVE_SECONDS_MAX,
            seconds => seconds.clamp(KEEP_ALIVE_SECONDS_MIN, KEEP_ALIVE_SECONDS_MAX),
        };
        let receive_maximum = properties.receive_maximum.map_or(INFLIGHT_MAX, NonZeroU16::get);
        self.inflight.set_max(receive_maximum.min(INFLIGHT_MAX));
        self.client_packet_bytes_max = properties.maximum_packet_size;
        self.will = connect.will.clone();
        self.connack = Some(Box::new(ConnackProperties {
            session_expiry_seconds: (self.session_expiry_seconds != requested_expiry)
                .then_some(self.session_expiry_seconds),
            server_keep_alive_seconds: (self.keep_alive_seconds != connect.keep_alive_seconds)
                .then_some(self.keep_alive_seconds),
            ..advertised()
        }));
        self.phase = Phase::Deciding;
        Ok(Some(Event::Connect(connect)))
    }

    fn handle_publish(&mut self, mut publish: Publish) -> Result<Option<Event>, Violation> {
        if matches!(publish.delivery, Delivery::ExactlyOnce(_)) {
            return Err(Violation::new(ReasonCode::QosNotSupported, "a publish at QoS 2"));
        }
        if !publish.message.properties.subscription_ids.is_empty() {
            return Err(Violation::protocol("a subscription identifier from a client"));
        }
        self.resolve_alias(&mut publish.message)?;
        if let Delivery::AtLeastOnce(packet_id) = publish.delivery {
            let in_use = self.incoming.contains(&packet_id);
            if in_use && self.version() == Version::V311 {
                // Sent again before our PUBACK, which will answer both.
                return Ok(None);
            }
            if in_use {
                self.write(&Packet::Puback(Ack::new(packet_id, ReasonCode::PacketIdentifierInUse)));
                return Ok(None);
            }
            if self.incoming.len() >= INFLIGHT_MAX.into() {
                return Err(Violation::new(
                    ReasonCode::ReceiveMaximumExceeded,
                    "more publishes in flight than the receive maximum",
                ));
            }
        }
        let message = &mut publish.message;
        if let Err(violation) = check_message(message) {
            return self.reject(publish.delivery, violation);
        }
        if let Some(seconds) = &mut message.properties.message_expiry_seconds {
            *seconds = (*seconds).clamp(1, MESSAGE_EXPIRY_SECONDS_MAX);
        }
        if let Delivery::AtLeastOnce(packet_id) = publish.delivery {
            self.incoming.push(packet_id);
        }
        Ok(Some(Event::Publish(publish)))
    }

    /// MQTT 5 at QoS 1 can say no; all others end the connection.
    fn reject(&mut self, delivery: Delivery, violation: Violation) -> Result<Option<Event>, Violation> {
        match (self.version(), delivery.packet_id()) {
            (Version::V5, Some(packet_id)) => {
                self.write(&Packet::Puback(Ack::new(packet_id, violation.reason)));
                Ok(None)
            }
            _ => Err(violation),
        }
    }

    /// §3.3.2.3.4. Afterwards the message has its topic and no alias.
    fn resolve_alias(&mut self, message: &mut Message) -> Result<(), Violation> {
        let Some(alias) = message.properties.topic_alias.take() else { return Ok(()) };
        let known = usize::from(alias)
            .checked_sub(1)
            .and_then(|idx| self.aliases.get_mut(idx))
            .ok_or(Violation::new(ReasonCode::TopicAliasInvalid, "a topic alias above the maximum"))?;
        if message.topic.is_empty() {
            message.topic = known.clone().ok_or(Violation::protocol("a topic alias that was never set"))?;
        } else {
            *known = Some(Arc::clone(&message.topic));
        }
        Ok(())
    }

    fn handle_disconnect(&mut self, disconnect: &Disconnect) -> Result<(), Violation> {
        if let Some(seconds) = disconnect.properties.session_expiry_seconds {
            // §3.14.2.2.2.
            if self.session_expiry_seconds == 0 && seconds > 0 {
                return Err(Violation::protocol("DISCONNECT prolongs a session that was to end"));
            }
            self.session_expiry_seconds = seconds.min(self.config.session_expiry_seconds_max);
        }
        if disconnect.reason == ReasonCode::Success {
            self.will = None;
        }
        self.close(CloseCause::ClientDisconnect(disconnect.reason));
        Ok(())
    }

    fn fail(&mut self, violation: Violation) {
        match self.phase {
            Phase::Connected => self.write_disconnect(violation.reason),
            Phase::AwaitingConnect | Phase::Deciding => self.write_refusal(violation.reason),
            Phase::Closed => {}
        }
        self.close(CloseCause::Violation(violation));
    }

    /// An MQTT 3.1.1 client gets a CONNACK only where it has a return code; garbage gets nothing.
    fn write_refusal(&mut self, reason: ReasonCode) {
        let reason = match self.decoder.version {
            Some(Version::V5) => or_unspecified(reason, allowed::CONNACK),
            Some(Version::V311) if has_return_code(reason) => reason,
            _ => return,
        };
        self.write(&Packet::Connack(Box::new(Connack {
            session_present: false,
            reason,
            properties: ConnackProperties::default(),
        })));
    }

    fn write_disconnect(&mut self, reason: ReasonCode) {
        if self.version() == Version::V5 {
            let reason = or_unspecified(reason, allowed::DISCONNECT);
            self.write(&Packet::Disconnect(Disconnect::new(reason)));
        }
    }

    fn close(&mut self, cause: CloseCause) {
        let will = match self.phase {
            Phase::Closed => return,
            Phase::Connected => self.will.take(),
            Phase::AwaitingConnect | Phase::Deciding => None,
        };
        self.phase = Phase::Closed;
        self.closed = Some(Closed { cause, will, session_expiry_seconds: self.session_expiry_seconds });
    }

    fn restart_keep_alive(&mut self, now_ms: i64) {
        self.deadline_ms = now_ms.saturating_add(i64::from(self.keep_alive_seconds) * 1500);
    }

    fn version(&self) -> Version {
        self.decoder.version.unwrap_or(Version::V311)
    }

    fn write(&mut self, packet: &Packet) {
        encode(packet, self.version(), &mut self.output).expect("our answers have no long fields");
    }

    /// Whether the client takes a packet of its size.
    fn write_if_taken(&mut self, packet: &Packet) -> bool {
        let version = self.version();
        if let Some(max) = self.client_packet_bytes_max
            && !encoded_bytes(packet, version).is_ok_and(|bytes| bytes <= max.get() as usize)
        {
            return false;
        }
        encode(packet, version, &mut self.output).is_ok()
    }
}

/// What AWS's CONNACK says to every client.
fn advertised() -> ConnackProperties {
    ConnackProperties {
        receive_maximum: NonZeroU16::new(INFLIGHT_MAX),
        maximum_qos: Some(Qos::AtLeastOnce),
        retain_available: Some(true),
        maximum_packet_size: NonZeroU32::new(PACKET_BYTES_MAX as u32),
        topic_alias_maximum: Some(TOPIC_ALIAS_MAX),
        wildcard_subscription_available: Some(true),
        subscription_ids_available: Some(false),
        shared_subscription_available: Some(true),
        ..ConnackProperties::default()
    }
}

fn check_connect(connect: &Connect) -> Result<(), Violation> {
    // MQTT-3.1.3-8: a session that outlives the connection needs a name to come back with.
    if connect.client_id.is_empty() && connect.version == Version::V311 && !connect.clean_start {
        return Err(Violation::new(
            ReasonCode::ClientIdentifierNotValid,
            "a persistent session without a client identifier",
        ));
    }
    if connect.client_id.len() > CLIENT_ID_BYTES_MAX {
        return Err(Violation::new(
            ReasonCode::ClientIdentifierNotValid,
            "a client identifier of more than 128 bytes",
        ));
    }
    // MQTT 5 §4.12 lets a server answer with 0x8C or 0x87; AWS lists the second.
    if connect.properties.authentication_method.is_some() {
        return Err(Violation::new(ReasonCode::NotAuthorized, "enhanced authentication"));
    }
    if let Some(will) = &connect.will {
        if will.qos == Qos::ExactlyOnce {
            return Err(Violation::new(ReasonCode::QosNotSupported, "a will at QoS 2"));
        }
        check_message(&will.message)?;
    }
    Ok(())
}

fn check_message(message: &Message) -> Result<(), Violation> {
    check_name_limits(&message.topic)
        .map_err(|err| Violation::new(ReasonCode::TopicNameInvalid, err.clause()))?;
    if message.payload.len() > PAYLOAD_BYTES_MAX {
        return Err(Violation::new(ReasonCode::QuotaExceeded, "a payload above 128 KB"));
    }
    Ok(())
}

fn handle_subscribe(subscribe: Subscribe) -> Result<Event, Violation> {
    if subscribe.properties.subscription_id.is_some() {
        return Err(Violation::new(
            ReasonCode::SubscriptionIdentifiersNotSupported,
            "a subscription identifier",
        ));
    }
    let mut subscriptions = Vec::with_capacity(subscribe.subscriptions.len());
    for subscription in subscribe.subscriptions {
        if subscription.options.qos == Qos::ExactlyOnce {
            return Err(Violation::new(ReasonCode::QosNotSupported, "a subscription at QoS 2"));
        }
        let filter = TopicFilter::parse(&subscription.filter);
        subscriptions.push(RequestedSubscription { filter, options: subscription.options });
    }
    Ok(Event::Subscribe(SubscribeRequest {
        packet_id: subscribe.packet_id,
        subscriptions,
        user_properties: subscribe.properties.user_properties,
    }))
}

fn handle_unsubscribe(unsubscribe: &Unsubscribe) -> Event {
    let filters = unsubscribe.filters.iter().map(|filter| TopicFilter::parse(filter)).collect();
    Event::Unsubscribe(UnsubscribeRequest { packet_id: unsubscribe.packet_id, filters })
}

fn or_unspecified(reason: ReasonCode, allowed: &[ReasonCode]) -> ReasonCode {
    if allowed.contains(&reason) { reason } else { ReasonCode::UnspecifiedError }
}

fn has_return_code(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::UnsupportedProtocolVersion
            | ReasonCode::ClientIdentifierNotValid
            | ReasonCode::ServerUnavailable
            | ReasonCode::BadUserNameOrPassword
            | ReasonCode::NotAuthorized
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::client::{Client, ClientEvent, Retain};
    use crate::packet::SubscriptionOptions;
    use crate::properties::ConnectProperties;
    use crate::properties::{DisconnectProperties, PublishProperties, SubscriptionId};
    use Version::{V5, V311};

    /// A session and what its client has sent and seen.
    struct Pair {
        session: Session,
        input: BytesMut,
        from_server: Decoder,
        now_ms: i64,
    }

    impl Pair {
        fn new(version: Version) -> Self {
            Self {
                session: Session::new(SessionConfig::default(), 0),
                input: BytesMut::new(),
                from_server: Decoder { version: Some(version), packet_bytes_max: usize::MAX },
                now_ms: 0,
            }
        }

        /// With the CONNECT sent.
        fn connecting(connect: Connect) -> (Self, Option<Event>) {
            let mut pair = Self::new(connect.version);
            let event = pair.send(&Packet::Connect(Box::new(connect)));
            (pair, event)
        }

        /// With the CONNECT accepted, and CONNACK taken.
        fn connected(connect: Connect) -> Self {
            let (mut pair, event) = Self::connecting(connect);
            assert!(matches!(event, Some(Event::Connect(_))), "{event:?}");
            pair.session.accept(Accept::default(), pair.now_ms);
            assert!(matches!(pair.sent()[..], [Packet::Connack(_)]));
            pair
        }

        fn of(version: Version) -> Self {
            Self::connected(Connect::new(version, "c"))
        }

        fn send(&mut self, packet: &Packet) -> Option<Event> {
            let version = self.from_server.version.unwrap();
            encode(packet, version, &mut self.input).unwrap();
            self.session.receive(&mut self.input, self.now_ms)
        }

        /// What the server has sent since last asked.
        fn sent(&mut self) -> Vec<Packet> {
            let mut output = self.session.output.split();
            let mut packets = Vec::new();
            while let Some(packet) = self.from_server.decode(&mut output).unwrap() {
                packets.push(packet);
            }
            assert!(output.is_empty());
            packets
        }

        fn cause(&self) -> Option<&CloseCause> {
            self.session.closed().map(|closed| &closed.cause)
        }

        #[track_caller]
        fn check_violation(&mut self, reason: ReasonCode) {
            let Some(CloseCause::Violation(violation)) = self.cause().cloned() else {
                panic!("{:?}", self.session)
            };
            assert_eq!(violation.reason, reason, "{violation}");
            let told = match self.session.version() {
                V5 => vec![Packet::Disconnect(Disconnect::new(reason))],
                V311 => vec![],
            };
            assert_eq!(self.sent(), told);
        }
    }

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    fn publish(delivery: Delivery, message: Message) -> Packet {
        Packet::Publish(Publish { dup: false, delivery, retain: false, message })
    }

    fn publish_1(packet_id: u16) -> Packet {
        publish(Delivery::AtLeastOnce(id(packet_id)), Message::new("t", "p"))
    }

    fn subscribe(filters: &[&str], options: SubscriptionOptions) -> Packet {
        let subscriptions = filters
            .iter()
            .map(|&filter| crate::packet::Subscription { filter: filter.into(), options })
            .collect();
        Packet::Subscribe(Subscribe { packet_id: id(9), subscriptions, properties: Default::default() })
    }

    fn puback(packet_id: u16, reason: ReasonCode) -> Packet {
        Packet::Puback(Ack::new(id(packet_id), reason))
    }

    fn outgoing(message: &Message, qos: Qos, token: u64) -> Outgoing<'_> {
        Outgoing { message, qos, retain: false, waited_seconds: 0, token }
    }

    fn with_will(version: Version) -> (Connect, Will) {
        let will = Will {
            message: Message::new("gone", "c"),
            qos: Qos::AtLeastOnce,
            retain: true,
            delay_seconds: 0,
        };
        (Connect { will: Some(will.clone()), ..Connect::new(version, "c") }, will)
    }

    fn connack(pair: &mut Pair) -> Connack {
        let mut sent = pair.sent();
        match (sent.pop(), sent.is_empty()) {
            (Some(Packet::Connack(connack)), true) => *connack,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn aws_connack_advertises_what_the_gateway_supports() {
        let (mut pair, _) = Pair::connecting(Connect::new(V5, ""));
        let assigned_client_id = Some("assigned".to_owned());
        pair.session.accept(Accept { session_present: true, assigned_client_id }, 0);
        let connack = connack(&mut pair);
        assert_eq!((connack.session_present, connack.reason), (true, ReasonCode::Success));
        let expected = ConnackProperties {
            receive_maximum: NonZeroU16::new(100),
            maximum_qos: Some(Qos::AtLeastOnce),
            retain_available: Some(true),
            maximum_packet_size: NonZeroU32::new(149_504),
            topic_alias_maximum: Some(8),
            wildcard_subscription_available: Some(true),
            subscription_ids_available: Some(false),
            shared_subscription_available: Some(true),
            assigned_client_id: Some("assigned".to_owned()),
            ..ConnackProperties::default()
        };
        assert_eq!(connack.properties, expected);
    }

    #[test]
    fn aws_keep_alive_is_30_to_1200_seconds_and_half_as_much_again() {
        for (asked, kept, told) in [
            (0, 1200, Some(1200)),
            (5, 30, Some(30)),
            (60, 60, None),
            (1200, 1200, None),
            (9999, 1200, Some(1200)),
        ] {
            let (mut pair, _) =
                Pair::connecting(Connect { keep_alive_seconds: asked, ..Connect::new(V5, "c") });
            pair.session.accept(Accept::default(), 1000);
            assert_eq!(connack(&mut pair).properties.server_keep_alive_seconds, told, "{asked}");
            assert_eq!(pair.session.deadline_ms(), Some(1000 + kept * 1500), "{asked}");
        }
    }

    #[test]
    fn mqtt_3_1_2_24_keep_alive_expires_without_packets_and_publishes_the_will() {
        let (connect, will) = with_will(V5);
        let mut pair = Pair::connected(connect);
        pair.now_ms = 80_000;
        assert!(pair.send(&Packet::Pingreq).is_none());
        assert_eq!(pair.sent(), [Packet::Pingresp]);
        pair.session.expire(169_999);
        assert_eq!(pair.cause(), None);
        pair.session.expire(170_000);
        let closed = pair.session.closed().unwrap().clone();
        assert_eq!((closed.cause, closed.will), (CloseCause::KeepAliveTimeout, Some(will)));
        assert_eq!(pair.sent(), [Packet::Disconnect(Disconnect::new(ReasonCode::KeepAliveTimeout))]);
        assert_eq!(pair.session.deadline_ms(), None);
    }

    #[test]
    fn mqtt_3_1_4_a_peer_without_connect_is_closed() {
        let mut session = Session::new(SessionConfig::default(), 500);
        assert_eq!(session.deadline_ms(), Some(500 + CONNECT_TIMEOUT_MS));
        session.expire(500 + CONNECT_TIMEOUT_MS);
        assert_eq!(session.closed().unwrap().cause, CloseCause::ConnectTimeout);
        assert!(session.output.is_empty());
    }

    #[test]
    fn s1_nothing_is_read_before_the_caller_has_decided() {
        let (mut pair, _) = Pair::connecting(Connect::new(V311, "c"));
        assert!(pair.send(&Packet::Pingreq).is_none());
        assert_eq!(pair.input.len(), 2);
        pair.session.accept(Accept::default(), 0);
        assert!(pair.session.receive(&mut pair.input, 0).is_none());
        assert!(matches!(pair.sent()[..], [Packet::Connack(_), Packet::Pingresp]));
    }

    #[test]
    fn a_refused_connect_has_a_code_in_both_versions_and_no_will() {
        for version in [V311, V5] {
            let (mut pair, _) = Pair::connecting(with_will(version).0);
            pair.session.refuse(ReasonCode::NotAuthorized);
            assert_eq!(connack(&mut pair).reason, ReasonCode::NotAuthorized);
            let closed = pair.session.closed().unwrap();
            assert_eq!(closed.cause, CloseCause::Refused(ReasonCode::NotAuthorized));
            assert_eq!(closed.will, None);
        }
    }

    #[test]
    fn mqtt_3_1_2_2_an_unknown_level_is_refused_in_the_nearest_version() {
        for (level, version) in [(3, V311), (6, V5)] {
            let mut pair = Pair::new(version);
            pair.input
                .extend_from_slice(&[0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', level, 2, 0, 0, 0, 1, b'c']);
            assert!(pair.session.receive(&mut pair.input, 0).is_none());
            assert_eq!(connack(&mut pair).reason, ReasonCode::UnsupportedProtocolVersion);
        }
    }

    #[test]
    fn what_is_not_mqtt_is_closed_without_a_word() {
        for noise in
            [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 2, 0], &[0x10, 6, 0, 4, b'M', b'Q', b'T', b'X']]
        {
            let mut pair = Pair::new(V311);
            pair.input.extend_from_slice(noise);
            assert!(pair.session.receive(&mut pair.input, 0).is_none());
            assert!(matches!(pair.cause(), Some(CloseCause::Violation(_))), "{noise:?}");
            assert!(pair.session.output.is_empty());
        }
    }

    #[test]
    fn connects_that_are_refused_by_rule() {
        let will = |qos, topic: &str, payload_bytes| Will {
            message: Message::new(topic, vec![0; payload_bytes]),
            qos,
            retain: false,
            delay_seconds: 0,
        };
        let base = || Connect::new(V5, "c");
        let with_method =
            ConnectProperties { authentication_method: Some("SCRAM".into()), ..ConnectProperties::default() };
        for (connect, reason) in [
            (Connect::new(V5, "c".repeat(129)), ReasonCode::ClientIdentifierNotValid),
            (Connect { properties: with_method, ..base() }, ReasonCode::NotAuthorized),
            (Connect { will: Some(will(Qos::ExactlyOnce, "w", 0)), ..base() }, ReasonCode::QosNotSupported),
            (
                Connect { will: Some(will(Qos::AtMostOnce, "1/2/3/4/5/6/7/8/9", 0)), ..base() },
                ReasonCode::TopicNameInvalid,
            ),
            (Connect { will: Some(will(Qos::AtMostOnce, "+", 0)), ..base() }, ReasonCode::TopicNameInvalid),
        ] {
            let (mut pair, event) = Pair::connecting(connect);
            assert!(event.is_none());
            assert_eq!(connack(&mut pair).reason, reason);
        }
        assert!(Pair::connecting(Connect::new(V5, "c".repeat(128))).1.is_some());
    }

    #[test]
    fn mqtt_3_1_3_8_a_persistent_3_1_1_session_has_a_client_identifier() {
        let (mut pair, _) = Pair::connecting(Connect { clean_start: false, ..Connect::new(V311, "") });
        assert_eq!(connack(&mut pair).reason, ReasonCode::ClientIdentifierNotValid);
        assert!(Pair::connecting(Connect::new(V311, "")).1.is_some());
    }

    #[test]
    fn aws_sessions_live_an_hour_or_what_mqtt_5_asks_below_that() {
        let expiry = |connect: Connect| {
            let mut pair = Pair::connecting(connect).0;
            pair.session.accept(Accept::default(), 0);
            let told = connack(&mut pair).properties.session_expiry_seconds;
            pair.session.connection_lost();
            (pair.session.closed().unwrap().session_expiry_seconds, told)
        };
        let v5 = |session_expiry_seconds| Connect {
            properties: ConnectProperties { session_expiry_seconds, ..ConnectProperties::default() },
            ..Connect::new(V5, "c")
        };
        assert_eq!(expiry(Connect::new(V311, "c")), (0, None));
        assert_eq!(expiry(Connect { clean_start: false, ..Connect::new(V311, "c") }), (3600, None));
        assert_eq!(expiry(v5(None)), (0, None));
        assert_eq!(expiry(v5(Some(60))), (60, None));
        assert_eq!(expiry(v5(Some(u32::MAX))), (3600, Some(3600)));
    }

    #[test]
    fn mqtt_3_14_2_2_2_disconnect_changes_the_expiry_but_cannot_create_a_session() {
        let disconnect = |seconds| {
            let session_expiry_seconds = Some(seconds);
            let properties = DisconnectProperties { session_expiry_seconds, ..Default::default() };
            Packet::Disconnect(Disconnect { reason: ReasonCode::Success, properties })
        };
        let mut pair = Pair::of(V5);
        pair.send(&disconnect(60));
        pair.check_violation(ReasonCode::ProtocolError);
        let properties = ConnectProperties { session_expiry_seconds: Some(60), ..Default::default() };
        let mut pair = Pair::connected(Connect { properties, ..Connect::new(V5, "c") });
        pair.send(&disconnect(0));
        assert_eq!(pair.session.closed().unwrap().session_expiry_seconds, 0);
    }

    #[test]
    fn s8_the_will_is_for_every_end_but_a_normal_disconnect() {
        type End = fn(&mut Pair);
        let ends: [(End, bool); 7] = [
            (|pair| drop(pair.send(&Packet::Disconnect(Disconnect::new(ReasonCode::Success)))), false),
            (
                |pair| drop(pair.send(&Packet::Disconnect(Disconnect::new(ReasonCode::DisconnectWithWill)))),
                true,
            ),
            (|pair| pair.session.connection_lost(), true),
            (|pair| pair.session.expire(i64::MAX), true),
            (|pair| pair.session.disconnect(ReasonCode::SessionTakenOver), true),
            (|pair| drop(pair.send(&Packet::Pingresp)), true),
            (|pair| drop(pair.send(&publish(Delivery::ExactlyOnce(id(1)), Message::new("t", "")))), true),
        ];
        for (idx, (end, published)) in ends.into_iter().enumerate() {
            let (connect, will) = with_will(V5);
            let mut pair = Pair::connected(connect);
            end(&mut pair);
            let closed = pair.session.closed().unwrap();
            assert_eq!(closed.will, published.then_some(will), "{idx}");
        }
    }

    #[test]
    fn s7_a_connection_closes_once_and_is_then_silent() {
        let mut pair = Pair::of(V5);
        pair.send(&publish_1(1));
        pair.session.disconnect(ReasonCode::SessionTakenOver);
        let taken_over = CloseCause::ServerDisconnect(ReasonCode::SessionTakenOver);
        assert_eq!(pair.sent(), [Packet::Disconnect(Disconnect::new(ReasonCode::SessionTakenOver))]);
        let message = Message::new("t", "");
        pair.session.ack(id(1), ReasonCode::Success);
        pair.session.suback(id(1), &[ReasonCode::Success]);
        pair.session.unsuback(id(1), &[ReasonCode::Success]);
        pair.session.accept(Accept::default(), 0);
        pair.session.refuse(ReasonCode::NotAuthorized);
        pair.session.disconnect(ReasonCode::AdministrativeAction);
        pair.session.connection_lost();
        pair.session.expire(i64::MAX);
        assert_eq!(pair.session.deliver(outgoing(&message, Qos::AtMostOnce, 0)), Delivered::Blocked);
        assert!(pair.send(&publish_1(2)).is_none());
        assert_eq!(pair.cause(), Some(&taken_over));
        assert!(pair.session.output.is_empty());
    }

    #[test]
    fn s2_a_publish_is_acknowledged_by_the_caller_alone() {
        for version in [V311, V5] {
            let mut pair = Pair::of(version);
            assert!(matches!(pair.send(&publish_1(7)), Some(Event::Publish(_))));
            assert!(matches!(pair.send(&publish_1(8)), Some(Event::Publish(_))));
            assert_eq!(pair.sent(), []);
            pair.session.ack(id(8), ReasonCode::Success);
            pair.session.ack(id(7), ReasonCode::Success);
            pair.session.ack(id(7), ReasonCode::Success);
            assert_eq!(pair.sent(), [puback(8, ReasonCode::Success), puback(7, ReasonCode::Success)]);
        }
    }

    #[test]
    fn mqtt_3_1_1_cannot_refuse_a_publish_and_closes() {
        let mut pair = Pair::of(V311);
        pair.send(&publish_1(7));
        pair.session.ack(id(7), ReasonCode::NotAuthorized);
        assert_eq!(pair.cause(), Some(&CloseCause::ServerDisconnect(ReasonCode::NotAuthorized)));
        assert_eq!(pair.sent(), []);
        let mut pair = Pair::of(V5);
        pair.send(&publish_1(7));
        pair.session.ack(id(7), ReasonCode::NotAuthorized);
        assert_eq!(pair.cause(), None);
        assert_eq!(pair.sent(), [puback(7, ReasonCode::NotAuthorized)]);
    }

    #[test]
    fn s5_at_100_unacknowledged_publishes_v311_is_not_read_on_and_v5_is_disconnected() {
        for version in [V311, V5] {
            let mut pair = Pair::of(version);
            for packet_id in 1..=100 {
                assert!(matches!(pair.send(&publish_1(packet_id)), Some(Event::Publish(_))));
            }
            assert!(pair.send(&publish_1(101)).is_none());
            if version == V5 {
                pair.check_violation(ReasonCode::ReceiveMaximumExceeded);
                continue;
            }
            assert_eq!(pair.cause(), None);
            pair.session.ack(id(1), ReasonCode::Success);
            let event = pair.session.receive(&mut pair.input, 0);
            assert!(
                matches!(event, Some(Event::Publish(publish)) if publish.delivery.packet_id() == Some(id(101)))
            );
        }
    }

    #[test]
    fn cve_2023_28366_a_packet_identifier_in_use_is_not_kept_twice() {
        let mut pair = Pair::of(V5);
        pair.send(&publish_1(1));
        assert!(pair.send(&publish_1(1)).is_none());
        assert_eq!(pair.sent(), [puback(1, ReasonCode::PacketIdentifierInUse)]);
        let mut pair = Pair::of(V311);
        pair.send(&publish_1(1));
        assert!(pair.send(&publish_1(1)).is_none());
        assert_eq!(pair.session.incoming, [id(1)]);
        pair.session.ack(id(1), ReasonCode::Success);
        assert_eq!(pair.sent(), [puback(1, ReasonCode::Success)]);
        assert!(matches!(pair.send(&publish_1(1)), Some(Event::Publish(_))));
    }

    #[test]
    fn aws_refuses_qos_2_without_an_acknowledgement() {
        for version in [V311, V5] {
            let mut pair = Pair::of(version);
            assert!(pair.send(&publish(Delivery::ExactlyOnce(id(1)), Message::new("t", ""))).is_none());
            pair.check_violation(ReasonCode::QosNotSupported);
            let mut pair = Pair::of(version);
            assert!(pair.send(&subscribe(&["a"], SubscriptionOptions::new(Qos::ExactlyOnce))).is_none());
            pair.check_violation(ReasonCode::QosNotSupported);
        }
    }

    #[test]
    fn cve_2021_28166_packets_that_only_a_server_sends_or_that_nobody_asked_for() {
        let connack =
            Connack { session_present: false, reason: ReasonCode::Success, properties: Default::default() };
        let ack = || Ack::new(id(1), ReasonCode::Success);
        let codes = vec![ReasonCode::Success];
        for packet in [
            Packet::Connack(Box::new(connack)),
            Packet::Suback(Suback { packet_id: id(1), codes: codes.clone(), properties: Default::default() }),
            Packet::Unsuback(Unsuback { packet_id: id(1), codes, properties: Default::default() }),
            Packet::Pingresp,
            Packet::Pubrec(ack()),
            Packet::Pubrel(ack()),
            Packet::Pubcomp(ack()),
            Packet::Connect(Box::new(Connect::new(V5, "c"))),
        ] {
            let mut pair = Pair::of(V5);
            assert!(pair.send(&packet).is_none());
            pair.check_violation(ReasonCode::ProtocolError);
        }
        let mut pair = Pair::of(V5);
        let properties = Default::default();
        pair.send(&Packet::Auth(crate::packet::Auth { reason: ReasonCode::ReAuthenticate, properties }));
        pair.check_violation(ReasonCode::ProtocolError);
    }

    #[test]
    fn aws_topic_and_payload_quotas_refuse_the_publish_or_end_the_connection() {
        let deep = || Message::new("1/2/3/4/5/6/7/8/9", "");
        let large = || Message::new("t", vec![0; PAYLOAD_BYTES_MAX + 1]);
        for (message, reason) in
            [(deep(), ReasonCode::TopicNameInvalid), (large(), ReasonCode::QuotaExceeded)]
        {
            let mut pair = Pair::of(V5);
            assert!(pair.send(&publish(Delivery::AtLeastOnce(id(1)), message.clone())).is_none());
            assert_eq!(pair.sent(), [puback(1, reason)]);
            assert_eq!(pair.cause(), None);
            assert!(pair.send(&publish(Delivery::AtMostOnce, message.clone())).is_none());
            pair.check_violation(reason);
            let mut pair = Pair::of(V311);
            assert!(pair.send(&publish(Delivery::AtLeastOnce(id(1)), message)).is_none());
            pair.check_violation(reason);
        }
        let mut pair = Pair::of(V311);
        let largest = Message::new("t", vec![0; PAYLOAD_BYTES_MAX]);
        assert!(pair.send(&publish(Delivery::AtMostOnce, largest)).is_some());
        assert!(
            pair.send(&publish(Delivery::AtMostOnce, Message::new("t", vec![0; PACKET_BYTES_MAX]))).is_none()
        );
        pair.check_violation(ReasonCode::PacketTooLarge);
    }

    #[test]
    fn mqtt_3_3_2_3_4_topic_aliases_are_resolved_up_to_8() {
        let aliased = |topic: &str, alias| {
            let mut message = Message::new(topic, "p");
            message.properties.topic_alias = Some(alias);
            publish(Delivery::AtMostOnce, message)
        };
        let mut pair = Pair::of(V5);
        for (topic, alias, expected) in
            [("a", 8, "a"), ("b", 1, "b"), ("", 8, "a"), ("c", 8, "c"), ("", 8, "c"), ("", 1, "b")]
        {
            let Some(Event::Publish(publish)) = pair.send(&aliased(topic, alias)) else { panic!() };
            assert_eq!(&*publish.message.topic, expected);
            assert_eq!(publish.message.properties, PublishProperties::default());
        }
        pair.send(&aliased("", 2));
        pair.check_violation(ReasonCode::ProtocolError);
        let mut pair = Pair::of(V5);
        pair.send(&aliased("a", 9));
        pair.check_violation(ReasonCode::TopicAliasInvalid);
    }

    #[test]
    fn aws_message_expiry_is_1_to_604800_seconds() {
        for (sent, received) in [(0, 1), (60, 60), (604_801, 604_800)] {
            let mut message = Message::new("t", "");
            message.properties.message_expiry_seconds = Some(sent);
            let Some(Event::Publish(publish)) = Pair::of(V5).send(&publish(Delivery::AtMostOnce, message))
            else {
                panic!()
            };
            assert_eq!(publish.message.properties.message_expiry_seconds, Some(received));
        }
    }

    #[test]
    fn subscription_identifiers_are_refused_in_subscribe_and_wrong_in_publish() {
        let Packet::Subscribe(mut request) = subscribe(&["a"], SubscriptionOptions::new(Qos::AtMostOnce))
        else {
            panic!()
        };
        request.properties.subscription_id = Some(SubscriptionId(1));
        let mut pair = Pair::of(V5);
        pair.send(&Packet::Subscribe(request));
        pair.check_violation(ReasonCode::SubscriptionIdentifiersNotSupported);
        let mut message = Message::new("t", "");
        message.properties.subscription_ids.push(SubscriptionId(1));
        let mut pair = Pair::of(V5);
        pair.send(&publish(Delivery::AtMostOnce, message));
        pair.check_violation(ReasonCode::ProtocolError);
    }

    #[test]
    fn subscriptions_are_parsed_and_answered_one_code_each() {
        let mut pair = Pair::of(V5);
        let filters = ["a/#", "$share/g/b", "a#"];
        let event = pair.send(&subscribe(&filters, SubscriptionOptions::new(Qos::AtLeastOnce)));
        let Some(Event::Subscribe(request)) = event else { panic!() };
        let codes: Vec<_> = request
            .subscriptions
            .iter()
            .map(|subscription| match &subscription.filter {
                Ok(filter) if filter.share_name() == Some("g") => ReasonCode::NotAuthorized,
                Ok(_) => subscription.options.qos.granted(),
                Err(_) => ReasonCode::TopicFilterInvalid,
            })
            .collect();
        pair.session.suback(request.packet_id, &codes);
        let codes = vec![ReasonCode::GrantedQos1, ReasonCode::NotAuthorized, ReasonCode::TopicFilterInvalid];
        assert_eq!(
            pair.sent(),
            [Packet::Suback(Suback { packet_id: id(9), codes, properties: AckProperties::default() })]
        );
        let filters = filters.map(String::from).to_vec();
        let event = pair.send(&Packet::Unsubscribe(Unsubscribe {
            packet_id: id(3),
            filters,
            properties: Default::default(),
        }));
        let Some(Event::Unsubscribe(request)) = event else { panic!() };
        assert_eq!(request.filters.iter().filter(|filter| filter.is_ok()).count(), 2);
        // 0x01 is no code of UNSUBACK.
        pair.session.unsuback(request.packet_id, &[ReasonCode::Success, ReasonCode::GrantedQos1]);
        let codes = vec![ReasonCode::Success, ReasonCode::UnspecifiedError];
        assert_eq!(
            pair.sent(),
            [Packet::Unsuback(Unsuback { packet_id: id(3), codes, properties: AckProperties::default() })]
        );
    }

    #[test]
    fn s3_deliveries_stop_at_100_or_the_clients_receive_maximum() {
        let message = Message::new("t", "p");
        for (receive_maximum, cap) in [(None, 100), (NonZeroU16::new(3), 3), (NonZeroU16::new(500), 100)] {
            let properties = ConnectProperties { receive_maximum, ..Default::default() };
            let mut pair = Pair::connected(Connect { properties, ..Connect::new(V5, "c") });
            for token in 0..cap {
                assert_eq!(
                    pair.session.deliver(outgoing(&message, Qos::AtLeastOnce, token)),
                    Delivered::InFlight
                );
            }
            assert_eq!(pair.session.deliver(outgoing(&message, Qos::AtLeastOnce, cap)), Delivered::Blocked);
            assert_eq!(pair.session.deliver(outgoing(&message, Qos::AtMostOnce, 0)), Delivered::Sent);
            let event = pair.send(&puback(2, ReasonCode::QuotaExceeded));
            assert!(matches!(
                event,
                Some(Event::Acknowledged { token: 1, reason: ReasonCode::QuotaExceeded })
            ));
            assert!(pair.send(&puback(2, ReasonCode::Success)).is_none());
            assert_eq!(pair.session.deliver(outgoing(&message, Qos::AtLeastOnce, cap)), Delivered::InFlight);
            pair.session.connection_lost();
            let unacked: Vec<_> = pair.session.unacked().collect();
            assert_eq!(unacked, (0..=cap).filter(|&token| token != 1).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_delivery_carries_the_message_and_not_what_was_between_publisher_and_server() {
        let mut message = Message::new("t", "p");
        message.properties = PublishProperties {
            payload_is_utf8: Some(true),
            message_expiry_seconds: Some(10),
            topic_alias: Some(3),
            response_topic: Some("r".into()),
            correlation_data: Some(Bytes::from_static(b"c")),
            user_properties: vec![("k".into(), "v".into())],
            subscription_ids: Vec::new(),
            content_type: Some("x/y".into()),
        };
        let mut pair = Pair::of(V5);
        let delivery =
            Outgoing { message: &message, qos: Qos::ExactlyOnce, retain: true, waited_seconds: 30, token: 0 };
        assert_eq!(pair.session.deliver(delivery), Delivered::InFlight);
        message.properties.topic_alias = None;
        message.properties.message_expiry_seconds = Some(0);
        let delivery = Delivery::AtLeastOnce(id(1));
        assert_eq!(pair.sent(), [Packet::Publish(Publish { dup: false, delivery, retain: true, message })]);
    }

    #[test]
    fn mqtt_3_1_2_25_packets_above_the_clients_maximum_are_not_sent() {
        let properties = ConnectProperties { maximum_packet_size: NonZeroU32::new(12), ..Default::default() };
        let mut pair = Pair::connected(Connect { properties, ..Connect::new(V5, "c") });
        // 2 fixed, 3 topic, 2 identifier, 1 properties: 8 and the payload.
        let fits = Message::new("t", "1234");
        let larger = Message::new("t", "12345");
        assert_eq!(pair.session.deliver(outgoing(&larger, Qos::AtLeastOnce, 1)), Delivered::TooLarge);
        assert_eq!(pair.session.deliver(outgoing(&fits, Qos::AtLeastOnce, 2)), Delivered::InFlight);
        assert_eq!(pair.session.unacked().collect::<Vec<_>>(), [2]);
        assert_eq!(pair.sent().len(), 1);
        let impossible = Message::new("t".repeat(70_000), "");
        let mut pair = Pair::of(V311);
        assert_eq!(pair.session.deliver(outgoing(&impossible, Qos::AtLeastOnce, 1)), Delivered::TooLarge);
    }

    #[test]
    fn s4_a_client_that_does_not_read_is_neither_read_nor_delivered_to() {
        let mut pair = Pair::of(V5);
        let message = Message::new("t", vec![0; 1000]);
        while pair.session.deliver(outgoing(&message, Qos::AtMostOnce, 0)) == Delivered::Sent {}
        assert!(pair.session.output.len() < OUTPUT_BYTES_MAX + 1100);
        assert!(pair.send(&Packet::Pingreq).is_none());
        assert_eq!(pair.input.len(), 2);
        pair.sent();
        assert!(pair.session.receive(&mut pair.input, 0).is_none());
        assert_eq!(pair.sent(), [Packet::Pingresp]);
        assert_eq!(pair.session.deliver(outgoing(&message, Qos::AtMostOnce, 0)), Delivered::Sent);
    }

    #[test]
    fn a_flood_of_pings_without_reading_is_bounded() {
        let mut pair = Pair::of(V311);
        pair.input.extend_from_slice(&[0xC0, 0].repeat(OUTPUT_BYTES_MAX));
        assert!(pair.session.receive(&mut pair.input, 0).is_none());
        assert_eq!(pair.session.output.len(), OUTPUT_BYTES_MAX);
        assert_eq!(pair.input.len(), OUTPUT_BYTES_MAX);
    }

    /// Both ends, over a wire that splits anywhere: whatever is published or delivered at QoS 1 is
    /// acknowledged once.
    fn converse(version: Version, count: u64, chunk_bytes: usize) {
        let mut client = Client::connect(Connect::new(version, "c")).unwrap();
        let mut session = Session::new(SessionConfig::default(), 0);
        let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
        let message = Message::new("t", "p");
        let (mut subscribed, mut next, mut next_delivery) = (false, 0, 0);
        let (mut published, mut delivered, mut seen) = (Vec::new(), Vec::new(), 0);
        for _turn in 0..100_000 {
            if published.len() as u64 == count && delivered.len() as u64 == count && seen == count {
                break;
            }
            let chunk = client.output.len().min(chunk_bytes);
            to_server.extend_from_slice(&client.output.split_to(chunk));
            while let Some(event) = session.receive(&mut to_server, 0) {
                match event {
                    Event::Connect(_) => session.accept(Accept::default(), 0),
                    Event::Publish(publish) => {
                        session.ack(publish.delivery.packet_id().unwrap(), ReasonCode::Success);
                    }
                    Event::Subscribe(request) => {
                        session.suback(request.packet_id, &[ReasonCode::GrantedQos1])
                    }
                    Event::Unsubscribe(_) => panic!(),
                    Event::Acknowledged { token, .. } => delivered.push(token),
                }
            }
            if subscribed
                && next_delivery < count
                && session.deliver(outgoing(&message, Qos::AtLeastOnce, next_delivery)) == Delivered::InFlight
            {
                next_delivery += 1;
            }
            let chunk = session.output.len().min(chunk_bytes);
            to_client.extend_from_slice(&session.output.split_to(chunk));
            while let Some(event) = client.receive(&mut to_client).unwrap() {
                match event {
                    ClientEvent::Connack(connack) => {
                        assert_eq!(connack.reason, ReasonCode::Success);
                        let options = SubscriptionOptions::new(Qos::AtLeastOnce);
                        client.subscribe(&["t"], options, u64::MAX).unwrap();
                    }
                    ClientEvent::Subscribed { token, codes } => {
                        assert_eq!((token, &codes[..]), (u64::MAX, &[ReasonCode::GrantedQos1][..]));
                        subscribed = true;
                    }
                    ClientEvent::Message(publish) => {
                        assert_eq!(publish.message, message);
                        seen += 1;
                        client.ack(publish.delivery.packet_id().unwrap());
                    }
                    ClientEvent::Published { token, reason } => {
                        assert_eq!(reason, ReasonCode::Success);
                        published.push(token);
                    }
                    other => panic!("{other:?}"),
                }
            }
            if subscribed && next < count {
                let sent = client.publish(message.clone(), Qos::AtLeastOnce, Retain::No, next);
                next += u64::from(sent.is_ok());
            }
        }
        let all: Vec<_> = (0..count).collect();
        assert_eq!((published, delivered), (all.clone(), all));
        assert_eq!((session.closed(), session.unacked().count(), client.unacked().count()), (None, 0, 0));
    }

    #[test]
    fn both_ends_understand_each_other() {
        for version in [V311, V5] {
            for chunk_bytes in [1, 7, 4096] {
                converse(version, 250, chunk_bytes);
            }
        }
    }

    proptest! {
        /// S3 to S7 under noise: damaged packets, refusals to read, careless callers.
        #[test]
        fn no_input_breaks_a_session(
            version in prop::sample::select(vec![V311, V5]),
            steps in prop::collection::vec((0u8..10, any::<u16>(), prop::collection::vec(any::<u8>(), 0..12)), 0..60),
        ) {
            let mut pair = Pair::of(version);
            let mut closed = None;
            let message = Message::new("t", "p");
            for (step, number, noise) in steps {
                let packet_id = PacketId::new(number).unwrap_or(PacketId::MIN);
                let event = match step {
                    0 => {
                        pair.input.extend_from_slice(&noise);
                        pair.session.receive(&mut pair.input, 0)
                    }
                    1 => pair.send(&publish(Delivery::AtLeastOnce(packet_id), message.clone())),
                    2 => pair.send(&puback(packet_id.get() % 8 + 1, ReasonCode::Success)),
                    3 => pair.send(&subscribe(&["a/#"], SubscriptionOptions::new(Qos::AtLeastOnce))),
                    4 => pair.send(&Packet::Pingreq),
                    5 => {
                        pair.session.ack(packet_id, ReasonCode::Success);
                        None
                    }
                    6 => {
                        pair.session.deliver(outgoing(&message, Qos::AtLeastOnce, number.into()));
                        None
                    }
                    7 => {
                        pair.session.output.clear();
                        None
                    }
                    8 => {
                        pair.session.suback(packet_id, &[ReasonCode::NotAuthorized]);
                        None
                    }
                    _ => {
                        pair.session.expire(number.into());
                        None
                    }
                };
                if let (Some(Event::Publish(publish)), 0) = (event, number % 2)
                    && let Some(packet_id) = publish.delivery.packet_id()
                {
                    pair.session.ack(packet_id, ReasonCode::QuotaExceeded);
                }
                prop_assert!(pair.session.incoming.len() <= INFLIGHT_MAX.into());
                prop_assert!(pair.session.unacked().count() <= INFLIGHT_MAX.into());
                prop_assert!(pair.session.output.len() <= OUTPUT_BYTES_MAX + PACKET_BYTES_MAX);
                if closed.is_some() {
                    prop_assert_eq!(pair.session.closed().cloned(), closed);
                }
                closed = pair.session.closed().cloned();
            }
        }
    }
}
