//! The bodies of MQTT 5 packets (OASIS MQTT 5.0 §3). What is as in MQTT 3.1.1 is read by `v311`.

use std::sync::Arc;

use crate::codec::{Kind, Reader, Sink};
use crate::limits::{FILTERS_PER_SUBSCRIBE_MAX, SUBSCRIPTIONS_PER_CONNECTION_MAX};
use crate::packet::{
    Ack, Auth, Connack, Connect, Disconnect, Message, Packet, Publish, Qos, RetainHandling, Suback,
    Subscribe, Subscription, SubscriptionOptions, Unsuback, Unsubscribe, Version, Will,
};
use crate::properties::{
    AckProperties, AuthProperties, ConnackProperties, ConnectProperties, DisconnectProperties, PropertySet,
    PublishProperties, SubscribeProperties, UnsubscribeProperties, WillProperties,
};
use crate::reason::{ReasonCode, Violation, allowed};
use crate::topic;
use crate::v311::{
    ConnectFlags, PublishFlags, check_session_present, filters, list, session_present, topic_name,
    write_connect_head, write_credentials,
};

/// The body of a CONNECT after the protocol level.
pub(crate) fn connect(mut source: Reader) -> Result<Connect, Violation> {
    let flags = ConnectFlags::read(&mut source)?;
    let keep_alive_seconds = source.u16()?;
    let properties = ConnectProperties::decode(&mut source)?;
    if properties.authentication_data.is_some() && properties.authentication_method.is_none() {
        return Err(Violation::protocol("authentication data without a method"));
    }
    let client_id = source.string()?.to_owned();
    let will = match flags.will {
        Some((qos, retain)) => Some(will(&mut source, qos, retain)?),
        None => None,
    };
    let (user_name, password) = flags.credentials(&mut source)?;
    source.finish()?;
    Ok(Connect {
        version: Version::V5,
        clean_start: flags.clean_start,
        keep_alive_seconds,
        client_id,
        user_name,
        password,
        will,
        properties,
    })
}

fn will(source: &mut Reader, qos: Qos, retain: bool) -> Result<Will, Violation> {
    let properties = WillProperties::decode(source)?;
    check_response_topic(properties.response_topic.as_deref())?;
    let topic = topic_name(source)?;
    let payload = source.binary()?;
    let delay_seconds = properties.delay_seconds.unwrap_or_default();
    let properties = PublishProperties {
        payload_is_utf8: properties.payload_is_utf8,
        message_expiry_seconds: properties.message_expiry_seconds,
        content_type: properties.content_type,
        response_topic: properties.response_topic,
        correlation_data: properties.correlation_data,
        user_properties: properties.user_properties,
        ..PublishProperties::default()
    };
    Ok(Will { message: Message { topic, payload, properties }, qos, retain, delay_seconds })
}

