//! Certificates and policies on the TLS port.

use std::time::Duration;

use kernel::{Clock, Timestamp};
use mqtt::{Connect, Message, Qos, ReasonCode, Retain, Version, Will};

use crate::metrics::{DELIVERY_DROPPED, PUBLISH_IN, REFUSED};
use crate::testing::{ALLOW_ALL, CERTIFICATE_LIFE, Node, self_signed};

const VERSIONS: [Version; 2] = [Version::V311, Version::V5];

/// The policy of AWS's guide: a device is its thing, and has topics of its own.
const OWN_TOPICS: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:us-east-1:000000000000:client/${iot:Connection.Thing.ThingName}",
     "Condition":{"Bool":{"iot:Connection.Thing.IsAttached":"true"}}},
    {"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":"arn:aws:iot:us-east-1:000000000000:topic/dev/${iot:ClientId}/*"},
    {"Effect":"Allow","Action":"iot:Subscribe","Resource":"arn:aws:iot:us-east-1:000000000000:topicfilter/dev/*"}]}"#;

#[tokio::test]
async fn a_registered_certificate_connects_whoever_signed_it() {
    let node = Node::start().await;
    let ours = node.devices.register(&[ALLOW_ALL], &[]);
    let theirs = self_signed();
    node.devices.set(&theirs, &[ALLOW_ALL], &[], true);
    for (keys, version) in [(&ours, Version::V311), (&ours, Version::V5), (&theirs, Version::V5)] {
        let mut device = node.connect_tls(keys, Connect::new(version, "c")).await;
        device.subscribe("a", Qos::AtLeastOnce).await;
        assert_eq!(device.publish("a", "x").await, ReasonCode::Success);
        assert_eq!(device.text().await, "x");
    }
    let (cx, _) = node.rules.wait(3).await.remove(0);
    assert_eq!(cx.principal.arn(), format!("arn:aws:iot::000000000000:cert/{}", ours.id));
}

#[tokio::test]
async fn an_unknown_an_inactive_and_no_certificate_are_refused() {
    let node = Node::start().await;
    let unknown = node.devices.issue();
    let inactive = node.devices.issue();
    node.devices.set(&inactive, &[ALLOW_ALL], &[], false);
    for keys in [&unknown, &inactive] {
        // In TLS 1.3 the client's handshake is over before the gateway has seen its certificate.
        let refused = match node.open_tls(keys, Connect::new(Version::V5, "c")).await {
            Ok((_, connack)) => connack.is_none(),
            Err(_) => true,
        };
        assert!(refused);
    }
    if let Ok(stream) = node.tls(node.tls_address(), None, &[]).await {
        let (_, connack) =
            crate::testing::Device::open(Box::new(stream), Connect::new(Version::V5, "c")).await;
        assert!(connack.is_none());
    }
    assert!(node.rules.seen.borrow().is_empty());
}

#[tokio::test]
async fn alpn_names_are_taken_and_others_refused() {
    let node = Node::start().await;
    let keys = node.devices.register(&[ALLOW_ALL], &[]);
    let offers: [(&[&[u8]], bool); 4] =
        [(&[b"x-amzn-mqtt-ca"], true), (&[b"mqtt"], true), (&[], true), (&[b"h2"], false)];
    for (alpn, taken) in offers {
        assert_eq!(node.tls(node.tls_address(), Some(&keys), alpn).await.is_ok(), taken);
    }
}

#[tokio::test]
async fn policies_decide_over_connect_publish_subscribe_and_receive() {
    for version in VERSIONS {
        let node = Node::start().await;
        let keys = node.devices.register(&[OWN_TOPICS], &["bailey"]);
        let (_, connack) = node.open_tls(&keys, Connect::new(version, "robyn")).await.unwrap();
        assert_eq!(connack.unwrap().reason, ReasonCode::NotAuthorized);
        let mut device = node.connect_tls(&keys, Connect::new(version, "bailey")).await;
        let denied = device.subscribe("elsewhere/#", Qos::AtLeastOnce).await;
        assert!(denied.is_failure());
        if version == Version::V5 {
            assert_eq!(denied, ReasonCode::NotAuthorized);
        }
        assert_eq!(device.subscribe("dev/#", Qos::AtLeastOnce).await, ReasonCode::GrantedQos1);
        // It may subscribe to more than it may receive.
        let mut root = node.connect(Connect::new(version, "root")).await;
        root.publish("dev/robyn/x", "not for bailey").await;
        root.publish("dev/bailey/x", "for bailey").await;
        assert_eq!(device.text().await, "for bailey");
        assert_eq!(node.counter(&DELIVERY_DROPPED, &["denied"]), 1);
        assert_eq!(device.publish("dev/bailey/y", "mine").await, ReasonCode::Success);
        assert_eq!(device.text().await, "mine");
        // RetainPublish is a right of its own, and a publish without right ends the connection.
        device.client.publish(Message::new("dev/bailey/y", "x"), Qos::AtLeastOnce, Retain::Yes, 1).unwrap();
        let goodbye = (version == Version::V5).then_some(ReasonCode::NotAuthorized);
        assert_eq!(device.closed().await, goodbye);
        let mut device = node.connect_tls(&keys, Connect::new(version, "bailey")).await;
        device.send("dev/robyn/y", "forged").await;
        assert_eq!(device.closed().await, goodbye);
        for qos in ["0", "1"] {
            assert_eq!(node.counter(&PUBLISH_IN, &["mqtt", qos, "auth_error"]), 1);
        }
        assert_eq!(node.rules.seen.borrow().len(), 3);
    }
}

