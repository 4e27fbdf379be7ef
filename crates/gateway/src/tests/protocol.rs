//! Connect, publish, subscribe, retained messages, wills, keep-alive, limits.

use std::time::Duration;

use kernel::Principal;
use mqtt::{Connect, Message, Qos, ReasonCode, Retain, RetainHandling, SubscriptionOptions, Version, Will};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::metrics::{CONNECTIONS, DELIVERY_DROPPED, PUBLISH_IN, PUBLISH_OUT};
use crate::testing::Node;

const VERSIONS: [Version; 2] = [Version::V311, Version::V5];

#[tokio::test]
async fn a_message_goes_to_subscribers_and_rules_in_both_versions() {
    for version in VERSIONS {
        let node = Node::start().await;
        let mut subscriber = node.connect(Connect::new(version, "subscriber")).await;
        assert_eq!(subscriber.subscribe("plant/+/temp", Qos::AtLeastOnce).await, ReasonCode::GrantedQos1);
        let mut publisher = node.connect(Connect::new(version, "publisher")).await;
        assert_eq!(publisher.publish("plant/3/temp", "21").await, ReasonCode::Success);
        publisher.send("plant/4/temp", "22").await;
        publisher.send("elsewhere", "23").await;
        let first = subscriber.message().await;
        assert_eq!(
            (&*first.message.topic, first.delivery.qos(), first.retain),
            ("plant/3/temp", Qos::AtLeastOnce, false)
        );
        let second = subscriber.message().await;
        assert_eq!((&second.message.payload[..], second.delivery.qos()), (&b"22"[..], Qos::AtMostOnce));
        let seen = node.rules.wait(3).await;
        let (cx, message) = &seen[0];
        assert_eq!((message.topic.as_str(), message.qos, message.hops), ("plant/3/temp", 1, 0));
        assert_eq!(message.client_id.as_deref(), Some("publisher"));
        assert_eq!(cx.principal, Principal::Root { account: cx.account.clone() });
        assert_eq!(cx.source_ip.as_deref(), Some("127.0.0.1"));
        subscriber.nothing().await;
        assert_eq!(node.counter(&PUBLISH_IN, &["mqtt", "1", "success"]), 1);
        assert_eq!(node.counter(&PUBLISH_IN, &["mqtt", "0", "success"]), 2);
        assert_eq!(node.counter(&PUBLISH_OUT, &["1"]), 1);
        assert_eq!(node.gauge(&CONNECTIONS), 2);
        node.group.shutdown().await;
        assert_eq!(node.gauge(&CONNECTIONS), 0);
    }
}

#[tokio::test]
async fn after_unsubscribe_nothing_comes() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    device.subscribe("a", Qos::AtMostOnce).await;
    assert_eq!(device.unsubscribe("a").await, [ReasonCode::Success]);
    assert_eq!(device.unsubscribe("a").await, [ReasonCode::NoSubscriptionExisted]);
    device.publish("a", "x").await;
    device.nothing().await;
}

#[tokio::test]
async fn overlapping_subscriptions_give_one_message_at_the_highest_qos() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    device.subscribe("a/b", Qos::AtMostOnce).await;
    device.subscribe("a/+", Qos::AtLeastOnce).await;
    device.subscribe("#", Qos::AtMostOnce).await;
    device.publish("a/b", "x").await;
    assert_eq!(device.message().await.delivery.qos(), Qos::AtLeastOnce);
    device.nothing().await;
}

#[tokio::test]
async fn no_local_keeps_a_message_from_its_publisher() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    let mut options = SubscriptionOptions::new(Qos::AtLeastOnce);
    options.no_local = true;
    device.subscribe_with("a", options).await;
    device.publish("a", "mine").await;
    device.nothing().await;
    let mut other = node.connect(Connect::new(Version::V5, "d")).await;
    other.publish("a", "theirs").await;
    assert_eq!(device.text().await, "theirs");
}

#[tokio::test]
async fn of_those_who_share_a_subscription_one_gets_the_message() {
    let node = Node::start().await;
    let mut members = Vec::new();
    for name in ["m0", "m1", "m2"] {
        let mut member = node.connect(Connect::new(Version::V5, name)).await;
        member.subscribe("$share/g/jobs/+", Qos::AtLeastOnce).await;
        members.push(member);
    }
    let mut publisher = node.connect(Connect::new(Version::V311, "p")).await;
    for n in 0..30 {
        publisher.publish("jobs/x", &n.to_string()).await;
    }
    assert_eq!(node.counter(&PUBLISH_OUT, &["1"]), 30);
    drop(members);
}

