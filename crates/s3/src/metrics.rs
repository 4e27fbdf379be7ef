//! What this crate counts.

use http::{Method, StatusCode};
use kernel::metrics::{Counter, Histogram, Metric};
use kernel::{Metrics, Timestamp};

/// The labels of what belongs to a bucket.
const BUCKET: &[&str] = &["account", "region", "bucket"];

/// Objects stored by PutObject, CopyObject, CompleteMultipartUpload and in process.
pub static PUT_OBJECTS: Metric =
    Metric { name: "s3_put_objects_total", help: "Objects stored, new or replaced.", labels: BUCKET };

/// Objects in each bucket. Counted in the background after a start and every hour, kept up to date in between: for a moment after a
/// start it lags, and a change that races with a count may be seen twice until the next one.
pub static OBJECTS: Metric = Metric { name: "s3_objects", help: "Objects in the bucket.", labels: BUCKET };

/// Bytes of the objects in each bucket, kept as [`OBJECTS`] is. Parts of unfinished uploads do not count.
pub static OBJECT_BYTES: Metric =
    Metric { name: "s3_object_bytes", help: "Bytes of the objects in the bucket.", labels: BUCKET };

/// Requests over HTTP about a bucket that is there. `kind` is what CloudWatch's request metrics tell apart: `get`, `put`, `delete`, `head`
/// and `post` of objects, `list` of contents, and `other` for what concerns the bucket itself.
pub static REQUESTS: Metric = Metric {
    name: "s3_requests_total",
    help: "Requests about the bucket or its objects.",
    labels: &["account", "region", "bucket", "kind"],
};

/// Of these, what was answered with an error: `class` is `4xx` or `5xx`.
pub static ERRORS: Metric = Metric {
    name: "s3_errors_total",
    help: "Requests that were answered with an error.",
    labels: &["account", "region", "bucket", "class"],
};

/// Bytes of request bodies.
pub static BYTES_UPLOADED: Metric = Metric {
    name: "s3_bytes_uploaded_total",
    help: "Bytes of the bodies of requests, as they came.",
    labels: BUCKET,
};

/// Bytes of answers' bodies.
pub static BYTES_DOWNLOADED: Metric = Metric {
    name: "s3_bytes_downloaded_total",
    help: "Bytes of the bodies of answers, as far as they were sent.",
    labels: BUCKET,
};

/// From the head of the request to the head of the answer: an upload's body is in between.
pub static FIRST_BYTE: Metric =
    Metric { name: "s3_first_byte_micros", help: "Microseconds until an answer began.", labels: BUCKET };

/// Blobs deleted because no entity named them.
pub static ORPHANS: Metric = Metric {
    name: "s3_orphan_blobs_deleted_total",
    help: "Blobs deleted because nothing named them: leftovers of interrupted requests.",
    labels: &[],
};

/// What belongs to a bucket and is forgotten with it.
pub(crate) static OF_BUCKETS: [&Metric; 8] = [
    &PUT_OBJECTS,
    &OBJECTS,
    &OBJECT_BYTES,
    &REQUESTS,
    &ERRORS,
    &BYTES_UPLOADED,
    &BYTES_DOWNLOADED,
    &FIRST_BYTE,
];

/// What a request is, as CloudWatch's request metrics count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Get,
    Put,
    Delete,
    Head,
    Post,
    List,
    Other,
}

impl Kind {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Get, "get"),
        (Self::Put, "put"),
        (Self::Delete, "delete"),
        (Self::Head, "head"),
        (Self::Post, "post"),
        (Self::List, "list"),
        (Self::Other, "other"),
    ];

    /// The kind of a request about an object or, without `key`, about its bucket.
    pub(crate) fn of(method: &Method, key: Option<&str>, query: &str) -> Self {
        let asks = |names: &[&str]| {
            query.split('&').any(|pair| names.contains(&pair.split('=').next().unwrap_or_default()))
        };
        match (method, key) {
            (&Method::HEAD, _) => Self::Head,
            (&Method::GET, Some(_)) => Self::Get,
            (&Method::PUT, Some(_)) => Self::Put,
            (&Method::DELETE, Some(_)) => Self::Delete,
            (&Method::POST, Some(_)) => Self::Post,
            (&Method::POST, None) if asks(&["delete"]) => Self::Delete,
            (&Method::GET, None) if query.is_empty() || asks(&["list-type", "versions", "uploads"]) => {
                Self::List
            }
            (&Method::GET, None) if asks(&["prefix", "delimiter", "marker", "max-keys"]) => Self::List,
            _ => Self::Other,
        }
    }
}

