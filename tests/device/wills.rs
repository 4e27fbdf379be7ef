//! The will: published for a client that vanished, and for no other.

use std::time::Duration;

use mqtt::{Connect, Message, Qos, ReasonCode, Will};
use testkit::{Closed, Device, Sandbox};

use crate::common::{kept_v5, text, v5, v311};

fn with_will(connect: Connect, topic: &str, delay_seconds: u32) -> Connect {
    let message = Message::new(topic, "gone");
    let will = Will { message, qos: Qos::AtLeastOnce, retain: false, delay_seconds };
    Connect { will: Some(will), ..connect }
}

async fn listener(sandbox: &Sandbox) -> Device {
    let mut listener = sandbox.device("listener").await;
    listener.subscribe("wills/#", Qos::AtLeastOnce).await.expect("it is granted");
    listener
}

async fn nothing(sandbox: &Sandbox, listener: &mut Device) {
    // Whoever has gone is gone for the node too, so its will is published or will never be.
    sandbox.until("only the listener is left", async || sandbox.connections() == 1).await;
    listener.ping().await.expect("it is connected");
    assert_eq!(listener.waiting(), 0);
}

#[tokio::test]
async fn mqtt_3_1_2_8_the_will_is_published_when_the_connection_is_lost() {
    let sandbox = Sandbox::new().await;
    let mut listener = listener(&sandbox).await;
    for connect in [v311("d"), v5("d")] {
        let device = sandbox.connect(with_will(connect, "wills/d", 0)).await.expect("it connects");
        drop(device);
        assert_eq!(text(&listener.message().await.expect("the will")), "wills/d gone");
    }
}

#[tokio::test]
async fn mqtt_3_1_2_10_the_will_is_not_published_after_a_disconnect() {
    let sandbox = Sandbox::new().await;
    let mut listener = listener(&sandbox).await;
    for connect in [v311("d"), v5("d")] {
        let device = sandbox.connect(with_will(connect, "wills/d", 0)).await.expect("it connects");
        device.disconnect().await;
        nothing(&sandbox, &mut listener).await;
    }
}

#[tokio::test]
async fn the_will_is_published_when_the_keep_alive_expires() {
    let sandbox = Sandbox::new().await;
    let mut listener =
        sandbox.connect(Connect { keep_alive_seconds: 1200, ..v311("listener") }).await.expect("it connects");
    listener.subscribe("wills/#", Qos::AtLeastOnce).await.expect("it is granted");
    let connect = Connect { keep_alive_seconds: 30, ..with_will(v5("d"), "wills/d", 0) };
    let mut device = sandbox.connect(connect).await.expect("it connects");
    sandbox.advance(Duration::from_secs(46));
    assert_eq!(device.closed().await, Closed::Reason(ReasonCode::KeepAliveTimeout));
    assert_eq!(text(&listener.message().await.expect("the will")), "wills/d gone");
}

#[tokio::test]
async fn the_will_is_published_when_another_takes_over() {
    let sandbox = Sandbox::new().await;
    let mut listener = listener(&sandbox).await;
    let _first = sandbox.connect(with_will(v5("d"), "wills/first", 0)).await.expect("it connects");
    let _second = sandbox.connect(with_will(v5("d"), "wills/second", 0)).await.expect("it connects");
    assert_eq!(text(&listener.message().await.expect("the will")), "wills/first gone");
}

#[tokio::test]
async fn v5_3_1_3_2_2_a_will_waits_for_its_delay() {
    let sandbox = Sandbox::new().await;
    let mut listener = listener(&sandbox).await;
    let connect = || with_will(kept_v5("d", 600), "wills/d", 30);
    drop(sandbox.connect(connect()).await.expect("it connects"));
    nothing(&sandbox, &mut listener).await;
    // It comes back in time: there is nothing to tell.
    sandbox.advance(Duration::from_secs(29));
    drop(sandbox.connect(connect()).await.expect("it connects"));
    nothing(&sandbox, &mut listener).await;
    sandbox.advance(Duration::from_secs(29));
    listener.ping().await.expect("it is connected");
    assert_eq!(listener.waiting(), 0);
    sandbox.advance(Duration::from_secs(1));
    assert_eq!(text(&listener.message().await.expect("the will")), "wills/d gone");
}

#[tokio::test]
async fn a_retained_will_is_kept() {
    let sandbox = Sandbox::new().await;
    let mut connect = with_will(v311("d"), "status/d", 0);
    connect.will.as_mut().expect("it has one").retain = true;
    drop(sandbox.connect(connect).await.expect("it connects"));
    let api = sandbox.api();
    sandbox
        .until("the will is retained", async || {
            api.rest("iotdata", http::Method::GET, "/retainedMessage/status%2Fd", "").await.is_ok()
        })
        .await;
}
