//! What rules make of messages: records, objects, other messages; and what is left when they cannot.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use mqtt::Qos;
use serde_json::{Value, json};
use testkit::{Halt, Sandbox, Setup};

use crate::lake::{self, BUCKET, ROLE, counts, lake, numbered, once, rule, rule_of, seen, to_stream};

fn republish(topic: &str) -> Value {
    json!({"republish": {"roleArn": ROLE, "topic": topic, "qos": 1}})
}

fn to_object(bucket: &str, key: &str) -> Value {
    json!({"s3": {"roleArn": ROLE, "bucketName": bucket, "key": key}})
}

#[tokio::test]
async fn a_chain_of_rules_ends_in_sql() {
    let sandbox = lake().await;
    rule(&sandbox, "first", "SELECT n + 1 AS n FROM 'raw/+'", &json!([republish("half/${topic(2)}")])).await;
    let where_even = "SELECT n * 10 AS n FROM 'half/+' WHERE n % 2 = 0";
    rule(&sandbox, "second", where_even, &json!([republish("in/${topic(2)}")])).await;
    let mut device = sandbox.device("d").await;
    for n in 0..6 {
        device.publish("raw/a", numbered(n)).await;
    }
    // 0+1 … 5+1, of which 2, 4 and 6 are even.
    sandbox.until("the chain has ended", async || seen(&sandbox).await == once([20, 40, 60])).await;
}

