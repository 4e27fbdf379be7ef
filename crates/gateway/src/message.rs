//! A message in the three forms it has here: MQTT's, the one that crosses ports, and the record of a session's queue.
//!
//! A record is one byte of version and then an MQTT 5 PUBLISH at QoS 1, so that whatever MQTT lets a publisher say survives a
//! restart. Its packet identifier means nothing.

use bytes::{BufMut, Bytes, BytesMut};
use kernel::Timestamp;
use mqtt::{Decoder, Delivery, Message, Packet, PacketId, Publish, PublishProperties, Qos, Version};

/// The version of a record's form.
const RECORD_VERSION: u8 = 1;

/// A message on its way to subscribers; shared by all of them.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) message: Message,
    /// From when its expiry interval counts.
    pub(crate) received_at: Timestamp,
}

impl Outbound {
    /// Whole seconds since it was received.
    pub(crate) fn waited_seconds(&self, now: Timestamp) -> u32 {
        u32::try_from(now.since(self.received_at).as_secs()).unwrap_or(u32::MAX)
    }

    /// Whether its expiry interval has passed (MQTT-3.3.2-5).
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        let expiry = self.message.properties.message_expiry_seconds;
        expiry.is_some_and(|seconds| now.since(self.received_at).as_secs() >= u64::from(seconds))
    }
}

/// What the rules see of a message.
pub(crate) fn to_port(message: &Message, qos: Qos, retain: bool, received_at: Timestamp) -> ports::Message {
    let properties = &message.properties;
    ports::Message {
        topic: message.topic.as_ref().to_owned(),
        payload: message.payload.clone(),
        qos: u8::from(qos != Qos::AtMostOnce),
        retain,
        client_id: None,
        received_at,
        hops: 0,
        properties: ports::MessageProperties {
            payload_is_utf8: properties.payload_is_utf8.unwrap_or_default(),
            content_type: properties.content_type.clone(),
            response_topic: properties.response_topic.clone(),
            correlation_data: properties.correlation_data.clone(),
            message_expiry_s: properties.message_expiry_seconds,
            user_properties: properties.user_properties.clone(),
        },
    }
}

/// What subscribers see of a message that came through a port.
pub(crate) fn from_port(message: &ports::Message) -> Message {
    let properties = &message.properties;
    Message {
        topic: message.topic.as_str().into(),
        payload: message.payload.clone(),
        properties: PublishProperties {
            payload_is_utf8: properties.payload_is_utf8.then_some(true),
            message_expiry_seconds: properties.message_expiry_s,
            response_topic: properties.response_topic.clone(),
            correlation_data: properties.correlation_data.clone(),
            user_properties: properties.user_properties.clone(),
            content_type: properties.content_type.clone(),
            ..PublishProperties::default()
        },
    }
}

/// The record of a message. None if a field is too long for MQTT.
pub(crate) fn encode_record(message: &Message, retain: bool) -> Option<Bytes> {
    let mut message = message.clone();
    message.properties.topic_alias = None;
    let delivery = Delivery::AtLeastOnce(PacketId::MIN);
    let mut out = BytesMut::with_capacity(message.topic.len() + message.payload.len() + 32);
    out.put_u8(RECORD_VERSION);
    let publish = Packet::Publish(Publish { dup: false, delivery, retain, message });
    mqtt::encode(&publish, Version::V5, &mut out).ok()?;
    Some(out.freeze())
}

/// The message of a record and its RETAIN flag. None for what no release has written.
pub(crate) fn decode_record(record: &[u8]) -> Option<(Message, bool)> {
    let (&version, packet) = record.split_first()?;
    if version != RECORD_VERSION {
        return None;
    }
    let mut decoder = Decoder { version: Some(Version::V5), packet_bytes_max: usize::MAX };
    match decoder.decode(&mut BytesMut::from(packet)) {
        Ok(Some(Packet::Publish(publish))) => Some((publish.message, publish.retain)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let mut message = Message::new("a/b", &b"payload"[..]);
        message.properties = PublishProperties {
            payload_is_utf8: Some(true),
            message_expiry_seconds: Some(9),
            response_topic: Some("r".into()),
            correlation_data: Some(Bytes::from_static(b"c")),
            user_properties: vec![("k".into(), "v".into())],
            content_type: Some("x/y".into()),
            ..PublishProperties::default()
        };
        message
    }

    #[test]
    fn a_record_has_all_of_the_message() {
        let record = encode_record(&message(), true).unwrap();
        assert_eq!(decode_record(&record), Some((message(), true)));
        assert_eq!(decode_record(b"\x02abc"), None);
        assert_eq!(decode_record(b""), None);
    }

    #[test]
    fn version_1_of_a_record_is_read() {
        let record = b"\x01\x33\x0a\x00\x03a/b\x00\x01\x00hi";
        assert_eq!(decode_record(record), Some((Message::new("a/b", &b"hi"[..]), true)));
    }

    #[test]
    fn a_port_keeps_the_properties() {
        let port = to_port(&message(), Qos::AtLeastOnce, false, Timestamp::EPOCH);
        assert_eq!(from_port(&port), message());
    }
}
