//! Sessions: clean and kept, across connections, take-overs, crashes and time.

use std::time::Duration;

use mqtt::{Qos, ReasonCode};
use testkit::{Closed, Sandbox};

use crate::common::{kept, kept_v5, text, v5, v311};

#[tokio::test]
async fn mqtt_3_1_2_6_a_clean_session_is_forgotten() {
    let sandbox = Sandbox::new().await;
    let mut device = sandbox.device("d").await;
    assert!(!device.connack().session_present);
    device.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    device.disconnect().await;
    let mut other = sandbox.device("other").await;
    other.publish("a", "lost").await;
    let mut device = sandbox.connect(kept("d")).await.expect("it connects");
    assert!(!device.connack().session_present);
    other.publish("a", "lost").await;
    device.ping().await.expect("it is connected");
    assert_eq!(device.waiting(), 0);
}

#[tokio::test]
async fn mqtt_3_1_2_4_a_kept_session_gets_what_came_meanwhile() {
    let sandbox = Sandbox::new().await;
    let mut other = sandbox.device("other").await;
    for (connect, again) in [(kept("old"), kept("old")), (kept_v5("new", 60), kept_v5("new", 60))] {
        let mut device = sandbox.connect(connect).await.expect("it connects");
        device.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
        device.subscribe("b", Qos::AtMostOnce).await.expect("it is granted");
        device.disconnect().await;
        other.send("a", "at QoS 0 it is not kept").await;
        other.publish("b", "for QoS 0 it is not kept").await;
        for n in 0..3 {
            other.publish("a", n.to_string()).await;
        }
        let mut device = sandbox.connect(again).await.expect("it connects");
        assert!(device.connack().session_present);
        for n in 0..3 {
            assert_eq!(text(&device.message().await.expect("a message")), format!("a {n}"));
        }
        other.publish("a", "and goes on").await;
        assert_eq!(text(&device.message().await.expect("a message")), "a and goes on");
        device.ping().await.expect("it is connected");
        assert_eq!(device.waiting(), 0);
    }
}

