//! The sampler: once a minute, what the services counted in it becomes data points.
//!
//! A counter of events gives a sample of one for each, any other counter one sample of the sum; a gauge gives one sample; a histogram
//! gives as many samples as were recorded, by its buckets. What did not change gives nothing, as AWS's services report nothing where
//! nothing happened; gauges are reported always.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Mutex;
use std::time::Duration;

use kernel::metrics::{Distribution, Metric};
use kernel::{AccountId, Metrics, Region, Stop, Timestamp};

use crate::Inner;
use crate::mapping::{MAPPING, Row};
use crate::point::Point;
use crate::series::{MetricName, Scope};
use crate::store::record::Addition;
use crate::store::tier::Tier;

const MINUTE_MS: i64 = 60_000;

/// A metric and its label values.
type Key = (&'static Metric, Vec<String>);

/// What was counted up to a moment.
#[derive(Default)]
struct Reading {
    counters: BTreeMap<Key, i64>,
    histograms: BTreeMap<Key, Distribution>,
}

pub(crate) struct Sampler {
    node: Scope,
    metrics: Metrics,
    before: Mutex<Reading>,
}

impl Sampler {
    pub(crate) fn new(account: &AccountId, region: &Region, metrics: Metrics) -> Self {
        let node = (account.as_str().to_owned(), region.as_str().to_owned());
        let before = Mutex::new(Reading::of(&metrics));
        Self { node, metrics, before }
    }

    /// The points of the minute `at`, by account and region, and what to remember once they are durable.
    fn sample(&self, at: i64) -> (Vec<(Scope, Vec<Addition>)>, Reading) {
        let now = Reading::of(&self.metrics);
        let before = self.before.lock().expect("no holder of this lock panics");
        let mut points = Points::default();
        for ((metric, labels), value) in &now.counters {
            let earlier = before.counters.get(&(*metric, labels.clone())).copied().unwrap_or(0);
            // A counter that was forgotten began anew.
            let grown = if earlier <= *value { value - earlier } else { *value };
            if grown > 0 {
                self.add(&mut points, metric, labels, |row| Some(of_counter(grown as f64, row)));
            }
        }
        for gauge in self.metrics.gauges() {
            self.add(&mut points, gauge.metric, &gauge.labels, |row| {
                Some(Point::equal(gauge.value as f64 * row.scale, 1.0))
            });
        }
        let none = Distribution::default();
        for ((metric, labels), distribution) in &now.histograms {
            let grown =
                distribution.since(before.histograms.get(&(*metric, labels.clone())).unwrap_or(&none));
            self.add(&mut points, metric, labels, |row| of_histogram(&grown, row.scale));
        }
        drop(before);
        let mut scopes: BTreeMap<Scope, Vec<Addition>> = BTreeMap::new();
        for ((scope, metric, unit), point) in points {
            let addition = Addition { metric, unit, tier: Tier::Minute, at, point };
            scopes.entry(scope).or_default().push(addition);
        }
        (scopes.into_iter().collect(), now)
    }

    fn add(
        &self,
        points: &mut Points,
        metric: &'static Metric,
        labels: &[String],
        point: impl Fn(&Row) -> Option<Point>,
    ) {
        let value = |name: &str| {
            let index = metric.labels.iter().position(|label| *label == name)?;
            labels.get(index).map(String::as_str)
        };
        let scope = match (value("account"), value("region")) {
            (Some(account), Some(region)) => (account.to_owned(), region.to_owned()),
            _ => self.node.clone(),
        };
        for row in MAPPING.iter().filter(|row| row.ours == metric.name) {
            if row
                .only
                .iter()
                .any(|(label, wanted)| !value(label).is_some_and(|value| wanted.contains(&value)))
            {
                continue;
            }
            let dimension = |(name, label): &(&str, &'static str)| {
                Some(((*name).to_owned(), dimension_value(label, value)?))
            };
            let dimensions: Option<Vec<_>> = row.dimensions.iter().map(dimension).collect();
            let (Some(dimensions), Some(point)) = (dimensions, point(row)) else { continue };
            let name = MetricName::new(row.namespace, row.metric, dimensions);
            match points.entry((scope.clone(), name, row.unit)) {
                Entry::Occupied(mut known) => known.get_mut().merge(&point),
                Entry::Vacant(new) => drop(new.insert(point)),
            }
        }
    }
}

/// Points by account and region, metric and unit: several of our series may be one of AWS's.
type Points = BTreeMap<(Scope, MetricName, &'static str), Point>;

impl Reading {
    fn of(metrics: &Metrics) -> Self {
        let counters = metrics.counters().into_iter().map(|one| ((one.metric, one.labels), one.value));
        let histograms =
            metrics.histograms().into_iter().map(|one| ((one.metric, one.labels), one.distribution));
        Self { counters: counters.collect(), histograms: histograms.collect() }
    }
}

/// The value that a row says a dimension has.
fn dimension_value<'a>(label: &'static str, value: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    if let Some(fixed) = label.strip_prefix('=') {
        return Some(fixed.to_owned());
    }
    if let Some(label) = label.strip_prefix('^') {
        return value(label).map(str::to_ascii_uppercase);
    }
    let Some(label) = label.strip_prefix('+') else { return value(label).map(str::to_owned) };
    let mut chars = value(label)?.chars();
    Some(chars.next()?.to_ascii_uppercase().to_string() + chars.as_str())
}

/// Events are samples of one each, or of what the row says.
fn of_counter(grown: f64, row: &Row) -> Point {
    if row.unit == "Count" { Point::equal(row.scale, grown) } else { Point::equal(grown * row.scale, 1.0) }
}

/// Each bucket counts as its middle, a single one as the mean; the sum is exact.
fn of_histogram(grown: &Distribution, scale: f64) -> Option<Point> {
    let middle =
        |(least, most, count): (u64, u64, u64)| ((least as f64).midpoint(most as f64) * scale, count as f64);
    let mut point = Point::of_values(grown.buckets().map(middle))?;
    let sum = grown.sum as f64 * scale;
    if point.min == point.max {
        return Some(Point::equal(sum / point.count, point.count));
    }
    point.sum = sum;
    Some(point)
}

impl Inner {
    /// Samples at the beginning of each minute the one before, until it is stopped.
    pub(crate) async fn sample(&self, mut stop: Stop) {
        loop {
            let now = self.clock.now().as_millis();
            let next = now - now.rem_euclid(MINUTE_MS) + MINUTE_MS;
            tokio::select! {
                () = self.clock.sleep_until(Timestamp::from_millis(next)) => {}
                () = stop.stopped() => return,
            }
            // A clock that was advanced by more makes one long minute.
            let at = self.clock.now().as_millis().max(next);
            let minute = Tier::Minute.align((at - MINUTE_MS).div_euclid(1000));
            let (points, reading) = self.sampler.sample(minute);
            if points.is_empty() {
                continue;
            }
            match self.store.append(&points, Some(stop.clone())).await {
                Ok(()) => *self.sampler.before.lock().expect("no holder of this lock panics") = reading,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the services' metrics wait for the next minute");
                    // A disk that is full now may be so for longer.
                    self.clock.sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use kernel::metrics::Metric;
    use serde_json::json;

    use crate::testing::*;

    static PUBLISH: Metric = Metric {
        name: "iot_publish_in_total",
        help: "",
        labels: &["account", "region", "protocol", "qos", "result"],
    };
    static FRESHNESS: Metric =
        Metric { name: "firehose_oldest_age_ms", help: "", labels: &["account", "region", "stream"] };
    static FSYNC: Metric = Metric { name: "log_commit_duration_micros", help: "", labels: &[] };

    #[tokio::test]
    async fn counters_gauges_and_histograms_become_points_of_their_accounts() {
        let node = node().await;
        let publish = |account: &str, qos: &str| {
            node.metrics.counter(&PUBLISH, &[account, "us-east-1", "mqtt", qos, "success"])
        };
        // Before the sampler's first minute is over.
        publish("000000000000", "0").add(3);
        publish("000000000000", "1").add(4);
        publish("111111111111", "1").add(9);
        node.metrics.gauge(&FRESHNESS, &["000000000000", "us-east-1", "s"]).set(2_500);
        let fsync = node.metrics.histogram(&FSYNC, &[]);
        (0..10).for_each(|_| fsync.record(1_000));
        node.minute().await;
        publish("000000000000", "1").add(1);
        node.minute().await;
        let statistics = |namespace: &str, metric: &str, dimensions: serde_json::Value| {
            json!({
                "Namespace": namespace, "MetricName": metric, "Dimensions": dimensions, "Period": 60,
                "StartTime": NOW, "EndTime": NOW + 600.0, "Statistics": ["Sum", "SampleCount"],
            })
        };
        let said = |said: serde_json::Value| -> Vec<(f64, f64)> {
            let points = said["Datapoints"].as_array().unwrap().clone();
            points.iter().map(|p| (p["Sum"].as_f64().unwrap(), p["SampleCount"].as_f64().unwrap())).collect()
        };
        let publish_in =
            statistics("AWS/IoT", "PublishIn.Success", json!([{"Name": "Protocol", "Value": "MQTT"}]));
        assert_eq!(said(node.ok("GetMetricStatistics", publish_in.clone()).await), [(7.0, 7.0), (1.0, 1.0)]);
        assert_eq!(said(node.ok_as("111111111111", "GetMetricStatistics", publish_in).await), [(9.0, 9.0)]);
        let dimensions = json!([{"Name": "DeliveryStreamName", "Value": "s"}]);
        let freshness = statistics("AWS/Firehose", "DeliveryToS3.DataFreshness", dimensions);
        assert_eq!(said(node.ok("GetMetricStatistics", freshness).await), [(2.5, 1.0), (2.5, 1.0)]);
        let fsync = statistics("Headwater", "LogSyncLatency", json!([]));
        assert_eq!(said(node.ok("GetMetricStatistics", fsync).await), [(10.0, 10.0)]);
        assert_eq!(node.list_as("111111111111", json!({"Namespace": "AWS/Firehose"})).await.len(), 0);
    }
}
