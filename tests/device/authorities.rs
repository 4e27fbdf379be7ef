//! The node's certificate authority, rotated and retired while devices are connected, and its revocation lists.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;
use testkit::{Closed, HttpConnection, Identity, Sandbox};

use crate::common::{anything, connected, v5};

async fn operate(sandbox: &Sandbox, method: Method, path: &str) -> Value {
    let answer = sandbox.api().send("headwater", method, path, &[], Bytes::new()).await.expect("an answer");
    assert!(answer.status.is_success(), "{path}: {:?}", answer.body);
    answer.json()
}

async fn get(sandbox: &Sandbox, path: &str) -> Bytes {
    let request = Request::get(path).header("host", "localhost").body(Bytes::new()).expect("a request");
    let answer = HttpConnection::plain(sandbox.addresses().api).await.send(request).await.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    answer.into_body()
}

/// Whether a device that knows the node by these CAs can connect.
async fn trusts(sandbox: &Sandbox, identity: &Identity, ca: &str) -> bool {
    match sandbox.connect_over(identity.tls(ca, sandbox.clock()), v5("any")).await {
        Ok(_) => true,
        Err(Closed::Handshake(_)) => false,
        Err(closed) => panic!("{closed:?}"),
    }
}

#[tokio::test]
async fn a_ca_is_rotated_and_retired_while_devices_are_connected() {
    let mut sandbox = Sandbox::new().await;
    let old_device = sandbox.identity("old", &anything()).await;
    let mut device = connected(&sandbox, &old_device).await;
    let old_ca = sandbox.node().ca_certificate_pem();
    let before = operate(&sandbox, Method::GET, "/_headwater/ca").await;
    let rotated = operate(&sandbox, Method::POST, "/_headwater/ca/rotate").await;
    assert_eq!(rotated["replaced"][0], before["signing"]);
    let both = sandbox.node().ca_certificate_pem();
    assert_eq!(get(&sandbox, "/_headwater/ca.pem").await, both.as_bytes());
    let new_ca = both.strip_suffix(&*old_ca).expect("the old one is the last").to_owned();
    let new_device = sandbox.identity("new", &anything()).await;
    // Either device, by either CA; and who was connected stays so.
    for identity in [&old_device, &new_device] {
        for ca in [&*old_ca, &*both, &*new_ca] {
            sandbox.until("the listener presents it", async || trusts(&sandbox, identity, ca).await).await;
        }
    }
    device.publish("a", "x").await;
    sandbox.crash().await;
    assert_eq!(sandbox.node().ca_certificate_pem(), both);
    operate(&sandbox, Method::POST, "/_headwater/ca/retire").await;
    assert_eq!(*sandbox.node().ca_certificate_pem(), *new_ca);
    sandbox.until("the old CA is gone", async || !trusts(&sandbox, &old_device, &old_ca).await).await;
    for identity in [&old_device, &new_device] {
        assert!(trusts(&sandbox, identity, &new_ca).await, "{}", identity.thing);
    }
}

#[tokio::test]
async fn the_old_ca_s_devices_are_revoked_as_any_other() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("old", &anything()).await;
    operate(&sandbox, Method::POST, "/_headwater/ca/rotate").await;
    let empty = get(&sandbox, "/_headwater/ca.crl.pem").await;
    let path = format!("/certificates/{}?newStatus=REVOKED", identity.certificate_id);
    sandbox.api().rest("iot", Method::PUT, &path, "").await.expect("it is revoked");
    assert!(sandbox.connect_as(&identity, v5("old")).await.is_err());
    let lists = get(&sandbox, "/_headwater/ca.crl.pem").await;
    assert!(lists.len() > empty.len(), "it is on a list now");
    assert_eq!(String::from_utf8_lossy(&lists).matches("BEGIN X509 CRL").count(), 2);
    // A sequence, in DER.
    assert_eq!(get(&sandbox, "/_headwater/ca.crl").await.first(), Some(&0x30));
}

#[tokio::test]
async fn only_the_operator_rotates() {
    let sandbox = Sandbox::new().await;
    let other = sandbox.create_account("111111111111").await;
    for (method, path) in [
        (Method::GET, "/_headwater/ca"),
        (Method::POST, "/_headwater/ca/rotate"),
        (Method::POST, "/_headwater/ca/retire"),
    ] {
        let refused = other.send("headwater", method.clone(), path, &[], Bytes::new()).await;
        assert_eq!(refused.expect("an answer").status, 403, "{path}");
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.body(Bytes::new()).expect("a request");
        let answer = HttpConnection::plain(sandbox.addresses().api).await.send(request).await;
        assert_eq!(answer.expect("an answer").status(), 403, "{path} without a signature");
    }
    // Nothing to retire.
    let api = sandbox.api();
    let refused = api.send("headwater", Method::POST, "/_headwater/ca/retire", &[], Bytes::new()).await;
    assert_eq!(refused.expect("an answer").status, 400);
}

#[tokio::test]
async fn a_node_that_runs_for_a_year_is_one_that_devices_trust() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    let ca = sandbox.node().ca_certificate_pem();
    for _ in 0..13 {
        sandbox.advance(Duration::from_secs(31 * 24 * 3600));
        sandbox.until("the certificate is renewed", async || trusts(&sandbox, &identity, &ca).await).await;
    }
}