/// The counters of one bucket's requests.
#[derive(Clone)]
pub(crate) struct BucketMetrics {
    requests: [Counter; 7],
    client_errors: Counter,
    server_errors: Counter,
    pub(crate) uploaded: Counter,
    pub(crate) downloaded: Counter,
    first_byte: Histogram,
}

impl BucketMetrics {
    pub(crate) fn new(metrics: &Metrics, labels: &[&str; 3]) -> Self {
        let with = |last: &'static str| [labels[0], labels[1], labels[2], last];
        Self {
            requests: Kind::ALL.map(|(_, kind)| metrics.counter(&REQUESTS, &with(kind))),
            client_errors: metrics.counter(&ERRORS, &with("4xx")),
            server_errors: metrics.counter(&ERRORS, &with("5xx")),
            uploaded: metrics.counter(&BYTES_UPLOADED, labels),
            downloaded: metrics.counter(&BYTES_DOWNLOADED, labels),
            first_byte: metrics.histogram(&FIRST_BYTE, labels),
        }
    }

    /// Counts a request whose answer begins.
    pub(crate) fn answered(&self, kind: Kind, status: StatusCode, began: Timestamp, now: Timestamp) {
        self.requests[kind as usize].add(1);
        if status.is_client_error() {
            self.client_errors.add(1);
        } else if status.is_server_error() {
            self.server_errors.add(1);
        }
        self.first_byte.record_micros(now.since(began));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::{Client, LAKE};

    #[test]
    fn a_request_has_a_kind() {
        for (method, key, query, expect) in [
            (Method::GET, Some("k"), "", Kind::Get),
            (Method::PUT, Some("k"), "partNumber=1&uploadId=x", Kind::Put),
            (Method::DELETE, Some("k"), "", Kind::Delete),
            (Method::POST, Some("k"), "uploads", Kind::Post),
            (Method::HEAD, Some("k"), "", Kind::Head),
            (Method::HEAD, None, "", Kind::Head),
            (Method::GET, None, "", Kind::List),
            (Method::GET, None, "list-type=2&prefix=a", Kind::List),
            (Method::GET, None, "prefix=a", Kind::List),
            (Method::POST, None, "delete", Kind::Delete),
            (Method::GET, None, "policy", Kind::Other),
            (Method::PUT, None, "", Kind::Other),
        ] {
            assert_eq!(Kind::of(&method, key, query), expect, "{method} {key:?} {query}");
        }
    }

    #[tokio::test]
    async fn what_is_asked_of_a_bucket_is_counted_for_its_account_and_region() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        client.put("/lake/k", "hi").await.expect("200");
        client.get("/lake/k").await.expect("200");
        client.get("/lake/none").await.expect("404 NoSuchKey");
        client.unsigned("GET", "/lake/k").await.expect("403 AccessDenied");
        client.get("/lake").await.expect("200");
        let sums = |metric: &'static Metric| {
            let of = client.metrics.counters().into_iter().filter(|sample| sample.metric == metric);
            of.filter(|sample| sample.labels[..3] == LAKE)
                .map(|sample| (sample.labels.last().unwrap().clone(), sample.value))
                .filter(|(_, value)| *value > 0)
                .collect::<BTreeMap<String, i64>>()
        };
        let expect = |pairs: &[(&str, i64)]| {
            pairs.iter().map(|(label, value)| ((*label).to_owned(), *value)).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(sums(&REQUESTS), expect(&[("get", 3), ("list", 1), ("put", 2)]));
        assert_eq!(sums(&ERRORS), expect(&[("4xx", 2)]));
        assert_eq!(client.metrics.counter(&BYTES_UPLOADED, &LAKE).value(), 7);
        assert!(client.metrics.counter(&BYTES_DOWNLOADED, &LAKE).value() > 2);
        assert_eq!(client.metrics.histogram(&FIRST_BYTE, &LAKE).read().count(), 6);
        assert_eq!(client.metrics.gauge(&OBJECT_BYTES, &LAKE).value(), 2);
        // What is not there is not counted: anyone could make up any number of names.
        client.get("/nolake/k").await.expect("404 NoSuchBucket");
        assert!(client.metrics.counters().iter().all(|sample| !sample.labels.contains(&"nolake".to_owned())));
        client.delete("/lake/k").await.expect("204");
        assert_eq!(client.metrics.gauge(&OBJECT_BYTES, &LAKE).value(), 0);
        client.delete("/lake").await.expect("204");
        assert!(client.metrics.counters().iter().all(|sample| sample.labels != LAKE));
        assert!(client.metrics.histograms().is_empty());
    }
}
