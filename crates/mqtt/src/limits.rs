//! AWS IoT Core's quotas that the protocol itself must keep, and our own bounds.
//!
//! Rates and per-account quotas are the device gateway's. Each constant carries its source.

/// Bytes of a client identifier. <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub const CLIENT_ID_BYTES_MAX: usize = 128;

/// Bytes of a topic name or topic filter, not counting `$aws/rules/RULE/` and `$share/NAME/`.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub const TOPIC_BYTES_MAX: usize = 256;

/// Slashes in a topic name or topic filter, so at most eight levels; the same parts are not counted.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub const TOPIC_SLASHES_MAX: usize = 7;

/// Characters of the NAME in `$share/NAME/FILTER`.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt5-shared-subscription>
pub const SHARE_NAME_CHARS_MAX: usize = 128;

/// Topic filters in one SUBSCRIBE. <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub const FILTERS_PER_SUBSCRIBE_MAX: usize = 8;

/// Subscriptions of one connection, and so the most that one UNSUBSCRIBE can mean.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub const SUBSCRIPTIONS_PER_CONNECTION_MAX: usize = 50;

/// Bytes of a payload: 128 KB. <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub const PAYLOAD_BYTES_MAX: usize = 128 * 1024;

/// Bytes of a whole packet: a full payload with 18 KiB for topic and properties.
/// AWS's developer guide bounds the payload and gives no figure for the packet, so this one is ours; it is
/// what CONNACK advertises. <https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt5>
pub const PACKET_BYTES_MAX: usize = 149_504;

/// QoS 1 publishes without PUBACK, each way.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub const INFLIGHT_MAX: u16 = 100;

/// The keep-alive of a client that asks for none or for more.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub const KEEP_ALIVE_SECONDS_MAX: u16 = 1200;

/// A client that asks for less gets this.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub const KEEP_ALIVE_SECONDS_MIN: u16 = 30;

/// Topic aliases a client may use. <https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt5>
pub const TOPIC_ALIAS_MAX: u16 = 8;

/// Life of a persistent session after its connection, the account default.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub const SESSION_EXPIRY_SECONDS_DEFAULT: u32 = 3600;

/// Message expiry interval: at least one second, at most seven days.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt5>
pub const MESSAGE_EXPIRY_SECONDS_MAX: u32 = 604_800;

/// Our bound, against a packet made of nothing else (the class of CVE-2021-41039).
/// <https://nvd.nist.gov/vuln/detail/CVE-2021-41039>
pub const USER_PROPERTIES_MAX: usize = 256;

/// Our bound: how long a peer may be connected without a CONNECT (MQTT 3.1.1 §3.1.4 asks for a "reasonable"
/// time). <https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html#_Toc398718033>
pub const CONNECT_TIMEOUT_MS: i64 = 10_000;

/// Our bound: unsent output beyond which a connection is neither read nor delivered to. It must hold a
/// whole packet. <https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Flow_Control>
pub const OUTPUT_BYTES_MAX: usize = 256 * 1024;