#[tokio::test]
async fn a_will_needs_the_right_to_publish() {
    let node = Node::start().await;
    let keys = node.devices.register(&[OWN_TOPICS], &["bailey"]);
    for topic in ["dev/robyn/will", "dev/bailey/will"] {
        let will =
            Will { message: Message::new(topic, "x"), qos: Qos::AtMostOnce, retain: false, delay_seconds: 0 };
        drop(
            node.connect_tls(&keys, Connect { will: Some(will), ..Connect::new(Version::V311, "bailey") })
                .await,
        );
        node.settle().await;
    }
    assert_eq!(node.rules.wait(1).await[0].1.topic, "dev/bailey/will");
}

#[tokio::test]
async fn a_certificate_that_is_deactivated_or_deleted_is_disconnected() {
    let node = Node::start().await;
    let keys = node.devices.register(&[ALLOW_ALL], &[]);
    let other = node.devices.register(&[ALLOW_ALL], &[]);
    let mut device = node.connect_tls(&keys, Connect::new(Version::V5, "c")).await;
    let mut stays = node.connect_tls(&other, Connect::new(Version::V5, "d")).await;
    node.devices.set(&keys, &[ALLOW_ALL], &[], false);
    assert_eq!(device.closed().await, Some(ReasonCode::NotAuthorized));
    stays.nothing().await;
}

#[tokio::test]
async fn a_changed_policy_counts_from_the_next_packet() {
    let node = Node::start().await;
    let keys = node.devices.register(&[ALLOW_ALL], &["bailey"]);
    let mut device = node.connect_tls(&keys, Connect::new(Version::V5, "bailey")).await;
    assert_eq!(device.publish("other", "x").await, ReasonCode::Success);
    node.devices.set(&keys, &[OWN_TOPICS], &["bailey"], true);
    assert_eq!(device.publish("dev/bailey/x", "x").await, ReasonCode::Success);
    device.send("other", "x").await;
    assert_eq!(device.closed().await, Some(ReasonCode::NotAuthorized));
}

#[tokio::test]
async fn a_policy_that_does_not_parse_allows_nothing() {
    let node = Node::start().await;
    let keys = node.devices.register(&[ALLOW_ALL, "{"], &[]);
    let (_, connack) = node.open_tls(&keys, Connect::new(Version::V311, "c")).await.unwrap();
    assert_eq!(connack.unwrap().reason, ReasonCode::NotAuthorized);
}

#[tokio::test]
async fn a_client_identifier_is_no_pattern() {
    let node = Node::start().await;
    let keys = node.devices.register(&[OWN_TOPICS], &["+", "*"]);
    for client_id in ["+", "*"] {
        let (_, connack) = node.open_tls(&keys, Connect::new(Version::V5, client_id)).await.unwrap();
        assert_eq!(connack.unwrap().reason, ReasonCode::NotAuthorized);
    }
}

#[tokio::test]
async fn a_certificate_connects_while_it_is_valid() {
    let node = Node::start().await;
    let keys = node.devices.issue();
    let now = node.clock.now();
    let day = Duration::from_secs(24 * 3600);
    for (from, to, taken) in [
        (now, now, true),
        (now + day, now + day * 2, false),
        (Timestamp::EPOCH, Timestamp::from_millis(now.as_millis() - 1), false),
    ] {
        node.devices.set_valid(&keys, from, to);
        let connected = match node.open_tls(&keys, Connect::new(Version::V5, "c")).await {
            Ok((_, connack)) => connack.is_some(),
            Err(_) => false,
        };
        assert_eq!(connected, taken, "{from} to {to}");
    }
    assert_eq!(node.metrics.counter(&REFUSED, &["handshake"]).value(), 2);
}

#[tokio::test]
async fn the_server_certificate_is_renewed_in_time_and_with_the_ca() {
    let node = Node::start().await;
    let keys = node.devices.register(&[ALLOW_ALL], &[]);
    let presented = async || {
        let stream = node.tls(node.tls_address(), Some(&keys), &[]).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let mut issued = node.devices.issued.subscribe();
    let first = presented().await;
    assert_eq!(presented().await, first);
    node.clock.advance(CERTIFICATE_LIFE - Duration::from_secs(1));
    node.settle().await;
    assert_eq!(*issued.borrow_and_update(), 1);
    node.clock.advance(Duration::from_secs(1));
    issued.wait_for(|issued| *issued == 2).await.unwrap();
    node.settle().await;
    let second = presented().await;
    assert_ne!(second, first);
    let mut device = node.connect_tls(&keys, Connect::new(Version::V5, "c")).await;
    node.devices.ca_epoch.send_modify(|epoch| *epoch += 1);
    issued.wait_for(|issued| *issued == 3).await.unwrap();
    node.settle().await;
    assert_ne!(presented().await, second);
    // Who was connected stays so.
    device.nothing().await;
}
