//! What is counted, by account and region; of queries by workgroup too, unless it says otherwise (PublishCloudWatchMetricsEnabled).

use std::time::Duration;

use kernel::Metrics;
use kernel::metrics::{Gauge, Metric};

use crate::execution::{Execution, State, Times};

const OWNER: &[&str] = &["account", "region"];
/// The last three are AWS's dimensions WorkGroup, QueryState and QueryType.
const QUERY: &[&str] = &["account", "region", "workgroup", "state", "type"];

static EXECUTIONS: Metric = Metric {
    name: "athena_executions_total",
    help: "Executions that ended, by their last state.",
    labels: &["account", "region", "state"],
};
static QUEUED: Metric =
    Metric { name: "athena_queued", help: "Executions that wait for their turn.", labels: OWNER };
static RUNNING: Metric = Metric { name: "athena_running", help: "Executions that run.", labels: OWNER };
static SCANNED_BYTES: Metric =
    Metric { name: "athena_scanned_bytes_total", help: "Bytes read by queries that ended.", labels: OWNER };
static RESULT_BYTES: Metric =
    Metric { name: "athena_result_bytes_total", help: "Bytes of results written.", labels: OWNER };
static TIME_MS: Metric = Metric {
    name: "athena_time_ms_total",
    help: "Milliseconds from submission to end of executions that ended.",
    labels: OWNER,
};
static REFUSED: Metric = Metric {
    name: "athena_refused_total",
    help: "Executions refused because too many were queued or running.",
    labels: OWNER,
};
static TOTAL_TIME: Metric =
    Metric { name: "athena_total_time_micros", help: "Microseconds from submission to end.", labels: QUERY };
static ENGINE_TIME: Metric =
    Metric { name: "athena_engine_time_micros", help: "Microseconds in the engine.", labels: QUERY };
static QUEUE_TIME: Metric =
    Metric { name: "athena_queue_time_micros", help: "Microseconds until it began.", labels: QUERY };
static PLANNING_TIME: Metric =
    Metric { name: "athena_planning_time_micros", help: "Microseconds of planning.", labels: QUERY };
static SERVICE_TIME: Metric =
    Metric { name: "athena_service_time_micros", help: "Microseconds of writing the result.", labels: QUERY };
static PROCESSED_BYTES: Metric =
    Metric { name: "athena_processed_bytes", help: "Bytes read by a query.", labels: QUERY };

static OF_WORKGROUPS: [&Metric; 6] =
    [&TOTAL_TIME, &ENGINE_TIME, &QUEUE_TIME, &PLANNING_TIME, &SERVICE_TIME, &PROCESSED_BYTES];

/// The counters of this service. A query takes milliseconds, so that they are found anew for each.
pub(crate) struct Meters(Metrics);

impl Meters {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self(metrics.clone())
    }

    pub(crate) fn queued(&self, execution: &Execution) -> Gauge {
        self.0.gauge(&QUEUED, &owner(execution))
    }

    pub(crate) fn running(&self, execution: &Execution) -> Gauge {
        self.0.gauge(&RUNNING, &owner(execution))
    }

    pub(crate) fn refused(&self, execution: &Execution) {
        self.0.counter(&REFUSED, &owner(execution)).add(1);
    }

    pub(crate) fn wrote_result(&self, execution: &Execution, bytes: u64) {
        self.0.counter(&RESULT_BYTES, &owner(execution)).add(bytes);
    }

    /// Counts the end of an execution.
    pub(crate) fn ended(&self, execution: &Execution, times: &Times) {
        let [account, region] = owner(execution);
        self.0.counter(&EXECUTIONS, &[account, region, state(execution)]).add(1);
        self.0.counter(&SCANNED_BYTES, &[account, region]).add(execution.scanned_bytes);
        self.0.counter(&TIME_MS, &[account, region]).add(times.total_ms);
    }

    /// Counts it for its workgroup too.
    pub(crate) fn ended_in_workgroup(&self, execution: &Execution, times: &Times) {
        let [account, region] = owner(execution);
        let labels = [account, region, &execution.workgroup, state(execution), &execution.statement_type];
        let all = [
            (&TOTAL_TIME, times.total_ms),
            (&ENGINE_TIME, times.engine_ms),
            (&QUEUE_TIME, times.queue_ms),
            (&PLANNING_TIME, times.planning_ms),
            (&SERVICE_TIME, execution.publishing_ms),
        ];
        for (metric, ms) in all {
            self.0.histogram(metric, &labels).record_micros(Duration::from_millis(ms));
        }
        self.0.histogram(&PROCESSED_BYTES, &labels).record(execution.scanned_bytes);
    }

    /// Forgets the series of a workgroup that is deleted.
    pub(crate) fn forget(&self, account: &str, region: &str, workgroup: &str) {
        for metric in OF_WORKGROUPS {
            self.0.forget(metric, &[account, region, workgroup]);
        }
    }
}

fn owner(execution: &Execution) -> [&str; 2] {
    [execution.account.as_str(), execution.region.as_str()]
}

fn state(execution: &Execution) -> &'static str {
    match execution.state {
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Cancelled => "cancelled",
        State::Queued | State::Running => unreachable!("only an execution that has ended is counted"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn a_workgroup_says_whether_its_queries_are_counted_by_it() {
        let node = node().await;
        for (name, published) in [("loud", true), ("silent", false)] {
            let configuration = json!({"PublishCloudWatchMetricsEnabled": published});
            node.ok("CreateWorkGroup", json!({"Name": name, "Configuration": configuration})).await;
            node.run_with(json!({"QueryString": "show databases", "WorkGroup": name})).await;
        }
        let counted = || {
            let all = node.metrics.histograms();
            let total = all.into_iter().filter(|one| one.metric.name == "athena_total_time_micros");
            total.map(|one| (one.labels.join(" "), one.distribution.count())).collect::<Vec<_>>()
        };
        assert_eq!(counted(), [("000000000000 us-east-1 loud succeeded UTILITY".to_owned(), 1)]);
        let ended = node.metrics.counters();
        let ended = ended.iter().find(|one| one.metric.name == "athena_executions_total").unwrap();
        assert_eq!((ended.labels.join(" ").as_str(), ended.value), ("000000000000 us-east-1 succeeded", 2));
        node.ok("DeleteWorkGroup", json!({"WorkGroup": "loud", "RecursiveDeleteOption": true})).await;
        assert_eq!(counted(), []);
    }
}
