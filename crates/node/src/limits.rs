//! How much of the node a client may hold, on every HTTP port.

use std::time::Duration;

/// How many connections one port holds open. Each costs a task and some kilobytes of buffers.
pub(crate) const CONNECTIONS_MAX: usize = 2048;

/// How many of them one source address may have: half, so that no single one shuts others out.
pub(crate) const CONNECTIONS_PER_SOURCE_MAX: usize = 1024;

/// How long a client may take for the head of a request, the wait for it included: slower than any network, shorter than patience.
/// It is also how long a kept connection of HTTP/1.1 may stay without a request. S3's own servers wait about as long.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a TLS handshake may take: two round trips, and one certificate to sign for.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection of HTTP/2 may stay without a request: as long as the usual clients keep theirs.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a write may wait for a reader that does not read.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a begun answer may go without anyone asking for more of it: a reader that closed its HTTP/2 window. Longer than [`WRITE_TIMEOUT`], as
/// a busy connection serves other streams meanwhile.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a connection is looked at for what it must not do: a fraction of the shortest timeout above.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Over which time a body's progress is measured.
pub(crate) const BODY_WINDOW: Duration = Duration::from_secs(20);

/// What must come in that time, unless it was the node that did not read: 500 bytes a second, the usual floor of web servers
/// (Apache's `mod_reqtimeout`).
/// <https://httpd.apache.org/docs/current/mod/mod_reqtimeout.html>
pub(crate) const BODY_WINDOW_BYTES_MIN: u64 = 10_000;

/// How long a body that is gathered in memory may take as a whole: 16 MiB at 1 Mbit/s.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(130);

/// Kibibytes of bodies in memory at a time on one port: sixteen of the largest.
pub(crate) const BODIES_KIB_MAX: u32 = 256 * 1024;

/// Of these, what one source address may hold: a quarter, so that others find room.
pub(crate) const BODIES_PER_SOURCE_KIB_MAX: u32 = 64 * 1024;

/// How long a body may wait for room in memory before its client is told to come back.
pub(crate) const ROOM_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest head of a request, in bytes: requests of AWS's own clients have less than 8 KiB, tokens of 4 KiB included.
pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How many headers a request may have: what `hyper` takes without allocating.
pub(crate) const HEADERS_MAX: usize = 100;

/// How many requests of one HTTP/2 connection are served at the same time.
pub(crate) const STREAMS_MAX: u32 = 128;

/// Streams a client may reset before they were looked at, until the connection ends (CVE-2023-44487): `h2`'s own default, written
/// down.
pub(crate) const PENDING_RESETS_MAX: usize = 20;

/// Streams the node itself may have to reset for a client's errors, until the connection ends: `h2`'s own default, written down.
pub(crate) const ERROR_RESETS_MAX: usize = 1024;

/// Bytes of an answer that wait in memory for one stream of HTTP/2.
pub(crate) const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// How often the certificate's files are looked at.
pub(crate) const CERTIFICATE_LOOK_EVERY: Duration = Duration::from_secs(30);
