//! The bodies of MQTT 3.1.1 packets (OASIS MQTT 3.1.1 §3).
//!
//! Return codes become [`ReasonCode`]s: CONNECT's 1 to 5 are 0x84, 0x85, 0x88, 0x86, 0x87, and SUBACK's 0x80
//! is 0x80. Going out, every other failure becomes the nearest of these. The readers and writers that both
//! versions share are here too, with an absent property section.

use std::sync::Arc;

use crate::codec::{Kind, Reader, Sink};
use crate::limits::{FILTERS_PER_SUBSCRIBE_MAX, SUBSCRIPTIONS_PER_CONNECTION_MAX};
use crate::packet::{
    Ack, Connack, Connect, Delivery, Disconnect, Message, Packet, Password, Publish, Qos, Suback, Subscribe,
    Subscription, SubscriptionOptions, Unsuback, Unsubscribe, Version, Will,
};
use crate::properties::{
    AckProperties, ConnackProperties, ConnectProperties, PublishProperties, SubscribeProperties,
    UnsubscribeProperties,
};
use crate::reason::{ReasonCode, Violation};
use crate::topic;

/// The body of a CONNECT after the protocol level.
pub(crate) fn connect(mut source: Reader) -> Result<Connect, Violation> {
    let flags = ConnectFlags::read(&mut source)?;
    // MQTT-3.1.2-22; MQTT 5 dropped it.
    if flags.password && !flags.user_name {
        return Err(Violation::malformed("a password without a user name"));
    }
    let keep_alive_seconds = source.u16()?;
    let client_id = source.string()?.to_owned();
    let mut will = None;
    if let Some((qos, retain)) = flags.will {
        let message = Message {
            topic: topic_name(&mut source)?,
            payload: source.binary()?,
            properties: PublishProperties::default(),
        };
        will = Some(Will { message, qos, retain, delay_seconds: 0 });
    }
    let (user_name, password) = flags.credentials(&mut source)?;
    source.finish()?;
    Ok(Connect {
        version: Version::V311,
        clean_start: flags.clean_start,
        keep_alive_seconds,
        client_id,
        user_name,
        password,
        will,
        properties: ConnectProperties::default(),
    })
}

/// Every body but CONNECT's.
pub(crate) fn decode(kind: Kind, first: u8, mut source: Reader) -> Result<Packet, Violation> {
    let packet = match kind {
        Kind::Connect => return Err(Violation::protocol("a second CONNECT")),
        Kind::Auth => return Err(Violation::malformed("packet type 15")),
        Kind::Connack => {
            let session_present = session_present(&mut source)?;
            let reason = match source.u8()? {
                0 => ReasonCode::Success,
                1 => ReasonCode::UnsupportedProtocolVersion,
                2 => ReasonCode::ClientIdentifierNotValid,
                3 => ReasonCode::ServerUnavailable,
                4 => ReasonCode::BadUserNameOrPassword,
                5 => ReasonCode::NotAuthorized,
                _ => return Err(Violation::malformed("a CONNECT return code above 5")),
            };
            check_session_present(session_present, reason)?;
            Packet::Connack(Box::new(Connack {
                session_present,
                reason,
                properties: ConnackProperties::default(),
            }))
        }
        Kind::Publish => {
            let flags = PublishFlags::from_first_byte(first)?;
            let topic = topic_name(&mut source)?;
            let delivery = flags.delivery(&mut source)?;
            let message =
                Message { topic, payload: source.into_rest(), properties: PublishProperties::default() };
            return Ok(Packet::Publish(Publish { dup: flags.dup, delivery, retain: flags.retain, message }));
        }
        Kind::Puback => Packet::Puback(Ack::new(source.packet_id()?, ReasonCode::Success)),
        Kind::Pubrec => Packet::Pubrec(Ack::new(source.packet_id()?, ReasonCode::Success)),
        Kind::Pubrel => Packet::Pubrel(Ack::new(source.packet_id()?, ReasonCode::Success)),
        Kind::Pubcomp => Packet::Pubcomp(Ack::new(source.packet_id()?, ReasonCode::Success)),
        Kind::Subscribe => {
            let packet_id = source.packet_id()?;
            let subscriptions = list(&mut source, FILTERS_PER_SUBSCRIBE_MAX, |source| {
                let filter = source.string()?.to_owned();
                // MQTT-3.8.3-4: the upper six bits are reserved.
                let qos =
                    Qos::from_byte(source.u8()?).ok_or(Violation::malformed("a requested QoS above 2"))?;
                Ok(Subscription { filter, options: SubscriptionOptions::new(qos) })
            })?;
            Packet::Subscribe(Subscribe {
                packet_id,
                subscriptions,
                properties: SubscribeProperties::default(),
            })
        }
        Kind::Suback => {
            let packet_id = source.packet_id()?;
            let codes = list(&mut source, FILTERS_PER_SUBSCRIBE_MAX, |source| match source.u8()? {
                0 => Ok(ReasonCode::Success),
                1 => Ok(ReasonCode::GrantedQos1),
                2 => Ok(ReasonCode::GrantedQos2),
                0x80 => Ok(ReasonCode::UnspecifiedError),
                _ => Err(Violation::malformed("a SUBACK return code that does not exist")),
            })?;
            Packet::Suback(Suback { packet_id, codes, properties: AckProperties::default() })
        }
        Kind::Unsubscribe => {
            let packet_id = source.packet_id()?;
            let filters = filters(&mut source)?;
            Packet::Unsubscribe(Unsubscribe {
                packet_id,
                filters,
                properties: UnsubscribeProperties::default(),
            })
        }
        Kind::Unsuback => Packet::Unsuback(Unsuback {
            packet_id: source.packet_id()?,
            codes: Vec::new(),
            properties: AckProperties::default(),
        }),
        Kind::Pingreq => Packet::Pingreq,
        Kind::Pingresp => Packet::Pingresp,
        Kind::Disconnect => Packet::Disconnect(Disconnect::new(ReasonCode::Success)),
    };
    source.finish()?;
    Ok(packet)
}

