//! The control packets of MQTT, one type each, shared by both versions.
//!
//! A field that only MQTT 5 has is its default when it came from, and is left out when it goes to, an MQTT
//! 3.1.1 peer. Source: MQTT 3.1.1 §3 and MQTT 5.0 §3 (OASIS).
//!
//! Strings are copied out of the read buffer; payloads, correlation data and authentication data of a
//! PUBLISH or AUTH are slices of it ([`Bytes`]), and so hold its memory for as long as they live.
//! CONNECT copies everything, since it lives as long as the connection.

use std::fmt;
use std::num::NonZeroU16;
use std::sync::Arc;

use bytes::Bytes;

use crate::properties::{
    AckProperties, AuthProperties, ConnackProperties, ConnectProperties, DisconnectProperties,
    PublishProperties, SubscribeProperties, UnsubscribeProperties,
};
use crate::reason::ReasonCode;

/// Never zero (MQTT-2.3.1-1, MQTT-2.2.1-3).
pub type PacketId = NonZeroU16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// Protocol level 4.
    V311,
    /// Protocol level 5.
    V5,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Qos {
    AtMostOnce = 0,
    AtLeastOnce = 1,
    ExactlyOnce = 2,
}

impl Qos {
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// The SUBACK code that grants this quality of service.
    pub fn granted(self) -> ReasonCode {
        match self {
            Self::AtMostOnce => ReasonCode::Success,
            Self::AtLeastOnce => ReasonCode::GrantedQos1,
            Self::ExactlyOnce => ReasonCode::GrantedQos2,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    Connect(Box<Connect>),
    Connack(Box<Connack>),
    Publish(Publish),
    Puback(Ack),
    Pubrec(Ack),
    Pubrel(Ack),
    Pubcomp(Ack),
    Subscribe(Subscribe),
    Suback(Suback),
    Unsubscribe(Unsubscribe),
    Unsuback(Unsuback),
    Pingreq,
    Pingresp,
    Disconnect(Disconnect),
    Auth(Auth),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    pub version: Version,
    /// Clean Session in MQTT 3.1.1.
    pub clean_start: bool,
    /// What the client asked for; 0 asks for none. See [`crate::Session`] for what is kept.
    pub keep_alive_seconds: u16,
    /// May be empty: the server then assigns one.
    pub client_id: String,
    pub user_name: Option<String>,
    pub password: Option<Password>,
    pub will: Option<Will>,
    pub properties: ConnectProperties,
}

impl Connect {
    /// A clean session, keep-alive of a minute, and nothing else.
    pub fn new(version: Version, client_id: impl Into<String>) -> Self {
        Self {
            version,
            clean_start: true,
            keep_alive_seconds: 60,
            client_id: client_id.into(),
            user_name: None,
            password: None,
            will: None,
            properties: ConnectProperties::default(),
        }
    }
}

/// A password, or the token of a custom authorizer. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub Bytes);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What the server publishes for a client that vanished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    pub message: Message,
    pub qos: Qos,
    pub retain: bool,
    /// MQTT 5: how long to wait for the client to come back; 0 is at once.
    pub delay_seconds: u32,
}

/// What an application says: the part of a PUBLISH that goes from the publisher to every subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: Arc<str>,
    pub payload: Bytes,
    pub properties: PublishProperties,
}

impl Message {
    pub fn new(topic: impl Into<Arc<str>>, payload: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), payload: payload.into(), properties: PublishProperties::default() }
    }
}

/// The quality of service of one PUBLISH, with the packet identifier exactly where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    AtMostOnce,
    AtLeastOnce(PacketId),
    ExactlyOnce(PacketId),
}

impl Delivery {
    pub fn qos(self) -> Qos {
        match self {
            Self::AtMostOnce => Qos::AtMostOnce,
            Self::AtLeastOnce(_) => Qos::AtLeastOnce,
            Self::ExactlyOnce(_) => Qos::ExactlyOnce,
        }
    }

    pub fn packet_id(self) -> Option<PacketId> {
        match self {
            Self::AtMostOnce => None,
            Self::AtLeastOnce(packet_id) | Self::ExactlyOnce(packet_id) => Some(packet_id),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    pub dup: bool,
    pub delivery: Delivery,
    pub retain: bool,
    pub message: Message,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connack {
    pub session_present: bool,
    pub reason: ReasonCode,
    pub properties: ConnackProperties,
}

/// PUBACK, PUBREC, PUBREL, PUBCOMP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    pub packet_id: PacketId,
    pub reason: ReasonCode,
    pub properties: AckProperties,
}

impl Ack {
    pub fn new(packet_id: PacketId, reason: ReasonCode) -> Self {
        Self { packet_id, reason, properties: AckProperties::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    pub packet_id: PacketId,
    /// At least one, at most [`crate::limits::FILTERS_PER_SUBSCRIBE_MAX`]; not yet parsed as topic filters.
    pub subscriptions: Vec<Subscription>,
    pub properties: SubscribeProperties,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub filter: String,
    pub options: SubscriptionOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionOptions {
    pub qos: Qos,
    /// MQTT 5: do not send me what I published.
    pub no_local: bool,
    /// MQTT 5: keep the RETAIN flag of the publisher.
    pub retain_as_published: bool,
    pub retain_handling: RetainHandling,
}

impl SubscriptionOptions {
    /// What an MQTT 3.1.1 subscription means.
    pub fn new(qos: Qos) -> Self {
        Self { qos, no_local: false, retain_as_published: false, retain_handling: RetainHandling::Send }
    }
}

/// Whether a subscription is answered with the retained message (MQTT 5 §3.8.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RetainHandling {
    Send = 0,
    SendIfNew = 1,
    DoNotSend = 2,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suback {
    pub packet_id: PacketId,
    /// One for each subscription, in its order.
    pub codes: Vec<ReasonCode>,
    pub properties: AckProperties,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    pub packet_id: PacketId,
    pub filters: Vec<String>,
    pub properties: UnsubscribeProperties,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsuback {
    pub packet_id: PacketId,
    /// One for each filter, in its order. Empty in MQTT 3.1.1.
    pub codes: Vec<ReasonCode>,
    pub properties: AckProperties,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect {
    pub reason: ReasonCode,
    pub properties: DisconnectProperties,
}

impl Disconnect {
    pub fn new(reason: ReasonCode) -> Self {
        Self { reason, properties: DisconnectProperties::default() }
    }
}

/// MQTT 5 only. Headwater's server refuses it, as AWS does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    pub reason: ReasonCode,
    pub properties: AuthProperties,
}
