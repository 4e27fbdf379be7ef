//! Clients that hold what they do not use: who does not move is let go, by a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use kernel::{Clock, ManualClock, Timestamp};
use testkit::{Sandbox, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::sigv4::Signer;

/// A node whose clients are slow by this clock.
async fn sandbox() -> (Sandbox, ManualClock) {
    let clock = ManualClock::new(Timestamp::from_millis(0));
    let setup = Setup { connection_clock: Arc::new(clock.clone()), ..Setup::default() };
    (Sandbox::with(setup).await, clock)
}

async fn connect(sandbox: &Sandbox) -> TcpStream {
    TcpStream::connect(sandbox.addresses().api).await.expect("the node listens")
}

/// What comes until the node closes, while time passes.
async fn until_closed(socket: &mut TcpStream, clock: &ManualClock, most: Duration) -> String {
    let (mut passed, step) = (Duration::ZERO, Duration::from_secs(1));
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        tokio::select! {
            biased;
            read = socket.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return String::from_utf8_lossy(&answer).into_owned(),
                Ok(n) => answer.extend_from_slice(&buffer[..n]),
            },
            () = tick() => {
                clock.advance(step);
                passed += step;
                assert!(passed < most, "still open after {passed:?}: {}", String::from_utf8_lossy(&answer));
            }
        }
    }
}

/// A moment in which the node can act on the time that has come.
#[expect(
    clippy::disallowed_methods,
    reason = "real time paces the other one; it is never what is waited for"
)]
pub(crate) async fn tick() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

const MINUTES: Duration = Duration::from_secs(180);

#[tokio::test]
async fn who_says_nothing_is_let_go() {
    let (sandbox, clock) = sandbox().await;
    for said in ["", "PRI * HT", "GET / HTTP/1.1\r\nhost: a\r\n"] {
        let mut socket = connect(&sandbox).await;
        socket.write_all(said.as_bytes()).await.expect("it is read");
        assert_eq!(until_closed(&mut socket, &clock, MINUTES).await, "", "{said:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_not_used_again_is_closed() {
    let (sandbox, clock) = sandbox().await;
    let mut socket = connect(&sandbox).await;
    let request = "GET /_headwater/health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    socket.write_all(request.as_bytes()).await.expect("it is read");
    let answer = until_closed(&mut socket, &clock, MINUTES).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("{\"status\":\"ready\"}"), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_move_is_not_waited_for() {
    let (sandbox, clock) = sandbox().await;
    let api = "x-amz-target: Firehose_20150804.PutRecord\r\ncontent-length: 1000\r\n\r\n{";
    let mut socket = connect(&sandbox).await;
    socket
        .write_all(format!("POST / HTTP/1.1\r\nhost: localhost\r\n{api}").as_bytes())
        .await
        .expect("it is read");
    let answer = until_closed(&mut socket, &clock, MINUTES).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"__type\":\"RequestTimeoutException\""), "{answer}");
    assert!(answer.contains("x-amzn-requestid"), "{answer}");
}

#[tokio::test]
async fn a_body_that_trickles_is_not_waited_for() {
    let (sandbox, clock) = sandbox().await;
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AWSGlue.GetTables\r\n\
                content-length: 100000\r\n\r\n";
    let mut socket = connect(&sandbox).await;
    socket.write_all(head.as_bytes()).await.expect("it is read");
    let (mut reader, mut writer) = socket.split();
    let (mut answer, mut sent) = ([0; 12], 0);
    loop {
        tokio::select! {
            biased;
            read = reader.read_exact(&mut answer) => {
                read.expect("an answer");
                break;
            }
            () = tick() => {
                // A byte each second.
                clock.advance(Duration::from_secs(1));
                writer.write_all(b" ").await.ok();
                sent += 1;
                assert!(sent < 180, "it still waits");
            }
        }
    }
    assert_eq!(std::str::from_utf8(&answer).expect("text"), "HTTP/1.1 408");
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_not_waited_for() {
    let (sandbox, clock) = sandbox().await;
    sandbox.bucket("lake").await;
    let api = sandbox.api();
    let large = Bytes::from(vec![b'x'; 64 << 20]);
    let put = api.send("s3", Method::PUT, "/lake/large", &[], large).await.expect("an answer");
    assert_eq!(put.status, 200, "{:?}", put.body);
    let before = sandbox.gauge("http_connections");
    // More than two sockets can hold between them.
    let host = [("host", "localhost")];
    let signer = Signer {
        access_key_id: &sandbox.key().access_key_id,
        secret_access_key: sandbox.key().secret_access_key.expose(),
        region: "us-east-1",
        service: "s3",
    };
    let uri = "/lake/large".parse().expect("a path");
    let signed = signer.sign(&Method::GET, &uri, &host, &Bytes::new(), sandbox.clock().now());
    let signed: String =
        signed.expect("a signature").iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut socket = connect(&sandbox).await;
    let request = format!("GET {uri} HTTP/1.1\r\nhost: localhost\r\n{signed}\r\n");
    socket.write_all(request.as_bytes()).await.expect("it is read");
    let mut begun = [0; 12];
    socket.read_exact(&mut begun).await.expect("an answer begins");
    assert_eq!(std::str::from_utf8(&begun).expect("text"), "HTTP/1.1 200");
    let mut passed = 0;
    sandbox
        .until("the connection is gone", async || {
            clock.advance(Duration::from_secs(1));
            passed += 1;
            sandbox.gauge("http_connections") < before + 1 && passed > 29
        })
        .await;
}
