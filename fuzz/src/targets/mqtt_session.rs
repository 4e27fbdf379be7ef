//! A whole MQTT connection: CONNECT, what follows, and a broker that answers and delivers.
//!
//! Output is bounded, the machine ends, and nothing is read after it has. The first byte says how the broker behaves.

use bytes::{Bytes, BytesMut};
use mqtt::limits::{OUTPUT_BYTES_MAX, PACKET_BYTES_MAX};
use mqtt::{
    Accept, Delivery, Disconnect, Event, Message, Outgoing, Packet, Qos, ReasonCode, Session, SessionConfig,
    Version, encode,
};

use super::mqtt_packet;
use crate::{Memory, Target};

pub(super) static TARGET: Target = Target {
    name: "mqtt_session",
    about: "the packets of one MQTT connection, from CONNECT to its end",
    words: mqtt_packet::TARGET.words,
    // A broker that never writes out holds what S4 allows.
    memory: Memory { bytes: 3 * (OUTPUT_BYTES_MAX + PACKET_BYTES_MAX) as u64, per_byte: 512 },
    mutations: 60_000,
    start: || Box::new(serve),
    seeds,
};

fn serve(input: &[u8]) {
    let Some((&behaviour, bytes)) = input.split_first() else { return };
    let broker =
        Broker { acks: behaviour & 1 == 0, flushes: behaviour & 2 == 0, refuses: behaviour & 4 != 0 };
    let piece = usize::from(behaviour >> 3) * 8 + 1;
    let mut session = Session::new(SessionConfig::default(), 0);
    let mut buffer = BytesMut::new();
    for (n, piece) in bytes.chunks(piece).enumerate() {
        buffer.extend_from_slice(piece);
        let now_ms = i64::try_from(n).expect("an input is short");
        while let Some(event) = session.receive(&mut buffer, now_ms) {
            broker.answer(&mut session, event, now_ms);
        }
        assert!(session.output.len() <= OUTPUT_BYTES_MAX + PACKET_BYTES_MAX, "S4: output is bounded");
        if broker.flushes {
            session.output.clear();
        }
    }
    session.expire(i64::MAX);
    assert!(session.closed().is_some(), "no session outlives its deadline");
    let before = buffer.len();
    assert!(
        session.receive(&mut buffer, i64::MAX).is_none() && buffer.len() == before,
        "S7: it reads no more"
    );
}

struct Broker {
    acks: bool,
    flushes: bool,
    refuses: bool,
}

impl Broker {
    fn answer(&self, session: &mut Session, event: Event, now_ms: i64) {
        match event {
            Event::Connect(_) if self.refuses => session.refuse(ReasonCode::NotAuthorized),
            Event::Connect(_) => session.accept(Accept::default(), now_ms),
            Event::Publish(publish) => {
                if let Delivery::AtLeastOnce(id) = publish.delivery
                    && self.acks
                {
                    session.ack(id, ReasonCode::Success);
                }
                for qos in [Qos::AtMostOnce, Qos::AtLeastOnce] {
                    let message = &publish.message;
                    session.deliver(Outgoing { message, qos, retain: false, waited_seconds: 1, token: 7 });
                }
            }
            Event::Subscribe(request) => {
                let codes = request.subscriptions.iter().map(|subscription| match &subscription.filter {
                    Ok(_) => ReasonCode::GrantedQos1,
                    Err(_) => ReasonCode::TopicFilterInvalid,
                });
                session.suback(request.packet_id, &codes.collect::<Vec<_>>());
            }
            Event::Unsubscribe(request) => {
                session.unsuback(request.packet_id, &vec![ReasonCode::Success; request.filters.len()]);
            }
            Event::Acknowledged { token, .. } => assert_eq!(token, 7),
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for version in [Version::V311, Version::V5] {
        let mut all = BytesMut::new();
        let mut packets = mqtt_packet::packets(version);
        let connect = packets.remove(0);
        encode(&connect, version, &mut all).expect("it can be written");
        for packet in &packets {
            // A client's own, each after a CONNECT; together they are a conversation.
            let mut one = BytesMut::new();
            encode(&connect, version, &mut one).expect("it can be written");
            if encode(packet, version, &mut one).is_ok() {
                seeds.push([&[0xF8], one.as_ref()].concat());
            }
            if matches!(
                packet,
                Packet::Publish(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq
            ) {
                encode(packet, version, &mut all).expect("it can be written");
            }
        }
        let large = Packet::Publish(mqtt::Publish {
            dup: false,
            delivery: Delivery::AtMostOnce,
            retain: false,
            message: Message::new("a", Bytes::from(vec![b' '; 2000])),
        });
        encode(&large, version, &mut all).expect("it can be written");
        encode(&Packet::Disconnect(Disconnect::new(ReasonCode::Success)), version, &mut all)
            .expect("it can be written");
        for behaviour in [0xF8, 0xF9, 0xFA, 0xFB, 0xFC, 0x00] {
            seeds.push([&[behaviour], all.as_ref()].concat());
        }
    }
    seeds
}
