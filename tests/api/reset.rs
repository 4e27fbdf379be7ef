//! `POST /_headwater/reset`: who may, what is left, and what goes on.

use bytes::Bytes;
use client::Answer;
use http::Method;
use iam::RootKey;
use kernel::Clock;
use node::{Config, Reset};
use serde_json::{Value, json};
use testkit::{Closed, Sandbox, Setup};

async fn reset(client: &client::Client) -> Answer {
    let sent = client.send("headwater", Method::POST, "/_headwater/reset", &[], Bytes::new());
    sent.await.expect("an answer")
}

async fn things(sandbox: &Sandbox) -> Vec<Value> {
    let listed = sandbox.api().rest("iot", Method::GET, "/things", "").await.expect("the root may list");
    listed["things"].as_array().expect("a list").clone()
}

/// Something in every service, in every store.
async fn furnish(sandbox: &Sandbox) {
    let api = sandbox.api();
    sandbox.bucket("lake").await;
    sandbox.put("lake", "k", "content").await;
    api.rest("iot", Method::POST, "/things/t", "{}").await.expect("a thing");
    let database = json!({"DatabaseInput": {"Name": "d"}});
    api.json("glue", "CreateDatabase", &database).await.expect("a database");
    let destination =
        json!({"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::lake"});
    let stream = json!({"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": destination});
    api.json("firehose", "CreateDeliveryStream", &stream).await.expect("a stream");
    let record = json!({"DeliveryStreamName": "s", "Record": {"Data": "eA=="}});
    api.json("firehose", "PutRecord", &record).await.expect("a record");
    api.json("athena", "CreateWorkGroup", &json!({"Name": "w"})).await.expect("a workgroup");
    sandbox.device("d").await.retain("kept", "x").await;
}

async fn nothing_is_left(sandbox: &Sandbox) {
    let api = sandbox.api();
    assert_eq!(things(sandbox).await, [Value::Null; 0]);
    let buckets = api.send("s3", Method::GET, "/", &[], Bytes::new()).await.expect("an answer");
    assert!(!String::from_utf8_lossy(&buckets.body).contains("<Bucket>"));
    let found = api.json("glue", "GetDatabases", &json!({})).await.expect("databases");
    assert_eq!(found["DatabaseList"].as_array().expect("a list").len(), 1, "only the default one: {found}");
    let found = api.json("firehose", "ListDeliveryStreams", &json!({})).await.expect("streams");
    assert_eq!(found["DeliveryStreamNames"], json!([]));
    let found = api.json("athena", "ListWorkGroups", &json!({})).await.expect("workgroups");
    assert_eq!(found["WorkGroups"].as_array().expect("a list").len(), 1, "only the primary one: {found}");
    let found = api.rest("iotdata", Method::GET, "/retainedMessage", "").await.expect("retained messages");
    assert_eq!(found["retainedTopics"], json!([]));
    assert_eq!(sandbox.stores().log.logs("").len(), 0);
}

#[tokio::test]
async fn everything_is_gone_and_the_node_serves() {
    let sandbox = Sandbox::new().await;
    furnish(&sandbox).await;
    let answer = reset(&sandbox.api()).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"status": "empty"})));
    nothing_is_left(&sandbox).await;
    furnish(&sandbox).await;
    assert_eq!(things(&sandbox).await.len(), 1);
}

#[tokio::test]
async fn what_is_gone_stays_gone_after_a_crash() {
    let mut sandbox = Sandbox::new().await;
    furnish(&sandbox).await;
    assert_eq!(reset(&sandbox.api()).await.status, 200);
    sandbox.crash().await;
    nothing_is_left(&sandbox).await;
}

#[tokio::test]
async fn it_is_refused_unless_the_node_was_started_with_it() {
    let config = Config { reset: Reset::Refused, ..Config::default() };
    let sandbox = Sandbox::with(Setup { config, ..Setup::default() }).await;
    furnish(&sandbox).await;
    let answer = reset(&sandbox.api()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (
            403,
            json!({"__type": "AccessDeniedException",
                   "message": "This node was not started with --allow-reset."})
        )
    );
    assert_eq!(things(&sandbox).await.len(), 1);
}

#[tokio::test]
async fn only_the_root_may() {
    let sandbox = Sandbox::new().await;
    furnish(&sandbox).await;
    let key_id = &sandbox.key().access_key_id;
    let region = "us-east-1";
    for (client, code) in [
        (sandbox.client(&RootKey::new("AKIASTRANGER", "x"), region), "UnrecognizedClientException"),
        (sandbox.client(&RootKey::new(key_id, "a guess"), region), "InvalidSignatureException"),
    ] {
        let answer = reset(&client).await;
        assert_eq!((answer.status.as_u16(), answer.json()["__type"].as_str()), (403, Some(code)));
    }
    let request = http::Request::post("/_headwater/reset").header("host", "localhost").body(Bytes::new());
    let mut connection = testkit::HttpConnection::plain(sandbox.addresses().api).await;
    let answer = connection.send(request.expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), 403);
    assert!(String::from_utf8_lossy(answer.body()).contains("MissingAuthenticationTokenException"));
    assert_eq!(things(&sandbox).await.len(), 1);
}

#[tokio::test]
async fn a_kept_connection_goes_on_and_a_device_does_not() {
    let sandbox = Sandbox::new().await;
    let mut device = sandbox.device("d").await;
    let mut connection = testkit::HttpConnection::plain(sandbox.addresses().api).await;
    let host = sandbox.addresses().api.to_string();
    let key = sandbox.key();
    let signer = wire::sigv4::Signer {
        access_key_id: &key.access_key_id,
        secret_access_key: key.secret_access_key.expose(),
        region: "us-east-1",
        service: "iot",
    };
    let mut ask = async |method: Method, path: &'static str| {
        let uri = path.parse().expect("a path");
        let now = sandbox.clock().now();
        let added = signer.sign(&method, &uri, &[("host", host.as_str())], &Bytes::new(), now);
        let mut request = http::Request::builder().method(method).uri(path).header("host", &host);
        for (name, value) in added.expect("it can be signed") {
            request = request.header(name, value);
        }
        connection.send(request.body(Bytes::new()).expect("a request")).await.expect("the connection goes on")
    };
    assert_eq!(ask(Method::POST, "/things/t").await.status(), 200);
    assert_eq!(ask(Method::POST, "/_headwater/reset").await.status(), 200);
    assert_eq!(ask(Method::GET, "/things/t").await.status(), 404);
    assert_eq!(ask(Method::POST, "/things/t").await.status(), 200);
    assert_eq!(device.closed().await, Closed::Silently);
    sandbox.device("d").await;
}

#[tokio::test]
async fn those_who_ask_at_once_are_all_answered() {
    let sandbox = Sandbox::new().await;
    furnish(&sandbox).await;
    let api = sandbox.api();
    let answers = futures::future::join_all((0..8).map(|_| reset(&api))).await;
    for answer in answers {
        // One that comes while another is at work is told to try again.
        assert!([200, 503].contains(&answer.status.as_u16()), "{:?}", answer.body);
    }
    nothing_is_left(&sandbox).await;
}
