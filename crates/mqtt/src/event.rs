//! What a [`Session`](crate::Session) and its caller say to each other: events, answers, deliveries and the end.

use crate::limits::SESSION_EXPIRY_SECONDS_DEFAULT;
use crate::packet::{Connect, Message, PacketId, Publish, Qos, SubscriptionOptions, Will};
use crate::reason::{ReasonCode, Violation};
use crate::topic::{TopicError, TopicFilter};

/// What the caller must answer or act on.
#[derive(Debug)]
pub enum Event {
    /// Authenticate and authorise, then [`Session::accept`](crate::Session::accept) or [`Session::refuse`](crate::Session::refuse). Nothing more is read
    /// before that.
    Connect(Box<Connect>),
    /// Authorise and store. At QoS 1 then [`Session::ack`](crate::Session::ack), and not before it is durable. The topic alias is
    /// resolved, and the message within AWS's limits.
    Publish(Publish),
    /// Answer with [`Session::suback`](crate::Session::suback).
    Subscribe(SubscribeRequest),
    /// Answer with [`Session::unsuback`](crate::Session::unsuback).
    Unsubscribe(UnsubscribeRequest),
    /// A delivery at QoS 1 has arrived; there is room for another. A failure is the client's own: the
    /// message is delivered all the same (MQTT 5 §4.4).
    Acknowledged { token: u64, reason: ReasonCode },
}

#[derive(Debug)]
pub struct SubscribeRequest {
    pub packet_id: PacketId,
    /// One code is owed for each, in this order.
    pub subscriptions: Vec<RequestedSubscription>,
    pub user_properties: Vec<(String, String)>,
}

#[derive(Debug)]
pub struct RequestedSubscription {
    /// A bad filter is answered with [`ReasonCode::TopicFilterInvalid`].
    pub filter: Result<TopicFilter, TopicError>,
    /// At most QoS 1.
    pub options: SubscriptionOptions,
}

#[derive(Debug)]
pub struct UnsubscribeRequest {
    pub packet_id: PacketId,
    /// One code is owed for each, in this order.
    pub filters: Vec<Result<TopicFilter, TopicError>>,
}

/// What the caller knows when it accepts a client.
#[derive(Clone, Debug, Default)]
pub struct Accept {
    /// Stored state was found for the client, and the client did not ask for a clean start.
    pub session_present: bool,
    /// The identifier given to a client that came with none.
    pub assigned_client_id: Option<String>,
}

/// A message on its way to a subscriber.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    pub message: &'a Message,
    /// The lower of the publisher's and the subscription's. QoS 2 is sent as QoS 1.
    pub qos: Qos,
    pub retain: bool,
    /// Whole seconds the message has waited in the server, taken off its expiry interval.
    pub waited_seconds: u32,
    /// Comes back in [`Event::Acknowledged`] and [`Session::unacked`](crate::Session::unacked). Not used at QoS 0.
    pub token: u64,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// At QoS 0: written, and done with.
    Sent,
    /// At QoS 1: written; [`Event::Acknowledged`] will follow, or [`Session::unacked`](crate::Session::unacked) has it.
    InFlight,
    /// Not written: the client has as much as it may have. Keep the message, and try again after an
    /// acknowledgement or when the output is flushed.
    Blocked,
    /// Not written: the client does not take packets so large. Drop it as if delivered (MQTT-3.1.2-25).
    TooLarge,
}

/// The end of a connection, for the caller to act on once the output is flushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub cause: CloseCause,
    /// To publish, after its delay, unless the client comes back first.
    pub will: Option<Will>,
    /// How long to keep the session from now; 0 forgets it.
    pub session_expiry_seconds: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseCause {
    /// A DISCONNECT of the client.
    ClientDisconnect(ReasonCode),
    /// The transport ended.
    ConnectionLost,
    /// No CONNECT came.
    ConnectTimeout,
    KeepAliveTimeout,
    /// The client broke the protocol or a quota.
    Violation(Violation),
    /// The caller refused the CONNECT.
    Refused(ReasonCode),
    /// The caller ended it: [`Session::disconnect`](crate::Session::disconnect), or [`Session::ack`](crate::Session::ack) with a failure that MQTT 3.1.1
    /// cannot express.
    ServerDisconnect(ReasonCode),
}

#[derive(Clone, Copy, Debug)]
pub struct SessionConfig {
    /// How long sessions live after their connection: what an MQTT 3.1.1 client without Clean Session gets,
    /// and the most an MQTT 5 client can get. Seconds; AWS allows up to 604,800.
    pub session_expiry_seconds_max: u32,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self { session_expiry_seconds_max: SESSION_EXPIRY_SECONDS_DEFAULT }
    }
}
