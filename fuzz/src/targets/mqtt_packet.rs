//! MQTT packets of both versions, in pieces as a socket gives them.
//!
//! What is decoded is encoded and decoded to the same. The first byte says the version and the size of the pieces.

use bytes::BytesMut;
use mqtt::limits::PACKET_BYTES_MAX;
use mqtt::{
    Ack, AckProperties, Auth, AuthProperties, Connack, ConnackProperties, Connect, Decoder, Delivery,
    Disconnect, Message, Packet, Password, Publish, Qos, ReasonCode, RetainHandling, Suback, Subscribe,
    SubscribeProperties, Subscription, SubscriptionId, SubscriptionOptions, Unsuback, Unsubscribe,
    UnsubscribeProperties, Version, Will, encode,
};

use super::PARSER;
use crate::Target;

pub(super) static TARGET: Target = Target {
    name: "mqtt_packet",
    about: "packets of MQTT 3.1.1 and 5, in pieces",
    words: &["MQTT", "\0\u{4}MQTT\u{4}", "\0\u{4}MQTT\u{5}", "$share/g/", "$aws/", "+/#"],
    memory: PARSER,
    mutations: 100_000,
    start: || Box::new(decode),
    seeds,
};

fn decode(input: &[u8]) {
    let Some((&first, bytes)) = input.split_first() else { return };
    let mut decoder = Decoder::new(PACKET_BYTES_MAX);
    decoder.version = match first & 3 {
        0 => None,
        1 => Some(Version::V311),
        _ => Some(Version::V5),
    };
    let piece = usize::from(first >> 2) + 1;
    let mut buffer = BytesMut::new();
    for piece in bytes.chunks(piece) {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(packet)) => again(&packet, &decoder),
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

/// Encodes and decodes what was decoded.
fn again(packet: &Packet, decoder: &Decoder) {
    let version = decoder.version.expect("a packet was decoded");
    let mut bytes = BytesMut::new();
    encode(packet, version, &mut bytes).expect("what was decoded can be written");
    let mut other = Decoder::new(PACKET_BYTES_MAX * 2);
    other.version = (!matches!(packet, Packet::Connect(_))).then_some(version);
    let same = other.decode(&mut bytes).expect("what was written is well-formed");
    assert_eq!(same.as_ref(), Some(packet));
    assert!(bytes.is_empty(), "nothing is left over");
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for version in [Version::V311, Version::V5] {
        for packet in packets(version) {
            let mut bytes = BytesMut::new();
            if encode(&packet, version, &mut bytes).is_err() {
                continue;
            }
            let known = match (&packet, version) {
                (Packet::Connect(_), _) => 0,
                (_, Version::V311) => 1,
                (_, Version::V5) => 2,
            };
            // Whole, and byte by byte.
            for first in [known | 0xFC, known] {
                seeds.push([&[first], bytes.as_ref()].concat());
            }
        }
    }
    seeds
}

/// One packet of every kind, with every property that a client may send.
pub(super) fn packets(version: Version) -> Vec<Packet> {
    let id = std::num::NonZeroU16::MIN;
    let mut packets = vec![
        Packet::Connect(Box::new(connect(version))),
        Packet::Connect(Box::new(Connect::new(version, ""))),
    ];
    for delivery in [Delivery::AtMostOnce, Delivery::AtLeastOnce(id), Delivery::ExactlyOnce(id)] {
        packets.push(Packet::Publish(Publish { dup: false, delivery, retain: true, message: message() }));
    }
    let options = SubscriptionOptions {
        no_local: true,
        retain_handling: RetainHandling::SendIfNew,
        ..SubscriptionOptions::new(Qos::AtLeastOnce)
    };
    let filters = ["$share/group/plant/+/temp", "#", "plant/3/#"];
    let subscription = |filter: &&str| Subscription { filter: (*filter).to_owned(), options };
    let ack = Ack::new(id, ReasonCode::Success);
    packets.extend([
        Packet::Subscribe(Subscribe {
            packet_id: id,
            subscriptions: filters.iter().map(subscription).collect(),
            properties: SubscribeProperties::default(),
        }),
        Packet::Unsubscribe(Unsubscribe {
            packet_id: id,
            filters: filters.map(str::to_owned).to_vec(),
            properties: UnsubscribeProperties::default(),
        }),
        Packet::Suback(Suback {
            packet_id: id,
            codes: vec![ReasonCode::GrantedQos1, ReasonCode::UnspecifiedError],
            properties: AckProperties::default(),
        }),
        Packet::Unsuback(Unsuback {
            packet_id: id,
            codes: if version == Version::V5 { vec![ReasonCode::Success] } else { Vec::new() },
            properties: AckProperties::default(),
        }),
        Packet::Connack(Box::new(Connack {
            session_present: true,
            reason: ReasonCode::Success,
            properties: ConnackProperties::default(),
        })),
        Packet::Puback(ack.clone()),
        Packet::Pubrec(ack.clone()),
        Packet::Pubrel(ack.clone()),
        Packet::Pubcomp(ack),
        Packet::Pingreq,
        Packet::Pingresp,
        Packet::Disconnect(Disconnect::new(ReasonCode::Success)),
    ]);
    if version == Version::V5 {
        packets.push(Packet::Disconnect(Disconnect::new(ReasonCode::DisconnectWithWill)));
        packets.push(Packet::Puback(Ack::new(id, ReasonCode::NotAuthorized)));
        packets
            .push(Packet::Auth(Auth { reason: ReasonCode::Success, properties: AuthProperties::default() }));
    }
    packets
}

fn connect(version: Version) -> Connect {
    let mut connect = Connect::new(version, "sensor-1");
    connect.clean_start = false;
    connect.user_name = Some("user".to_owned());
    connect.password = Some(Password("secret".into()));
    let mut will = Message::new("plant/3/gone", &b"gone"[..]);
    if version == Version::V5 {
        will = message();
        will.properties.topic_alias = None;
        will.properties.subscription_ids.clear();
        connect.properties.session_expiry_seconds = Some(3600);
        connect.properties.receive_maximum = std::num::NonZeroU16::new(20);
        connect.properties.maximum_packet_size = std::num::NonZeroU32::new(100_000);
        connect.properties.topic_alias_maximum = Some(8);
        connect.properties.user_properties = vec![("a".to_owned(), "b".to_owned())];
    }
    connect.will = Some(Will { message: will, qos: Qos::AtLeastOnce, retain: true, delay_seconds: 0 });
    connect
}

fn message() -> Message {
    let mut message = Message::new("plant/3/temp", &br#"{"t": 21.5}"#[..]);
    message.properties.payload_is_utf8 = Some(true);
    message.properties.message_expiry_seconds = Some(60);
    message.properties.topic_alias = Some(3);
    message.properties.content_type = Some("application/json".to_owned());
    message.properties.response_topic = Some("answers/1".to_owned());
    message.properties.correlation_data = Some((&b"\x00\xFF"[..]).into());
    message.properties.user_properties = vec![("k".to_owned(), "v".to_owned())];
    message.properties.subscription_ids = vec![SubscriptionId(268_435_455)];
    message
}
