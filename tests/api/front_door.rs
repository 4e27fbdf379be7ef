//! The API port itself: health, bounds, connections.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::json;
use testkit::{Closed, HttpConnection, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn get(sandbox: &Sandbox, path: &str) -> http::Response<Bytes> {
    let request = Request::get(path).header("host", "localhost").body(Bytes::new()).expect("a request");
    HttpConnection::plain(sandbox.addresses().api).await.send(request).await.expect("an answer")
}

#[tokio::test]
async fn health_is_for_everyone() {
    let sandbox = Sandbox::new().await;
    let answer = get(&sandbox, "/_headwater/health").await;
    assert_eq!(
        (answer.status().as_u16(), answer.body().as_ref()),
        (200, br#"{"status":"ready"}"#.as_slice())
    );
    assert_eq!(get(&sandbox, "/_headwater/nothing").await.status(), 404);
}

#[tokio::test]
async fn the_ca_certificate_is_for_everyone() {
    let sandbox = Sandbox::new().await;
    let answer = get(&sandbox, "/_headwater/ca.pem").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(String::from_utf8_lossy(answer.body()), *sandbox.node().ca_certificate_pem());
    assert!(answer.body().starts_with(b"-----BEGIN CERTIFICATE-----"));
}

#[tokio::test]
async fn a_body_of_twenty_mebibytes_is_too_large_for_an_operation() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let target = [("x-amz-target", "Firehose_20150804.PutRecord")];
    let large = Bytes::from(vec![b' '; 20 << 20]);
    for (service, path, headers) in [
        ("firehose", "/", target.as_slice()),
        ("iot", "/things/x", &[]),
        ("headwater", "/_headwater/reset", &[]),
    ] {
        // The node may close before it has read all of it, which a client sees as a broken pipe.
        if let Ok(answer) = api.send(service, Method::POST, path, headers, large.clone()).await {
            assert_eq!(answer.status, 413, "{path}: {:?}", answer.body);
        }
    }
    let answer = get(&sandbox, "/_headwater/health").await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_body_said_to_be_too_large_is_refused_before_it_is_sent() {
    let sandbox = Sandbox::new().await;
    let mut socket = TcpStream::connect(sandbox.addresses().api).await.expect("the node listens");
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: Firehose_20150804.PutRecord\r\n\
                content-length: 20971520\r\nexpect: 100-continue\r\n\r\n";
    socket.write_all(head.as_bytes()).await.expect("it is read");
    let mut answer = [0; 16];
    socket.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(std::str::from_utf8(&answer).expect("text"), "HTTP/1.1 413 Pay");
}

#[tokio::test]
async fn a_head_without_end_is_cut_off() {
    let sandbox = Sandbox::new().await;
    let mut socket = TcpStream::connect(sandbox.addresses().api).await.expect("the node listens");
    socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx-long: ").await.expect("it is read");
    // The node closes in the middle of this, at the latest when it has read twice what a head may have.
    for _ in 0..4096 {
        if socket.write_all(&[b'a'; 1024]).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    // Reset, if the node had not read everything.
    socket.read_to_end(&mut answer).await.ok();
    let text = String::from_utf8_lossy(&answer);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 431 "), "{text}");
    assert_eq!(get(&sandbox, "/_headwater/health").await.status(), 200);
}

#[tokio::test]
async fn garbage_is_answered_and_closed() {
    let sandbox = Sandbox::new().await;
    for garbage in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n",
    ] {
        let mut socket = TcpStream::connect(sandbox.addresses().api).await.expect("the node listens");
        socket.write_all(garbage.as_bytes()).await.expect("it is read");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.ok();
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 400 "), "{garbage:?}: {text}");
    }
    assert_eq!(get(&sandbox, "/_headwater/health").await.status(), 200);
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let sandbox = Sandbox::new().await;
    let mut connection = HttpConnection::plain(sandbox.addresses().api).await;
    for _ in 0..100 {
        let request = Request::get("/_headwater/health").header("host", "localhost").body(Bytes::new());
        let answer = connection.send(request.expect("a request")).await.expect("an answer");
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn an_ordered_end_closes_the_connections() {
    let sandbox = Sandbox::new().await;
    let mut connection = HttpConnection::plain(sandbox.addresses().api).await;
    let request = || Request::get("/_headwater/health").header("host", "localhost").body(Bytes::new());
    assert_eq!(connection.send(request().expect("a request")).await.expect("an answer").status(), 200);
    sandbox.node().shutdown().await;
    assert_eq!(
        connection.send(request().expect("a request")).await.expect_err("it is closed"),
        Closed::Silently
    );
}

#[tokio::test]
async fn a_hundred_clients_at_once_are_served() {
    let sandbox = Sandbox::new().await;
    let calls = (0..100).map(|n| {
        let api = sandbox.api();
        async move { api.rest("iot", Method::POST, &format!("/things/t{n}"), "{}").await }
    });
    for made in futures::future::join_all(calls).await {
        made.expect("a thing is made");
    }
    let listed = sandbox.api().rest("iot", Method::GET, "/things?maxResults=250", "").await.expect("a list");
    assert_eq!(listed["things"].as_array().expect("a list").len(), 100);
    assert_eq!(listed.get("nextToken"), None, "{}", json!(listed));
}