/// Every body but CONNECT's.
pub(crate) fn decode(kind: Kind, first: u8, mut source: Reader) -> Result<Packet, Violation> {
    let packet = match kind {
        Kind::Connect => return Err(Violation::protocol("a second CONNECT")),
        Kind::Connack => {
            let session_present = session_present(&mut source)?;
            let reason = reason(&mut source, allowed::CONNACK)?;
            check_session_present(session_present, reason)?;
            let properties = ConnackProperties::decode(&mut source)?;
            Packet::Connack(Box::new(Connack { session_present, reason, properties }))
        }
        Kind::Publish => return publish(first, source).map(Packet::Publish),
        Kind::Puback => Packet::Puback(ack(&mut source, allowed::PUBACK)?),
        Kind::Pubrec => Packet::Pubrec(ack(&mut source, allowed::PUBACK)?),
        Kind::Pubrel => Packet::Pubrel(ack(&mut source, allowed::PUBREL)?),
        Kind::Pubcomp => Packet::Pubcomp(ack(&mut source, allowed::PUBREL)?),
        Kind::Subscribe => {
            let packet_id = source.packet_id()?;
            let properties = SubscribeProperties::decode(&mut source)?;
            let subscriptions = list(&mut source, FILTERS_PER_SUBSCRIBE_MAX, subscription)?;
            Packet::Subscribe(Subscribe { packet_id, subscriptions, properties })
        }
        Kind::Suback => {
            let packet_id = source.packet_id()?;
            let properties = AckProperties::decode(&mut source)?;
            let codes =
                list(&mut source, FILTERS_PER_SUBSCRIBE_MAX, |source| reason(source, allowed::SUBACK))?;
            Packet::Suback(Suback { packet_id, codes, properties })
        }
        Kind::Unsubscribe => {
            let packet_id = source.packet_id()?;
            let properties = UnsubscribeProperties::decode(&mut source)?;
            Packet::Unsubscribe(Unsubscribe { packet_id, filters: filters(&mut source)?, properties })
        }
        Kind::Unsuback => {
            let packet_id = source.packet_id()?;
            let properties = AckProperties::decode(&mut source)?;
            let codes = list(&mut source, SUBSCRIPTIONS_PER_CONNECTION_MAX, |source| {
                reason(source, allowed::UNSUBACK)
            })?;
            Packet::Unsuback(Unsuback { packet_id, codes, properties })
        }
        Kind::Pingreq => Packet::Pingreq,
        Kind::Pingresp => Packet::Pingresp,
        Kind::Disconnect => {
            let (reason, properties) =
                reason_and_properties::<DisconnectProperties>(&mut source, allowed::DISCONNECT)?;
            Packet::Disconnect(Disconnect { reason, properties })
        }
        Kind::Auth => {
            let (reason, properties) = reason_and_properties::<AuthProperties>(&mut source, allowed::AUTH)?;
            Packet::Auth(Auth { reason, properties })
        }
    };
    source.finish()?;
    Ok(packet)
}

fn publish(first: u8, mut source: Reader) -> Result<Publish, Violation> {
    let flags = PublishFlags::from_first_byte(first)?;
    let topic = source.string()?;
    // Empty means "by the alias", which is checked below.
    if !topic.is_empty() {
        topic::check_name(topic).map_err(|err| Violation::new(ReasonCode::TopicNameInvalid, err.clause()))?;
    }
    let topic: Arc<str> = Arc::from(topic);
    let delivery = flags.delivery(&mut source)?;
    let properties = PublishProperties::decode(&mut source)?;
    check_response_topic(properties.response_topic.as_deref())?;
    match properties.topic_alias {
        Some(0) => return Err(Violation::new(ReasonCode::TopicAliasInvalid, "topic alias 0")),
        None if topic.is_empty() => {
            return Err(Violation::protocol("neither a topic name nor a topic alias"));
        }
        _ => {}
    }
    let message = Message { topic, payload: source.into_rest(), properties };
    Ok(Publish { dup: flags.dup, delivery, retain: flags.retain, message })
}

/// MQTT-3.3.2-14.
fn check_response_topic(response_topic: Option<&str>) -> Result<(), Violation> {
    match response_topic.map(topic::check_name) {
        None | Some(Ok(())) => Ok(()),
        Some(Err(_)) => Err(Violation::protocol("the response topic is not a topic name")),
    }
}

fn subscription(source: &mut Reader) -> Result<Subscription, Violation> {
    let filter = source.string()?.to_owned();
    let byte = source.u8()?;
    // MQTT-3.8.3-5.
    if byte & 0b1100_0000 != 0 {
        return Err(Violation::malformed("reserved bits of the subscription options"));
    }
    let qos = Qos::from_byte(byte & 0b11).ok_or(Violation::protocol("a requested QoS above 2"))?;
    let retain_handling = match byte >> 4 & 0b11 {
        0 => RetainHandling::Send,
        1 => RetainHandling::SendIfNew,
        2 => RetainHandling::DoNotSend,
        _ => return Err(Violation::protocol("retain handling 3")),
    };
    let no_local = byte & 0b100 != 0;
    // MQTT-3.8.3-4.
    if no_local && filter.starts_with("$share/") {
        return Err(Violation::protocol("no-local on a shared subscription"));
    }
    let options =
        SubscriptionOptions { qos, no_local, retain_as_published: byte & 0b1000 != 0, retain_handling };
    Ok(Subscription { filter, options })
}

