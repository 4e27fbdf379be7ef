//! Metric math: expressions over time series.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>
//!
//! An expression is parsed ([`parse`]), the searches in it are carried out by its caller ([`search`]), then it is evaluated
//! ([`evaluate`]), which takes no time but the processor's: callers run it where it may block.
//!
//! Differs from AWS: `ANOMALY_DETECTION_BAND`, `DB_PERF_INSIGHTS`, `INSIGHT_RULE_METRIC`, `LAMBDA` and `SERVICE_QUOTA` are not there, nor
//! is Metrics Insights (`SELECT …`).

pub(crate) mod evaluate;
mod functions;
pub(crate) mod parse;
pub(crate) mod search;
#[cfg(test)]
mod tests;
pub(crate) mod value;
