//! Metrics: constants that name them, and one registry per node that counts them.
//!
//! A metric is declared once, in its crate's `metrics.rs`, as a [`Metric`]; a node's [`Metrics`] hands out the
//! cell for one combination of label values. Label values are bounded by the number of resources (rules, streams), never by
//! devices, topics or clients. A metric of an account's resource has `account` and `region` as its first two labels.

mod histogram;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

pub use histogram::{Distribution, Histogram};

/// The name of a metric, its labels and what it counts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// Prometheus name: `firehose_incoming_records_total`.
    pub name: &'static str,
    /// What it counts, with the unit: one sentence.
    pub help: &'static str,
    /// Label names, in the order in which values are given.
    pub labels: &'static [&'static str],
}

/// A value that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The sum so far.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A value that rises and falls.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    /// Replaces the value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Changes the value by `delta`.
    pub fn add(&self, delta: i64) {
        self.0.fetch_add(delta, Ordering::Relaxed);
    }

    /// The present value.
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

type Key = (&'static Metric, Vec<String>);

/// The registry of one node. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    counters: RwLock<BTreeMap<Key, Counter>>,
    gauges: RwLock<BTreeMap<Key, Gauge>>,
    histograms: RwLock<BTreeMap<Key, Histogram>>,
}

/// One value at the moment of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Which metric.
    pub metric: &'static Metric,
    /// Its label values, in the metric's order.
    pub labels: Vec<String>,
    /// The value.
    pub value: i64,
}

/// One histogram at the moment of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Which metric.
    pub metric: &'static Metric,
    /// Its label values, in the metric's order.
    pub labels: Vec<String>,
    /// What was recorded since the node started.
    pub distribution: Distribution,
}

impl Metrics {
    /// The counter of `metric` with these label values; keep it, do not look it up for each event.
    pub fn counter(&self, metric: &'static Metric, labels: &[&str]) -> Counter {
        cell(&self.inner.counters, metric, labels)
    }

    /// The gauge of `metric` with these label values.
    pub fn gauge(&self, metric: &'static Metric, labels: &[&str]) -> Gauge {
        cell(&self.inner.gauges, metric, labels)
    }

    /// The histogram of `metric` with these label values; keep it, do not look it up for each event.
    pub fn histogram(&self, metric: &'static Metric, labels: &[&str]) -> Histogram {
        cell(&self.inner.histograms, metric, labels)
    }

    /// Forgets every series of a resource that is gone: those whose first labels are `values`.
    pub fn forget(&self, metric: &'static Metric, values: &[&str]) {
        forget(&self.inner.counters, metric, values);
        forget(&self.inner.gauges, metric, values);
        forget(&self.inner.histograms, metric, values);
    }

    /// Every counter, by name and labels.
    pub fn counters(&self) -> Vec<Sample> {
        let cells = self.inner.counters.read().expect("no holder of this lock panics");
        let value = |counter: &Counter| i64::try_from(counter.value()).unwrap_or(i64::MAX);
        cells.iter().map(|(key, counter)| sample(key, value(counter))).collect()
    }

    /// Every gauge, by name and labels.
    pub fn gauges(&self) -> Vec<Sample> {
        let cells = self.inner.gauges.read().expect("no holder of this lock panics");
        cells.iter().map(|(key, gauge)| sample(key, gauge.value())).collect()
    }

    /// Every histogram, by name and labels.
    pub fn histograms(&self) -> Vec<Observed> {
        let cells = self.inner.histograms.read().expect("no holder of this lock panics");
        let observed = |((metric, labels), histogram): (&Key, &Histogram)| Observed {
            metric,
            labels: labels.clone(),
            distribution: histogram.read(),
        };
        cells.iter().map(observed).collect()
    }
}

fn sample((metric, labels): &Key, value: i64) -> Sample {
    Sample { metric, labels: labels.clone(), value }
}

fn cell<T: Clone + Default>(cells: &RwLock<BTreeMap<Key, T>>, metric: &'static Metric, labels: &[&str]) -> T {
    assert_eq!(labels.len(), metric.labels.len(), "{} takes the labels {:?}", metric.name, metric.labels);
    let key = (metric, labels.iter().map(|label| (*label).to_owned()).collect());
    if let Some(cell) = cells.read().expect("no holder of this lock panics").get(&key) {
        return cell.clone();
    }
    cells.write().expect("no holder of this lock panics").entry(key).or_default().clone()
}

/// Series of the same first labels stand together in the order of keys: forgetting one resource does not look at all others.
fn forget<T>(cells: &RwLock<BTreeMap<Key, T>>, metric: &'static Metric, values: &[&str]) {
    let mut cells = cells.write().expect("no holder of this lock panics");
    let is_of = |key: &Key| {
        key.0 == metric
            && key.1.iter().zip(values).filter(|(label, value)| label == *value).count() == values.len()
    };
    let from = (metric, values.iter().map(|value| (*value).to_owned()).collect());
    let gone: Vec<Key> =
        cells.range(from..).map(|(key, _)| key).take_while(|key| is_of(key)).cloned().collect();
    for key in &gone {
        cells.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static REQUESTS: Metric = Metric { name: "requests_total", help: "Requests.", labels: &["result"] };

    #[test]
    fn the_same_labels_are_the_same_cell() {
        let metrics = Metrics::default();
        metrics.counter(&REQUESTS, &["ok"]).add(2);
        metrics.counter(&REQUESTS, &["ok"]).add(1);
        metrics.counter(&REQUESTS, &["denied"]).add(5);
        let values: Vec<_> = metrics.counters().into_iter().map(|s| (s.labels, s.value)).collect();
        assert_eq!(values, [(vec!["denied".to_owned()], 5), (vec!["ok".to_owned()], 3)]);
        metrics.forget(&REQUESTS, &["ok"]);
        assert_eq!(metrics.counters().len(), 1);
    }
}