/// PUBACK to PUBCOMP, where reason and properties may be left out (§3.4.2.1, §3.4.2.2.1).
fn ack(source: &mut Reader, allowed: &[ReasonCode]) -> Result<Ack, Violation> {
    let packet_id = source.packet_id()?;
    let (reason, properties) = reason_and_properties::<AckProperties>(source, allowed)?;
    Ok(Ack { packet_id, reason, properties })
}

fn reason_and_properties<P: PropertySet>(
    source: &mut Reader,
    allowed: &[ReasonCode],
) -> Result<(ReasonCode, P), Violation> {
    if source.is_empty() {
        return Ok((ReasonCode::Success, P::default()));
    }
    let reason = reason(source, allowed)?;
    let properties = if source.is_empty() { P::default() } else { P::decode(source)? };
    Ok((reason, properties))
}

fn reason(source: &mut Reader, allowed: &[ReasonCode]) -> Result<ReasonCode, Violation> {
    ReasonCode::from_byte(source.u8()?)
        .filter(|reason| allowed.contains(reason))
        .ok_or(Violation::protocol("a reason code that this packet cannot have"))
}

pub(crate) fn write(packet: &Packet, sink: &mut impl Sink) {
    match packet {
        Packet::Connect(connect) => {
            write_connect_head(connect, 5, sink);
            connect.properties.encode(sink);
            sink.string(&connect.client_id);
            if let Some(will) = &connect.will {
                write_will(will, sink);
            }
            write_credentials(connect, sink);
        }
        Packet::Connack(connack) => {
            sink.u8(u8::from(connack.session_present));
            sink.u8(connack.reason.as_byte());
            connack.properties.encode(sink);
        }
        Packet::Publish(publish) => {
            sink.string(&publish.message.topic);
            if let Some(packet_id) = publish.delivery.packet_id() {
                sink.u16(packet_id.get());
            }
            publish.message.properties.encode(sink);
            sink.slice(&publish.message.payload);
        }
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            sink.u16(ack.packet_id.get());
            write_reason_and_properties(ack.reason, &ack.properties, sink);
        }
        Packet::Subscribe(subscribe) => {
            sink.u16(subscribe.packet_id.get());
            subscribe.properties.encode(sink);
            for subscription in &subscribe.subscriptions {
                let options = subscription.options;
                sink.string(&subscription.filter);
                sink.u8(options.qos as u8
                    | u8::from(options.no_local) << 2
                    | u8::from(options.retain_as_published) << 3
                    | (options.retain_handling as u8) << 4);
            }
        }
        Packet::Suback(Suback { packet_id, codes, properties })
        | Packet::Unsuback(Unsuback { packet_id, codes, properties }) => {
            sink.u16(packet_id.get());
            properties.encode(sink);
            for code in codes {
                sink.u8(code.as_byte());
            }
        }
        Packet::Unsubscribe(unsubscribe) => {
            sink.u16(unsubscribe.packet_id.get());
            unsubscribe.properties.encode(sink);
            for filter in &unsubscribe.filters {
                sink.string(filter);
            }
        }
        Packet::Pingreq | Packet::Pingresp => {}
        Packet::Disconnect(disconnect) => {
            write_reason_and_properties(disconnect.reason, &disconnect.properties, sink);
        }
        Packet::Auth(auth) => write_reason_and_properties(auth.reason, &auth.properties, sink),
    }
}

fn write_will(will: &Will, sink: &mut impl Sink) {
    let properties = &will.message.properties;
    WillProperties {
        delay_seconds: (will.delay_seconds > 0).then_some(will.delay_seconds),
        payload_is_utf8: properties.payload_is_utf8,
        message_expiry_seconds: properties.message_expiry_seconds,
        content_type: properties.content_type.clone(),
        response_topic: properties.response_topic.clone(),
        correlation_data: properties.correlation_data.clone(),
        user_properties: properties.user_properties.clone(),
    }
    .encode(sink);
    sink.string(&will.message.topic);
    sink.binary(&will.message.payload);
}

/// The shortest form: neither, the reason alone, or both.
fn write_reason_and_properties(reason: ReasonCode, properties: &impl PropertySet, sink: &mut impl Sink) {
    if properties.is_empty() {
        if reason != ReasonCode::Success {
            sink.u8(reason.as_byte());
        }
        return;
    }
    sink.u8(reason.as_byte());
    properties.encode(sink);
}
