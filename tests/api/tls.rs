//! The ports of the APIs and of the console over TLS.

use std::path::Path;

use bytes::Bytes;
use http::Request;
use node::{Config, TlsConfig};
use testkit::{Closed, HttpConnection, Identity, Sandbox, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn sandbox(tls: TlsConfig) -> Sandbox {
    Sandbox::with(Setup { config: Config { tls, ..Setup::default().config }, ..Setup::default() }).await
}

async fn health(sandbox: &Sandbox, ca_pem: &str) -> Result<u16, Closed> {
    let config = Identity::anonymous_tls(ca_pem, sandbox.clock());
    let mut connection = HttpConnection::tls(sandbox.addresses().api, config).await?;
    let request = Request::get("/_headwater/health").header("host", "localhost").body(Bytes::new());
    Ok(connection.send(request.expect("a request")).await?.status().as_u16())
}

#[tokio::test]
async fn the_nodes_own_certificate_is_for_its_names() {
    let sandbox = sandbox(TlsConfig::Own).await;
    let named =
        sandbox.api().rest("iot", http::Method::POST, "/things/t", "{}").await.expect("a thing is made");
    assert_eq!(named["thingName"], "t");
    let ca = sandbox.node().ca_certificate_pem();
    assert_eq!(health(&sandbox, &ca).await, Ok(200));
    assert!(sandbox.node().console_url().starts_with("https://"));
}

#[tokio::test]
async fn a_reset_brings_another_ca_and_its_certificate() {
    let sandbox = sandbox(TlsConfig::Own).await;
    let old = sandbox.node().ca_certificate_pem();
    let reset =
        sandbox.api().send("headwater", http::Method::POST, "/_headwater/reset", &[], Bytes::new()).await;
    assert_eq!(reset.expect("an answer").status, 200);
    let new = sandbox.node().ca_certificate_pem();
    assert_ne!(old, new);
    assert_eq!(health(&sandbox, &new).await, Ok(200));
    assert!(health(&sandbox, &old).await.is_err());
}

#[tokio::test]
async fn http_on_a_tls_port_is_told_so() {
    let sandbox = sandbox(TlsConfig::Own).await;
    let mut socket = TcpStream::connect(sandbox.addresses().api).await.expect("the node listens");
    socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("it is read");
    let mut answer = String::new();
    // The node had not read all of it.
    socket.read_to_string(&mut answer).await.ok();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("This port speaks HTTPS.\n"), "{answer}");
}

#[tokio::test]
async fn what_is_older_than_tls_1_2_is_refused() {
    let sandbox = sandbox(TlsConfig::Own).await;
    let mut socket = TcpStream::connect(sandbox.addresses().api).await.expect("the node listens");
    // A hello of TLS 1.0: version 3.1, one cipher suite, no compression, no extensions.
    let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1];
    hello.extend([0; 32]);
    hello.extend([0, 0, 2, 0, 47, 1, 0]);
    socket.write_all(&hello).await.expect("it is read");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.ok();
    // An alert, fatal.
    assert_eq!(answer.first().copied(), Some(21), "{answer:?}");
    assert_eq!(answer.get(5).copied(), Some(2), "{answer:?}");
}

/// A certificate of its own for `localhost`, as files.
fn certificate(folder: &Path) -> String {
    let key = rcgen::KeyPair::generate().expect("a key");
    let parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let pem = parameters.self_signed(&key).expect("a certificate").pem();
    std::fs::write(folder.join("cert.pem"), &pem).expect("a file is written");
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).expect("a file is written");
    pem
}

#[tokio::test]
async fn certificates_from_files_are_read_anew_when_they_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let files =
        TlsConfig::Files { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    let first = certificate(folder.path());
    let sandbox = sandbox(files).await;
    assert_eq!(health(&sandbox, &first).await, Ok(200));
    // One that does not fit is not taken, and the good one stays.
    std::fs::write(folder.path().join("key.pem"), "no key").expect("a file is written");
    sandbox.advance(std::time::Duration::from_secs(31));
    assert_eq!(health(&sandbox, &first).await, Ok(200));
    let second = certificate(folder.path());
    sandbox
        .advance_until(std::time::Duration::from_secs(31), "the new one is presented", async || {
            health(&sandbox, &second).await == Ok(200)
        })
        .await;
    assert!(health(&sandbox, &first).await.is_err());
}
