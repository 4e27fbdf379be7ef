//! The client's end of one MQTT connection: what the simulator, the load generator and tests speak.
//!
//! As small as it can be: CONNECT, publish at QoS 0 and 1, subscribe, and a token for whatever is
//! acknowledged. It keeps no session between connections (see [`Client::unacked`]), refuses topic aliases,
//! and does not speak QoS 2 beyond sending a publish that AWS refuses.

use bytes::BytesMut;

use crate::codec::{Decoder, EncodeError, encode};
use crate::inflight::Inflight;
use crate::limits::INFLIGHT_MAX;
use crate::packet::{
    Ack, Connack, Connect, Delivery, Disconnect, Message, Packet, PacketId, Publish, Qos, Subscribe,
    Subscription, SubscriptionOptions, Unsubscribe, Version,
};
use crate::properties::{SubscribeProperties, UnsubscribeProperties};
use crate::reason::{ReasonCode, Violation};

#[derive(Debug)]
pub enum ClientEvent {
    /// The answer to CONNECT, good or bad.
    Connack(Box<Connack>),
    /// A message; at QoS 1 answer with [`Client::ack`].
    Message(Publish),
    /// PUBACK. Always a success in MQTT 3.1.1.
    Published {
        token: u64,
        reason: ReasonCode,
    },
    /// One code for each filter.
    Subscribed {
        token: u64,
        codes: Vec<ReasonCode>,
    },
    /// One code for each filter; none in MQTT 3.1.1.
    Unsubscribed {
        token: u64,
        codes: Vec<ReasonCode>,
    },
    Pong,
    /// MQTT 5: the server is about to close.
    Disconnected(Disconnect),
}

/// Why a request was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error("as many requests are in flight as the server takes")]
    Blocked,
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

#[derive(Debug)]
pub struct Client {
    /// What is to be sent, in order. The caller takes it whenever it likes.
    pub output: BytesMut,
    decoder: Decoder,
    version: Version,
    inflight: Inflight,
}

impl Client {
    /// The output then has the CONNECT.
    ///
    /// # Errors
    /// A field of the CONNECT is too long.
    pub fn connect(connect: Connect) -> Result<Self, EncodeError> {
        let version = connect.version;
        let mut output = BytesMut::new();
        encode(&Packet::Connect(Box::new(connect)), version, &mut output)?;
        let decoder = Decoder { version: Some(version), packet_bytes_max: usize::MAX };
        Ok(Self { output, decoder, version, inflight: Inflight::new(INFLIGHT_MAX) })
    }

