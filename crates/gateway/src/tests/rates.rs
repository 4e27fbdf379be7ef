//! Rates: what is above them waits or is told so, and nobody else notices.

use std::time::Duration;

use kernel::{AccountId, Region};
use mqtt::{Connect, Message, Qos, ReasonCode, Retain, Version};

use crate::Quotas;
use crate::metrics::CONNECTS;
use crate::testing::{ALLOW_ALL, Device, Keys, Node};

async fn connect(node: &Node, keys: &Keys, client_id: &str) -> Device {
    node.connect_tls(keys, Connect::new(Version::V5, client_id)).await
}

/// Sends many publishes without waiting for an answer.
async fn flood(device: &mut Device, count: u64) {
    for n in 0..count {
        let message = Message::new("a", n.to_string());
        device.client.publish(message, Qos::AtLeastOnce, Retain::No, n).unwrap();
    }
    device.flush().await;
}

fn seen(node: &Node) -> usize {
    node.rules.seen.borrow().len()
}

#[tokio::test]
async fn a_connection_above_its_rate_waits_and_loses_nothing() {
    let node = Node::start_within(Quotas { connection_publishes: 10, ..Quotas::UNBOUNDED }).await;
    let keys = node.devices.register(&[ALLOW_ALL], &[]);
    let mut fast = connect(&node, &keys, "fast").await;
    flood(&mut fast, 50).await;
    // A second's worth, and the one that used it up.
    node.rules.wait(11).await;
    node.settle().await;
    assert_eq!(seen(&node), 11);
    // Another connection, of the same certificate, has a rate of its own; the root has none.
    let mut other = connect(&node, &keys, "other").await;
    assert_eq!(other.publish("b", "x").await, ReasonCode::Success);
    let mut root = node.connect(Connect::new(Version::V5, "root")).await;
    flood(&mut root, 50).await;
    node.rules.wait(11 + 1 + 50).await;
    node.settle().await;
    assert_eq!(seen(&node), 62);
    node.clock.advance(Duration::from_secs(1));
    node.rules.wait(62 + 10).await;
    node.settle().await;
    assert_eq!(seen(&node), 72);
    // Its silence is the gateway's doing: a keep-alive that passes meanwhile is not held against it.
    for _ in 0..50 {
        node.clock.advance(Duration::from_secs(1));
        node.settle().await;
    }
    assert_eq!(node.rules.wait(51 + 50).await.len(), 101);
    for _ in 0..50 {
        let event = fast.event().await.expect("it is connected");
        assert!(
            matches!(event, mqtt::ClientEvent::Published { reason: ReasonCode::Success, .. }),
            "{event:?}"
        );
    }
    fast.nothing().await;
}

#[tokio::test]
async fn bytes_count_too() {
    let node = Node::start_within(Quotas { connection_bytes: 1000, ..Quotas::UNBOUNDED }).await;
    let keys = node.devices.register(&[ALLOW_ALL], &[]);
    let mut device = connect(&node, &keys, "c").await;
    for n in 0..2 {
        let message = Message::new("a", vec![0; 9999]);
        device.client.publish(message, Qos::AtLeastOnce, Retain::No, n).unwrap();
    }
    device.flush().await;
    node.rules.wait(1).await;
    node.clock.advance(Duration::from_secs(8));
    node.settle().await;
    assert_eq!(seen(&node), 1);
    node.clock.advance(Duration::from_millis(1001));
    node.rules.wait(2).await;
}

#[tokio::test]
async fn an_account_above_its_rate_slows_no_other_account() {
    let node = Node::start_within(Quotas { publishes: 10, ..Quotas::UNBOUNDED }).await;
    let keys = node.devices.register(&[ALLOW_ALL], &[]);
    let elsewhere = node.devices.issue();
    let other: AccountId = "111111111111".parse().unwrap();
    node.devices.set_in(&elsewhere, (&other, &Region::default_region()), &[ALLOW_ALL]);
    let mut first = connect(&node, &keys, "first").await;
    let mut second = connect(&node, &keys, "second").await;
    let mut third = connect(&node, &elsewhere, "first").await;
    flood(&mut first, 50).await;
    node.rules.wait(11).await;
    flood(&mut second, 1).await;
    node.settle().await;
    assert_eq!(seen(&node), 11);
    // The other account has a rate of its own.
    for _ in 0..10 {
        assert_eq!(third.publish("a", "x").await, ReasonCode::Success);
    }
    node.clock.advance(Duration::from_secs(1));
    node.rules.wait(11 + 10 + 10).await;
}

#[tokio::test]
async fn an_account_connects_so_often_and_no_more() {
    let node = Node::start_within(Quotas { connects: 2, ..Quotas::UNBOUNDED }).await;
    let keys = node.devices.register(&[ALLOW_ALL], &[]);
    for n in 0..3 {
        connect(&node, &keys, &n.to_string()).await;
    }
    for (version, expected) in
        [(Version::V5, ReasonCode::ConnectionRateExceeded), (Version::V311, ReasonCode::ServerUnavailable)]
    {
        let (_, connack) = node.open_tls(&keys, Connect::new(version, "c")).await.unwrap();
        assert_eq!(connack.unwrap().reason, expected);
    }
    node.connect(Connect::new(Version::V5, "root")).await;
    assert_eq!(node.counter(&CONNECTS, &["throttle"]), 2);
    assert_eq!(node.counter(&CONNECTS, &["success"]), 4);
    node.clock.advance(Duration::from_secs(1));
    connect(&node, &keys, "c").await;
}

#[tokio::test]
async fn an_account_has_messages_in_so_many_regions() {
    let node = Node::start().await;
    let account = AccountId::default_account();
    let region = |n: usize| format!("region-{n}").parse::<Region>().unwrap();
    for n in 0..crate::limits::REGIONS_PER_ACCOUNT_MAX {
        node.gateway.broker(&account, &region(n)).unwrap();
    }
    assert!(node.gateway.broker(&account, &region(1000)).is_err());
    assert!(node.gateway.broker(&account, &region(0)).is_ok());
    assert!(node.gateway.known_broker(&account, &region(1000)).is_none());
    assert!(node.gateway.broker(&"111111111111".parse().unwrap(), &region(1000)).is_ok());
}
