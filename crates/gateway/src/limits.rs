//! AWS's quotas for the message broker that the gateway keeps, and our own bounds. Those of the protocol itself are in
//! [`mqtt::limits`].

use std::time::Duration;

/// Retained messages of an account in one region.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub(crate) const RETAINED_MESSAGES_MAX: usize = 5000;

/// Retained messages of one page of ListRetainedMessages.
/// <https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_ListRetainedMessages.html>
pub(crate) const RETAINED_PAGE_MAX: usize = 200;

/// Bytes of user properties in the header of an HTTP publish, decoded.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub(crate) const USER_PROPERTIES_BYTES_MAX: usize = 8 * 1024;

/// Sessions of an account in one region: as many as AWS lets be connected.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub(crate) const SESSIONS_MAX: usize = 500_000;

/// CONNECTs of an account in one region, a second.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub(crate) const CONNECTS_PER_SECOND: u32 = 500;

/// Publishes of an account in one region, a second.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub(crate) const PUBLISHES_PER_SECOND: u32 = 20_000;

/// Publishes of one connection, a second.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub(crate) const CONNECTION_PUBLISHES_PER_SECOND: u32 = 100;

/// Bytes of one connection, a second: 512 KiB.
/// <https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits>
pub(crate) const CONNECTION_BYTES_PER_SECOND: u32 = 512 * 1024;

/// Our bound: regions in which an account has messages. AWS has some forty; a name is all that a region takes.
pub(crate) const REGIONS_PER_ACCOUNT_MAX: usize = 64;

/// Our bound: connections of one listener. Further ones wait in the kernel's queue. Each costs a task and some kilobytes.
pub(crate) const CONNECTIONS_MAX: usize = 100_000;

/// Our bound: connections of the HTTPS listener, since each may hold a whole payload.
pub(crate) const HTTPS_CONNECTIONS_MAX: usize = 2048;

/// Our bound: the share of a listener's connections, and of the handshakes, that one source address may have: a tenth.
pub(crate) const ADDRESS_SHARE: usize = 10;

/// Our bound: the share of a listener's connections that no single account gets: a tenth.
pub(crate) const ACCOUNTS_RESERVE: usize = 10;

/// Our bound: TLS handshakes under way at the same time; each costs some thirty kilobytes and a signature. Further ones wait.
pub(crate) const HANDSHAKES_MAX: usize = 2048;

/// Our choice: after how long a server certificate that could not be had is asked for again.
pub(crate) const RENEW_RETRY: Duration = Duration::from_secs(60);

/// Our bound: how long a peer may take for its TLS handshake, against peers that hold a connection and say nothing.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Our bound: how long a new connection waits for the one it takes over from, and a closed one for its last bytes to leave.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Our bound: how long accepting rests after a failure, such as having no file descriptor left.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Our bound: publishes of one connection that have started and are not durable yet. The 100 at QoS 1 that the protocol allows,
/// and as many at QoS 0; beyond it the connection is not read.
pub(crate) const PUBLISHES_PENDING_MAX: usize = 200;

/// Our bound: messages that wait in memory for one connection; it must hold what a turn of a fast publisher brings.
pub(crate) const MAILBOX_MESSAGES_MAX: usize = 4096;

/// Our bound: bytes of payload and topic that wait in memory for one connection; several of the largest messages.
pub(crate) const MAILBOX_BYTES_MAX: usize = 4 << 20;

/// Our bound: bytes that a persistent session holds, so that a device that never returns does not fill the log.
pub(crate) const SESSION_QUEUE_BYTES_MAX: u64 = 64 << 20;

/// Our bound: bytes read from a session's queue at once.
pub(crate) const QUEUE_READ_BYTES: usize = 256 << 10;

/// Our choice: acknowledged messages after which a session's queue is trimmed while others are still in flight.
pub(crate) const TRIM_EVERY: u64 = 64;

/// Our choice: bytes a read of the socket asks for at first; it doubles while reads fill it, so that idle connections hold little.
pub(crate) const READ_BYTES_MIN: usize = 2 << 10;

/// Our choice: bytes a read of the socket asks for at most. A system call costs the same for one message or a hundred.
pub(crate) const READ_BYTES_MAX: usize = 64 << 10;

/// Our bound: decisions kept by a connection for each action. A device that publishes to more topics evaluates its policies again.
pub(crate) const DECISIONS_MAX: usize = 256;

/// Our choice: the most often a repeated warning is logged.
pub(crate) const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Our bound: bytes of the head of an HTTPS request.
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;

/// Our bound: how long a client may take to send the head of an HTTPS request, against those that hold a connection.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// Our bound: how long a client may take to send the body of an HTTPS request, likewise.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(30);
