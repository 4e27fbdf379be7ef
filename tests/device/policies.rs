//! What a certificate's policies allow: connect, publish, subscribe, receive; with variables and wildcards; from one moment to the next.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html>

use http::Method;
use mqtt::{Message, Qos, ReasonCode, Will};
use serde_json::json;
use testkit::{Closed, Sandbox};

use crate::common::{allow, anything, arn, connected, kept_v5, text, v5, v311};

const REFUSED: Closed = Closed::Reason(ReasonCode::NotAuthorized);

#[tokio::test]
async fn nothing_is_allowed_that_no_policy_allows() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &json!([allow("iot:Publish", "topic/a")])).await;
    assert_eq!(sandbox.connect_as(&identity, v5("sensor")).await.err(), Some(REFUSED));
    // MQTT 3.1.1's return code 5.
    assert_eq!(sandbox.connect_as(&identity, v311("sensor")).await.err(), Some(REFUSED));
}

#[tokio::test]
async fn connect_is_allowed_by_client_id() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &json!([allow("iot:Connect", "client/sensor-?")])).await;
    assert!(sandbox.connect_as(&identity, v5("sensor-1")).await.is_ok());
    for client_id in ["sensor-12", "sensor-", "other", "sensor-/"] {
        let refused = sandbox.connect_as(&identity, v5(client_id)).await.err();
        let expected = (client_id != "sensor-/").then_some(REFUSED);
        assert_eq!(refused, expected, "{client_id}");
    }
}

#[tokio::test]
async fn publish_is_allowed_by_topic() {
    let sandbox = Sandbox::new().await;
    let statements = json!([allow("iot:Connect", "client/*"), allow("iot:Publish", "topic/plant/*/temp")]);
    let identity = sandbox.identity("sensor", &statements).await;
    let mut device = connected(&sandbox, &identity).await;
    device.publish("plant/3/temp", "21").await;
    device.publish("plant/3/4/temp", "21").await;
    assert_eq!(device.try_publish("plant/3/hum", "70").await, Err(REFUSED));
    let mut device = sandbox.connect_as(&identity, v311("old")).await.expect("it may connect");
    assert_eq!(device.try_publish("plant/3/hum", "70").await, Err(Closed::Silently));
    // At QoS 0 just the same.
    let mut device = connected(&sandbox, &identity).await;
    device.send("plant/3/hum", "70").await;
    assert_eq!(device.closed().await, REFUSED);
}

#[tokio::test]
async fn what_is_not_allowed_reaches_nobody() {
    let sandbox = Sandbox::new().await;
    let statements = json!([allow("iot:Connect", "client/*"), allow("iot:Publish", "topic/a")]);
    let identity = sandbox.identity("sensor", &statements).await;
    let mut root = sandbox.device("root").await;
    root.subscribe("#", Qos::AtLeastOnce).await.expect("the root may");
    assert_eq!(connected(&sandbox, &identity).await.try_publish("b", "forbidden").await, Err(REFUSED));
    connected(&sandbox, &identity).await.publish("a", "allowed").await;
    assert_eq!(text(&root.message().await.expect("a message")), "a allowed");
}

#[tokio::test]
async fn retain_needs_a_permission_of_its_own() {
    let sandbox = Sandbox::new().await;
    let statements = json!([
        allow("iot:Connect", "client/*"),
        allow("iot:Publish", "topic/*"),
        allow("iot:RetainPublish", "topic/kept"),
    ]);
    let identity = sandbox.identity("sensor", &statements).await;
    let mut device = connected(&sandbox, &identity).await;
    device.retain("kept", "x").await;
    let token = device.request("other", "x", Qos::AtLeastOnce, mqtt::Retain::Yes);
    assert_eq!(device.published(token).await, Err(REFUSED));
}