pub(crate) fn write(packet: &Packet, sink: &mut impl Sink) {
    match packet {
        Packet::Connect(connect) => {
            write_connect_head(connect, 4, sink);
            sink.string(&connect.client_id);
            if let Some(will) = &connect.will {
                sink.string(&will.message.topic);
                sink.binary(&will.message.payload);
            }
            write_credentials(connect, sink);
        }
        Packet::Connack(connack) => {
            sink.u8(u8::from(connack.session_present));
            sink.u8(match connack.reason {
                reason if !reason.is_failure() => 0,
                ReasonCode::UnsupportedProtocolVersion => 1,
                ReasonCode::ClientIdentifierNotValid => 2,
                ReasonCode::BadUserNameOrPassword => 4,
                ReasonCode::NotAuthorized | ReasonCode::Banned | ReasonCode::BadAuthenticationMethod => 5,
                _ => 3,
            });
        }
        Packet::Publish(publish) => {
            sink.string(&publish.message.topic);
            if let Some(packet_id) = publish.delivery.packet_id() {
                sink.u16(packet_id.get());
            }
            sink.slice(&publish.message.payload);
        }
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            sink.u16(ack.packet_id.get());
        }
        Packet::Subscribe(subscribe) => {
            sink.u16(subscribe.packet_id.get());
            for subscription in &subscribe.subscriptions {
                sink.string(&subscription.filter);
                sink.u8(subscription.options.qos as u8);
            }
        }
        Packet::Suback(suback) => {
            sink.u16(suback.packet_id.get());
            for code in &suback.codes {
                sink.u8(if code.is_failure() { 0x80 } else { code.as_byte() });
            }
        }
        Packet::Unsubscribe(unsubscribe) => {
            sink.u16(unsubscribe.packet_id.get());
            for filter in &unsubscribe.filters {
                sink.string(filter);
            }
        }
        Packet::Unsuback(unsuback) => sink.u16(unsuback.packet_id.get()),
        // `codec::encode` refuses AUTH before it comes here.
        Packet::Pingreq | Packet::Pingresp | Packet::Disconnect(_) | Packet::Auth(_) => {}
    }
}

/// The byte after the protocol level.
pub(crate) struct ConnectFlags {
    pub(crate) clean_start: bool,
    pub(crate) will: Option<(Qos, bool)>,
    user_name: bool,
    password: bool,
}

impl ConnectFlags {
    pub(crate) fn read(source: &mut Reader) -> Result<Self, Violation> {
        let byte = source.u8()?;
        // MQTT-3.1.2-3.
        if byte & 0b0000_0001 != 0 {
            return Err(Violation::malformed("the reserved flag of CONNECT"));
        }
        let will_qos = Qos::from_byte(byte >> 3 & 0b11).ok_or(Violation::malformed("will QoS 3"))?;
        let will_retain = byte & 0b0010_0000 != 0;
        let has_will = byte & 0b0000_0100 != 0;
        // MQTT-3.1.2-11, -13, -15.
        if !has_will && (will_retain || will_qos != Qos::AtMostOnce) {
            return Err(Violation::malformed("will flags without a will"));
        }
        Ok(Self {
            clean_start: byte & 0b0000_0010 != 0,
            will: has_will.then_some((will_qos, will_retain)),
            user_name: byte & 0b1000_0000 != 0,
            password: byte & 0b0100_0000 != 0,
        })
    }

