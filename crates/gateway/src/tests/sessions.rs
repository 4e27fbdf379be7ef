//! Persistent sessions, their end, take-over, restarts.

use std::time::Duration;

use mqtt::{Connect, Message, Qos, ReasonCode, Retain, Version};

use crate::metrics::SESSIONS;
use crate::testing::{Device, Node};

const VERSIONS: [Version; 2] = [Version::V311, Version::V5];

fn persistent(version: Version, client_id: &str) -> Connect {
    let mut connect = Connect { clean_start: false, ..Connect::new(version, client_id) };
    connect.properties.session_expiry_seconds = (version == Version::V5).then_some(3600);
    connect
}

async fn resume(node: &Node, connect: Connect) -> (Device, bool) {
    let (device, connack) = node.open(connect).await;
    let connack = connack.unwrap();
    assert_eq!(connack.reason, ReasonCode::Success);
    (device, connack.session_present)
}

#[tokio::test]
async fn a_persistent_session_keeps_qos_1_messages_while_its_client_is_away() {
    for version in VERSIONS {
        let node = Node::start().await;
        let (mut away, present) = resume(&node, persistent(version, "away")).await;
        assert!(!present);
        away.subscribe("a/#", Qos::AtLeastOnce).await;
        away.disconnect().await;
        let mut publisher = node.connect(Connect::new(version, "p")).await;
        for n in 0..250 {
            publisher.publish("a/b", &n.to_string()).await;
        }
        publisher.send("a/b", "at most once").await;
        publisher.nothing().await;
        let (mut back, present) = resume(&node, persistent(version, "away")).await;
        assert!(present);
        for n in 0..250 {
            assert_eq!(back.text().await, n.to_string());
        }
        back.nothing().await;
        publisher.publish("a/c", "live").await;
        assert_eq!(back.text().await, "live");
        back.disconnect().await;
        let (mut back, _) = resume(&node, persistent(version, "away")).await;
        back.nothing().await;
    }
}