    /// Takes packets from the front of `input` until one is of interest or none is whole.
    ///
    /// # Errors
    /// The server broke the protocol; close the transport.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<Option<ClientEvent>, Violation> {
        while let Some(packet) = self.decoder.decode(input)? {
            if let Some(event) = self.handle(packet)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Publishes. `token` comes back in [`ClientEvent::Published`] unless the QoS is 0.
    ///
    /// # Errors
    /// Nothing was written; see [`ClientError`].
    pub fn publish(
        &mut self,
        message: Message,
        qos: Qos,
        retain: Retain,
        token: u64,
    ) -> Result<(), ClientError> {
        let retain = retain == Retain::Yes;
        if qos == Qos::AtMostOnce {
            let publish = Publish { dup: false, delivery: Delivery::AtMostOnce, retain, message };
            return Ok(encode(&Packet::Publish(publish), self.version, &mut self.output)?);
        }
        self.request(token, |packet_id| {
            let delivery = match qos {
                Qos::ExactlyOnce => Delivery::ExactlyOnce(packet_id),
                Qos::AtMostOnce | Qos::AtLeastOnce => Delivery::AtLeastOnce(packet_id),
            };
            Packet::Publish(Publish { dup: false, delivery, retain, message })
        })
    }

    /// Subscribes to the filters, all with the same options.
    ///
    /// # Errors
    /// Nothing was written; see [`ClientError`].
    pub fn subscribe(
        &mut self,
        filters: &[&str],
        options: SubscriptionOptions,
        token: u64,
    ) -> Result<(), ClientError> {
        let subscriptions =
            filters.iter().map(|&filter| Subscription { filter: filter.to_owned(), options }).collect();
        self.request(token, |packet_id| {
            let properties = SubscribeProperties::default();
            Packet::Subscribe(Subscribe { packet_id, subscriptions, properties })
        })
    }

    /// # Errors
    /// Nothing was written; see [`ClientError`].
    pub fn unsubscribe(&mut self, filters: &[&str], token: u64) -> Result<(), ClientError> {
        let filters = filters.iter().map(|&filter| filter.to_owned()).collect();
        self.request(token, |packet_id| {
            let properties = UnsubscribeProperties::default();
            Packet::Unsubscribe(Unsubscribe { packet_id, filters, properties })
        })
    }

    /// Answers a message at QoS 1.
    pub fn ack(&mut self, packet_id: PacketId) {
        self.write(&Packet::Puback(Ack::new(packet_id, ReasonCode::Success)));
    }

    pub fn ping(&mut self) {
        self.write(&Packet::Pingreq);
    }

    /// Says goodbye; MQTT 3.1.1 has no reason, and never publishes the will.
    pub fn disconnect(&mut self, reason: ReasonCode) {
        self.write(&Packet::Disconnect(Disconnect::new(reason)));
    }

    /// Tokens of requests without an answer, in the order of sending.
    pub fn unacked(&self) -> impl Iterator<Item = u64> + '_ {
        self.inflight.tokens()
    }

    fn handle(&mut self, packet: Packet) -> Result<Option<ClientEvent>, Violation> {
        let event = match packet {
            Packet::Connack(connack) => {
                if let Some(maximum) = connack.properties.receive_maximum {
                    self.inflight.set_max(maximum.get().min(INFLIGHT_MAX));
                }
                ClientEvent::Connack(connack)
            }
            Packet::Publish(publish) if publish.message.properties.topic_alias.is_some() => {
                return Err(Violation::new(ReasonCode::TopicAliasInvalid, "a topic alias nobody allowed"));
            }
            Packet::Publish(publish) => ClientEvent::Message(publish),
            Packet::Puback(ack) => {
                let Some(token) = self.inflight.remove(ack.packet_id) else { return Ok(None) };
                ClientEvent::Published { token, reason: ack.reason }
            }
            Packet::Suback(suback) => {
                let Some(token) = self.inflight.remove(suback.packet_id) else { return Ok(None) };
                ClientEvent::Subscribed { token, codes: suback.codes }
            }
            Packet::Unsuback(unsuback) => {
                let Some(token) = self.inflight.remove(unsuback.packet_id) else { return Ok(None) };
                ClientEvent::Unsubscribed { token, codes: unsuback.codes }
            }
            Packet::Pingresp => ClientEvent::Pong,
            Packet::Disconnect(disconnect) => ClientEvent::Disconnected(disconnect),
            Packet::Connect(_)
            | Packet::Pubrec(_)
            | Packet::Pubrel(_)
            | Packet::Pubcomp(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq
            | Packet::Auth(_) => {
                return Err(Violation::protocol("a packet that this client did not ask for"));
            }
        };
        Ok(Some(event))
    }

    fn request(&mut self, token: u64, packet: impl FnOnce(PacketId) -> Packet) -> Result<(), ClientError> {
        let packet_id = self.inflight.insert(token).ok_or(ClientError::Blocked)?;
        encode(&packet(packet_id), self.version, &mut self.output).map_err(|err| {
            self.inflight.remove(packet_id);
            ClientError::Encode(err)
        })
    }

    fn write(&mut self, packet: &Packet) {
        encode(packet, self.version, &mut self.output).expect("it has no long field");
    }
}

/// Whether the server keeps the message for later subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retain {
    No,
    Yes,
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;
    use crate::codec::encode;
    use crate::packet::{Suback, Unsuback};
    use crate::properties::{AckProperties, ConnackProperties};

