//! MQTT 3.1.1 and 5 as a sans-IO codec and session state machine.
//!
//! Bytes come in, events come out; answers go in, bytes come out. No socket, clock, task or randomness is
//! here, so the whole protocol is tested, fuzzed and simulated as it runs. Authorisation, routing, storage
//! and rates are the device gateway's.
//!
//! ```text
//!   socket ──► input: BytesMut ──► Session::receive ──► Event::Connect      ──► accept / refuse
//!                                       │               Event::Publish      ──► ack, once durable
//!                                       │               Event::Subscribe    ──► suback
//!                                       │               Event::Unsubscribe  ──► unsuback
//!                                       │               Event::Acknowledged ──► next from the queue
//!   router ───► Session::deliver ───────┤
//!   clock ────► Session::expire ────────┤
//!   others ───► Session::disconnect ────┤
//!                                       ▼
//!   socket ◄── Session::output ◄── (PINGRESP, PUBACK, SUBACK, PUBLISH, DISCONNECT …) ──► Session::closed
//! ```
//!
//! A connection task is one loop:
//!
//! 1. wait for bytes, for work from others (acks, deliveries, a disconnect), or for [`Session::deadline_ms`];
//! 2. do the work, then call [`Session::receive`] until it returns nothing;
//! 3. write [`Session::output`] out, all of it in one go;
//! 4. when [`Session::closed`] says so, end: flush, close the socket, publish its will, keep or forget the
//!    session; [`Session::unacked`] is what a persistent session must send again.
//!
//! # Invariants
//!
//! - **S1** Events come in the order of the packets. Nothing but CONNECT is read before it, and nothing after
//!   it before the caller has decided.
//! - **S2** A publish at QoS 1 is acknowledged by the caller alone, when it is durable, in any order.
//! - **S3** At most 100 publishes are in flight each way, or the client's Receive Maximum if that is less.
//!   Nothing is queued here: what does not fit is [`Delivered::Blocked`] and stays with the caller.
//! - **S4** Output is bounded: above [`limits::OUTPUT_BYTES_MAX`] nothing is read or delivered, so a client
//!   that sends without reading stops being read. After a flush, call [`Session::receive`] again.
//! - **S5** At 100 unacknowledged publishes an MQTT 3.1.1 client is not read on, an MQTT 5 client that
//!   sends one more is disconnected (0x93). After [`Session::ack`], call [`Session::receive`] again.
//! - **S6** Memory is bounded by `limits`, whatever the peer says; lengths are never believed before the
//!   bytes are there.
//! - **S7** A connection closes once, for one cause. A violation closes it: MQTT 5 clients are told the
//!   reason, MQTT 3.1.1 clients are not. After that every call is without effect.
//! - **S8** The will is handed out exactly once: for every end of an accepted connection but a DISCONNECT
//!   with reason 0.
//!
//! A [`Message`]'s payload is a slice of the read buffer: copy it before keeping it for long.
//!
//! # Also here
//!
//! [`Client`], the other end. [`TopicFilter`] and [`TopicTrie`], which say what a subscription matches.
//! [`Decoder`] and [`encode`], the codec alone.

#![forbid(unsafe_code)]

mod client;
mod codec;
mod event;
mod inflight;
pub mod limits;
mod packet;
mod properties;
mod reason;
mod session;
pub mod topic;
mod trie;
mod v311;
mod v5;

pub use client::{Client, ClientError, ClientEvent, Retain};
pub use codec::{Decoder, EncodeError, encode, encoded_bytes};
pub use event::{
    Accept, CloseCause, Closed, Delivered, Event, Outgoing, RequestedSubscription, SessionConfig,
    SubscribeRequest, UnsubscribeRequest,
};
pub use packet::{
    Ack, Auth, Connack, Connect, Delivery, Disconnect, Message, Packet, PacketId, Password, Publish, Qos,
    RetainHandling, Suback, Subscribe, Subscription, SubscriptionOptions, Unsuback, Unsubscribe, Version,
    Will,
};
pub use properties::{
    AckProperties, AuthProperties, ConnackProperties, ConnectProperties, DisconnectProperties,
    PublishProperties, SubscribeProperties, SubscriptionId, UnsubscribeProperties,
};
pub use reason::{ReasonCode, Violation};
pub use session::Session;
pub use topic::{BasicIngest, MultiLevel, TopicError, TopicFilter};
pub use trie::TopicTrie;
