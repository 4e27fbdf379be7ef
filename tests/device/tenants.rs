//! Accounts and regions of one node do not touch each other, by any name that both use.

use bytes::Bytes;
use client::Client;
use http::Method;
use mqtt::{Message, Qos, ReasonCode, Will};
use serde_json::json;
use testkit::{Closed, Identity, Sandbox};

use crate::common::{anything, connected, kept_v5, refused_by_tls, text, v5};

const OTHER: &str = "111111111111";

/// A node with another account, and each account's device `sensor`.
async fn tenants() -> (Sandbox, Identity, Client, Identity) {
    let sandbox = Sandbox::new().await;
    let ours = sandbox.identity("sensor", &anything()).await;
    let other = sandbox.create_account(OTHER).await;
    let theirs = Identity::create(&other, "sensor", &anything()).await;
    (sandbox, ours, other, theirs)
}

#[tokio::test]
async fn the_same_client_id_is_two_devices() {
    let (sandbox, ours, _, theirs) = tenants().await;
    let mut first = sandbox.connect_as(&ours, kept_v5("sensor", 3600)).await.expect("it may connect");
    first.subscribe("#", Qos::AtLeastOnce).await.expect("it may subscribe");
    let mut second = sandbox.connect_as(&theirs, kept_v5("sensor", 3600)).await.expect("it may connect");
    assert!(!second.connack().session_present, "the session is another account's");
    first.ping().await.expect("nobody has taken its session");
    second.subscribe("#", Qos::AtLeastOnce).await.expect("it may subscribe");
    first.publish("a", "ours").await;
    second.publish("a", "theirs").await;
    assert_eq!(text(&first.message().await.expect("a message")), "a ours");
    assert_eq!(text(&second.message().await.expect("a message")), "a theirs");
    for device in [&mut first, &mut second] {
        device.ping().await.expect("it is connected");
        assert_eq!(device.waiting(), 0);
    }
    // What waits for one is not there for the other.
    first.disconnect().await;
    second.disconnect().await;
    sandbox.device("root").await.publish("a", "ours, later").await;
    let mut second = sandbox.connect_as(&theirs, kept_v5("sensor", 3600)).await.expect("it may connect");
    second.ping().await.expect("it is connected");
    assert_eq!((second.connack().session_present, second.waiting()), (true, 0));
    let mut first = sandbox.connect_as(&ours, kept_v5("sensor", 3600)).await.expect("it may connect");
    assert_eq!(text(&first.message().await.expect("a message")), "a ours, later");
}

