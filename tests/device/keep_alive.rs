//! Silence has an end: for those who do not connect, do not finish a handshake, or say nothing more.

use std::io::ErrorKind;
use std::time::Duration;

use mqtt::{Connect, ReasonCode};
use testkit::{Closed, Sandbox};
use tokio::net::TcpStream;

use crate::common::{v5, v311};

#[tokio::test]
async fn mqtt_3_1_2_24_keep_alive_expires() {
    let sandbox = Sandbox::new().await;
    for (connect, closed) in
        [(v5("d"), Closed::Reason(ReasonCode::KeepAliveTimeout)), (v311("d"), Closed::Silently)]
    {
        let mut device =
            sandbox.connect(Connect { keep_alive_seconds: 60, ..connect }).await.expect("it connects");
        // Half as long again.
        sandbox.advance(Duration::from_secs(89));
        device.ping().await.expect("it is in time");
        sandbox.advance(Duration::from_secs(89));
        device.ping().await.expect("any packet begins it anew");
        sandbox.advance(Duration::from_secs(90));
        assert_eq!(device.closed().await, closed);
    }
}

#[tokio::test]
async fn a_keep_alive_is_between_30_s_and_20_min() {
    let sandbox = Sandbox::new().await;
    for (asked, given, lives_s) in
        [(5, Some(30), 45), (0, Some(1200), 1800), (u16::MAX, Some(1200), 1800), (60, None, 90)]
    {
        let connect = Connect { keep_alive_seconds: asked, ..v5("d") };
        let mut device = sandbox.connect(connect).await.expect("it connects");
        assert_eq!(device.connack().properties.server_keep_alive_seconds, given, "{asked} s");
        sandbox.advance(Duration::from_secs(lives_s - 1));
        device.ping().await.expect("it is in time");
        sandbox.advance(Duration::from_secs(lives_s));
        assert_eq!(device.closed().await, Closed::Reason(ReasonCode::KeepAliveTimeout), "{asked} s");
    }
}

/// Whether the node has closed the socket.
fn closed(socket: &TcpStream) -> bool {
    match socket.try_read(&mut [0; 64]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[tokio::test]
async fn mqtt_3_1_4_who_does_not_connect_is_cut_off() {
    let sandbox = Sandbox::new().await;
    let silent = sandbox.socket().await;
    let slow = sandbox.socket().await;
    let addresses = sandbox.addresses();
    let no_handshake = TcpStream::connect(addresses.mqtts).await.expect("the node listens");
    let no_https = TcpStream::connect(addresses.https).await.expect("the node listens");
    // Half a CONNECT.
    slow.try_write(b"\x10\x0d\x00\x04MQTT").expect("there is room");
    // One who has connected is not meant.
    let mut device = sandbox.device("d").await;
    for (name, socket) in
        [("silent", &silent), ("slow", &slow), ("no handshake", &no_handshake), ("no HTTPS", &no_https)]
    {
        sandbox.advance_until(Duration::from_secs(1), name, async || closed(socket)).await;
        device.ping().await.expect("it is connected");
    }
}