    /// The last two fields of CONNECT.
    pub(crate) fn credentials(
        &self,
        source: &mut Reader,
    ) -> Result<(Option<String>, Option<Password>), Violation> {
        let user_name = if self.user_name { Some(source.string()?.to_owned()) } else { None };
        let password = if self.password { Some(Password(source.binary()?)) } else { None };
        Ok((user_name, password))
    }
}

/// Protocol name to keep-alive.
pub(crate) fn write_connect_head(connect: &Connect, level: u8, sink: &mut impl Sink) {
    sink.string("MQTT");
    sink.u8(level);
    let mut flags = u8::from(connect.clean_start) << 1
        | u8::from(connect.user_name.is_some()) << 7
        | u8::from(connect.password.is_some()) << 6;
    if let Some(will) = &connect.will {
        flags |= 0b100 | (will.qos as u8) << 3 | u8::from(will.retain) << 5;
    }
    sink.u8(flags);
    sink.u16(connect.keep_alive_seconds);
}

pub(crate) fn write_credentials(connect: &Connect, sink: &mut impl Sink) {
    if let Some(user_name) = &connect.user_name {
        sink.string(user_name);
    }
    if let Some(Password(password)) = &connect.password {
        sink.binary(password);
    }
}

/// The low half of a PUBLISH's first byte.
pub(crate) struct PublishFlags {
    pub(crate) dup: bool,
    pub(crate) retain: bool,
    qos: Qos,
}

impl PublishFlags {
    pub(crate) fn from_first_byte(first: u8) -> Result<Self, Violation> {
        // MQTT-3.3.1-4.
        let qos = Qos::from_byte(first >> 1 & 0b11).ok_or(Violation::malformed("QoS 3"))?;
        let dup = first & 0b1000 != 0;
        // MQTT-3.3.1-2.
        if dup && qos == Qos::AtMostOnce {
            return Err(Violation::malformed("DUP on QoS 0"));
        }
        Ok(Self { dup, retain: first & 1 != 0, qos })
    }

    pub(crate) fn delivery(&self, source: &mut Reader) -> Result<Delivery, Violation> {
        Ok(match self.qos {
            Qos::AtMostOnce => Delivery::AtMostOnce,
            Qos::AtLeastOnce => Delivery::AtLeastOnce(source.packet_id()?),
            Qos::ExactlyOnce => Delivery::ExactlyOnce(source.packet_id()?),
        })
    }
}

pub(crate) fn session_present(source: &mut Reader) -> Result<bool, Violation> {
    match source.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Violation::malformed("reserved flags of CONNACK")),
    }
}

/// MQTT-3.2.2-4, MQTT-3.2.2-6.
pub(crate) fn check_session_present(session_present: bool, reason: ReasonCode) -> Result<(), Violation> {
    if session_present && reason.is_failure() {
        return Err(Violation::protocol("a refused CONNECT with a session"));
    }
    Ok(())
}

/// A topic name that is not empty and has no wildcard.
pub(crate) fn topic_name(source: &mut Reader) -> Result<Arc<str>, Violation> {
    let name = source.string()?;
    topic::check_name(name).map_err(|err| Violation::new(ReasonCode::TopicNameInvalid, err.clause()))?;
    Ok(Arc::from(name))
}

pub(crate) fn filters(source: &mut Reader) -> Result<Vec<String>, Violation> {
    list(source, SUBSCRIPTIONS_PER_CONNECTION_MAX, |source| Ok(source.string()?.to_owned()))
}

/// One to `max` things, to the end of the packet.
pub(crate) fn list<T>(
    source: &mut Reader,
    max: usize,
    mut read: impl FnMut(&mut Reader) -> Result<T, Violation>,
) -> Result<Vec<T>, Violation> {
    let mut items = Vec::new();
    while !source.is_empty() {
        if items.len() == max {
            return Err(Violation::new(ReasonCode::QuotaExceeded, "too many topic filters in one packet"));
        }
        items.push(read(source)?);
    }
    if items.is_empty() {
        return Err(Violation::protocol("a packet without the topic filters it is for"));
    }
    Ok(items)
}
