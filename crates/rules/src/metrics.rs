//! What is counted, by rule.
//!
//! The counterparts of AWS/IoT's TopicMatch, RulesExecuted, Success, Failure, ErrorActionSuccess, ErrorActionFailure and RuleNotFound:
//! <https://docs.aws.amazon.com/iot/latest/developerguide/metrics_dimensions.html>

use kernel::Metrics;
use kernel::metrics::{Counter, Gauge, Metric};
use kernel::{AccountId, Region};
use ports::ScopedRule;

/// Messages whose topic matched.
pub(crate) static TOPIC_MATCH: Metric = Metric {
    name: "iot_topic_match_total",
    help: "Messages whose topic matched the rule.",
    labels: &["account", "region", "rule"],
};
/// Messages that passed WHERE.
pub(crate) static EXECUTED: Metric = Metric {
    name: "iot_rule_executed_total",
    help: "Messages that passed the rule's WHERE; failed if the statement gave up.",
    labels: &["account", "region", "rule", "result"],
};
/// Actions run.
pub(crate) static ACTION: Metric = Metric {
    name: "iot_rule_action_total",
    help: "Actions run to their end: success or failure.",
    labels: &["account", "region", "rule", "action", "result"],
};
/// Error actions run.
pub(crate) static ERROR_ACTION: Metric = Metric {
    name: "iot_rule_error_action_total",
    help: "Error actions run to their end: success or failure.",
    labels: &["account", "region", "rule", "action", "result"],
};
/// Basic Ingest to a rule that is not there.
pub(crate) static NOT_FOUND: Metric = Metric {
    name: "iot_rule_not_found_total",
    help: "Messages published to $aws/rules/ for a rule that is not there or disabled.",
    labels: &["account", "region"],
};
/// Entries of the action queue.
pub(crate) static QUEUE_ENTRIES: Metric =
    Metric { name: "iot_rule_queue_entries", help: "Entries of the action queue.", labels: &[] };
/// Bytes of the action queue.
pub(crate) static QUEUE_BYTES: Metric =
    Metric { name: "iot_rule_queue_bytes", help: "Bytes of the action queue.", labels: &[] };
/// Messages refused because the action queue was full.
pub(crate) static QUEUE_FULL: Metric = Metric {
    name: "iot_rule_queue_full_total",
    help: "Messages not acknowledged because the action queue was full.",
    labels: &[],
};
/// Entries of the action queue that could not be read back.
pub(crate) static QUEUE_LOST: Metric = Metric {
    name: "iot_rule_queue_lost_total",
    help: "Entries of the action queue that were damaged or of an unknown form.",
    labels: &[],
};

/// How often something succeeded and failed.
pub(crate) struct Tally {
    pub(crate) success: Counter,
    pub(crate) failure: Counter,
}

impl Tally {
    pub(crate) fn new(metrics: &Metrics, metric: &'static Metric, rule: &[&str; 3], action: &str) -> Self {
        let [account, region, rule] = rule;
        let counter = |result| metrics.counter(metric, &[account, region, rule, action, result]);
        Self { success: counter("success"), failure: counter("failure") }
    }

    pub(crate) fn count<T, E>(&self, result: &Result<T, E>) {
        if result.is_ok() { self.success.add(1) } else { self.failure.add(1) }
    }
}

/// The cells of one rule.
pub(crate) struct RuleCells {
    pub(crate) topic_match: Counter,
    pub(crate) executed: Counter,
    pub(crate) gave_up: Counter,
}

impl RuleCells {
    pub(crate) fn new(metrics: &Metrics, labels: &[&str; 3]) -> Self {
        let [account, region, rule] = labels;
        let executed = |result| metrics.counter(&EXECUTED, &[account, region, rule, result]);
        Self {
            topic_match: metrics.counter(&TOPIC_MATCH, labels),
            executed: executed("success"),
            gave_up: executed("failure"),
        }
    }
}

/// By what a rule's series are told apart.
pub(crate) fn labels(rule: &ScopedRule) -> [&str; 3] {
    [rule.account.as_str(), rule.region.as_str(), &rule.rule.name]
}

/// Forgets the series of a rule that is gone.
pub(crate) fn forget(metrics: &Metrics, rule: &[&str; 3]) {
    for metric in [&TOPIC_MATCH, &EXECUTED, &ACTION, &ERROR_ACTION] {
        metrics.forget(metric, rule);
    }
}

/// Counts a message for a rule that is not there.
pub(crate) fn not_found(metrics: &Metrics, account: &AccountId, region: &Region) {
    metrics.counter(&NOT_FOUND, &[account.as_str(), region.as_str()]).add(1);
}

/// The cells of the engine as a whole.
pub(crate) struct EngineCells {
    pub(crate) queue_full: Counter,
    pub(crate) queue_lost: Counter,
    pub(crate) queue_entries: Gauge,
    pub(crate) queue_bytes: Gauge,
}

impl EngineCells {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            queue_full: metrics.counter(&QUEUE_FULL, &[]),
            queue_lost: metrics.counter(&QUEUE_LOST, &[]),
            queue_entries: metrics.gauge(&QUEUE_ENTRIES, &[]),
            queue_bytes: metrics.gauge(&QUEUE_BYTES, &[]),
        }
    }
}