#[tokio::test]
async fn the_retained_message_of_a_topic_is_its_last() {
    for version in VERSIONS {
        let node = Node::start().await;
        let mut publisher = node.connect(Connect::new(version, "p")).await;
        for payload in ["old", "new"] {
            assert_eq!(
                publisher.publish_with(Message::new("a/b", payload), Retain::Yes).await,
                ReasonCode::Success
            );
        }
        let node = node.restart().await;
        let mut subscriber = node.connect(Connect::new(version, "s")).await;
        subscriber.subscribe("a/+", Qos::AtLeastOnce).await;
        subscriber.nothing().await;
        subscriber.subscribe("a/b", Qos::AtLeastOnce).await;
        let message = subscriber.message().await;
        assert_eq!((&message.message.payload[..], message.retain), (&b"new"[..], true));
        // An empty payload clears it, and is delivered to who is there; the flag is for later subscribers only.
        let mut publisher = node.connect(Connect::new(version, "p")).await;
        publisher.publish_with(Message::new("a/b", ""), Retain::Yes).await;
        let cleared = subscriber.message().await;
        assert_eq!((cleared.message.payload.len(), cleared.retain), (0, false));
        let node = node.restart().await;
        let mut late = node.connect(Connect::new(version, "late")).await;
        late.subscribe("a/b", Qos::AtLeastOnce).await;
        late.nothing().await;
    }
}

#[tokio::test]
async fn retain_handling_and_retain_as_published() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    device.publish_with(Message::new("a", "x"), Retain::Yes).await;
    let mut options = SubscriptionOptions::new(Qos::AtLeastOnce);
    options.retain_handling = RetainHandling::DoNotSend;
    device.subscribe_with("a", options).await;
    device.nothing().await;
    options.retain_handling = RetainHandling::SendIfNew;
    device.subscribe_with("a", options).await;
    device.nothing().await;
    options.retain_handling = RetainHandling::Send;
    options.retain_as_published = true;
    device.subscribe_with("a", options).await;
    assert_eq!(device.text().await, "x");
    device.publish_with(Message::new("a", "y"), Retain::Yes).await;
    assert!(device.message().await.retain);
}

#[tokio::test]
async fn a_message_that_has_expired_is_not_delivered_and_one_that_has_waited_says_so() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    let mut message = Message::new("a", "x");
    message.properties.message_expiry_seconds = Some(10);
    device.publish_with(message, Retain::Yes).await;
    node.clock.advance(Duration::from_secs(4));
    device.subscribe("a", Qos::AtLeastOnce).await;
    assert_eq!(device.message().await.message.properties.message_expiry_seconds, Some(6));
    node.clock.advance(Duration::from_secs(6));
    device.subscribe("a", Qos::AtLeastOnce).await;
    device.nothing().await;
    assert_eq!(node.counter(&DELIVERY_DROPPED, &["expired"]), 1);
}

fn with_will(version: Version, delay_seconds: u32) -> Connect {
    let message = Message::new("gone", "dead");
    let will = Some(Will { message, qos: Qos::AtLeastOnce, retain: false, delay_seconds });
    let mut connect = Connect { will, ..Connect::new(version, "mortal") };
    connect.properties.session_expiry_seconds = (version == Version::V5 && delay_seconds > 0).then_some(100);
    connect
}

#[tokio::test]
async fn the_will_of_who_vanishes_is_published_and_of_who_says_goodbye_is_not() {
    for version in VERSIONS {
        let node = Node::start().await;
        let mut watcher = node.connect(Connect::new(version, "watcher")).await;
        watcher.subscribe("gone", Qos::AtLeastOnce).await;
        node.connect(with_will(version, 0)).await.disconnect().await;
        watcher.nothing().await;
        drop(node.connect(with_will(version, 0)).await);
        assert_eq!(watcher.text().await, "dead");
    }
}

#[tokio::test]
async fn a_delayed_will_waits_for_the_client_to_come_back() {
    let node = Node::start().await;
    let mut watcher = node.connect(Connect::new(Version::V5, "watcher")).await;
    watcher.subscribe("gone", Qos::AtLeastOnce).await;
    let mut mortal = node.connect(with_will(Version::V5, 30)).await;
    // Goodbye with a reason that wants the will.
    mortal.client.disconnect(ReasonCode::DisconnectWithWill);
    mortal.closed().await;
    node.clock.advance(Duration::from_secs(29));
    watcher.nothing().await;
    let again = Connect { clean_start: false, ..with_will(Version::V5, 30) };
    let mut mortal = node.connect(again).await;
    node.clock.advance(Duration::from_secs(29));
    mortal.nothing().await;
    watcher.nothing().await;
    mortal.client.disconnect(ReasonCode::DisconnectWithWill);
    mortal.closed().await;
    node.clock.advance(Duration::from_secs(30));
    assert_eq!(watcher.text().await, "dead");
}