    fn client() -> Client {
        let mut client = Client::connect(Connect::new(Version::V5, "c")).unwrap();
        client.output.clear();
        client
    }

    fn hear(client: &mut Client, packet: &Packet) -> Result<Option<ClientEvent>, Violation> {
        let mut input = BytesMut::new();
        encode(packet, Version::V5, &mut input).unwrap();
        client.receive(&mut input)
    }

    fn publish(client: &mut Client, token: u64) -> Result<(), ClientError> {
        client.publish(Message::new("t", "p"), Qos::AtLeastOnce, Retain::No, token)
    }

    #[test]
    fn the_servers_receive_maximum_is_kept() {
        let mut client = client();
        let properties = ConnackProperties { receive_maximum: NonZeroU16::new(1), ..Default::default() };
        let connack = Connack { session_present: false, reason: ReasonCode::Success, properties };
        hear(&mut client, &Packet::Connack(Box::new(connack))).unwrap();
        assert_eq!(publish(&mut client, 1), Ok(()));
        assert_eq!(publish(&mut client, 2), Err(ClientError::Blocked));
        let puback = Packet::Puback(Ack::new(PacketId::MIN, ReasonCode::NotAuthorized));
        let event = hear(&mut client, &puback).unwrap();
        let reason = ReasonCode::NotAuthorized;
        assert!(matches!(event, Some(ClientEvent::Published { token: 1, reason: r }) if r == reason));
        assert_eq!(publish(&mut client, 2), Ok(()));
        assert_eq!(client.unacked().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_request_that_cannot_be_written_leaves_nothing_behind() {
        let mut client = client();
        let long = Message::new("t".repeat(65_536), "");
        let refused = client.publish(long, Qos::AtLeastOnce, Retain::Yes, 1);
        assert_eq!(refused, Err(ClientError::Encode(EncodeError::TooLong)));
        assert_eq!((client.unacked().count(), client.output.len()), (0, 0));
    }

    #[test]
    fn answers_come_back_under_their_token() {
        let mut client = client();
        client.subscribe(&["a"], SubscriptionOptions::new(Qos::AtLeastOnce), 7).unwrap();
        client.unsubscribe(&["a"], 8).unwrap();
        let codes = vec![ReasonCode::Success];
        let properties = AckProperties::default;
        let unsuback =
            Unsuback { packet_id: PacketId::new(2).unwrap(), codes: codes.clone(), properties: properties() };
        let event = hear(&mut client, &Packet::Unsuback(unsuback)).unwrap();
        assert!(matches!(event, Some(ClientEvent::Unsubscribed { token: 8, .. })));
        let suback = Suback { packet_id: PacketId::MIN, codes, properties: properties() };
        let event = hear(&mut client, &Packet::Suback(suback.clone())).unwrap();
        assert!(matches!(event, Some(ClientEvent::Subscribed { token: 7, .. })));
        assert!(hear(&mut client, &Packet::Suback(suback)).unwrap().is_none());
    }

    #[test]
    fn ping_and_goodbye_are_one_packet_each() {
        let mut client = client();
        client.ping();
        client.disconnect(ReasonCode::DisconnectWithWill);
        assert_eq!(client.output, &[0xC0, 0, 0xE0, 1, 4][..]);
        assert!(matches!(hear(&mut client, &Packet::Pingresp), Ok(Some(ClientEvent::Pong))));
    }

    #[test]
    fn what_this_client_did_not_ask_for_is_a_violation() {
        let mut message = Message::new("t", "");
        message.properties.topic_alias = Some(1);
        let delivery = Delivery::AtMostOnce;
        let aliased = Packet::Publish(Publish { dup: false, delivery, retain: false, message });
        let violation = hear(&mut client(), &aliased).unwrap_err();
        assert_eq!(violation.reason, ReasonCode::TopicAliasInvalid);
        for packet in [Packet::Pingreq, Packet::Pubrec(Ack::new(PacketId::MIN, ReasonCode::Success))] {
            assert_eq!(hear(&mut client(), &packet).unwrap_err().reason, ReasonCode::ProtocolError);
        }
    }
}
