//! What a peer may send that no client would: it is cut off, and everyone else is served.
//!
//! The classes of the vulnerabilities that brokers have had; the number is one of each class.

use std::time::Duration;

use mqtt::{Qos, ReasonCode, Retain};
use node::{Config, Quotas};
use testkit::{Identity, Sandbox, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{anything, connected};

/// How long the node may take to cut someone off, in real time.
const PATIENCE: Duration = Duration::from_secs(10);

/// CONNECT of MQTT 3.1.1 as `h`, clean, keep-alive 60.
const CONNECT_V311: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01h";
const CONNACK_V311: &[u8] = b"\x20\x02\x00\x00";

/// CONNECT of MQTT 5 as `h`, without properties.
const CONNECT_V5: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01h";

/// What the node says until it closes.
async fn said(sandbox: &Sandbox, sent: &[u8]) -> Vec<u8> {
    let mut socket = sandbox.socket().await;
    // The node may close before all of it is written.
    let (mut reader, mut writer) = socket.split();
    let mut answer = Vec::new();
    let exchange = async {
        let (_, _) = tokio::join!(writer.write_all(sent), async {
            // A reset ends it too.
            reader.read_to_end(&mut answer).await.ok();
        });
    };
    let waited = tokio::time::timeout(PATIENCE, exchange).await;
    assert!(waited.is_ok(), "not cut off within {PATIENCE:?}: {:x?}", &sent[..sent.len().min(64)]);
    answer
}

async fn everyone_else_is_served(sandbox: &Sandbox) {
    let mut device = sandbox.device("bystander").await;
    device.subscribe("a", Qos::AtLeastOnce).await.expect("it is granted");
    device.publish("a", "x").await;
    device.message().await.expect("a message");
}

/// Sends each, connected before, and expects the end of the connection.
async fn after_connect(packets: &[(&str, &[u8])]) {
    let sandbox = Sandbox::new().await;
    for (name, packet) in packets {
        let answer = said(&sandbox, &[CONNECT_V311, packet].concat()).await;
        assert_eq!(answer, CONNACK_V311, "{name}");
    }
    everyone_else_is_served(&sandbox).await;
}

#[tokio::test]
async fn mqtt_3_1_0_1_the_first_packet_is_a_connect() {
    let sandbox = Sandbox::new().await;
    let first: &[(&str, &[u8])] = &[
        ("PUBLISH", b"\x30\x04\x00\x01aX"),
        ("SUBSCRIBE", b"\x82\x06\x00\x01\x00\x01a\x00"),
        ("PINGREQ", b"\xc0\x00"),
        ("DISCONNECT", b"\xe0\x00"),
        ("CONNACK (CVE-2021-28166)", b"\x20\x02\x00\x00"),
        ("a packet of 256 MiB (CVE-2023-0809)", b"\x30\xff\xff\xff\x7f"),
        ("a length of five bytes", b"\x10\xff\xff\xff\xff\x7f"),
        ("type 0", b"\x00\x00"),
        ("HTTP", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        ("zeros", &[0; 64]),
    ];
    for (name, packet) in first {
        assert_eq!(said(&sandbox, packet).await, b"", "{name}");
    }
    everyone_else_is_served(&sandbox).await;
}

#[tokio::test]
async fn a_connect_that_is_malformed() {
    let sandbox = Sandbox::new().await;
    let connects: &[(&str, &[u8], &[u8])] = &[
        ("another protocol", b"\x10\x0d\x00\x04MQIT\x04\x02\x00\x3c\x00\x01h", b""),
        (
            "mqtt_3_1_2_2_an unknown level",
            b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x3c\x00\x01h",
            b"\x20\x03\x00\x84\x00",
        ),
        ("mqtt_3_1_2_3_the reserved flag", b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x3c\x00\x01h", b""),
        ("a will flag without a will", b"\x10\x0d\x00\x04MQTT\x04\x06\x00\x3c\x00\x01h", b""),
        ("a password without a name", b"\x10\x10\x00\x04MQTT\x04\x42\x00\x3c\x00\x01h\x00\x01p", b""),
        ("a client id longer than the packet", b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\xff\xffh", b""),
        ("more than its fields", b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x01h!!", b""),
        ("a client id that is not UTF-8", b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01\xff", b""),
        ("mqtt_1_5_3_2_a client id with NUL", b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01\x00", b""),
    ];
    for (name, packet, expected) in connects {
        let answer = said(&sandbox, packet).await;
        assert_eq!(answer, *expected, "{name}");
    }
    everyone_else_is_served(&sandbox).await;
}

#[tokio::test]
async fn v5_a_connect_with_bad_properties_is_malformed() {
    // The class of CVE-2023-3592: a will, then properties that are not.
    let sandbox = Sandbox::new().await;
    let connects: &[(&str, &[u8])] = &[
        ("an unknown property", b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x02\x7f\x00\x00\x01h"),
        ("a property twice", b"\x10\x14\x00\x04MQTT\x05\x02\x00\x3c\x06\x21\x00\x01\x21\x00\x01\x00\x01h"),
        ("a receive maximum of 0", b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x03\x21\x00\x00\x00\x01h"),
        ("properties longer than the packet", b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x7f\x00\x01h"),
        (
            "a will with an unknown property",
            b"\x10\x16\x00\x04MQTT\x05\x06\x00\x3c\x00\x00\x01h\x02\x7f\x00\x00\x01w\x00\x01x",
        ),
    ];
    for (name, packet) in connects {
        let answer = said(&sandbox, packet).await;
        // CONNACK with a failure.
        assert!(answer.is_empty() || (answer[0] == 0x20 && answer[3] >= 0x80), "{name}: {answer:x?}");
    }
    everyone_else_is_served(&sandbox).await;
}

#[tokio::test]
async fn mqtt_3_1_0_2_a_second_connect() {
    after_connect(&[("CONNECT", CONNECT_V311)]).await;
}

#[tokio::test]
async fn a_packet_that_only_a_server_sends() {
    after_connect(&[
        ("CONNACK (CVE-2021-28166)", b"\x20\x02\x00\x00"),
        ("SUBACK", b"\x90\x03\x00\x01\x00"),
        ("UNSUBACK", b"\xb0\x02\x00\x01"),
        ("PINGRESP", b"\xd0\x00"),
    ])
    .await;
}

#[tokio::test]
async fn a_packet_that_is_malformed() {
    let deep = [b"\x30\xff\x7f\x3f\xfd".as_slice(), &[b'/'; 16381]].concat();
    after_connect(&[
        ("mqtt_3_3_1_4_a publish at QoS 3", b"\x36\x06\x00\x01a\x00\x01X"),
        ("mqtt_2_3_1_1_a publish with packet id 0", b"\x32\x05\x00\x01a\x00\x00"),
        ("a publish to nowhere (CVE-2021-34432)", b"\x30\x03\x00\x00X"),
        ("a publish without a topic", b"\x30\x00"),
        ("a topic longer than the packet", b"\x30\x03\xff\xffa"),
        ("mqtt_3_3_2_2_a publish to a wildcard", b"\x30\x04\x00\x01#X"),
        ("mqtt_1_5_3_2_a topic with NUL", b"\x30\x04\x00\x01\x00X"),
        ("a topic that is not UTF-8", b"\x30\x04\x00\x01\xffX"),
        ("a topic of ten thousand levels (CVE-2017-7654)", &deep),
        ("mqtt_3_8_3_3_a subscribe to nothing", b"\x82\x02\x00\x01"),
        ("mqtt_3_8_1_1_a subscribe with other flags", b"\x80\x06\x00\x01\x00\x01a\x00"),
        ("mqtt_3_8_3_4_a subscribe at QoS 3", b"\x82\x06\x00\x01\x00\x01a\x03"),
        ("mqtt_3_10_3_2_an unsubscribe from nothing", b"\xa2\x02\x00\x01"),
        ("a puback of one byte", b"\x40\x01\x00"),
        ("a ping with a body", b"\xc0\x01\x00"),
        ("PUBREL of nothing (CVE-2023-28366)", b"\x62\x02\x00\x01"),
        ("type 0", b"\x00\x00"),
        ("type 15", b"\xf0\x00"),
        ("a length of five bytes", b"\x30\xff\xff\xff\xff\x7f"),
        ("a packet of 256 MiB", b"\x30\xff\xff\xff\x7f"),
    ])
    .await;
}

#[tokio::test]
async fn an_acknowledgement_of_nothing_is_nothing() {
    let sandbox = Sandbox::new().await;
    let answer =
        said(&sandbox, &[CONNECT_V311, b"\x40\x02\x00\x07", b"\xc0\x00", b"\xe0\x00"].concat()).await;
    assert_eq!(answer, [CONNACK_V311, b"\xd0\x00"].concat());
}

#[tokio::test]
async fn v5_more_user_properties_than_anyone_needs() {
    // The class of CVE-2021-41039.
    let sandbox = Sandbox::new().await;
    let properties = b"\x26\x00\x00\x00\x00".repeat(2000);
    let mut publish = b"\x30".to_vec();
    varint(&mut publish, 3 + 2 + properties.len() as u32);
    publish.extend(b"\x00\x01a");
    varint(&mut publish, properties.len() as u32);
    publish.extend(properties);
    let answer = said(&sandbox, &[CONNECT_V5, &publish].concat()).await;
    // CONNACK, then DISCONNECT with "quota exceeded".
    assert!(
        answer.starts_with(b"\x20") && answer.ends_with(b"\xe0\x02\x97\x00")
            || answer.ends_with(b"\xe0\x01\x97"),
        "{answer:x?}"
    );
    everyone_else_is_served(&sandbox).await;
}

fn varint(out: &mut Vec<u8>, mut value: u32) {
    loop {
        let byte = (value % 128) as u8;
        value /= 128;
        if value == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

#[tokio::test]
async fn a_connect_byte_by_byte_is_a_connect() {
    let sandbox = Sandbox::new().await;
    let mut socket = sandbox.socket().await;
    socket.set_nodelay(true).expect("it is a TCP socket");
    for byte in CONNECT_V311 {
        socket.write_all(&[*byte]).await.expect("it is read");
    }
    let mut answer = [0; 4];
    socket.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(answer, CONNACK_V311);
}

#[tokio::test]
async fn packets_of_chance_harm_nobody() {
    let sandbox = Sandbox::new().await;
    for seed in 0..100 {
        let entropy = kernel::Entropy::seeded(seed);
        let mut sent = if seed % 2 == 0 { CONNECT_V311.to_vec() } else { CONNECT_V5.to_vec() };
        for _ in 0..16 {
            sent.extend(entropy.bytes::<32>());
        }
        let mut socket = sandbox.socket().await;
        // Cut off, or waiting for the rest of a packet.
        socket.write_all(&sent).await.ok();
        socket.shutdown().await.ok();
        let mut answer = Vec::new();
        let waited = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut answer)).await;
        assert!(waited.is_ok(), "seed {seed}: the connection does not end");
    }
    everyone_else_is_served(&sandbox).await;
}

#[tokio::test]
async fn a_flood_of_one_account_is_slowed_and_nobody_else() {
    const FLOOD: usize = 100;
    let setup = Setup::default();
    let config = Config { quotas: Quotas { publishes: 50, ..Quotas::UNBOUNDED }, ..setup.config.clone() };
    let sandbox = Sandbox::with(Setup { config, ..setup }).await;
    let hostile = sandbox.create_account("111111111111").await;
    let hostile = Identity::create(&hostile, "flood", &anything()).await;
    let ours = sandbox.identity("sensor", &anything()).await;
    let mut flood = connected(&sandbox, &hostile).await;
    let tokens: Vec<u64> =
        (0..FLOOD).map(|_| flood.request("a", "x", Qos::AtLeastOnce, Retain::No)).collect();
    // Time stands still: all that it may have is a second's worth, and one.
    assert_eq!(flood.published(tokens[50]).await, Ok(ReasonCode::Success));
    let mut device = connected(&sandbox, &ours).await;
    for _ in 0..50 {
        device.publish("a", "x").await;
    }
    assert_eq!(sandbox.counter("iot_publish_in_total"), 51 + 50);
    // What it sent is not lost.
    let mut root = sandbox.device("root").await;
    let all = async || {
        root.ping().await.expect("it is connected");
        sandbox.counter("iot_publish_in_total") == FLOOD as i64 + 50
    };
    sandbox.advance_until(Duration::from_secs(1), "all of it is in", all).await;
    assert_eq!(flood.published(tokens[FLOOD - 1]).await, Ok(ReasonCode::Success));
}
