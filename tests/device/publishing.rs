//! Publish and subscribe: who gets what, how often, and what is kept.

use bytes::Bytes;
use mqtt::{Delivery, Message, Qos, ReasonCode, Retain, RetainHandling, SubscriptionOptions};
use testkit::{Closed, Sandbox};

use crate::common::{text, v5, v311};

/// AWS's limit of a payload.
const PAYLOAD_MAX: usize = 128 * 1024;

#[tokio::test]
async fn mqtt_4_3_1_qos_0_is_delivered_at_most_once_and_4_3_2_qos_1_at_least_once() {
    let sandbox = Sandbox::new().await;
    let mut publisher = sandbox.device("publisher").await;
    let mut subscriber = sandbox.device("subscriber").await;
    for (published, subscribed, delivered) in [
        (Qos::AtMostOnce, Qos::AtMostOnce, Qos::AtMostOnce),
        (Qos::AtMostOnce, Qos::AtLeastOnce, Qos::AtMostOnce),
        (Qos::AtLeastOnce, Qos::AtMostOnce, Qos::AtMostOnce),
        (Qos::AtLeastOnce, Qos::AtLeastOnce, Qos::AtLeastOnce),
    ] {
        assert_eq!(subscriber.subscribe("a", subscribed).await, Ok(subscribed.granted()));
        match published {
            Qos::AtMostOnce => publisher.send("a", "x").await,
            _ => publisher.publish("a", "x").await,
        }
        let message = subscriber.message().await.expect("a message");
        assert_eq!(
            message.delivery.qos(),
            delivered,
            "published at {published:?}, subscribed at {subscribed:?}"
        );
        assert!(!message.retain && !message.dup);
    }
}

#[tokio::test]
async fn a_message_comes_once_however_many_filters_match() {
    let sandbox = Sandbox::new().await;
    let mut device = sandbox.device("d").await;
    let options = SubscriptionOptions::new(Qos::AtMostOnce);
    device.subscribe_with(&["a/b", "a/+", "#"], options).await.expect("they are granted");
    device.subscribe("+/b", Qos::AtLeastOnce).await.expect("it is granted");
    device.publish("a/b", "once").await;
    let message = device.message().await.expect("a message");
    assert_eq!(message.delivery.qos(), Qos::AtLeastOnce, "the highest of all");
    device.ping().await.expect("it is connected");
    assert_eq!(device.waiting(), 0);
}

#[tokio::test]
async fn mqtt_4_7_1_wildcards() {
    let sandbox = Sandbox::new().await;
    let mut publisher = sandbox.device("publisher").await;
    for (filter, topic, matches) in [
        ("a/+/c", "a/b/c", true),
        ("a/+/c", "a//c", true),
        ("a/+/c", "a/b/b/c", false),
        ("a/#", "a/b/c", true),
        ("a/#", "a/", true),
        // AWS does not take the parent for a child.
        ("a/#", "a", false),
        ("+", "a", true),
        ("+", "a/b", false),
        ("+/+", "/a", true),
        ("#", "/health/You", true),
        ("/health/#", "/health/You", true),
        ("A", "a", false),
    ] {
        let mut subscriber = sandbox.device("subscriber").await;
        subscriber.subscribe(filter, Qos::AtLeastOnce).await.expect("it is granted");
        publisher.publish(topic, "x").await;
        subscriber.ping().await.expect("it is connected");
        assert_eq!(subscriber.waiting(), usize::from(matches), "{filter} and {topic}");
    }
}

#[tokio::test]
async fn after_unsubscribe_nothing_more_comes() {
    let sandbox = Sandbox::new().await;
    let mut device = sandbox.device("d").await;
    device.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    device.unsubscribe("a").await.expect("it is answered");
    device.publish("a", "x").await;
    device.ping().await.expect("it is connected");
    assert_eq!(device.waiting(), 0);
}