#[tokio::test]
async fn a_kept_session_survives_a_crash_with_all_that_is_queued() {
    let mut sandbox = Sandbox::new().await;
    let mut device = sandbox.connect(kept("d")).await.expect("it connects");
    device.subscribe("a/+", Qos::AtLeastOnce).await.expect("it is granted");
    drop(device);
    let mut other = sandbox.device("other").await;
    for n in 0..300 {
        other.publish(&format!("a/{n}"), n.to_string()).await;
    }
    sandbox.crash().await;
    let mut other = sandbox.device("other").await;
    other.publish("a/300", "300").await;
    let mut device = sandbox.connect(kept("d")).await.expect("it connects");
    assert!(device.connack().session_present);
    for n in 0..=300 {
        assert_eq!(text(&device.message().await.expect("a message")), format!("a/{n} {n}"));
    }
    device.ping().await.expect("it is connected");
    assert_eq!(device.waiting(), 0);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_after_a_crash() {
    let mut sandbox = Sandbox::new().await;
    let mut device = sandbox.connect(kept("d")).await.expect("it connects");
    device.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    let mut other = sandbox.device("other").await;
    for n in 0..5 {
        other.publish("a", n.to_string()).await;
    }
    for n in 0..5 {
        assert_eq!(text(&device.unacknowledged_message().await.expect("a message")), format!("a {n}"));
    }
    sandbox.crash().await;
    assert_eq!(device.closed().await, Closed::Silently);
    let mut device = sandbox.connect(kept("d")).await.expect("it connects");
    for n in 0..5 {
        assert_eq!(text(&device.message().await.expect("a message")), format!("a {n}"));
    }
    // Acknowledged in order and said goodbye: nothing is left.
    device.ping().await.expect("it is connected");
    device.disconnect().await;
    let mut device = sandbox.connect(kept("d")).await.expect("it connects");
    device.ping().await.expect("it is connected");
    assert_eq!(device.waiting(), 0);
}

#[tokio::test]
async fn what_is_acknowledged_to_the_publisher_is_kept_for_the_subscriber() {
    // The class of rmqtt #477 and mosquitto #769: acknowledged, then gone after a restart.
    let mut sandbox = Sandbox::new().await;
    let mut device = sandbox.connect(kept("d")).await.expect("it connects");
    device.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    drop(device);
    for n in 0..10 {
        sandbox.device("other").await.publish("a", n.to_string()).await;
        sandbox.crash().await;
    }
    let mut device = sandbox.connect(kept("d")).await.expect("it connects");
    for n in 0..10 {
        assert_eq!(text(&device.message().await.expect("a message")), format!("a {n}"));
    }
}

#[tokio::test]
async fn subscriptions_survive_an_ordered_restart_too() {
    let mut sandbox = Sandbox::new().await;
    let mut device = sandbox.connect(kept_v5("d", 3600)).await.expect("it connects");
    device.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    device.subscribe("b", Qos::AtLeastOnce).await.expect("it is granted");
    device.unsubscribe("b").await.expect("it is answered");
    let (restarted, told) = futures::future::join(sandbox.restart(), device.closed()).await;
    let () = restarted;
    assert_eq!(told, Closed::Reason(ReasonCode::ServerShuttingDown));
    let mut device = sandbox.connect(kept_v5("d", 3600)).await.expect("it connects");
    assert!(device.connack().session_present);
    let mut other = sandbox.device("other").await;
    other.publish("b", "x").await;
    other.publish("a", "x").await;
    assert_eq!(text(&device.message().await.expect("a message")), "a x");
}

#[tokio::test]
async fn a_kept_session_ends_an_hour_after_its_connection() {
    let sandbox = Sandbox::new().await;
    for (after_s, present) in [(3599, true), (3601, false)] {
        let mut device = sandbox.connect(kept("d")).await.expect("it connects");
        device.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
        device.disconnect().await;
        everyone_gone(&sandbox).await;
        sandbox.advance(Duration::from_secs(after_s));
        let device = sandbox.connect(kept("d")).await.expect("it connects");
        assert_eq!(device.connack().session_present, present, "after {after_s} s");
    }
}

/// Waits until the node knows that everyone has gone.
async fn everyone_gone(sandbox: &Sandbox) {
    sandbox.until("every connection has ended", async || sandbox.connections() == 0).await;
}

#[tokio::test]
async fn v5_3_1_2_11_a_session_lives_as_long_as_it_was_asked_to() {
    let sandbox = Sandbox::new().await;
    let device = sandbox.connect(kept_v5("d", 60)).await.expect("it connects");
    assert_eq!(device.connack().properties.session_expiry_seconds, None, "as it was asked for");
    device.disconnect().await;
    everyone_gone(&sandbox).await;
    sandbox.advance(Duration::from_secs(59));
    let device = sandbox.connect(kept_v5("d", 60)).await.expect("it connects");
    assert!(device.connack().session_present);
    device.disconnect().await;
    everyone_gone(&sandbox).await;
    sandbox.advance(Duration::from_secs(61));
    let device = sandbox.connect(kept_v5("d", u32::MAX)).await.expect("it connects");
    assert!(!device.connack().session_present);
    assert_eq!(device.connack().properties.session_expiry_seconds, Some(3600), "at most that long");
}

#[tokio::test]
async fn mqtt_3_1_4_2_a_newer_connection_takes_over() {
    let sandbox = Sandbox::new().await;
    let mut first = sandbox.connect(kept_v5("d", 60)).await.expect("it connects");
    first.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    let mut second = sandbox.connect(kept_v5("d", 60)).await.expect("it connects");
    assert_eq!(first.closed().await, Closed::Reason(ReasonCode::SessionTakenOver));
    assert!(second.connack().session_present);
    let mut third = sandbox.connect(v311("d")).await.expect("it connects");
    assert_eq!(second.closed().await, Closed::Reason(ReasonCode::SessionTakenOver));
    assert!(!third.connack().session_present, "it wants a clean one");
    third.ping().await.expect("it is connected");
}

#[tokio::test]
async fn many_that_fight_for_a_name_leave_one() {
    let sandbox = Sandbox::new().await;
    let connecting = (0..20).map(|_| sandbox.connect(kept_v5("d", 60)));
    let connected: Vec<_> =
        futures::future::join_all(connecting).await.into_iter().filter_map(Result::ok).collect();
    assert!(!connected.is_empty());
    sandbox.until("one is left", async || sandbox.connections() == 1).await;
    let mut alive = 0;
    for mut device in connected {
        alive += usize::from(device.ping().await.is_ok());
    }
    assert_eq!(alive, 1);
}

#[tokio::test]
async fn mqtt_3_1_3_8_a_kept_session_needs_a_name() {
    let sandbox = Sandbox::new().await;
    let refused = sandbox.connect(kept("")).await.err();
    assert_eq!(refused, Some(Closed::Reason(ReasonCode::ClientIdentifierNotValid)));
    assert!(sandbox.connect(v311("")).await.is_ok());
    let device = sandbox.connect(v5("")).await.expect("it connects");
    let assigned = device.connack().properties.assigned_client_id.clone();
    assert!(assigned.is_some_and(|id| !id.is_empty()));
}

#[tokio::test]
async fn a_client_id_has_at_most_128_bytes() {
    let sandbox = Sandbox::new().await;
    assert!(sandbox.connect(v5(&"x".repeat(128))).await.is_ok());
    let refused = sandbox.connect(v5(&"x".repeat(129))).await.err();
    assert_eq!(refused, Some(Closed::Reason(ReasonCode::ClientIdentifierNotValid)));
}

#[tokio::test]
async fn a_message_that_has_expired_is_not_delivered() {
    let sandbox = Sandbox::new().await;
    let mut device = sandbox.connect(kept_v5("d", 3600)).await.expect("it connects");
    device.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    device.disconnect().await;
    everyone_gone(&sandbox).await;
    let mut other = sandbox.connect(v5("other")).await.expect("it connects");
    for (payload, expiry) in [("short", Some(10)), ("long", Some(100)), ("for ever", None)] {
        let mut message = mqtt::Message::new("a", payload);
        message.properties.message_expiry_seconds = expiry;
        let token = other.request_message(message, Qos::AtLeastOnce, mqtt::Retain::No);
        assert_eq!(other.published(token).await, Ok(ReasonCode::Success));
    }
    sandbox.advance(Duration::from_secs(30));
    let mut device = sandbox.connect(kept_v5("d", 3600)).await.expect("it connects");
    let message = device.message().await.expect("a message");
    assert_eq!(text(&message), "a long");
    assert_eq!(message.message.properties.message_expiry_seconds, Some(70), "what is left of it");
    assert_eq!(text(&device.message().await.expect("a message")), "a for ever");
}
