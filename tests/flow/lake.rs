//! The pipeline that most flows run on: numbered messages from `in/…` through one rule and one stream into one table.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use mqtt::{Qos, ReasonCode, Retain};
use node::EngineParts;
use serde_json::{Value, json};
use testkit::{Executed, Sandbox, Setup};

/// The bucket of the pipeline.
pub(crate) const BUCKET: &str = "lake";

/// Publishes of one device without an acknowledgement.
const IN_FLIGHT: usize = mqtt::limits::INFLIGHT_MAX as usize;

/// How long its stream buffers.
pub(crate) const INTERVAL: Duration = Duration::from_secs(60);

pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/service-role/iot.firehose";

/// A node as usual, with the SQL engine.
pub(crate) fn setup() -> Setup {
    let engine = Arc::new(|parts: EngineParts| {
        let EngineParts { catalog, objects, buffered, clock } = parts;
        Arc::new(query::Engine::new(query::Config::default(), catalog, objects, buffered, clock)) as _
    });
    Setup { engine, ..Setup::default() }
}

/// A sandbox with the pipeline.
pub(crate) async fn lake() -> Sandbox {
    let sandbox = Sandbox::with(setup()).await;
    build(&sandbox).await;
    sandbox
}

/// Makes the pipeline: bucket, stream, rule and table.
pub(crate) async fn build(sandbox: &Sandbox) {
    sandbox.bucket(BUCKET).await;
    stream(sandbox, "numbers", &json!({})).await;
    rule(sandbox, "numbers", "SELECT * FROM 'in/#'", &json!([to_stream("numbers")])).await;
    table(sandbox, "numbers", "n int").await;
}

/// Creates a stream into the bucket under its own name, with these members of its destination besides.
pub(crate) async fn stream(sandbox: &Sandbox, name: &str, members: &Value) {
    let mut destination = json!({
        "RoleARN": ROLE,
        "BucketARN": format!("arn:aws:s3:::{BUCKET}"),
        "Prefix": format!("{name}/"),
        "BufferingHints": {"SizeInMBs": 128, "IntervalInSeconds": INTERVAL.as_secs()},
    });
    for (member, value) in members.as_object().into_iter().flatten() {
        destination[member] = value.clone();
    }
    let input = json!({"DeliveryStreamName": name, "ExtendedS3DestinationConfiguration": destination});
    let made = sandbox.api().json("firehose", "CreateDeliveryStream", &input).await;
    made.unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// The action of a rule that puts into a stream, one record a line.
pub(crate) fn to_stream(name: &str) -> Value {
    json!({"firehose": {"roleArn": ROLE, "deliveryStreamName": name, "separator": "\n"}})
}

/// Creates a rule.
pub(crate) async fn rule(sandbox: &Sandbox, name: &str, sql: &str, actions: &Value) {
    rule_of(sandbox, name, &json!({"sql": sql, "awsIotSqlVersion": "2016-03-23", "actions": actions})).await;
}

/// Creates a rule of this payload.
pub(crate) async fn rule_of(sandbox: &Sandbox, name: &str, payload: &Value) {
    let made = sandbox.api().rest("iot", Method::POST, &format!("/rules/{name}"), payload.to_string()).await;
    made.unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// Creates a table of JSON lines over what lies in the bucket under its name.
pub(crate) async fn table(sandbox: &Sandbox, name: &str, columns: &str) {
    let ddl = format!(
        "CREATE EXTERNAL TABLE {name} ({columns}) ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' \
         LOCATION 's3://{BUCKET}/{name}/'"
    );
    assert_eq!(sandbox.sql(&ddl).await.outcome, "SUCCEEDED", "{ddl}");
}

/// A message with a number.
pub(crate) fn numbered(n: u64) -> String {
    json!({ "n": n }).to_string()
}

/// Publishes these numbers from four devices at once, each with as many in flight as there may be, and waits until all are
/// acknowledged.
pub(crate) async fn publish_all(sandbox: &Sandbox, numbers: Range<u64>) {
    let publishing = (0..4).map(|d| {
        let numbers = numbers.clone().skip(d).step_by(4);
        async move {
            let mut device = sandbox.device(&format!("d{d}")).await;
            let mut waiting = VecDeque::new();
            for n in numbers {
                if waiting.len() == IN_FLIGHT {
                    let token = waiting.pop_front().expect("it is full");
                    assert_eq!(device.published(token).await, Ok(ReasonCode::Success));
                }
                waiting.push_back(device.request("in/a", numbered(n), Qos::AtLeastOnce, Retain::No));
            }
            for token in waiting {
                assert_eq!(device.published(token).await, Ok(ReasonCode::Success));
            }
        }
    });
    futures::future::join_all(publishing).await;
}

/// How often SQL sees each number.
pub(crate) async fn seen(sandbox: &Sandbox) -> BTreeMap<u64, usize> {
    counts(&sandbox.sql("SELECT n FROM numbers").await)
}

/// How often each number is in the first column of a result.
pub(crate) fn counts(executed: &Executed) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    for row in executed.values() {
        *counts.entry(row[0].parse().expect("a number")).or_default() += 1;
    }
    counts
}

/// How often each number is in the bucket's objects, read without SQL.
pub(crate) async fn stored(sandbox: &Sandbox) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    for key in sandbox.keys(BUCKET, "numbers/").await {
        let body = sandbox.object(BUCKET, &key).await;
        for line in String::from_utf8_lossy(&body).lines() {
            let record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            *counts.entry(record["n"].as_u64().expect("a number")).or_default() += 1;
        }
    }
    counts
}

/// Whether nothing waits in a stream any more.
pub(crate) fn delivered(sandbox: &Sandbox) -> bool {
    let log = &sandbox.stores().log;
    log.logs("firehose/").iter().all(|stream| log.bounds(stream).bytes == 0)
}

/// Lets time pass until nothing waits in a stream any more.
pub(crate) async fn deliver(sandbox: &Sandbox) {
    sandbox.advance(INTERVAL);
    // Attempts that fail are repeated after waits of their own; a node that has just begun sets its timers first.
    sandbox
        .advance_until(Duration::from_secs(1), "everything is delivered", async || delivered(sandbox))
        .await;
}

/// Each of these once.
pub(crate) fn once(numbers: impl IntoIterator<Item = u64>) -> BTreeMap<u64, usize> {
    numbers.into_iter().map(|n| (n, 1)).collect()
}
