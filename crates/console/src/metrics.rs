//! The counters of the session's account and region as the browser wants them; and the one the console counts itself.
//!
//! 1. A series whose first label is `account` is shown to that account alone, and one with a `region` in that region alone.
//! 2. A series of the whole node is shown to the root of the node's own account alone.
//! 3. Who may not `cloudwatch:GetMetricData` sees none. The answer says so and is no error: by it a page also knows that the node lives.

use kernel::metrics::{Metric, Sample};
use kernel::{Context, Principal};
use serde::Serialize;
use wire::Resource;

use crate::Console;

/// Queries of `/console/sql`, by how they ended: `succeeded` or `failed`.
pub(crate) static QUERIES: Metric = Metric {
    name: "console_queries_total",
    help: "Queries run for the console's dashboards.",
    labels: &["account", "region", "result"],
};

/// Exact values since the node started: the browser computes rates from the differences of two answers and of their `at`.
#[derive(Serialize)]
pub(crate) struct Answer {
    /// Milliseconds since the epoch.
    at: i64,
    counters: Vec<Value>,
    gauges: Vec<Value>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    denied: Option<String>,
}

#[derive(Serialize)]
struct Value {
    name: &'static str,
    labels: serde_json::Map<String, serde_json::Value>,
    value: i64,
}

pub(crate) fn answer(console: &Console, cx: &Context) -> Answer {
    let at = console.parts.clock.now().as_millis();
    if let Err(denied) = console.parts.authorize.authorize(cx, "cloudwatch:GetMetricData", &Resource::Any) {
        return Answer { at, counters: Vec::new(), gauges: Vec::new(), denied: Some(denied.to_string()) };
    }
    let node_root =
        matches!(&cx.principal, Principal::Root { account } if *account == console.config.account);
    let shown = |samples: Vec<Sample>| {
        samples.into_iter().filter(|sample| is_shown(sample, cx, node_root)).map(value).collect()
    };
    let metrics = &console.parts.metrics;
    Answer { at, counters: shown(metrics.counters()), gauges: shown(metrics.gauges()), denied: None }
}

fn is_shown(sample: &Sample, cx: &Context, node_root: bool) -> bool {
    let label = |wanted: &str| {
        let at = sample.metric.labels.iter().position(|name| *name == wanted)?;
        sample.labels.get(at).map(String::as_str)
    };
    match label("account") {
        Some(account) => {
            account == cx.account.as_str()
                && label("region").is_none_or(|region| region == cx.region.as_str())
        }
        None => node_root,
    }
}

fn value(sample: Sample) -> Value {
    let names = sample.metric.labels.iter().map(|name| (*name).to_owned());
    let labels = names.zip(sample.labels.into_iter().map(serde_json::Value::String)).collect();
    Value { name: sample.metric.name, labels, value: sample.value }
}