#[tokio::test]
async fn subscribe_is_allowed_by_topic_filter() {
    let sandbox = Sandbox::new().await;
    let statements = json!([
        allow("iot:Connect", "client/*"),
        allow("iot:Subscribe", "topicfilter/a/+"),
        allow("iot:Receive", "topic/*"),
    ]);
    let identity = sandbox.identity("sensor", &statements).await;
    let mut device = connected(&sandbox, &identity).await;
    // MQTT's wildcards are plain characters to a policy.
    for (filter, code) in [
        ("a/+", ReasonCode::GrantedQos1),
        ("a/b", ReasonCode::NotAuthorized),
        ("a/#", ReasonCode::NotAuthorized),
        ("#", ReasonCode::NotAuthorized),
    ] {
        assert_eq!(device.subscribe(filter, Qos::AtLeastOnce).await, Ok(code), "{filter}");
    }
    let mut old = sandbox.connect_as(&identity, v311("old")).await.expect("it may connect");
    assert_eq!(old.subscribe("#", Qos::AtLeastOnce).await, Ok(ReasonCode::UnspecifiedError), "0x80");
    sandbox.device("root").await.publish("a/b", "x").await;
    assert_eq!(text(&device.message().await.expect("a message")), "a/b x");
}

#[tokio::test]
async fn receive_is_asked_for_each_delivery() {
    let sandbox = Sandbox::new().await;
    let statements = json!([
        allow("iot:Connect", "client/*"),
        allow("iot:Subscribe", "topicfilter/*"),
        allow("iot:Receive", "topic/public/*"),
    ]);
    let identity = sandbox.identity("sensor", &statements).await;
    let mut root = sandbox.device("root").await;
    root.retain("secret/kept", "no").await;
    let mut device = connected(&sandbox, &identity).await;
    for filter in ["#", "secret/kept"] {
        assert_eq!(device.subscribe(filter, Qos::AtLeastOnce).await, Ok(ReasonCode::GrantedQos1));
    }
    for (topic, payload) in [("secret/1", "no"), ("public/1", "yes"), ("secret/2", "no"), ("public/2", "yes")]
    {
        root.publish(topic, payload).await;
    }
    assert_eq!(text(&device.message().await.expect("a message")), "public/1 yes");
    assert_eq!(text(&device.message().await.expect("a message")), "public/2 yes");
    device.ping().await.expect("it is connected");
    assert_eq!(device.waiting(), 0);
}

#[tokio::test]
async fn the_client_id_is_a_variable() {
    let sandbox = Sandbox::new().await;
    let statements =
        json!([allow("iot:Connect", "client/*"), allow("iot:Publish", "topic/devices/${iot:ClientId}/*"),]);
    let identity = sandbox.identity("sensor", &statements).await;
    let mut device = sandbox.connect_as(&identity, v5("a")).await.expect("it may connect");
    device.publish("devices/a/temp", "x").await;
    assert_eq!(device.try_publish("devices/b/temp", "x").await, Err(REFUSED));
}

#[tokio::test]
async fn a_client_id_of_wildcards_matches_nothing_but_itself() {
    // The class of CVE-2017-7650.
    let sandbox = Sandbox::new().await;
    let statements = json!([
        allow("iot:Connect", "client/*"),
        allow("iot:Publish", "topic/devices/${iot:ClientId}"),
        allow("iot:Subscribe", "topicfilter/devices/${iot:ClientId}"),
        allow("iot:Receive", "topic/devices/${iot:ClientId}"),
    ]);
    let identity = sandbox.identity("sensor", &statements).await;
    for client_id in ["*", "?", "a*", "${iot:ClientId}"] {
        let mut device = sandbox.connect_as(&identity, v5(client_id)).await.expect("it may connect");
        assert_eq!(device.try_publish("devices/a", "x").await, Err(REFUSED), "{client_id}");
    }
    for client_id in ["#", "+"] {
        let mut device = sandbox.connect_as(&identity, v5(client_id)).await.expect("it may connect");
        assert_eq!(device.subscribe("devices/a", Qos::AtLeastOnce).await, Ok(ReasonCode::NotAuthorized));
        device.subscribe(&format!("devices/{client_id}"), Qos::AtLeastOnce).await.expect("an answer");
        sandbox.device("root").await.publish("devices/a", "x").await;
        device.ping().await.expect("it is connected");
        assert_eq!(device.waiting(), 0, "{client_id}");
    }
}

