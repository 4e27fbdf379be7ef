//! What is counted, by delivery stream. Streams of one name in several regions share a series.

use std::collections::BTreeMap;

use kernel::metrics::{Counter, Gauge, Metric};
use kernel::{Metrics, Timestamp};
use store::CommitLog;

use crate::registry::{Registry, Stream};

const STREAM: &[&str] = &["stream"];

/// Records acknowledged.
pub(crate) static INCOMING_RECORDS: Metric =
    Metric { name: "firehose_incoming_records_total", help: "Records acknowledged.", labels: STREAM };
/// Bytes of records acknowledged.
pub(crate) static INCOMING_BYTES: Metric =
    Metric { name: "firehose_incoming_bytes_total", help: "Bytes of records acknowledged.", labels: STREAM };
/// Records acknowledged and not yet in an object.
pub(crate) static BUFFERED_RECORDS: Metric =
    Metric { name: "firehose_buffered_records", help: "Records not yet in an object.", labels: STREAM };
/// Bytes acknowledged and not yet in an object.
pub(crate) static BUFFERED_BYTES: Metric =
    Metric { name: "firehose_buffered_bytes", help: "Bytes not yet in an object.", labels: STREAM };
/// Age of the oldest record not yet in an object.
pub(crate) static OLDEST_AGE: Metric = Metric {
    name: "firehose_oldest_age_ms",
    help: "Milliseconds since the oldest record not yet in an object arrived.",
    labels: STREAM,
};
/// Records in objects.
pub(crate) static DELIVERED_RECORDS: Metric =
    Metric { name: "firehose_delivered_records_total", help: "Records put into objects.", labels: STREAM };
/// Objects put.
pub(crate) static DELIVERED_OBJECTS: Metric =
    Metric { name: "firehose_delivered_objects_total", help: "Objects put.", labels: STREAM };
/// Attempts to deliver that failed.
pub(crate) static FAILED_ATTEMPTS: Metric = Metric {
    name: "firehose_failed_attempts_total",
    help: "Attempts to deliver that failed and are made again.",
    labels: STREAM,
};
/// Records lost after a day of failing attempts.
pub(crate) static DROPPED_RECORDS: Metric = Metric {
    name: "firehose_dropped_records_total",
    help: "Records dropped because their delivery had failed for 24 hours.",
    labels: STREAM,
};

static ALL: &[&Metric] = &[
    &INCOMING_RECORDS,
    &INCOMING_BYTES,
    &BUFFERED_RECORDS,
    &BUFFERED_BYTES,
    &OLDEST_AGE,
    &DELIVERED_RECORDS,
    &DELIVERED_OBJECTS,
    &FAILED_ATTEMPTS,
    &DROPPED_RECORDS,
];

/// The cells of one stream.
pub(crate) struct Cells {
    pub(crate) incoming_records: Counter,
    pub(crate) incoming_bytes: Counter,
    pub(crate) delivered_records: Counter,
    pub(crate) delivered_objects: Counter,
    pub(crate) failed_attempts: Counter,
    pub(crate) dropped_records: Counter,
    buffered_records: Gauge,
    buffered_bytes: Gauge,
    oldest_age_ms: Gauge,
}

impl Cells {
    pub(crate) fn new(metrics: &Metrics, stream: &str) -> Self {
        Self {
            incoming_records: metrics.counter(&INCOMING_RECORDS, &[stream]),
            incoming_bytes: metrics.counter(&INCOMING_BYTES, &[stream]),
            delivered_records: metrics.counter(&DELIVERED_RECORDS, &[stream]),
            delivered_objects: metrics.counter(&DELIVERED_OBJECTS, &[stream]),
            failed_attempts: metrics.counter(&FAILED_ATTEMPTS, &[stream]),
            dropped_records: metrics.counter(&DROPPED_RECORDS, &[stream]),
            buffered_records: metrics.gauge(&BUFFERED_RECORDS, &[stream]),
            buffered_bytes: metrics.gauge(&BUFFERED_BYTES, &[stream]),
            oldest_age_ms: metrics.gauge(&OLDEST_AGE, &[stream]),
        }
    }
}

/// Forgets the series of a name that no stream has any more.
pub(crate) fn forget(metrics: &Metrics, stream: &str) {
    for metric in ALL {
        metrics.forget(metric, &[stream]);
    }
}

/// Sets every gauge to what the logs hold now.
pub(crate) fn measure(registry: &Registry, log: &dyn CommitLog, now: Timestamp) {
    #[derive(Default)]
    struct Sum {
        records: u64,
        bytes: u64,
        age_ms: u64,
    }
    let streams = registry.all();
    let mut sums: BTreeMap<&str, (Sum, &Stream)> = BTreeMap::new();
    for stream in &streams {
        let bounds = log.bounds(&stream.log);
        let age = log.oldest(&stream.log).map(|at| now.since(at)).unwrap_or_default();
        let (sum, _) = sums.entry(&stream.name).or_insert_with(|| (Sum::default(), stream.as_ref()));
        sum.records += bounds.next.0 - bounds.first.0;
        sum.bytes += bounds.bytes;
        sum.age_ms = sum.age_ms.max(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
    }
    let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    for (sum, stream) in sums.values() {
        stream.cells.buffered_records.set(gauge(sum.records));
        stream.cells.buffered_bytes.set(gauge(sum.bytes));
        stream.cells.oldest_age_ms.set(gauge(sum.age_ms));
    }
}