#[tokio::test]
async fn mqtt_3_3_1_3_a_retained_message_is_for_those_who_come_later() {
    let sandbox = Sandbox::new().await;
    let mut publisher = sandbox.device("publisher").await;
    publisher.retain("kept", "first").await;
    publisher.retain("kept", "second").await;
    let mut subscriber = sandbox.device("subscriber").await;
    subscriber.subscribe("kept", Qos::AtLeastOnce).await.expect("it is granted");
    let message = subscriber.message().await.expect("the retained one");
    assert_eq!((text(&message).as_str(), message.retain), ("kept second", true));
    publisher.retain("kept", "third").await;
    let message = subscriber.message().await.expect("the new one");
    assert_eq!((text(&message).as_str(), message.retain), ("kept third", false), "it was there already");
    // AWS sends none to wildcards.
    let mut other = sandbox.device("other").await;
    other.subscribe("#", Qos::AtLeastOnce).await.expect("it is granted");
    other.ping().await.expect("it is connected");
    assert_eq!(other.waiting(), 0);
}

#[tokio::test]
async fn mqtt_3_3_1_10_an_empty_retained_message_deletes() {
    let sandbox = Sandbox::new().await;
    let mut publisher = sandbox.device("publisher").await;
    let mut listener = sandbox.device("listener").await;
    listener.subscribe("kept", Qos::AtLeastOnce).await.expect("it is granted");
    publisher.retain("kept", "x").await;
    publisher.retain("kept", "").await;
    assert_eq!(text(&listener.message().await.expect("a message")), "kept x");
    assert_eq!(text(&listener.message().await.expect("it is delivered like others")), "kept ");
    let mut later = sandbox.device("later").await;
    later.subscribe("kept", Qos::AtLeastOnce).await.expect("it is granted");
    later.ping().await.expect("it is connected");
    assert_eq!(later.waiting(), 0);
}

#[tokio::test]
async fn a_retained_message_survives_a_crash() {
    let mut sandbox = Sandbox::new().await;
    let mut device = sandbox.device("d").await;
    device.retain("kept", "x").await;
    device.retain("gone", "x").await;
    device.retain("gone", "").await;
    sandbox.crash().await;
    let mut device = sandbox.device("d").await;
    for filter in ["gone", "kept"] {
        device.subscribe(filter, Qos::AtLeastOnce).await.expect("it is granted");
    }
    assert_eq!(text(&device.message().await.expect("the retained one")), "kept x");
    device.ping().await.expect("it is connected");
    assert_eq!(device.waiting(), 0);
}

#[tokio::test]
async fn v5_3_8_3_1_whether_the_retained_message_is_wanted() {
    let sandbox = Sandbox::new().await;
    sandbox.device("publisher").await.retain("kept", "x").await;
    let mut device = sandbox.connect(v5("d")).await.expect("it connects");
    let mut received = async |retain_handling| {
        let options = SubscriptionOptions { retain_handling, ..SubscriptionOptions::new(Qos::AtMostOnce) };
        device.subscribe_with(&["kept"], options).await.expect("it is granted");
        device.ping().await.expect("it is connected");
        let waiting = device.waiting();
        for _ in 0..waiting {
            device.message().await.expect("a message");
        }
        waiting
    };
    assert_eq!(received(RetainHandling::DoNotSend).await, 0);
    assert_eq!(received(RetainHandling::SendIfNew).await, 0, "the subscription is there already");
    assert_eq!(received(RetainHandling::Send).await, 1);
    assert_eq!(received(RetainHandling::Send).await, 1, "and again");
}

