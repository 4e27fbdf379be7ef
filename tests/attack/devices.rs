//! Devices of two accounts on one broker.

use bytes::Bytes;
use http::Method;
use mqtt::{Connect, Message, Qos, Retain, Version, Will};
use serde_json::{Value, json};
use testkit::{Device, Identity};

use crate::tenants::{A, B, Tenant, Tenants, blurred, said};

fn anything() -> Value {
    json!([{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}])
}

/// A device with a certificate of an account that may do everything there.
async fn identity(tenant: &Tenant, thing: &str) -> Identity {
    Identity::create(&tenant.api, thing, &anything()).await
}

async fn connected(tenants: &Tenants, identity: &Identity, client_id: &str) -> Device {
    let connected = tenants.sandbox.connect_as(identity, Connect::new(Version::V5, client_id)).await;
    connected.unwrap_or_else(|closed| panic!("{client_id} is refused: {closed:?}"))
}

/// What a device hears next is its own; so nothing that came before it was another's.
async fn hears_only_itself(device: &mut Device, topic: &str) {
    device.publish(topic, "marker").await;
    let heard = device.message().await.expect("a message");
    assert_eq!((&*heard.message.topic, heard.message.payload.as_ref()), (topic, b"marker".as_slice()));
}

#[tokio::test]
async fn a_topic_is_its_accounts_alone() {
    let tenants = Tenants::new().await;
    let mut a = connected(&tenants, &identity(&tenants.a, "sensor").await, "sensor").await;
    let mut b = connected(&tenants, &identity(&tenants.b, "sensor").await, "spy").await;
    for filter in ["#", "+/+", "plant/#", "$share/g/plant/#"] {
        b.subscribe(filter, Qos::AtLeastOnce).await.expect("an answer");
    }
    a.subscribe("plant/#", Qos::AtLeastOnce).await.expect("an answer");
    a.publish("plant/secret", "of a").await;
    let heard = a.message().await.expect("a message");
    assert_eq!(heard.message.payload.as_ref(), b"of a");
    b.unsubscribe("+/+").await.expect("an answer");
    b.unsubscribe("plant/#").await.expect("an answer");
    b.unsubscribe("$share/g/plant/#").await.expect("an answer");
    hears_only_itself(&mut b, "plant/secret").await;
    hears_only_itself(&mut a, "plant/secret").await;
}

#[tokio::test]
async fn a_retained_message_is_its_accounts_alone() {
    let tenants = Tenants::new().await;
    let mut a = connected(&tenants, &identity(&tenants.a, "sensor").await, "sensor").await;
    a.retain("plant/state", "of a").await;
    let mut b = connected(&tenants, &identity(&tenants.b, "spy").await, "spy").await;
    b.subscribe("#", Qos::AtLeastOnce).await.expect("an answer");
    hears_only_itself(&mut b, "plant/other").await;
    let get = async |topic: &str| {
        let path = format!("/retainedMessage/plant%2F{topic}");
        let answer = tenants.b.rest("iotdata", Method::GET, &path, Value::Null).await;
        assert_eq!(said(&answer), "404 ResourceNotFoundException", "{topic}");
        blurred(&answer, topic)
    };
    assert_eq!(get("state").await, get("nothing").await);
    let listed = tenants.b.rest("iotdata", Method::GET, "/retainedMessage", Value::Null).await;
    assert_eq!(listed.json()["retainedTopics"], json!([]));
    // Nor is it cleared or replaced from there.
    b.retain("plant/state", "").await;
    let kept = tenants.a.rest("iotdata", Method::GET, "/retainedMessage/plant%2Fstate", Value::Null).await;
    assert_eq!(said(&kept), "200");
}

#[tokio::test]
async fn a_client_id_is_taken_over_within_its_account_only() {
    let tenants = Tenants::new().await;
    let mut kept = Connect::new(Version::V5, "sensor");
    kept.clean_start = false;
    kept.properties.session_expiry_seconds = Some(600);
    let of_a = identity(&tenants.a, "sensor").await;
    let mut a = tenants.sandbox.connect_as(&of_a, kept.clone()).await.expect("it is let in");
    a.subscribe("plant/#", Qos::AtLeastOnce).await.expect("an answer");
    let of_b = identity(&tenants.b, "sensor").await;
    let mut b = tenants.sandbox.connect_as(&of_b, kept.clone()).await.expect("it is let in");
    assert!(!b.connack().session_present, "A's session is not B's");
    a.ping().await.expect("A is still connected");
    // Nor does B's clean start end A's session.
    b.disconnect().await;
    b = connected(&tenants, &of_b, "sensor").await;
    b.ping().await.expect("B is connected");
    a.disconnect().await;
    let again = tenants.sandbox.connect_as(&of_a, kept).await.expect("it is let in");
    assert!(again.connack().session_present, "A's session is there");
}

#[tokio::test]
async fn a_will_is_heard_in_its_account_only() {
    let tenants = Tenants::new().await;
    let mut a = connected(&tenants, &identity(&tenants.a, "listener").await, "listener").await;
    a.subscribe("#", Qos::AtLeastOnce).await.expect("an answer");
    let mut dying = Connect::new(Version::V5, "dying");
    let message = Message::new("plant/3/gone", Bytes::from_static(b"planted"));
    dying.will = Some(Will { message, qos: Qos::AtLeastOnce, retain: true, delay_seconds: 0 });
    let of_b = identity(&tenants.b, "dying").await;
    let b = tenants.sandbox.connect_as(&of_b, dying).await.expect("it is let in");
    let mut witness = connected(&tenants, &of_b, "witness").await;
    witness.subscribe("plant/3/gone", Qos::AtLeastOnce).await.expect("an answer");
    drop(b);
    assert_eq!(witness.message().await.expect("the will").message.payload.as_ref(), b"planted");
    hears_only_itself(&mut a, "plant/other").await;
}

