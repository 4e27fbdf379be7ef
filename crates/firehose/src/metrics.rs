//! What is counted, by delivery stream.

use kernel::metrics::{Counter, Gauge, Metric};
use kernel::{Metrics, Timestamp};
use store::CommitLog;

use crate::registry::Registry;

const STREAM: &[&str] = &["account", "region", "stream"];

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
/// Records that the disk has lost.
pub(crate) static LOST_RECORDS: Metric = Metric {
    name: "firehose_lost_records_total",
    help: "Records that were damaged on the disk and are in no object.",
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
    &LOST_RECORDS,
];

/// The cells of one stream.
pub(crate) struct Cells {
    pub(crate) incoming_records: Counter,
    pub(crate) incoming_bytes: Counter,
    pub(crate) delivered_records: Counter,
    pub(crate) delivered_objects: Counter,
    pub(crate) failed_attempts: Counter,
    pub(crate) dropped_records: Counter,
    pub(crate) lost_records: Counter,
    buffered_records: Gauge,
    buffered_bytes: Gauge,
    oldest_age_ms: Gauge,
}

impl Cells {
    pub(crate) fn new(metrics: &Metrics, stream: &[&str; 3]) -> Self {
        Self {
            incoming_records: metrics.counter(&INCOMING_RECORDS, stream),
            incoming_bytes: metrics.counter(&INCOMING_BYTES, stream),
            delivered_records: metrics.counter(&DELIVERED_RECORDS, stream),
            delivered_objects: metrics.counter(&DELIVERED_OBJECTS, stream),
            failed_attempts: metrics.counter(&FAILED_ATTEMPTS, stream),
            dropped_records: metrics.counter(&DROPPED_RECORDS, stream),
            lost_records: metrics.counter(&LOST_RECORDS, stream),
            buffered_records: metrics.gauge(&BUFFERED_RECORDS, stream),
            buffered_bytes: metrics.gauge(&BUFFERED_BYTES, stream),
            oldest_age_ms: metrics.gauge(&OLDEST_AGE, stream),
        }
    }
}

/// Forgets the series of a stream that is gone.
pub(crate) fn forget(metrics: &Metrics, stream: &[&str; 3]) {
    for metric in ALL {
        metrics.forget(metric, stream);
    }
}

/// Sets every gauge to what the logs hold now.
pub(crate) fn measure(registry: &Registry, log: &dyn CommitLog, now: Timestamp) {
    let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    for stream in registry.all() {
        let bounds = log.bounds(&stream.log);
        let age = log.oldest(&stream.log).map(|at| now.since(at)).unwrap_or_default();
        stream.cells.buffered_records.set(gauge(bounds.next.0 - bounds.first.0));
        stream.cells.buffered_bytes.set(gauge(bounds.bytes));
        stream.cells.oldest_age_ms.set(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use kernel::Region;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn streams_of_one_name_in_two_regions_are_two_series() {
        let world = World::new();
        let firehose = world.start().await;
        let elsewhere: Region = "eu-west-1".parse().unwrap();
        world.create(&firehose, "a", json!({})).await;
        let request = json!({"DeliveryStreamName": "a", "S3DestinationConfiguration":
            {"RoleARN": "arn:aws:iam::1:role/r", "BucketARN": "arn:aws:s3:::lake"}});
        world.call_in(&firehose, &elsewhere, "CreateDeliveryStream", request).await.unwrap();
        world.put(&firehose, "a", &["1", "2"]).await;
        let series = || {
            let counters = firehose.inner.metrics.counters().into_iter();
            let incoming = counters.filter(|s| s.metric.name == "firehose_incoming_records_total");
            incoming.map(|s| (s.labels.join(" "), s.value)).collect::<Vec<_>>()
        };
        let (there, here) = ("000000000000 eu-west-1 a".to_owned(), "000000000000 us-east-1 a".to_owned());
        assert_eq!(series(), [(there, 0), (here.clone(), 2)]);
        let delete = json!({"DeliveryStreamName": "a"});
        world.call_in(&firehose, &elsewhere, "DeleteDeliveryStream", delete).await.unwrap();
        assert_eq!(series(), [(here, 2)]);
    }
}
