//! Publish over HTTPS.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use mqtt::{Connect, Qos, Version};
use serde_json::Value;

use crate::Quotas;
use crate::metrics::PUBLISH_IN;
use crate::testing::{ALLOW_ALL, Durability, Keys, Node};

const OWN_TOPIC: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:000000000000:topic/mine/*"}]}"#;

async fn request(node: &Node, keys: &Keys, request: Request<Full<Bytes>>) -> (StatusCode, Value) {
    let stream = node.tls(node.https, Some(keys), &[b"http/1.1"]).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let answered = async {
        let response = sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    };
    tokio::select! {
        answer = answered => answer,
        ended = connection => panic!("{ended:?}"),
    }
}

fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path).header("host", "localhost").body(Full::new(body.into())).unwrap()
}

#[tokio::test]
async fn a_publish_reaches_subscribers_and_rules() {
    let node = Node::start().await;
    let keys = node.devices.register(&[ALLOW_ALL], &[]);
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    device.subscribe("mine/#", Qos::AtLeastOnce).await;
    for (path, topic, qos) in [
        ("/topics/mine/a?qos=1", "mine/a", 1),
        ("/topics/mine%2Fb%20c?qos=0", "mine/b c", 0),
        ("/topics/mine/d?contentType=x%2Fy&messageExpiry=9", "mine/d", 0),
    ] {
        let (status, answer) = request(&node, &keys, post(path, "payload")).await;
        assert_eq!((status, &answer["message"]), (StatusCode::OK, &Value::from("OK")));
        assert_eq!(answer["traceId"].as_str().unwrap().len(), 36);
        let message = device.message().await;
        assert_eq!((&*message.message.topic, &message.message.payload[..]), (topic, &b"payload"[..]));
        let (cx, seen) = node.rules.seen.borrow().last().cloned().unwrap();
        assert_eq!((seen.qos, seen.client_id), (qos, None));
        assert!(cx.principal.arn().ends_with(&keys.id));
    }
    let seen = node.rules.wait(3).await;
    assert_eq!(seen[2].1.properties.content_type.as_deref(), Some("x/y"));
    assert_eq!(seen[2].1.properties.message_expiry_s, Some(9));
}

#[tokio::test]
async fn properties_come_in_headers() {
    let node = Node::start().await;
    let keys = node.devices.register(&[ALLOW_ALL], &[]);
    let mut publish = post("/topics/a", "{}");
    for (name, value) in [
        ("x-amz-mqtt5-user-properties", "W3siayI6InYifSx7ImsiOiJ3In1d"),
        ("x-amz-mqtt5-payload-format-indicator", "UTF8_DATA"),
        ("x-amz-mqtt5-correlation-data", "Yw=="),
    ] {
        publish.headers_mut().insert(name, value.parse().unwrap());
    }
    assert_eq!(request(&node, &keys, publish).await.0, StatusCode::OK);
    let properties = node.rules.wait(1).await.remove(0).1.properties;
    let pair = |value: &str| ("k".to_owned(), value.to_owned());
    assert_eq!(properties.user_properties, [pair("v"), pair("w")]);
    assert!(properties.payload_is_utf8);
    assert_eq!(properties.correlation_data.as_deref(), Some(&b"c"[..]));
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let node = Node::start().await;
    let keys = node.devices.register(&[OWN_TOPIC], &[]);
    for (path, body, status, message) in [
        ("/topics/theirs", 1, 403, "Forbidden"),
        ("/topics/mine/a?retain=true", 1, 403, "Forbidden"),
        ("/topics/mine/a?qos=2", 1, 400, "The QoS is not valid: it is 0 or 1."),
        ("/topics/mine/a?qos=x", 1, 400, "The query parameter qos is not valid."),
        ("/topics/mine/%2B", 1, 400, "The topic is not valid: a topic name has a wildcard."),
        (
            "/topics/mine%2Fa/2/3/4/5/6/7/8/9",
            1,
            400,
            "The topic is not valid: a topic has more than 7 slashes.",
        ),
        ("/topics/mine/a", 131_073, 413, "The payload exceeds the maximum size of 131072 bytes."),
        ("/topics/", 1, 404, "Not Found"),
        ("/", 1, 404, "Not Found"),
    ] {
        let (got, answer) = request(&node, &keys, post(path, vec![b'x'; body])).await;
        assert_eq!((got.as_u16(), answer["message"].as_str().unwrap()), (status, message), "{path}");
    }
    let get = Request::get("/topics/mine/a").header("host", "localhost").body(Full::default()).unwrap();
    assert_eq!(request(&node, &keys, get).await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert!(node.rules.seen.borrow().is_empty());
    node.rules.durability.send_replace(Durability::Never);
    let (status, _) = request(&node, &keys, post("/topics/mine/a?qos=1", "x")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_unregistered_certificate_is_refused() {
    let node = Node::start().await;
    let unknown = node.devices.issue();
    if let Ok(stream) = node.tls(node.https, Some(&unknown), &[]).await {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let (answer, _) = tokio::join!(sender.send_request(post("/topics/a", "x")), connection);
        assert!(answer.is_err());
    }
    assert!(node.rules.seen.borrow().is_empty());
}

#[tokio::test]
async fn one_publish_too_many_is_told_so() {
    let node = Node::start_within(Quotas { publishes: 2, ..Quotas::UNBOUNDED }).await;
    let keys = node.devices.register(&[ALLOW_ALL], &[]);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(request(&node, &keys, post("/topics/a?qos=1", "x")).await.0.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
    assert_eq!(node.counter(&PUBLISH_IN, &["http", "1", "success"]), 3);
    assert_eq!(node.counter(&PUBLISH_IN, &["http", "1", "throttle"]), 1);
}
