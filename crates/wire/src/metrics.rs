//! What this crate counts.

use kernel::metrics::Metric;

/// Requests whose signature, key or token was not accepted. `reason` is the exception's name.
pub static AUTHENTICATION_FAILURES: Metric = Metric {
    name: "api_authentication_failures_total",
    help: "Requests whose signature, key or token was not accepted.",
    labels: &["reason"],
};

/// Requests refused because their principal or its account had used up its quota.
pub static THROTTLED: Metric = Metric {
    name: "api_throttled_total",
    help: "Requests refused because a quota was used up.",
    labels: &["account", "region"],
};

/// Requests refused unread because their source had failed too often with the key it claims.
pub static BLOCKED: Metric = Metric {
    name: "api_blocked_total",
    help: "Requests refused because their source had failed to authenticate too often.",
    labels: &[],
};