#[tokio::test]
async fn a_republished_message_reaches_devices_as_selected() {
    let sandbox = lake().await;
    let sql = "SELECT temp AS t, topic(2) AS place FROM 'plant/+' WHERE temp > 30";
    rule(&sandbox, "alarm", sql, &json!([republish("alarm/${topic(2)}")])).await;
    let mut listener = sandbox.device("listener").await;
    listener.subscribe("alarm/#", Qos::AtLeastOnce).await.expect("it is granted");
    let mut device = sandbox.device("d").await;
    device.publish("plant/3", r#"{"temp": 21, "hum": 70}"#).await;
    device.publish("plant/4", r#"{"temp": 31, "hum": 70}"#).await;
    let message = listener.message().await.expect("a message").message;
    assert_eq!(&*message.topic, "alarm/4");
    let payload: Value = serde_json::from_slice(&message.payload).expect("JSON");
    assert_eq!(payload, json!({"t": 31, "place": "4"}));
    listener.ping().await.expect("it is connected");
    assert_eq!(listener.waiting(), 0);
}

#[tokio::test]
async fn a_rule_that_feeds_itself_stops() {
    let sandbox = lake().await;
    rule(&sandbox, "loop", "SELECT n + 1 AS n FROM 'in/loop'", &json!([republish("in/loop")])).await;
    let mut device = sandbox.device("d").await;
    device.publish("in/loop", numbered(0)).await;
    // The message itself, and five that rules made of it.
    sandbox.until("it has gone round", async || seen(&sandbox).await.len() >= 6).await;
    lake::deliver(&sandbox).await;
    assert_eq!(seen(&sandbox).await, once(0..=5));
}

#[tokio::test]
async fn a_message_becomes_an_object() {
    let sandbox = lake().await;
    let key = "raw/${topic(2)}/${n}.json";
    rule(&sandbox, "raw", "SELECT * FROM 'raw/#'", &json!([to_object(BUCKET, key)])).await;
    let mut device = sandbox.device("d").await;
    for n in 0..3 {
        device.publish("raw/a", numbered(n)).await;
    }
    let expected = ["raw/a/0.json", "raw/a/1.json", "raw/a/2.json"];
    sandbox.until("the objects are there", async || sandbox.keys(BUCKET, "raw/").await == expected).await;
    assert_eq!(sandbox.object(BUCKET, "raw/a/1.json").await, numbered(1).replace(": ", ":"));
    lake::table(&sandbox, "raw", "n int").await;
    assert_eq!(counts(&sandbox.sql("SELECT n FROM raw").await), once(0..3));
}

#[tokio::test]
async fn an_action_that_waits_survives_a_crash() {
    let halt = Halt::default();
    let usual = lake::setup();
    let stores = halt.stores(usual.stores.clone());
    let mut sandbox = Sandbox::with(Setup { stores, ..usual }).await;
    sandbox.bucket(BUCKET).await;
    rule(&sandbox, "raw", "SELECT * FROM 'raw/#'", &json!([to_object(BUCKET, "raw/${n}")])).await;
    let mut device = sandbox.device("d").await;
    // The action is queued, which is one write and is acknowledged; it is not begun.
    halt.at(2);
    device.publish("raw/a", numbered(1)).await;
    halt.reached().await;
    sandbox.kill().await;
    halt.lift();
    sandbox.start().await;
    sandbox.until("the object is there", async || sandbox.keys(BUCKET, "raw/").await == ["raw/1"]).await;
}

#[tokio::test]
async fn what_cannot_be_done_goes_to_the_error_action() {
    let sandbox = lake().await;
    sandbox.bucket("errors").await;
    let payload = json!({
        "sql": "SELECT * FROM 'lost/#'",
        "awsIotSqlVersion": "2016-03-23",
        "actions": [to_stream("no-such-stream"), to_stream("numbers")],
        "errorAction": to_object("errors", "${topic()}"),
    });
    rule_of(&sandbox, "lost", &payload).await;
    let mut device = sandbox.device("d").await;
    device.publish("lost/a", numbered(7)).await;
    // The other action is done all the same.
    assert_eq!(seen(&sandbox).await, once([7]));
    let told = async || sandbox.keys("errors", "").await == ["lost/a"];
    sandbox.advance_until(Duration::from_secs(1), "the error action is done", told).await;
    let body = sandbox.object("errors", "lost/a").await;
    let document: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(document["ruleName"], "lost");
    assert_eq!(document["topic"], "lost/a");
    assert_eq!(document["clientId"], "d");
    assert_eq!(document["base64OriginalPayload"], STANDARD.encode(numbered(7)));
    let failures = document["failures"].as_array().expect("failures");
    assert_eq!(failures.len(), 1, "{document}");
    assert_eq!(failures[0]["failedAction"], "FirehoseAction");
    assert_eq!(failures[0]["failedResource"], "no-such-stream");
}

#[tokio::test]
async fn a_disabled_rule_does_nothing_until_it_is_enabled() {
    let sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    let api = sandbox.api();
    let set = async |action: &str| {
        api.rest("iot", Method::POST, &format!("/rules/numbers/{action}"), "").await.expect("it is changed");
    };
    device.publish("in/a", numbered(0)).await;
    set("disable").await;
    device.publish("in/a", numbered(1)).await;
    set("enable").await;
    device.publish("in/a", numbered(2)).await;
    api.rest("iot", Method::DELETE, "/rules/numbers", "").await.expect("it is deleted");
    device.publish("in/a", numbered(3)).await;
    assert_eq!(seen(&sandbox).await, once([0, 2]));
}

#[tokio::test]
async fn a_changed_rule_is_in_force_for_the_next_message_and_after_a_crash() {
    let mut sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    device.publish("in/a", numbered(0)).await;
    let payload = json!({
        "sql": "SELECT n + 100 AS n FROM 'in/#'", "awsIotSqlVersion": "2016-03-23",
        "actions": [to_stream("numbers")]});
    let api = sandbox.api();
    api.rest("iot", Method::PATCH, "/rules/numbers", payload.to_string()).await.expect("it is replaced");
    device.publish("in/a", numbered(1)).await;
    sandbox.crash().await;
    sandbox.device("d").await.publish("in/a", numbered(2)).await;
    assert_eq!(seen(&sandbox).await, once([0, 101, 102]));
}

#[tokio::test]
async fn basic_ingest_goes_straight_to_its_rule() {
    let sandbox = lake().await;
    let mut listener = sandbox.device("listener").await;
    listener.subscribe("#", Qos::AtLeastOnce).await.expect("it is granted");
    let mut device = sandbox.device("d").await;
    device.publish("$aws/rules/numbers/anything/at/all", numbered(1)).await;
    device.publish("$aws/rules/no_such_rule/a", numbered(2)).await;
    assert_eq!(seen(&sandbox).await, once([1]));
    listener.ping().await.expect("it is connected");
    assert_eq!(listener.waiting(), 0, "it is published to nobody");
}

#[tokio::test]
async fn a_message_that_is_not_json_harms_no_other() {
    let sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    device.publish("in/a", numbered(1)).await;
    for payload in [b"\xff\xfe".as_slice(), b"", b"{", b"[1,2]", b"7"] {
        device.publish("bin/a", payload.to_vec()).await;
    }
    device.publish("in/a", numbered(2)).await;
    assert_eq!(seen(&sandbox).await, once([1, 2]));
}

#[tokio::test]
async fn https_and_the_api_reach_rules_too() {
    let sandbox = lake().await;
    let allow = json!([{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]);
    let identity = sandbox.identity("sensor", &allow).await;
    let mut connection = sandbox.https(&identity).await.expect("it is registered");
    let request = http::Request::post("/topics/in/a?qos=1").header("host", "localhost");
    let answer = connection.send(request.body(numbered(1).into()).expect("a request")).await;
    assert_eq!(answer.expect("an answer").status(), 200);
    assert_eq!(seen(&sandbox).await, once([1]), "it is durable when it is answered");
    sandbox
        .api()
        .rest("iotdata", Method::POST, "/topics/in%2Fa?qos=1", numbered(2))
        .await
        .expect("published");
    assert_eq!(seen(&sandbox).await, once([1, 2]));
    let mut device =
        sandbox.connect_as(&identity, mqtt::Connect::new(mqtt::Version::V5, "sensor")).await.expect("it may");
    device.publish("in/a", numbered(3)).await;
    assert_eq!(seen(&sandbox).await, once([1, 2, 3]));
}
