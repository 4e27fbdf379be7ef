//! What the stores count.

use kernel::metrics::Metric;

/// One write and one sync of the log each.
pub static LOG_COMMITS: Metric =
    Metric { name: "log_commits_total", help: "Group commits of the log.", labels: &[] };

/// Records appended and durable.
pub static LOG_RECORDS: Metric =
    Metric { name: "log_records_total", help: "Records appended to the log.", labels: &[] };

/// Bytes written to segments, frames and checkpoints included.
pub static LOG_BYTES: Metric =
    Metric { name: "log_bytes_total", help: "Bytes written to the log's segments.", labels: &[] };

/// Divided by [`LOG_COMMITS`]: what a group commit takes.
pub static LOG_COMMIT_MICROS: Metric = Metric {
    name: "log_commit_micros_total",
    help: "Microseconds spent in writing and syncing group commits.",
    labels: &[],
};

/// The same, one by one: how long an acknowledgement waits for the disk.
pub static LOG_COMMIT_DURATION: Metric = Metric {
    name: "log_commit_duration_micros",
    help: "Microseconds that a group commit took to write and sync.",
    labels: &[],
};

/// Appends, trims and deletes answered with `Full`.
pub static LOG_REFUSED: Metric =
    Metric { name: "log_refused_total", help: "Requests refused because the log is full.", labels: &[] };

/// Bytes of live records moved out of an old segment so that it could be recycled.
pub static LOG_COPIED_BYTES: Metric = Metric {
    name: "log_copied_bytes_total",
    help: "Bytes of live records copied out of old segments.",
    labels: &[],
};

/// Records that recovery or a copy found damaged.
pub static LOG_DAMAGED: Metric =
    Metric { name: "log_damaged_total", help: "Records of the log found damaged.", labels: &[] };

/// Segments that hold live records, the one being written included.
pub static LOG_SEGMENTS: Metric =
    Metric { name: "log_segments", help: "Segments of the log in use.", labels: &[] };
