//! What is acknowledged is durable, what waits is bounded, and nobody waits for a slow subscriber.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use kernel::{AccountId, Context, Entropy, ManualClock, Metrics, Region, Timestamp};
use mqtt::{ClientEvent, Connect, Message, Qos, ReasonCode, Retain, Version};
use ports::Publish as _;
use store::fault::SimDisk;
use store::log::segment::{Config, SegmentLog};

use crate::limits::PUBLISHES_PENDING_MAX;
use crate::metrics::{DELIVERY_DROPPED, PUBLISH_IN};
use crate::testing::{Durability, Node};

#[tokio::test]
async fn a_publish_whose_actions_are_not_durable_is_not_acknowledged() {
    let node = Node::start().await;
    node.rules.durability.send_replace(Durability::Never);
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    assert_eq!(device.publish("a", "x").await, ReasonCode::UnspecifiedError);
    device.nothing().await;
    let mut device = node.connect(Connect::new(Version::V311, "d")).await;
    device.client.publish(Message::new("a", "x"), Qos::AtLeastOnce, Retain::No, 7).unwrap();
    assert!(device.event().await.is_none());
    assert_eq!(device.client.unacked().collect::<Vec<_>>(), [7]);
    assert_eq!(node.counter(&PUBLISH_IN, &["mqtt", "1", "server_error"]), 2);
    // At QoS 0 nothing was promised.
    let mut device = node.connect(Connect::new(Version::V311, "e")).await;
    device.send("a", "x").await;
    device.nothing().await;
    assert_eq!(node.counter(&PUBLISH_IN, &["mqtt", "0", "server_error"]), 1);
}

#[tokio::test]
async fn a_publish_that_a_full_session_log_refuses_is_not_acknowledged() {
    let node = Node::start().await;
    let mut away = node.connect(Connect { clean_start: false, ..Connect::new(Version::V311, "away") }).await;
    away.subscribe("a", Qos::AtLeastOnce).await;
    away.disconnect().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    node.log.full.store(true, Ordering::SeqCst);
    assert_eq!(device.publish("a", "x").await, ReasonCode::UnspecifiedError);
    assert_eq!(device.publish("elsewhere", "x").await, ReasonCode::Success);
    node.log.full.store(false, Ordering::SeqCst);
    assert_eq!(device.publish("a", "x").await, ReasonCode::Success);
}

#[tokio::test]
async fn a_hundred_publishes_await_durability_while_the_connection_is_read() {
    for version in [Version::V311, Version::V5] {
        let node = Node::start().await;
        node.rules.durability.send_replace(Durability::NotYet);
        let mut device = node.connect(Connect::new(version, "c")).await;
        for n in 0..100 {
            let message = Message::new("a", n.to_string());
            device.client.publish(message, Qos::AtLeastOnce, Retain::No, n).unwrap();
        }
        device.flush().await;
        let seen = node.rules.wait(100).await;
        for (n, (_, message)) in seen.iter().enumerate() {
            assert_eq!(message.payload, n.to_string(), "effects begin in the order of publishing");
        }
        assert_eq!(device.client.unacked().count(), 100);
        node.rules.durability.send_replace(Durability::AtOnce);
        for _ in 0..100 {
            assert!(matches!(
                device.event().await,
                Some(ClientEvent::Published { reason: ReasonCode::Success, .. })
            ));
        }
        device.nothing().await;
    }
}

#[tokio::test]
async fn what_waits_for_durability_is_bounded_at_qos_0_too() {
    let node = Node::start().await;
    node.rules.durability.send_replace(Durability::NotYet);
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    for _ in 0..PUBLISHES_PENDING_MAX * 3 {
        device.send("a", "x").await;
    }
    node.rules.wait(PUBLISHES_PENDING_MAX).await;
    node.settle().await;
    assert_eq!(node.rules.seen.borrow().len(), PUBLISHES_PENDING_MAX);
    node.rules.durability.send_replace(Durability::AtOnce);
    node.rules.wait(PUBLISHES_PENDING_MAX * 3).await;
}

#[tokio::test]
async fn a_message_sent_right_before_goodbye_is_not_lost() {
    let node = Node::start().await;
    node.rules.durability.send_replace(Durability::NotYet);
    let mut device = node.connect(Connect::new(Version::V311, "c")).await;
    device.send("a", "last words").await;
    device.disconnect().await;
    node.rules.wait(1).await;
    node.rules.durability.send_replace(Durability::Never);
    node.settle().await;
    // It was carried to its end.
    assert_eq!(node.counter(&PUBLISH_IN, &["mqtt", "0", "server_error"]), 1);
}

#[tokio::test]
async fn a_slow_subscriber_loses_messages_and_holds_up_nobody() {
    let node = Node::start().await;
    let mut slow = node.connect(Connect::new(Version::V5, "slow")).await;
    slow.subscribe("a", Qos::AtMostOnce).await;
    let mut publisher = node.connect(Connect::new(Version::V5, "p")).await;
    let payload = "x".repeat(100_000);
    let dropped = || node.counter(&DELIVERY_DROPPED, &["slow"]);
    for _ in 0..1000 {
        assert_eq!(publisher.publish("a", &payload).await, ReasonCode::Success);
        if dropped() > 0 {
            break;
        }
    }
    assert!(dropped() > 0);
    // It still gets what was kept, and then what is new.
    assert_eq!(slow.message().await.message.payload.len(), 100_000);
}

