//! Who gets in: the certificate that a device proves to own must be registered and active, now.

use bytes::Bytes;
use http::Method;
use mqtt::{Qos, ReasonCode};
use serde_json::json;
use testkit::{Closed, Identity, Sandbox};

use crate::common::{anything, connected, refused_by_tls, v5, v311};

async fn set_status(sandbox: &Sandbox, identity: &Identity, status: &str) {
    let path = format!("/certificates/{}?newStatus={status}", identity.certificate_id);
    let answer = sandbox.api().rest("iot", Method::PUT, &path, "").await;
    answer.unwrap_or_else(|error| panic!("{path}: {error}"));
}

#[tokio::test]
async fn a_registered_certificate_publishes_and_receives() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    for connect in [v311("sensor"), v5("sensor")] {
        let mut device = sandbox.connect_as(&identity, connect).await.expect("it is registered");
        assert_eq!(device.subscribe("a/b", Qos::AtLeastOnce).await, Ok(ReasonCode::GrantedQos1));
        device.publish("a/b", "over TLS").await;
        assert_eq!(device.message().await.expect("a message").message.payload, "over TLS");
        device.disconnect().await;
    }
}

#[tokio::test]
async fn a_certificate_works_on_after_a_crash() {
    let mut sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    let ca = sandbox.node().ca_certificate_pem();
    sandbox.crash().await;
    assert_eq!(sandbox.node().ca_certificate_pem(), ca, "the CA is the same one");
    connected(&sandbox, &identity).await.publish("a", "x").await;
}

#[tokio::test]
async fn the_protocol_may_be_named_in_the_handshake() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    let ca = sandbox.node().ca_certificate_pem();
    for protocol in ["x-amzn-mqtt-ca", "mqtt"] {
        let mut config = (*identity.tls(&ca, sandbox.clock())).clone();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let device = sandbox.connect_over(config.into(), v311("sensor")).await;
        assert!(device.is_ok(), "{protocol}: {:?}", device.err());
    }
    let mut config = (*identity.tls(&ca, sandbox.clock())).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let closed = sandbox.connect_over(config.into(), v311("sensor")).await.err().expect("it is not spoken");
    assert!(refused_by_tls(&closed), "{closed:?}");
}

#[tokio::test]
async fn no_certificate_is_refused() {
    let sandbox = Sandbox::new().await;
    let config = Identity::anonymous_tls(&sandbox.node().ca_certificate_pem(), sandbox.clock());
    let closed = sandbox.connect_over(config, v5("nobody")).await.err().expect("it has no certificate");
    assert!(refused_by_tls(&closed), "{closed:?}");
}

#[tokio::test]
async fn a_certificate_of_another_node_is_refused() {
    let sandbox = Sandbox::new().await;
    let elsewhere = Sandbox::with(testkit::Setup { seed: 2, ..testkit::Setup::default() }).await;
    let stranger = elsewhere.identity("sensor", &anything()).await;
    connected(&elsewhere, &stranger).await;
    let closed = sandbox.connect_as(&stranger, v5("sensor")).await.err().expect("it is not registered");
    assert!(refused_by_tls(&closed), "{closed:?}");
}

#[tokio::test]
async fn a_deleted_certificate_of_our_own_ca_is_refused() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    let api = sandbox.api();
    set_status(&sandbox, &identity, "INACTIVE").await;
    let principal = [("x-amzn-principal", identity.certificate_arn.as_str())];
    let detached =
        api.send("iot", Method::DELETE, "/things/sensor/principals", &principal, Bytes::new()).await;
    assert_eq!(detached.expect("an answer").status, 200);
    let target = json!({"target": identity.certificate_arn}).to_string();
    api.rest("iot", Method::POST, "/target-policies/sensor-policy", target).await.expect("it is detached");
    let path = format!("/certificates/{}", identity.certificate_id);
    api.rest("iot", Method::DELETE, &path, "").await.expect("it is deleted");
    let closed = sandbox.connect_as(&identity, v5("sensor")).await.err().expect("it is not there");
    assert!(refused_by_tls(&closed), "{closed:?}");
}

#[tokio::test]
async fn an_inactive_certificate_is_refused_until_it_is_active() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    for status in ["INACTIVE", "REVOKED"] {
        set_status(&sandbox, &identity, status).await;
        let closed = sandbox.connect_as(&identity, v5("sensor")).await.err().expect("it is not active");
        assert!(refused_by_tls(&closed), "{status}: {closed:?}");
    }
    set_status(&sandbox, &identity, "ACTIVE").await;
    connected(&sandbox, &identity).await.publish("a", "x").await;
}

#[tokio::test]
async fn a_deactivated_certificate_disconnects_its_devices() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    let other = sandbox.identity("other", &anything()).await;
    let mut first = connected(&sandbox, &identity).await;
    let mut second = sandbox.connect_as(&identity, v311("second")).await.expect("it is active");
    let mut bystander = connected(&sandbox, &other).await;
    set_status(&sandbox, &identity, "INACTIVE").await;
    assert_eq!(first.closed().await, Closed::Reason(ReasonCode::NotAuthorized));
    assert_eq!(second.closed().await, Closed::Silently);
    bystander.ping().await.expect("it is another certificate");
}

#[tokio::test]
async fn the_node_proves_itself_by_its_ca() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    let elsewhere = Sandbox::with(testkit::Setup { seed: 2, ..testkit::Setup::default() }).await;
    let config = identity.tls(&elsewhere.node().ca_certificate_pem(), sandbox.clock());
    let closed = sandbox.connect_over(config, v5("sensor")).await.err().expect("it trusts another CA");
    let Closed::Handshake(reason) = closed else { panic!("{closed:?}") };
    assert!(reason.contains("UnknownIssuer") || reason.contains("BadSignature"), "{reason}");
}

#[tokio::test]
async fn garbage_on_the_tls_ports_is_closed() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let sandbox = Sandbox::new().await;
    for address in [sandbox.addresses().mqtts, sandbox.addresses().https] {
        for garbage in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"]
        {
            let mut socket = tokio::net::TcpStream::connect(address).await.expect("the node listens");
            socket.write_all(garbage).await.expect("it is read");
            let mut answer = Vec::new();
            // At most an alert; perhaps a reset.
            socket.read_to_end(&mut answer).await.ok();
            assert!(answer.len() <= 7, "{answer:?}");
        }
    }
}