/// A's ARNs in B's policies give B nothing: a device acts in the account of its certificate.
#[tokio::test]
async fn a_policy_that_names_another_account_reaches_nobody() {
    let tenants = Tenants::new().await;
    let mut a = connected(&tenants, &identity(&tenants.a, "listener").await, "listener").await;
    a.subscribe("#", Qos::AtLeastOnce).await.expect("an answer");
    let statements = json!([
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:RetainPublish"], "Resource": format!("arn:aws:iot:us-east-1:{A}:topic/*")},
    ]);
    let of_b = Identity::create(&tenants.b.api, "spy", &statements).await;
    let mut b = connected(&tenants, &of_b, "spy").await;
    let published = b.request("plant/3", "planted", Qos::AtLeastOnce, Retain::No);
    let answer = b.published(published).await;
    assert_ne!(answer, Ok(mqtt::ReasonCode::Success), "a topic of A's is not B's");
    hears_only_itself(&mut a, "plant/other").await;
}

#[tokio::test]
async fn things_and_certificates_of_another_account_are_not_there() {
    let tenants = Tenants::new().await;
    let of_a = identity(&tenants.a, "sensor").await;
    let (id, arn) = (of_a.certificate_id.as_str(), of_a.certificate_arn.as_str());
    let other = "0".repeat(64);
    let foreign = |id: &str| format!("arn:aws:iot:us-east-1:{A}:cert/{id}");
    tenants
        .b
        .rest(
            "iot",
            Method::POST,
            "/policies/mine",
            json!({"policyDocument": json!({"Version": "2012-10-17", "Statement": anything()}).to_string()}),
        )
        .await;
    tenants.b.rest("iot", Method::POST, "/things/mine", json!({})).await;
    for (method, path, body) in [
        (Method::GET, "/things/sensor".to_owned(), Value::Null),
        (Method::DELETE, "/things/sensor".to_owned(), Value::Null),
        (Method::GET, "/things/sensor/principals".to_owned(), Value::Null),
        (Method::GET, format!("/certificates/{id}"), Value::Null),
        (Method::PUT, format!("/certificates/{id}?newStatus=INACTIVE"), Value::Null),
        (Method::DELETE, format!("/certificates/{id}?forceDelete=true"), Value::Null),
        (Method::GET, "/policies/sensor-policy".to_owned(), Value::Null),
        (Method::PUT, "/target-policies/mine".to_owned(), json!({"target": arn})),
        (Method::POST, "/target-policies/sensor-policy".to_owned(), json!({"target": arn})),
        (
            Method::POST,
            format!("/attached-policies/{}", arn.replace(':', "%3A").replace('/', "%2F")),
            json!({}),
        ),
    ] {
        let existing = tenants.b.rest("iot", method.clone(), &path, body.clone()).await;
        let hide = |text: &str| text.replace(id, &other).replace("sensor", "nothing");
        let body: Value = serde_json::from_str(&hide(&body.to_string())).expect("JSON");
        let missing = tenants.b.rest("iot", method.clone(), &hide(&path), body).await;
        // On AWS too, DeleteThing does not say whether there was one.
        let silent = method == Method::DELETE && path.starts_with("/things");
        assert!(silent || existing.status.is_client_error(), "{method} {path}: {}", said(&existing));
        let shown = hide(&String::from_utf8_lossy(&existing.body));
        assert_eq!(
            (existing.status, shown),
            (missing.status, String::from_utf8_lossy(&missing.body).into_owned()),
            "{method} {path}"
        );
    }
    for principal in [arn.to_owned(), foreign(&other)] {
        let headers = [("x-amzn-principal", principal.as_str())];
        let attached =
            tenants.b.api.send("iot", Method::PUT, "/things/mine/principals", &headers, Bytes::new()).await;
        let attached = attached.expect("an answer");
        assert!(attached.status.is_client_error(), "{principal}: {}", said(&attached));
    }
    for path in ["/things", "/certificates", "/policies", "/rules"] {
        let listed = tenants.b.rest("iot", Method::GET, path, Value::Null).await;
        let text = String::from_utf8_lossy(&listed.body).into_owned();
        assert!(
            listed.status.is_success() && !text.contains("sensor") && !text.contains(id) && !text.contains(A),
            "{path}: {text}"
        );
    }
    let mut a = connected(&tenants, &of_a, "sensor").await;
    a.publish("still/here", "x").await;
}

/// A certificate acts in the account that registered it, whatever anyone else says about it.
#[tokio::test]
async fn what_is_published_with_a_certificate_is_its_accounts() {
    let tenants = Tenants::new().await;
    let of_b = identity(&tenants.b, "spy").await;
    let mut https = tenants.sandbox.https(&of_b).await.expect("it is let in");
    let mut a = connected(&tenants, &identity(&tenants.a, "listener").await, "listener").await;
    a.subscribe("#", Qos::AtLeastOnce).await.expect("an answer");
    let request = http::Request::post("/topics/plant/3?qos=1")
        .header("host", "localhost")
        .body(Bytes::from_static(b"planted"));
    let answer = https.send(request.expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    hears_only_itself(&mut a, "plant/other").await;
    assert_ne!(A, B);
}