#[tokio::test]
async fn a_subscriber_that_does_not_acknowledge_is_sent_a_hundred() {
    for persistent in [false, true] {
        let node = Node::start().await;
        let connect = Connect { clean_start: !persistent, ..Connect::new(Version::V311, "c") };
        let mut device = node.connect(connect).await;
        device.subscribe("a", Qos::AtLeastOnce).await;
        let mut publisher = node.connect(Connect::new(Version::V5, "p")).await;
        for n in 0..150 {
            publisher.publish("a", &n.to_string()).await;
        }
        let mut unacked = Vec::new();
        for _ in 0..100 {
            unacked.push(device.message_unacked().await.delivery.packet_id().unwrap());
        }
        device.nothing().await;
        for packet_id in unacked {
            device.client.ack(packet_id);
        }
        for n in 100..150 {
            assert_eq!(device.text().await, n.to_string());
        }
    }
}

fn service() -> Context {
    Context::service(AccountId::default_account(), Region::default_region(), "iot.amazonaws.com")
}

fn republished(topic: &str, payload: impl Into<Bytes>) -> ports::Message {
    ports::Message {
        topic: topic.to_owned(),
        payload: payload.into(),
        qos: 1,
        retain: false,
        client_id: None,
        received_at: Timestamp::EPOCH,
        hops: 3,
        properties: ports::MessageProperties { content_type: Some("x/y".to_owned()), ..Default::default() },
    }
}

#[tokio::test]
async fn what_a_rule_republishes_goes_the_same_way() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    device.subscribe("again", Qos::AtLeastOnce).await;
    node.gateway.publish(&service(), republished("again", "x")).await.unwrap();
    let message = device.message().await;
    assert_eq!(message.message.properties.content_type.as_deref(), Some("x/y"));
    assert_eq!(node.rules.wait(1).await[0].1.hops, 3);
    assert_eq!(node.counter(&PUBLISH_IN, &["mqtt", "1", "success"]), 0);
    for bad in [republished("a/#", ""), republished("", ""), republished("a", vec![0; 131_073])] {
        assert!(node.gateway.publish(&service(), bad).await.is_err());
    }
    node.rules.durability.send_replace(Durability::Never);
    let error = node.gateway.publish(&service(), republished("again", "x")).await.unwrap_err();
    assert_eq!(error.code, "ServiceUnavailableException");
}

#[tokio::test]
async fn regions_are_apart() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    device.subscribe("a", Qos::AtLeastOnce).await;
    let elsewhere = Context { region: "eu-central-1".parse().unwrap(), ..service() };
    node.gateway.publish(&elsewhere, republished("a", "x")).await.unwrap();
    device.nothing().await;
    assert_eq!(node.rules.wait(1).await[0].0.region.as_str(), "eu-central-1");
}

#[tokio::test]
async fn retained_messages_by_the_hundred_are_durable_when_acknowledged() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    for hundred in 0..10 {
        for n in 0..100 {
            let message = Message::new(format!("t/{hundred}/{n}"), "x");
            device.client.publish(message, Qos::AtLeastOnce, Retain::Yes, 0).unwrap();
        }
        for _ in 0..100 {
            assert!(matches!(
                device.event().await,
                Some(ClientEvent::Published { reason: ReasonCode::Success, .. })
            ));
        }
    }
    let node = node.restart().await;
    let broker = node.gateway.broker(&AccountId::default_account(), &Region::default_region()).unwrap();
    assert_eq!(broker.retained.page(None, 2000).len(), 1000);
}

/// What is left of a log after the power was cut, or a new one.
fn open(disk: &SimDisk, clock: &ManualClock) -> Arc<SegmentLog> {
    let config = Config { segment_bytes: 1 << 20, log_bytes_max: 8 << 20, ..Config::default() };
    let clock = Arc::new(clock.clone());
    let log =
        SegmentLog::open_on(Arc::new(disk.clone()), config, clock, Entropy::seeded(7), &Metrics::default());
    Arc::new(log.unwrap())
}

#[tokio::test]
async fn what_was_acknowledged_is_delivered_after_a_power_cut() {
    let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
    let mut disk = SimDisk::new();
    let mut node = Node::start_on(clock.clone(), open(&disk, &clock)).await;
    let persistent = || Connect { clean_start: false, ..Connect::new(Version::V311, "c") };
    let mut device = node.connect(persistent()).await;
    device.subscribe("a", Qos::AtLeastOnce).await;
    device.disconnect().await;
    for round in 0..5 {
        let mut publisher = node.connect(Connect::new(Version::V5, "p")).await;
        for n in 0..50 {
            let message = Message::new("a", format!("{round}/{n}"));
            publisher.client.publish(message, Qos::AtLeastOnce, Retain::No, n).unwrap();
        }
        for _ in 0..50 {
            assert!(matches!(
                publisher.event().await,
                Some(ClientEvent::Published { reason: ReasonCode::Success, .. })
            ));
        }
        disk = disk.after_power_cut(&Entropy::seeded(round));
        node = node.restart_on(open(&disk, &clock)).await;
        let mut device = node.connect(persistent()).await;
        for n in 0..50 {
            assert_eq!(device.text().await, format!("{round}/{n}"));
        }
        device.disconnect().await;
    }
}