#[tokio::test]
async fn the_death_of_the_node_is_the_end_of_its_connections() {
    for version in VERSIONS {
        for delay_seconds in [0, 30] {
            let node = Node::start().await;
            let mut watcher =
                node.connect(Connect { clean_start: false, ..Connect::new(Version::V311, "w") }).await;
            watcher.subscribe("gone", Qos::AtLeastOnce).await;
            node.connect(Connect { client_id: "polite".into(), ..with_will(version, 0) })
                .await
                .disconnect()
                .await;
            let _mortal = node.connect(with_will(version, delay_seconds)).await;
            let node = node.restart().await;
            let (mut watcher, _) =
                node.open(Connect { clean_start: false, ..Connect::new(Version::V311, "w") }).await;
            if version == Version::V5 && delay_seconds > 0 {
                node.settle().await;
                watcher.nothing().await;
                node.clock.advance(Duration::from_secs(30));
            }
            assert_eq!(watcher.text().await, "dead");
            node.settle().await;
            // It was published once and is forgotten.
            let node = node.restart().await;
            let (mut watcher, _) =
                node.open(Connect { clean_start: false, ..Connect::new(Version::V311, "w") }).await;
            node.clock.advance(Duration::from_secs(30));
            node.settle().await;
            watcher.nothing().await;
        }
    }
}

#[tokio::test]
async fn who_is_silent_for_one_and_a_half_keep_alives_is_disconnected() {
    for version in VERSIONS {
        let node = Node::start().await;
        let mut watcher =
            node.connect(Connect { keep_alive_seconds: 1200, ..Connect::new(version, "w") }).await;
        watcher.subscribe("gone", Qos::AtLeastOnce).await;
        let mut mortal = node.connect(Connect { keep_alive_seconds: 40, ..with_will(version, 0) }).await;
        node.clock.advance(Duration::from_secs(59));
        mortal.nothing().await;
        node.clock.advance(Duration::from_secs(59));
        mortal.nothing().await;
        node.clock.advance(Duration::from_secs(60));
        let goodbye = (version == Version::V5).then_some(ReasonCode::KeepAliveTimeout);
        assert_eq!(mortal.closed().await, goodbye);
        assert_eq!(watcher.text().await, "dead");
    }
}

#[tokio::test]
async fn who_says_nothing_or_something_else_than_connect_is_closed() {
    let node = Node::start().await;
    let mut silent = node.tcp().await;
    let mut noisy = node.tcp().await;
    noisy.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    noisy.read_to_end(&mut rest).await.ok();
    assert!(rest.is_empty());
    // A CONNECT of 256 MB is refused at its header (the class of CVE-2023-0809).
    let mut huge = node.tcp().await;
    huge.write_all(&[0x10, 0xff, 0xff, 0xff, 0x7f]).await.unwrap();
    huge.read_to_end(&mut rest).await.ok();
    assert!(rest.is_empty());
    node.clock.advance(Duration::from_secs(10));
    silent.read_to_end(&mut rest).await.ok();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn reserved_topics_are_not_for_clients() {
    for version in VERSIONS {
        let node = Node::start().await;
        let goodbye = |reason| (version == Version::V5).then_some(reason);
        let mut device = node.connect(Connect::new(version, "c")).await;
        device.send("$aws/things/t/shadow/update", "{}").await;
        assert_eq!(device.closed().await, goodbye(ReasonCode::TopicNameInvalid));
        let mut device = node.connect(Connect::new(version, "c")).await;
        device.client.subscribe(&["$aws/rules/r"], SubscriptionOptions::new(Qos::AtMostOnce), 0).unwrap();
        assert_eq!(device.closed().await, goodbye(ReasonCode::TopicFilterInvalid));
        assert!(node.rules.seen.borrow().is_empty());
    }
}

#[tokio::test]
async fn basic_ingest_goes_to_the_rules_alone() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    device.subscribe("#", Qos::AtLeastOnce).await;
    assert_eq!(device.publish("$aws/rules/r/a/b", "x").await, ReasonCode::Success);
    device.nothing().await;
    assert_eq!(node.rules.wait(1).await[0].1.topic, "$aws/rules/r/a/b");
}

#[tokio::test]
async fn fifty_subscriptions_are_enough() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    for n in 0..50 {
        assert_eq!(device.subscribe(&format!("t/{n}"), Qos::AtMostOnce).await, ReasonCode::Success);
    }
    assert_eq!(device.subscribe("t/50", Qos::AtMostOnce).await, ReasonCode::QuotaExceeded);
    assert_eq!(device.subscribe("t/7", Qos::AtLeastOnce).await, ReasonCode::GrantedQos1);
    assert_eq!(device.subscribe("t/+/#/x", Qos::AtMostOnce).await, ReasonCode::TopicFilterInvalid);
}

#[tokio::test]
async fn what_is_too_large_or_too_deep_is_refused() {
    let node = Node::start().await;
    let mut device = node.connect(Connect::new(Version::V5, "c")).await;
    assert_eq!(device.publish("1/2/3/4/5/6/7/8", "x").await, ReasonCode::Success);
    assert_eq!(device.publish("1/2/3/4/5/6/7/8/9", "x").await, ReasonCode::TopicNameInvalid);
    assert_eq!(device.publish(&"t".repeat(257), "x").await, ReasonCode::TopicNameInvalid);
    assert_eq!(device.publish("t", &"p".repeat(128 * 1024)).await, ReasonCode::Success);
    assert_eq!(device.publish("t", &"p".repeat(128 * 1024 + 1)).await, ReasonCode::QuotaExceeded);
}
