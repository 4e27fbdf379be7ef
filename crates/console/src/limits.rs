//! The bounds of the console. None is AWS's: each says its reason.

use std::time::Duration;

/// The largest request body, in bytes. Reason: the largest input is a query text, which Athena bounds at 262,144 bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// How long a session lives without a request. Reason: a working day with its breaks, not a week.
pub(crate) const SESSION_IDLE: Duration = Duration::from_secs(12 * 3600);

/// Live sessions; the longest idle one ends for a new one. Reason: bounds memory, at some 300 bytes each.
pub(crate) const SESSIONS_MAX: usize = 1024;

/// Failed logins from one address within [`LOGIN_WINDOW`] after which it is refused. Reason: makes guessing hopeless and spares typos.
pub(crate) const LOGIN_FAILURES_MAX: u32 = 10;

/// How long failures count. Reason: see [`LOGIN_FAILURES_MAX`].
pub(crate) const LOGIN_WINDOW: Duration = Duration::from_secs(60);

/// Addresses whose failures are remembered. Reason: bounds memory against an attacker with many addresses.
pub(crate) const LOGIN_SOURCES_MAX: usize = 4096;

/// Rows in an answer of `/console/sql`. Reason: a chart shows no more; whole results are Athena's.
pub(crate) const SQL_ROWS_MAX: usize = 10_000;

/// Bytes of text in an answer of `/console/sql`. Reason: bounds memory when values are large.
pub(crate) const SQL_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Denied requests in an answer of `/console/access/denied`. Reason: a page shows no more, and asks again every few seconds.
pub(crate) const ACCESS_PAGE_MAX: usize = 200;

/// Queries of `/console/sql` at the same time. Reason: open dashboards must not starve Athena's queries.
pub(crate) const SQL_CONCURRENT_MAX: usize = 16;
