//! What the tests of devices say often.

use mqtt::{Connect, Version};
use serde_json::{Value, json};
use testkit::{Closed, Device, Identity, Sandbox};

/// A policy's statements that allow anything.
pub(crate) fn anything() -> Value {
    json!([{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}])
}

/// The ARN of something of the device gateway, in the sandbox's account and region.
pub(crate) fn arn(resource: &str) -> String {
    format!("arn:aws:iot:us-east-1:000000000000:{resource}")
}

/// A statement that allows an action on a resource.
pub(crate) fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": arn(resource)})
}

/// A CONNECT of MQTT 3.1.1.
pub(crate) fn v311(client_id: &str) -> Connect {
    Connect::new(Version::V311, client_id)
}

/// A CONNECT of MQTT 5, which is told why things fail.
pub(crate) fn v5(client_id: &str) -> Connect {
    Connect::new(Version::V5, client_id)
}

/// A CONNECT of MQTT 3.1.1 for a session that is kept.
pub(crate) fn kept(client_id: &str) -> Connect {
    Connect { clean_start: false, ..v311(client_id) }
}

/// A CONNECT of MQTT 5 for a session that is kept for so many seconds.
pub(crate) fn kept_v5(client_id: &str, seconds: u32) -> Connect {
    let mut connect = Connect { clean_start: false, ..v5(client_id) };
    connect.properties.session_expiry_seconds = Some(seconds);
    connect
}

/// Connects with a certificate, under its thing's name.
pub(crate) async fn connected(sandbox: &Sandbox, identity: &Identity) -> Device {
    let connected = sandbox.connect_as(identity, v5(&identity.thing)).await;
    connected.unwrap_or_else(|closed| panic!("{} is refused: {closed:?}", identity.thing))
}

/// Whether the TLS handshake was refused. A client of TLS 1.3 finds out when it reads, and if it wrote before, perhaps by a reset.
pub(crate) fn refused_by_tls(closed: &Closed) -> bool {
    matches!(closed, Closed::Handshake(_) | Closed::Silently)
}

/// Text of a message.
pub(crate) fn text(publish: &mqtt::Publish) -> String {
    format!("{} {}", publish.message.topic, String::from_utf8_lossy(&publish.message.payload))
}