#[tokio::test]
async fn v5_3_8_3_1_no_local_and_retain_as_published() {
    let sandbox = Sandbox::new().await;
    let mut device = sandbox.connect(v5("d")).await.expect("it connects");
    let mut other = sandbox.device("other").await;
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::new(Qos::AtLeastOnce) };
    device.subscribe_with(&["mine"], options).await.expect("it is granted");
    device.publish("mine", "own").await;
    other.publish("mine", "other's").await;
    assert_eq!(text(&device.message().await.expect("a message")), "mine other's");
    let options =
        SubscriptionOptions { retain_as_published: true, ..SubscriptionOptions::new(Qos::AtLeastOnce) };
    device.subscribe_with(&["flag"], options).await.expect("it is granted");
    other.retain("flag", "x").await;
    assert!(device.message().await.expect("a message").retain);
}

#[tokio::test]
async fn v5_3_3_2_3_properties_travel_with_the_message() {
    let sandbox = Sandbox::new().await;
    let mut publisher = sandbox.connect(v5("publisher")).await.expect("it connects");
    let mut subscriber = sandbox.connect(v5("subscriber")).await.expect("it connects");
    let mut old = sandbox.device("old").await;
    for device in [&mut subscriber, &mut old] {
        device.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    }
    let mut message = Message::new("a", "{}");
    message.properties.payload_is_utf8 = Some(true);
    message.properties.content_type = Some("application/json".to_owned());
    message.properties.response_topic = Some("reply".to_owned());
    message.properties.correlation_data = Some(Bytes::from_static(b"\x00\x01"));
    message.properties.message_expiry_seconds = Some(60);
    message.properties.user_properties =
        vec![("n".to_owned(), "1".to_owned()), ("n".to_owned(), "2".to_owned())];
    let token = publisher.request_message(message.clone(), Qos::AtLeastOnce, Retain::No);
    assert_eq!(publisher.published(token).await, Ok(ReasonCode::Success));
    assert_eq!(subscriber.message().await.expect("a message").message.properties, message.properties);
    assert_eq!(old.message().await.expect("a message").message.payload, "{}");
}

#[tokio::test]
async fn v5_3_3_2_3_4_a_topic_alias_stands_for_its_topic() {
    let sandbox = Sandbox::new().await;
    let mut publisher = sandbox.connect(v5("publisher")).await.expect("it connects");
    assert_eq!(publisher.connack().properties.topic_alias_maximum, Some(8));
    let mut subscriber = sandbox.device("subscriber").await;
    subscriber.subscribe("#", Qos::AtLeastOnce).await.expect("it is granted");
    for (topic, payload) in [("a/long/topic", "1"), ("", "2")] {
        let mut message = Message::new(topic, payload);
        message.properties.topic_alias = Some(8);
        let token = publisher.request_message(message, Qos::AtLeastOnce, Retain::No);
        assert_eq!(publisher.published(token).await, Ok(ReasonCode::Success));
        assert_eq!(text(&subscriber.message().await.expect("a message")), format!("a/long/topic {payload}"));
    }
    let mut message = Message::new("a", "x");
    message.properties.topic_alias = Some(9);
    let token = publisher.request_message(message, Qos::AtLeastOnce, Retain::No);
    assert_eq!(publisher.published(token).await, Err(Closed::Reason(ReasonCode::TopicAliasInvalid)));
}

#[tokio::test]
async fn a_payload_of_128_kib_passes_and_one_byte_more_does_not() {
    let sandbox = Sandbox::new().await;
    let mut subscriber = sandbox.device("subscriber").await;
    subscriber.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    let largest = vec![b'x'; PAYLOAD_MAX];
    let mut device = sandbox.connect(v5("d")).await.expect("it connects");
    device.publish("a", largest.clone()).await;
    assert_eq!(subscriber.message().await.expect("a message").message.payload, largest);
    let oversize = vec![b'x'; PAYLOAD_MAX + 1];
    assert_eq!(device.try_publish("a", oversize.clone()).await, Ok(ReasonCode::QuotaExceeded));
    device.publish("a", "it goes on").await;
    assert_eq!(text(&subscriber.message().await.expect("a message")), "a it goes on");
    let mut old = sandbox.connect(v311("old")).await.expect("it connects");
    assert_eq!(old.try_publish("a", oversize).await, Err(Closed::Silently));
}

