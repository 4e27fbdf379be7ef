//! What is counted, by account and region, since devices and topics are not bounded.
//!
//! The results are those that AWS counts: <https://docs.aws.amazon.com/iot/latest/developerguide/metrics_dimensions.html>

use kernel::Metrics;
use kernel::metrics::{Counter, Gauge, Histogram, Metric};
use mqtt::Qos;

use crate::Error;

/// Devices connected now.
pub(crate) static CONNECTIONS: Metric =
    Metric { name: "iot_connections", help: "MQTT clients connected now.", labels: &["account", "region"] };
/// CONNECTs answered.
pub(crate) static CONNECTS: Metric = Metric {
    name: "iot_connects_total",
    help: "CONNECT packets answered, by result.",
    labels: &["account", "region", "result"],
};
/// Messages of devices.
pub(crate) static PUBLISH_IN: Metric = Metric {
    name: "iot_publish_in_total",
    help: "Messages published over MQTT, and over HTTPS and the API (http), by result: success means durable.",
    labels: &["account", "region", "protocol", "qos", "result"],
};
/// Messages to devices.
pub(crate) static PUBLISH_OUT: Metric = Metric {
    name: "iot_publish_out_total",
    help: "Messages sent to subscribers.",
    labels: &["account", "region", "qos"],
};
/// SUBSCRIBEs, filter by filter.
pub(crate) static SUBSCRIBES: Metric = Metric {
    name: "iot_subscribes_total",
    help: "Topic filters asked for in SUBSCRIBE packets, by result.",
    labels: &["account", "region", "result"],
};
/// UNSUBSCRIBEs, filter by filter.
pub(crate) static UNSUBSCRIBES: Metric = Metric {
    name: "iot_unsubscribes_total",
    help: "Topic filters given up in UNSUBSCRIBE packets, by result.",
    labels: &["account", "region", "result"],
};
/// From publish to durable.
pub(crate) static ACK_LATENCY: Metric = Metric {
    name: "iot_ack_latency_micros",
    help: "Microseconds from a publish at QoS 1 over MQTT to everything that follows of it being durable.",
    labels: &["account", "region"],
};
/// Messages that a subscriber did not get.
pub(crate) static DELIVERY_DROPPED: Metric = Metric {
    name: "iot_delivery_dropped_total",
    help: "Messages that a subscriber does not get: slow, session full, expired, not allowed, too large.",
    labels: &["account", "region", "reason"],
};
/// Persistent sessions.
pub(crate) static SESSIONS: Metric = Metric {
    name: "iot_persistent_sessions",
    help: "Persistent sessions, connected or not.",
    labels: &["account", "region"],
};
/// Retained messages.
pub(crate) static RETAINED: Metric =
    Metric { name: "iot_retained_messages", help: "Retained messages.", labels: &["account", "region"] };
/// Connections that end before anybody knows whose they are.
pub(crate) static REFUSED: Metric = Metric {
    name: "iot_connections_refused_total",
    help: "Connections closed before CONNECT: handshake failed, timed out, too many of an address, of an account.",
    labels: &["reason"],
};

/// What became of a request, as AWS tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    AuthError,
    ClientError,
    ServerError,
    Throttle,
}

impl Outcome {
    /// In their order.
    const NAMES: [&str; 5] = ["success", "auth_error", "client_error", "server_error", "throttle"];
}

impl From<&Error> for Outcome {
    fn from(error: &Error) -> Self {
        match error {
            Error::InvalidRequest(_) | Error::InvalidTopic(_) | Error::TooLarge | Error::NotFound(_) => {
                Self::ClientError
            }
            Error::Forbidden(_) => Self::AuthError,
            Error::Throttling(_) => Self::Throttle,
            Error::Unavailable(_) | Error::Internal(_) => Self::ServerError,
        }
    }
}

/// How a message was published, as AWS tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Mqtt,
    Http,
}

/// The cells of one account in one region, found once.
pub(crate) struct Cells {
    pub(crate) connections: Gauge,
    connects: [Counter; 5],
    /// By protocol, QoS and outcome.
    publish_in: [[[Counter; 5]; 2]; 2],
    publish_out: [Counter; 2],
    subscribes: [Counter; 5],
    unsubscribes: [Counter; 5],
    pub(crate) ack_latency: Histogram,
    pub(crate) dropped_slow: Counter,
    pub(crate) dropped_full: Counter,
    pub(crate) dropped_expired: Counter,
    pub(crate) dropped_denied: Counter,
    pub(crate) dropped_too_large: Counter,
    pub(crate) sessions: Gauge,
    pub(crate) retained: Gauge,
}

impl Cells {
    pub(crate) fn new(metrics: &Metrics, account: &str, region: &str) -> Self {
        let dropped = |reason| metrics.counter(&DELIVERY_DROPPED, &[account, region, reason]);
        let outcomes =
            |metric| Outcome::NAMES.map(|outcome| metrics.counter(metric, &[account, region, outcome]));
        let publish_in = |protocol, qos| {
            Outcome::NAMES
                .map(|outcome| metrics.counter(&PUBLISH_IN, &[account, region, protocol, qos, outcome]))
        };
        Self {
            connections: metrics.gauge(&CONNECTIONS, &[account, region]),
            connects: outcomes(&CONNECTS),
            publish_in: ["mqtt", "http"].map(|protocol| ["0", "1"].map(|qos| publish_in(protocol, qos))),
            publish_out: ["0", "1"].map(|qos| metrics.counter(&PUBLISH_OUT, &[account, region, qos])),
            subscribes: outcomes(&SUBSCRIBES),
            unsubscribes: outcomes(&UNSUBSCRIBES),
            ack_latency: metrics.histogram(&ACK_LATENCY, &[account, region]),
            dropped_slow: dropped("slow"),
            dropped_full: dropped("session_full"),
            dropped_expired: dropped("expired"),
            dropped_denied: dropped("denied"),
            dropped_too_large: dropped("too_large"),
            sessions: metrics.gauge(&SESSIONS, &[account, region]),
            retained: metrics.gauge(&RETAINED, &[account, region]),
        }
    }

    pub(crate) fn connects(&self, outcome: Outcome) -> &Counter {
        &self.connects[outcome as usize]
    }

    pub(crate) fn publish_in(&self, protocol: Protocol, qos: Qos, outcome: Outcome) -> &Counter {
        &self.publish_in[protocol as usize][usize::from(qos != Qos::AtMostOnce)][outcome as usize]
    }

    pub(crate) fn publish_out(&self, qos: Qos) -> &Counter {
        &self.publish_out[usize::from(qos != Qos::AtMostOnce)]
    }

    pub(crate) fn subscribes(&self, outcome: Outcome) -> &Counter {
        &self.subscribes[outcome as usize]
    }

    pub(crate) fn unsubscribes(&self, outcome: Outcome) -> &Counter {
        &self.unsubscribes[outcome as usize]
    }
}

/// The cells of connections that are nobody's yet.
pub(crate) struct Refusals {
    pub(crate) handshake: Counter,
    pub(crate) timeout: Counter,
    pub(crate) address: Counter,
    pub(crate) account: Counter,
}

impl Refusals {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let refused = |reason| metrics.counter(&REFUSED, &[reason]);
        Self {
            handshake: refused("handshake"),
            timeout: refused("timeout"),
            address: refused("address"),
            account: refused("account"),
        }
    }
}