#[tokio::test]
async fn retained_messages_shared_subscriptions_and_wills_stay_at_home() {
    let (sandbox, ours, other, theirs) = tenants().await;
    let mut listener = connected(&sandbox, &theirs).await;
    for filter in ["$share/g/#", "gone", "+"] {
        listener.subscribe(filter, Qos::AtLeastOnce).await.expect("it may subscribe");
    }
    let mut connect = v5("sensor");
    let message = Message::new("gone", "x");
    connect.will = Some(Will { message, qos: Qos::AtLeastOnce, retain: true, delay_seconds: 0 });
    let mut device = sandbox.connect_as(&ours, connect).await.expect("it may connect");
    let mut shared = sandbox.connect_as(&ours, v5("shared")).await.expect("it may connect");
    shared.subscribe("$share/g/#", Qos::AtLeastOnce).await.expect("it may subscribe");
    device.retain("kept", "ours").await;
    assert_eq!(text(&shared.message().await.expect("it is the only member")), "kept ours");
    // Vanished, not disconnected.
    drop(device);
    assert_eq!(text(&shared.message().await.expect("the will")), "gone x");
    listener.subscribe("kept", Qos::AtLeastOnce).await.expect("it may subscribe");
    listener.ping().await.expect("it is connected");
    assert_eq!(listener.waiting(), 0);
    // The same through the API.
    let retained = |api: Client| async move {
        let answer = api.rest("iotdata", Method::GET, "/retainedMessage", "").await.expect("an answer");
        answer["retainedTopics"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((retained(sandbox.api()).await, retained(other.clone()).await), (2, 0));
    assert_eq!(retained(sandbox.api_in("eu-west-1")).await, 0);
    assert!(other.rest("iotdata", Method::GET, "/retainedMessage/kept", "").await.is_err());
}

#[tokio::test]
async fn nobody_detaches_deactivates_or_deletes_another_account_s_certificate() {
    let (sandbox, ours, other, _) = tenants().await;
    let mut device = connected(&sandbox, &ours).await;
    let id = &ours.certificate_id;
    // By its whole name, and by one that claims it for the attacker's account; from another region of its own account, too.
    let claimed = ours.certificate_arn.replace("000000000000", OTHER);
    for api in [other, sandbox.api_in("eu-west-1")] {
        api.rest("iot", Method::POST, "/things/sensor", "{}").await.ok();
        let document = json!({"Version": "2012-10-17", "Statement": anything()}).to_string();
        let policy = json!({"policyDocument": document}).to_string();
        api.rest("iot", Method::POST, "/policies/sensor-policy", policy).await.ok();
        for arn in [&ours.certificate_arn, &claimed, &claimed.replace("us-east-1", "eu-west-1")] {
            let target = json!({"target": arn}).to_string();
            for method in [Method::PUT, Method::POST] {
                api.rest("iot", method, "/target-policies/sensor-policy", target.clone()).await.ok();
            }
            let principal = [("x-amzn-principal", arn.as_str())];
            for method in [Method::PUT, Method::DELETE] {
                let path = "/things/sensor/principals";
                api.send("iot", method, path, &principal, Bytes::new()).await.expect("an answer");
            }
        }
        for (method, path) in [
            (Method::GET, format!("/certificates/{id}")),
            (Method::PUT, format!("/certificates/{id}?newStatus=INACTIVE")),
            (Method::PUT, format!("/certificates/{id}?newStatus=REVOKED")),
            (Method::DELETE, format!("/certificates/{id}?forceDelete=true")),
        ] {
            let refused = api.rest("iot", method, &path, "").await.expect_err("it is not theirs");
            assert_eq!(refused.code(), "ResourceNotFoundException", "{path}: {refused}");
        }
    }
    device.publish("a", "still here").await;
    connected(&sandbox, &ours).await.publish("a", "and again").await;
}

#[tokio::test]
async fn a_certificate_acts_in_the_account_and_region_that_registered_it() {
    let sandbox = Sandbox::new().await;
    let west = sandbox.api_in("eu-west-1");
    let statements =
        json!([{"Effect": "Allow", "Action": "iot:*", "Resource": "arn:aws:iot:us-east-1:000000000000:*"}]);
    // A policy for another region than the certificate's allows nothing.
    let identity = Identity::create(&west, "sensor", &statements).await;
    let refused = sandbox.connect_as(&identity, v5("sensor")).await.err();
    assert_eq!(refused, Some(Closed::Reason(ReasonCode::NotAuthorized)));
    let identity = Identity::create(&west, "other", &anything()).await;
    let mut device = connected(&sandbox, &identity).await;
    let mut root = sandbox.device("root").await;
    root.subscribe("#", Qos::AtLeastOnce).await.expect("the root may");
    device.retain("a", "in the west").await;
    root.ping().await.expect("it is connected");
    assert_eq!(root.waiting(), 0, "the root is in the east");
    let kept = west.rest("iotdata", Method::GET, "/retainedMessage/a", "").await.expect("it is there");
    assert_eq!(kept["payload"], "aW4gdGhlIHdlc3Q=");
}

#[tokio::test]
async fn a_crash_mixes_nothing_up() {
    let (mut sandbox, ours, _, theirs) = tenants().await;
    for (identity, topic) in [(&ours, "ours"), (&theirs, "theirs")] {
        let mut device = sandbox.connect_as(identity, kept_v5("sensor", 3600)).await.expect("it may connect");
        device.subscribe(topic, Qos::AtLeastOnce).await.expect("it may subscribe");
        device.publish(topic, "kept").await;
    }
    sandbox.crash().await;
    for (identity, topic) in [(&ours, "ours"), (&theirs, "theirs")] {
        let mut device = sandbox.connect_as(identity, kept_v5("sensor", 3600)).await.expect("it may connect");
        assert!(device.connack().session_present);
        assert_eq!(text(&device.message().await.expect("a message")), format!("{topic} kept"));
        device.ping().await.expect("it is connected");
        assert_eq!(device.waiting(), 0);
    }
}

#[tokio::test]
async fn a_deactivated_certificate_of_one_account_is_no_matter_to_another() {
    let (sandbox, ours, other, theirs) = tenants().await;
    let mut first = connected(&sandbox, &ours).await;
    let mut second = connected(&sandbox, &theirs).await;
    let path = format!("/certificates/{}?newStatus=REVOKED", theirs.certificate_id);
    other.rest("iot", Method::PUT, &path, "").await.expect("it is theirs");
    assert_eq!(second.closed().await, Closed::Reason(ReasonCode::NotAuthorized));
    let closed = sandbox.connect_as(&theirs, v5("sensor")).await.err().expect("it is revoked");
    assert!(refused_by_tls(&closed), "{closed:?}");
    first.ping().await.expect("it is another's");
}