#[tokio::test]
async fn a_packet_far_too_large_ends_the_connection() {
    let sandbox = Sandbox::new().await;
    let mut device = sandbox.connect(v5("d")).await.expect("it connects");
    let refused = device.try_publish("a", vec![b'x'; 1 << 20]).await;
    // The node closes while the device still writes, so the reason may be lost on the way.
    let expected = [Err(Closed::Reason(ReasonCode::PacketTooLarge)), Err(Closed::Silently)];
    assert!(expected.contains(&refused), "{refused:?}");
}

#[tokio::test]
async fn topics_are_at_most_256_bytes_and_eight_levels() {
    let sandbox = Sandbox::new().await;
    let mut device = sandbox.connect(v5("d")).await.expect("it connects");
    device.publish(&"x".repeat(256), "x").await;
    device.publish("1/2/3/4/5/6/7/8", "x").await;
    for topic in ["x".repeat(257), "1/2/3/4/5/6/7/8/9".to_owned()] {
        assert_eq!(device.try_publish(&topic, "x").await, Ok(ReasonCode::TopicNameInvalid), "{topic}");
        let code = device.subscribe(&topic, Qos::AtMostOnce).await;
        assert_eq!(code, Ok(ReasonCode::TopicFilterInvalid), "{topic}");
    }
}

