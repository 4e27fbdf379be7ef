//! Messages, rules and devices: between gateway, rules and iot.

use std::sync::Arc;

use bytes::Bytes;
use kernel::{Context, Timestamp};

use crate::{PortError, PortFuture};

/// A message that a device, the HTTPS endpoint or a rule publishes.
#[derive(Clone, Debug)]
pub struct Message {
    /// The topic name: no wildcards, 1–256 bytes.
    pub topic: String,
    /// At most 128 KiB; not necessarily JSON.
    pub payload: Bytes,
    /// 0 or 1.
    pub qos: u8,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// The publisher's MQTT client id; none over HTTPS and for republished messages.
    pub client_id: Option<String>,
    /// When the broker received it.
    pub received_at: Timestamp,
    /// How many rules have republished it: guards against loops.
    pub hops: u8,
    /// MQTT 5 properties that travel with the message.
    pub properties: MessageProperties,
}

/// What MQTT 5 (§3.3.2.3) lets a publisher say about a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageProperties {
    /// Whether the payload is UTF-8 text.
    pub payload_is_utf8: bool,
    /// A MIME type.
    pub content_type: Option<String>,
    /// Where a response is wanted.
    pub response_topic: Option<String>,
    /// Opaque to the broker.
    pub correlation_data: Option<Bytes>,
    /// Seconds until subscribers no longer want it.
    pub message_expiry_s: Option<u32>,
    /// Name and value pairs, in order, names may repeat.
    pub user_properties: Vec<(String, String)>,
}

/// Hands a message to every subscriber and rule. Implemented by `gateway`.
pub trait Publish: Send + Sync {
    /// Resolves when the message's consequences are durable: appended to the queue of every persistent session that
    /// wants it at QoS 1, and taken by the rules ([`OnMessage`]).
    ///
    /// # Errors
    /// `Denied` when the caller may not, `Invalid` for a bad topic or too large a payload, `Unavailable` when a queue is full.
    fn publish<'a>(&'a self, cx: &'a Context, message: Message) -> PortFuture<'a, ()>;
}

/// What happens to a published message besides delivery to subscribers. Implemented by `rules`.
pub trait OnMessage: Send + Sync {
    /// Evaluates every enabled rule whose topic filter matches and starts its actions. Evaluation is done when the
    /// call returns; the future resolves when every action is durable or queued durably. An action that fails is
    /// dealt with by the rule's error action and does not fail the message.
    ///
    /// # Errors
    /// `Unavailable` or `Internal` when an append failed: the publisher must not be acknowledged.
    fn on_message<'a>(&'a self, cx: &'a Context, message: &'a Message) -> PortFuture<'a, ()>;
}

/// A topic rule, as the engine needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicRule {
    /// 1–128 of `[a-zA-Z0-9_]`.
    pub name: String,
    /// The rule's ARN.
    pub arn: String,
    /// The statement's text; it parsed when the rule was created.
    pub sql: String,
    /// `2015-10-08`, `2016-03-23` or `beta`.
    pub sql_version: String,
    /// A disabled rule matches nothing.
    pub enabled: bool,
    /// Each has exactly one member, named after the action, as in the API: `{"firehose": {…}}`. Validated when the rule
    /// was created.
    pub actions: Vec<serde_json::Value>,
    /// The same form, run once per message of which an action failed.
    pub error_action: Option<serde_json::Value>,
}

/// The rules of every account and region. Implemented by `iot`.
pub trait TopicRules: Send + Sync {
    /// The rules now, and a signal for each later change. Level-triggered: a receiver that sees the newest revision has
    /// missed nothing.
    fn rules(&self) -> tokio_watch::Receiver<Arc<Vec<ScopedRule>>>;
}

/// A rule and where it belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopedRule {
    /// The rule's account and region, with the service `iot.amazonaws.com` as principal.
    pub account: kernel::AccountId,
    /// The region in which messages reach the rule.
    pub region: kernel::Region,
    /// The rule.
    pub rule: TopicRule,
}

/// Tokio's watch channel under a name that says what it is here for.
pub use tokio::sync::watch as tokio_watch;

/// Checks a rule before it is stored. Implemented by `rules`, which alone knows what each action takes.
pub trait CheckRule: Send + Sync {
    /// The statement parses and every action and the error action is one we run, with parameters it accepts, and with a role that
    /// the caller may pass and that trusts the rules.
    ///
    /// # Errors
    /// `Invalid` with the code `SqlParseException` or `InvalidRequestException`, `Denied` with AWS's sentence about `iam:PassRole`.
    fn check(&self, cx: &Context, rule: &TopicRule) -> Result<(), PortError>;
}

/// A registered device certificate, as the gateway needs it.
#[derive(Clone, Debug)]
pub struct DeviceIdentity {
    /// SHA-256 of the DER form, 64 hex digits.
    pub certificate_id: String,
    /// The account that registered it.
    pub account: kernel::AccountId,
    /// The region that registered it.
    pub region: kernel::Region,
    /// Whether it may connect.
    pub active: bool,
    /// The first moment of its validity.
    pub not_before: Timestamp,
    /// The last moment of its validity.
    pub not_after: Timestamp,
    /// The texts of the policies attached to the certificate.
    pub policies: Vec<Arc<str>>,
    /// Names of the things the certificate is attached to.
    pub things: Vec<String>,
}

/// The certificates devices present. Implemented by `iot`.
pub trait Devices: Send + Sync {
    /// The identity behind a certificate's SHA-256, from memory; none if it is not registered.
    fn identity(&self, certificate_id: &str) -> Option<Arc<DeviceIdentity>>;

    /// Changes whenever any certificate, policy or attachment does: the gateway's decisions are cached by it.
    fn epoch(&self) -> tokio_watch::Receiver<u64>;

    /// The CA certificates by which clients know the node: PEM. First the one that signs device and server certificates, then those
    /// that were replaced and not retired yet.
    fn ca_certificate_pem(&self) -> Arc<str>;

    /// Changes whenever another CA signs: server certificates are then to be had anew.
    fn ca_epoch(&self) -> tokio_watch::Receiver<u64>;

    /// A server certificate for these names (DNS or IP), newly signed by the CA.
    fn server_certificate<'a>(&'a self, names: &'a [String]) -> PortFuture<'a, ServerCertificate>;
}

/// What a server presents in its handshakes.
#[derive(Clone, Debug)]
pub struct ServerCertificate {
    /// The certificate and then its CA's: PEM.
    pub chain_pem: String,
    /// The key: PEM.
    pub key_pem: kernel::Secret<String>,
    /// When another is to take its place: well before it expires.
    pub renew_at: Timestamp,
}