#[tokio::test]
async fn the_thing_is_a_variable_when_the_client_has_its_name() {
    let sandbox = Sandbox::new().await;
    let statements = json!([
        allow("iot:Connect", "client/*"),
        allow("iot:Publish", "topic/things/${iot:Connection.Thing.ThingName}/*"),
    ]);
    let identity = sandbox.identity("sensor", &statements).await;
    let mut device = connected(&sandbox, &identity).await;
    device.publish("things/sensor/temp", "x").await;
    assert_eq!(device.try_publish("things/other/temp", "x").await, Err(REFUSED));
    let mut device = sandbox.connect_as(&identity, v5("other")).await.expect("it may connect");
    assert_eq!(device.try_publish("things/sensor/temp", "x").await, Err(REFUSED));
}

#[tokio::test]
async fn a_deny_outweighs_every_allow() {
    let sandbox = Sandbox::new().await;
    let statements = json!([
        {"Effect": "Allow", "Action": "iot:*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["iot:Publish"], "Resource": [arn("topic/secret/*")]},
    ]);
    let identity = sandbox.identity("sensor", &statements).await;
    let mut device = connected(&sandbox, &identity).await;
    device.publish("open", "x").await;
    assert_eq!(device.try_publish("secret/a", "x").await, Err(REFUSED));
}

#[tokio::test]
async fn a_kept_session_and_a_will_may_be_forbidden() {
    let sandbox = Sandbox::new().await;
    let statements = json!([
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
        {"Effect": "Deny", "Action": "iot:Connect", "Resource": "*", "Condition": {
            "ForAnyValue:StringEquals": {"iot:ConnectAttributes": ["PersistentConnect", "LastWill"]}}},
    ]);
    let identity = sandbox.identity("sensor", &statements).await;
    assert!(sandbox.connect_as(&identity, v5("a")).await.is_ok());
    assert_eq!(sandbox.connect_as(&identity, kept_v5("a", 60)).await.err(), Some(REFUSED));
    let mut connect = v5("a");
    let message = Message::new("gone", "x");
    connect.will = Some(Will { message, qos: Qos::AtMostOnce, retain: false, delay_seconds: 0 });
    assert_eq!(sandbox.connect_as(&identity, connect).await.err(), Some(REFUSED));
}

#[tokio::test]
async fn a_policy_that_is_taken_away_is_gone_for_the_next_message() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    let mut device = connected(&sandbox, &identity).await;
    let mut reader = sandbox.connect_as(&identity, v5("reader")).await.expect("it may connect");
    reader.subscribe("#", Qos::AtLeastOnce).await.expect("it may subscribe");
    device.publish("a", "before").await;
    assert_eq!(text(&reader.message().await.expect("a message")), "a before");
    let target = json!({"target": identity.certificate_arn}).to_string();
    let api = sandbox.api();
    api.rest("iot", Method::POST, "/target-policies/sensor-policy", target.clone())
        .await
        .expect("it is detached");
    sandbox.device("root").await.publish("a", "after").await;
    reader.ping().await.expect("it is connected");
    assert_eq!(reader.waiting(), 0);
    assert_eq!(device.try_publish("a", "after").await, Err(REFUSED));
    api.rest("iot", Method::PUT, "/target-policies/sensor-policy", target).await.expect("it is attached");
    connected(&sandbox, &identity).await.publish("a", "again").await;
    assert_eq!(text(&reader.message().await.expect("a message")), "a again");
}