#[tokio::test]
async fn a_subscribe_has_at_most_eight_filters_and_a_connection_fifty() {
    let sandbox = Sandbox::new().await;
    let mut device = sandbox.connect(v5("d")).await.expect("it connects");
    let options = SubscriptionOptions::new(Qos::AtLeastOnce);
    let filters: Vec<String> = (0..51).map(|n| format!("f/{n}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    for eight in filters[..48].chunks(8) {
        let codes = device.subscribe_with(eight, options).await.expect("it is answered");
        assert_eq!(codes, [ReasonCode::GrantedQos1; 8]);
    }
    let codes = device.subscribe_with(&filters[48..51], options).await.expect("it is answered");
    assert_eq!(codes, [ReasonCode::GrantedQos1, ReasonCode::GrantedQos1, ReasonCode::QuotaExceeded]);
    let codes = device.subscribe_with(&["f/0"], options).await.expect("it is answered");
    assert_eq!(codes, [ReasonCode::GrantedQos1], "it is there already");
    let nine = device.subscribe_with(&filters[..9], options).await;
    assert!(matches!(nine, Err(Closed::Reason(reason)) if reason.is_failure()), "{nine:?}");
}

#[tokio::test]
async fn qos_2_is_refused() {
    let sandbox = Sandbox::new().await;
    let refused = Closed::Reason(ReasonCode::QosNotSupported);
    let mut device = sandbox.connect(v5("d")).await.expect("it connects");
    assert_eq!(device.connack().properties.maximum_qos, Some(Qos::AtLeastOnce));
    device.request("a", "x", Qos::ExactlyOnce, Retain::No);
    assert_eq!(device.closed().await, refused);
    let mut device = sandbox.connect(v5("d")).await.expect("it connects");
    assert_eq!(device.subscribe("a", Qos::ExactlyOnce).await, Err(refused));
    let mut old = sandbox.device("old").await;
    old.request("a", "x", Qos::ExactlyOnce, Retain::No);
    assert_eq!(old.closed().await, Closed::Silently);
}

#[tokio::test]
async fn reserved_topics_end_the_connection() {
    // The class of CVE-2018-12543.
    let sandbox = Sandbox::new().await;
    for topic in ["$SYS/broker", "$", "$aws/things/x", "$aws/rules"] {
        let mut device = sandbox.connect(v5("d")).await.expect("it connects");
        let closed = device.try_publish(topic, "x").await;
        assert_eq!(closed, Err(Closed::Reason(ReasonCode::TopicNameInvalid)), "{topic}");
    }
    for filter in ["$SYS/#", "$aws/rules/r/a", "$aws/events/#"] {
        let mut device = sandbox.connect(v5("d")).await.expect("it connects");
        let closed = device.subscribe(filter, Qos::AtMostOnce).await;
        assert_eq!(closed, Err(Closed::Reason(ReasonCode::TopicFilterInvalid)), "{filter}");
    }
}

#[tokio::test]
async fn a_hundred_publishes_in_flight_are_each_acknowledged() {
    let sandbox = Sandbox::new().await;
    let mut subscriber = sandbox.device("subscriber").await;
    subscriber.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    let mut device = sandbox.device("d").await;
    let tokens: Vec<u64> =
        (0..100).map(|n| device.request("a", n.to_string(), Qos::AtLeastOnce, Retain::No)).collect();
    for token in tokens {
        assert_eq!(device.published(token).await, Ok(ReasonCode::Success));
    }
    for n in 0..100 {
        assert_eq!(text(&subscriber.message().await.expect("a message")), format!("a {n}"));
    }
}

#[tokio::test]
async fn one_who_does_not_acknowledge_gets_a_hundred_and_no_more() {
    let sandbox = Sandbox::new().await;
    let mut slow = sandbox.device("slow").await;
    slow.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    let mut device = sandbox.device("d").await;
    for n in 0..150 {
        device.publish("a", n.to_string()).await;
    }
    let mut held = Vec::new();
    for n in 0..100 {
        let message = slow.unacknowledged_message().await.expect("a message");
        assert_eq!(text(&message), format!("a {n}"));
        held.push(message.delivery);
    }
    slow.ping().await.expect("it is connected");
    assert_eq!(slow.waiting(), 0);
    let Delivery::AtLeastOnce(packet_id) = held[0] else { panic!("{:?}", held[0]) };
    slow.acknowledge(packet_id).await;
    assert_eq!(text(&slow.unacknowledged_message().await.expect("there is room for one")), "a 100");
}

#[tokio::test]
async fn a_shared_subscription_gives_each_message_to_one_member() {
    let sandbox = Sandbox::new().await;
    let mut members = Vec::new();
    for n in 0..3 {
        let mut member = sandbox.device(&format!("member-{n}")).await;
        let granted = member.subscribe("$share/group/a/#", Qos::AtLeastOnce).await;
        assert_eq!(granted, Ok(ReasonCode::GrantedQos1));
        members.push(member);
    }
    let mut device = sandbox.device("d").await;
    for n in 0..60 {
        device.publish("a/b", n.to_string()).await;
    }
    let mut counts = Vec::new();
    for member in &mut members {
        member.ping().await.expect("it is connected");
        counts.push(member.waiting());
    }
    assert_eq!(counts.iter().sum::<usize>(), 60, "{counts:?}");
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[tokio::test]
async fn a_thousand_messages_of_ten_devices_all_arrive_in_their_order() {
    let sandbox = Sandbox::new().await;
    let mut subscriber = sandbox.device("subscriber").await;
    subscriber.subscribe("d/+", Qos::AtLeastOnce).await.expect("it is granted");
    let publishing = (0..10).map(|d| {
        let sandbox = &sandbox;
        async move {
            let mut device = sandbox.device(&format!("d{d}")).await;
            for n in 0..100 {
                device.publish(&format!("d/{d}"), n.to_string()).await;
            }
        }
    });
    let reading = async {
        let mut next = [0; 10];
        for _ in 0..1000 {
            let message = subscriber.message().await.expect("a message");
            let text = text(&message);
            let (topic, payload) = text.split_once(' ').expect("topic and payload");
            let d: usize = topic.split('/').nth(1).expect("a device").parse().expect("a number");
            assert_eq!(payload, next[d].to_string(), "{topic}");
            next[d] += 1;
        }
        next
    };
    let (_, next) = futures::future::join(futures::future::join_all(publishing), reading).await;
    assert_eq!(next, [100; 10]);
}
