//! What is counted: of the node as a whole, since devices and topics are not bounded.

use kernel::Metrics;
use kernel::metrics::{Counter, Gauge, Metric};
use mqtt::Qos;

/// Devices connected now.
pub(crate) static CONNECTIONS: Metric =
    Metric { name: "iot_connections", help: "MQTT clients connected now.", labels: &[] };
/// CONNECTs answered.
pub(crate) static CONNECTS: Metric = Metric {
    name: "iot_connects_total",
    help: "CONNECT packets answered: accepted or refused.",
    labels: &["result"],
};
/// Messages of devices.
pub(crate) static PUBLISH_IN: Metric = Metric {
    name: "iot_publish_in_total",
    help: "Messages published over MQTT, HTTPS and the API.",
    labels: &["qos"],
};
/// Messages to devices.
pub(crate) static PUBLISH_OUT: Metric =
    Metric { name: "iot_publish_out_total", help: "Messages sent to subscribers.", labels: &["qos"] };
/// Publishes refused by policy.
pub(crate) static PUBLISH_DENIED: Metric = Metric {
    name: "iot_publish_denied_total",
    help: "Messages that a policy did not allow to be published.",
    labels: &[],
};
/// Publishes that did not become durable.
pub(crate) static PUBLISH_FAILED: Metric = Metric {
    name: "iot_publish_failed_total",
    help: "Messages that were not acknowledged because a consequence was not durable.",
    labels: &[],
};
/// Messages that a subscriber did not get.
pub(crate) static DELIVERY_DROPPED: Metric = Metric {
    name: "iot_delivery_dropped_total",
    help: "Messages that a subscriber does not get: slow, session full, expired, not allowed, too large.",
    labels: &["reason"],
};
/// Persistent sessions.
pub(crate) static SESSIONS: Metric =
    Metric { name: "iot_persistent_sessions", help: "Persistent sessions, connected or not.", labels: &[] };
/// Retained messages.
pub(crate) static RETAINED: Metric =
    Metric { name: "iot_retained_messages", help: "Retained messages.", labels: &[] };

/// The cells, found once.
pub(crate) struct Cells {
    pub(crate) connections: Gauge,
    pub(crate) connects_accepted: Counter,
    pub(crate) connects_refused: Counter,
    publish_in: [Counter; 2],
    publish_out: [Counter; 2],
    pub(crate) publish_denied: Counter,
    pub(crate) publish_failed: Counter,
    pub(crate) dropped_slow: Counter,
    pub(crate) dropped_full: Counter,
    pub(crate) dropped_expired: Counter,
    pub(crate) dropped_denied: Counter,
    pub(crate) dropped_too_large: Counter,
    pub(crate) sessions: Gauge,
    pub(crate) retained: Gauge,
}

impl Cells {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let dropped = |reason| metrics.counter(&DELIVERY_DROPPED, &[reason]);
        Self {
            connections: metrics.gauge(&CONNECTIONS, &[]),
            connects_accepted: metrics.counter(&CONNECTS, &["accepted"]),
            connects_refused: metrics.counter(&CONNECTS, &["refused"]),
            publish_in: ["0", "1"].map(|qos| metrics.counter(&PUBLISH_IN, &[qos])),
            publish_out: ["0", "1"].map(|qos| metrics.counter(&PUBLISH_OUT, &[qos])),
            publish_denied: metrics.counter(&PUBLISH_DENIED, &[]),
            publish_failed: metrics.counter(&PUBLISH_FAILED, &[]),
            dropped_slow: dropped("slow"),
            dropped_full: dropped("session_full"),
            dropped_expired: dropped("expired"),
            dropped_denied: dropped("denied"),
            dropped_too_large: dropped("too_large"),
            sessions: metrics.gauge(&SESSIONS, &[]),
            retained: metrics.gauge(&RETAINED, &[]),
        }
    }

    pub(crate) fn publish_in(&self, qos: Qos) -> &Counter {
        &self.publish_in[usize::from(qos != Qos::AtMostOnce)]
    }

    pub(crate) fn publish_out(&self, qos: Qos) -> &Counter {
        &self.publish_out[usize::from(qos != Qos::AtMostOnce)]
    }
}
