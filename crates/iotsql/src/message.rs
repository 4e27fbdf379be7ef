//! What a statement is evaluated against: one published message and everything ambient.

use crate::{Value, json};
use bytes::Bytes;
use std::net::IpAddr;
use std::sync::OnceLock;

/// A published message, filled in by the rules engine.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// As SQL sees it: without `$aws/rules/<name>/` when it came by Basic Ingest.
    pub topic: &'a str,
    pub payload: &'a Payload,
    /// Of the engine, in milliseconds since 1970; one value for all that is evaluated for this message.
    pub timestamp_ms: i64,
    /// Of the rule's owner.
    pub account_id: &'a str,
    /// `None` when the message did not come over MQTT.
    pub client_id: Option<&'a str>,
    /// The certificate's id, or the id of the user or role session.
    pub principal: Option<&'a str>,
    pub source_ip: Option<IpAddr>,
    /// A UUID; `None` when the message did not come over MQTT.
    pub trace_id: Option<&'a str>,
    pub properties: MqttProperties<'a>,
    /// 128 random bits at each call, for `newuuid()` and `rand()`.
    pub random: &'a (dyn Fn() -> u128 + Sync),
}

/// The MQTT 5 properties of a PUBLISH.
#[derive(Debug, Clone, Copy, Default)]
pub struct MqttProperties<'a> {
    pub content_type: Option<&'a str>,
    /// The payload format indicator: whether the payload is declared to be UTF-8.
    pub utf8_payload: bool,
    pub response_topic: Option<&'a str>,
    pub correlation_data: Option<&'a [u8]>,
    /// In the order sent; a name may come more than once.
    pub user: &'a [(String, String)],
}

/// The bytes of a message and, once a rule has asked, what they mean. Share one among all rules that a
/// message reaches, and it is parsed at most once.
pub struct Payload {
    bytes: Bytes,
    document: OnceLock<json::Document>,
}

impl Payload {
    pub fn new(bytes: Bytes) -> Payload {
        Payload { bytes, document: OnceLock::new() }
    }

    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The JSON, or [`Value::Bytes`] if it is none.
    pub fn value(&self) -> &Value {
        &self.document().value
    }

    /// Whether the bytes can be forwarded as they are.
    pub(crate) fn is_verbatim(&self) -> bool {
        self.document().canonical
    }

    fn document(&self) -> &json::Document {
        self.document.get_or_init(|| {
            json::parse(&self.bytes).unwrap_or_else(|| json::Document {
                value: Value::Bytes(self.bytes.clone()),
                canonical: true,
            })
        })
    }
}
