//! What the node itself counts.

use kernel::metrics::Metric;

/// Open connections of an HTTP port: `api` or `console`.
pub(crate) static CONNECTIONS: Metric =
    Metric { name: "http_connections", help: "Open connections of the port.", labels: &["port"] };

/// Connections that the node ended or did not take. `reason` is `source` (too many from one address), `handshake`, `plain` (HTTP on a TLS port) or
/// `stalled`.
pub(crate) static CONNECTIONS_REFUSED: Metric = Metric {
    name: "http_connections_refused_total",
    help: "Connections that the node ended or did not take.",
    labels: &["port", "reason"],
};

/// Room on the disk of the data directory.
pub(crate) static DISK_FREE: Metric = Metric {
    name: "disk_free_bytes",
    help: "Bytes that may still be written to the disk of the data directory.",
    labels: &[],
};

/// Requests refused for their form, size or pace, by HTTP status.
pub(crate) static REQUESTS_REFUSED: Metric = Metric {
    name: "http_requests_refused_total",
    help: "Requests refused for their form, size or pace.",
    labels: &["port", "status"],
};