#[tokio::test]
async fn a_session_and_its_messages_survive_the_death_of_the_node() {
    for version in VERSIONS {
        let node = Node::start().await;
        let (mut device, _) = resume(&node, persistent(version, "c")).await;
        device.subscribe("a", Qos::AtLeastOnce).await;
        device.subscribe("b", Qos::AtLeastOnce).await;
        device.unsubscribe("b").await;
        let mut publisher = node.connect(Connect::new(version, "p")).await;
        publisher.publish("a", "acknowledged").await;
        assert_eq!(device.message_unacked().await.message.payload, "acknowledged");
        // Connected, with a message in flight; the node is gone.
        let node = node.restart().await;
        let mut publisher = node.connect(Connect::new(version, "p")).await;
        publisher.publish("a", "later").await;
        publisher.publish("b", "unsubscribed").await;
        let (mut device, present) = resume(&node, persistent(version, "c")).await;
        assert!(present);
        assert_eq!(device.text().await, "acknowledged");
        assert_eq!(device.text().await, "later");
        device.nothing().await;
        assert_eq!(node.gauge(&SESSIONS), 1);
    }
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_before_what_is_newer() {
    let node = Node::start().await;
    let (mut device, _) = resume(&node, persistent(Version::V5, "c")).await;
    device.subscribe("a", Qos::AtLeastOnce).await;
    for payload in ["1", "2", "3"] {
        device.publish("a", payload).await;
    }
    let first = device.message_unacked().await;
    let second = device.message().await;
    assert_eq!((&first.message.payload[..], &second.message.payload[..]), (&b"1"[..], &b"2"[..]));
    device.disconnect().await;
    let (mut device, _) = resume(&node, persistent(Version::V5, "c")).await;
    device.publish("a", "4").await;
    for payload in ["1", "2", "3", "4"] {
        assert_eq!(device.text().await, payload);
    }
}

#[tokio::test]
async fn a_session_ends_an_hour_after_its_connection() {
    for version in VERSIONS {
        for dies in [false, true] {
            let mut node = Node::start().await;
            let (mut device, _) = resume(&node, persistent(version, "c")).await;
            device.subscribe("a", Qos::AtLeastOnce).await;
            device.disconnect().await;
            let mut publisher = node.connect(Connect::new(version, "p")).await;
            publisher.publish("a", "x").await;
            publisher.disconnect().await;
            node.clock.advance(Duration::from_secs(3599));
            if dies {
                node = node.restart().await;
            }
            let (device, present) = resume(&node, persistent(version, "c")).await;
            assert!(present);
            device.disconnect().await;
            node.clock.advance(Duration::from_secs(3600));
            if dies {
                node = node.restart().await;
            }
            node.settle().await;
            assert_eq!(node.gauge(&SESSIONS), 0);
            let (mut device, present) = resume(&node, persistent(version, "c")).await;
            assert!(!present);
            device.publish("a", "y").await;
            device.nothing().await;
        }
    }
}

#[tokio::test]
async fn a_clean_start_forgets_the_session_for_good() {
    for version in VERSIONS {
        let node = Node::start().await;
        let (mut device, _) = resume(&node, persistent(version, "c")).await;
        device.subscribe("a", Qos::AtLeastOnce).await;
        device.disconnect().await;
        let (mut device, present) = resume(&node, Connect::new(version, "c")).await;
        assert!(!present);
        device.publish("a", "x").await;
        device.nothing().await;
        device.disconnect().await;
        let node = node.restart().await;
        let (_, present) = resume(&node, persistent(version, "c")).await;
        assert!(!present);
    }
}

#[tokio::test]
async fn a_clean_session_leaves_nothing() {
    let node = Node::start().await;
    let (mut device, _) = resume(&node, Connect::new(Version::V311, "c")).await;
    device.subscribe("a", Qos::AtLeastOnce).await;
    device.disconnect().await;
    let (mut device, present) = resume(&node, persistent(Version::V311, "c")).await;
    assert!(!present);
    device.publish("a", "x").await;
    device.nothing().await;
}

#[tokio::test]
async fn a_newer_connection_takes_the_session_over() {
    for version in VERSIONS {
        let node = Node::start().await;
        let (mut old, _) = resume(&node, persistent(version, "c")).await;
        old.subscribe("a", Qos::AtLeastOnce).await;
        let (mut new, present) = resume(&node, persistent(version, "c")).await;
        assert!(present);
        let goodbye = (version == Version::V5).then_some(ReasonCode::SessionTakenOver);
        assert_eq!(old.closed().await, goodbye);
        new.publish("a", "x").await;
        assert_eq!(new.text().await, "x");
        new.nothing().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_want_one_session_one_gets_it() {
    let node = Node::start().await;
    let connects = (0..100).map(|n| {
        let clean_start = n % 3 == 0;
        node.open(Connect { clean_start, ..persistent(Version::V5, "c") })
    });
    let opened = futures::future::join_all(connects).await;
    let mut alive = 0;
    for (mut device, connack) in opened {
        if connack.is_none_or(|connack| connack.reason.is_failure()) {
            continue;
        }
        device.client.ping();
        if matches!(device.event().await, Some(mqtt::ClientEvent::Pong)) {
            alive += 1;
        }
    }
    assert_eq!(alive, 1);
}

#[tokio::test]
async fn a_client_without_identifier_is_given_one() {
    let node = Node::start().await;
    let (_, connack) = node.open(Connect::new(Version::V5, "")).await;
    assert_eq!(connack.unwrap().properties.assigned_client_id.unwrap().len(), 36);
    let (_, connack) = node.open(Connect { clean_start: false, ..Connect::new(Version::V311, "") }).await;
    assert_eq!(connack.unwrap().reason, ReasonCode::ClientIdentifierNotValid);
}

#[tokio::test]
async fn the_retained_message_of_a_persistent_session_is_in_its_queue() {
    let node = Node::start().await;
    let (mut device, _) = resume(&node, persistent(Version::V311, "c")).await;
    device.publish_with(Message::new("a", "kept"), Retain::Yes).await;
    device.subscribe("a", Qos::AtLeastOnce).await;
    assert!(device.message_unacked().await.retain);
    let node = node.restart().await;
    let (mut device, _) = resume(&node, persistent(Version::V311, "c")).await;
    let message = device.message().await;
    assert_eq!((&message.message.payload[..], message.retain), (&b"kept"[..], true));
}

#[tokio::test]
async fn a_stopped_node_says_so_and_keeps_sessions() {
    let node = Node::start().await;
    let (mut device, _) = resume(&node, persistent(Version::V5, "c")).await;
    device.subscribe("a", Qos::AtLeastOnce).await;
    node.group.shutdown().await;
    assert_eq!(device.closed().await, Some(ReasonCode::ServerShuttingDown));
    let node = node.restart().await;
    assert!(resume(&node, persistent(Version::V5, "c")).await.1);
}

/// What `bailey` may, and what may be done under any name with other topics.
const BAILEY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["iot:Connect","iot:Receive"],"Resource":"*"},
    {"Effect":"Allow","Action":"iot:Subscribe","Resource":"*:topicfilter/bailey/*"}]}"#;
