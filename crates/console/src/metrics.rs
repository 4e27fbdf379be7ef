//! The node's counters as the browser wants them; and the one the console counts itself.

use kernel::metrics::{Metric, Sample};
use serde::Serialize;

use crate::Console;

/// Queries of `/console/sql`, by how they ended: `succeeded` or `failed`.
pub(crate) static QUERIES: Metric = Metric {
    name: "console_queries_total",
    help: "Queries run for the console's dashboards.",
    labels: &["result"],
};

/// Exact values since the node started: the browser computes rates from the differences of two answers and of their `at`.
#[derive(Serialize)]
pub(crate) struct Answer {
    /// Milliseconds since the epoch.
    at: i64,
    counters: Vec<Value>,
    gauges: Vec<Value>,
}

#[derive(Serialize)]
struct Value {
    name: &'static str,
    labels: serde_json::Map<String, serde_json::Value>,
    value: i64,
}

pub(crate) fn answer(console: &Console) -> Answer {
    let metrics = &console.parts.metrics;
    Answer {
        at: console.parts.clock.now().as_millis(),
        counters: metrics.counters().into_iter().map(value).collect(),
        gauges: metrics.gauges().into_iter().map(value).collect(),
    }
}

fn value(sample: Sample) -> Value {
    let names = sample.metric.labels.iter().map(|name| (*name).to_owned());
    let labels = names.zip(sample.labels.into_iter().map(serde_json::Value::String)).collect();
    Value { name: sample.metric.name, labels, value: sample.value }
}
