//! What is counted.

use kernel::Metrics;
use kernel::metrics::{Counter, Gauge, Metric};

use crate::execution::State;

static EXECUTIONS: Metric = Metric {
    name: "athena_executions_total",
    help: "Executions that ended, by their last state.",
    labels: &["state"],
};
static QUEUED: Metric =
    Metric { name: "athena_queued", help: "Executions that wait for their turn.", labels: &[] };
static RUNNING: Metric = Metric { name: "athena_running", help: "Executions that run.", labels: &[] };
static SCANNED_BYTES: Metric =
    Metric { name: "athena_scanned_bytes_total", help: "Bytes read by queries that ended.", labels: &[] };
static RESULT_BYTES: Metric =
    Metric { name: "athena_result_bytes_total", help: "Bytes of results written.", labels: &[] };
static TIME_MS: Metric = Metric {
    name: "athena_time_ms_total",
    help: "Milliseconds from submission to end of executions that ended.",
    labels: &[],
};
static REFUSED: Metric = Metric {
    name: "athena_refused_total",
    help: "Executions refused because too many were queued or running.",
    labels: &[],
};

/// The cells of this service.
pub(crate) struct Meters {
    succeeded: Counter,
    failed: Counter,
    cancelled: Counter,
    pub(crate) queued: Gauge,
    pub(crate) running: Gauge,
    pub(crate) scanned_bytes: Counter,
    pub(crate) result_bytes: Counter,
    pub(crate) time_ms: Counter,
    pub(crate) refused: Counter,
}

impl Meters {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            succeeded: metrics.counter(&EXECUTIONS, &["succeeded"]),
            failed: metrics.counter(&EXECUTIONS, &["failed"]),
            cancelled: metrics.counter(&EXECUTIONS, &["cancelled"]),
            queued: metrics.gauge(&QUEUED, &[]),
            running: metrics.gauge(&RUNNING, &[]),
            scanned_bytes: metrics.counter(&SCANNED_BYTES, &[]),
            result_bytes: metrics.counter(&RESULT_BYTES, &[]),
            time_ms: metrics.counter(&TIME_MS, &[]),
            refused: metrics.counter(&REFUSED, &[]),
        }
    }

    /// Counts the end of an execution.
    pub(crate) fn ended(&self, state: State) {
        match state {
            State::Succeeded => self.succeeded.add(1),
            State::Failed => self.failed.add(1),
            State::Cancelled => self.cancelled.add(1),
            State::Queued | State::Running => {}
        }
    }
}