const ROBYN: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["iot:Connect","iot:Receive"],"Resource":"*"},
    {"Effect":"Allow","Action":"iot:Subscribe","Resource":"*:topicfilter/robyn/*"}]}"#;

#[tokio::test]
async fn what_a_session_has_gathered_is_not_handed_to_another_s_rights() {
    for dies in [false, true] {
        let mut node = Node::start().await;
        let bailey = node.devices.register(&[BAILEY], &[]);
        let bailey_too = node.devices.register(&[BAILEY], &[]);
        let robyn = node.devices.register(&[ROBYN], &[]);
        let mut device = node.connect_tls(&bailey, persistent(Version::V5, "c")).await;
        device.subscribe("bailey/#", Qos::AtLeastOnce).await;
        device.disconnect().await;
        node.connect(Connect::new(Version::V5, "root")).await.publish("bailey/1", "for bailey").await;
        if dies {
            node = node.restart().await;
        }
        // Another certificate with the same rights goes on where the first has left.
        let (mut device, connack) = node.open_tls(&bailey_too, persistent(Version::V5, "c")).await.unwrap();
        assert!(connack.unwrap().session_present);
        assert_eq!(device.text().await, "for bailey");
        device.disconnect().await;
        let mut root = node.connect(Connect::new(Version::V5, "root")).await;
        root.publish("bailey/2", "for bailey").await;
        // One with other rights begins anew.
        let (mut device, connack) = node.open_tls(&robyn, persistent(Version::V5, "c")).await.unwrap();
        assert!(!connack.unwrap().session_present);
        root.publish("bailey/3", "for bailey").await;
        device.nothing().await;
        device.subscribe("robyn/#", Qos::AtLeastOnce).await;
        root.publish("robyn/1", "for robyn").await;
        assert_eq!(device.text().await, "for robyn");
    }
}

#[tokio::test]
async fn a_session_s_own_certificate_keeps_it_whatever_its_policies_say_now() {
    let node = Node::start().await;
    let keys = node.devices.register(&[BAILEY], &[]);
    let mut device = node.connect_tls(&keys, persistent(Version::V5, "c")).await;
    device.subscribe("bailey/#", Qos::AtLeastOnce).await;
    device.disconnect().await;
    node.devices.set(&keys, &[ROBYN], &[], true);
    let (_, connack) = node.open_tls(&keys, persistent(Version::V5, "c")).await.unwrap();
    assert!(connack.unwrap().session_present);
}
