//! The API port itself: health, bounds, connections.

use bytes::Bytes;
use http::{Method, Request};
use node::Config;
use serde_json::json;
use testkit::{Closed, HttpConnection, Sandbox, Setup, elements};
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

/// What is answered to these bytes until the node closes: they must be something after which it does.
async fn raw(sandbox: &Sandbox, request: &str) -> String {
    let mut socket = TcpStream::connect(sandbox.addresses().api).await.expect("the node listens");
    // The node may have answered and closed before it has read all of it.
    socket.write_all(request.as_bytes()).await.ok();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.ok();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_two_servers_may_read_differently_is_refused() {
    let sandbox = Sandbox::new().await;
    let refused = [
        // No host, two hosts, none that is one, and a target that names another.
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: user@a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost:\r\n\r\n",
        "GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n",
        // No resource of this server.
        "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
        // Lengths that contradict each other, or are none; encodings that hide another.
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4, 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        // Folded headers and control characters.
        "GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n 2\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx: \u{1}\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx y: 1\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /a b HTTP/1.1\r\nhost: a\r\n\r\n",
    ];
    for request in refused {
        let answer = raw(&sandbox, request).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.0 400 "),
            "{request:?}: {answer}"
        );
        assert!(answer.contains("connection: close"), "{request:?}: {answer}");
    }
}

/// Both a length and an encoding: the encoding counts, and what follows is not read as a request.
#[tokio::test]
async fn a_request_cannot_be_smuggled_behind_another() {
    let sandbox = Sandbox::new().await;
    let smuggled = "GET /_headwater/health HTTP/1.1\r\nhost: a\r\n\r\n";
    for lengths in
        ["content-length: 4\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 4"]
    {
        let request =
            format!("POST /_headwater/nothing HTTP/1.1\r\nhost: a\r\n{lengths}\r\n\r\n0\r\n\r\n{smuggled}");
        let answer = raw(&sandbox, &request).await;
        assert!(answer.starts_with("HTTP/1.1 404 ") && !answer.contains("ready"), "{answer}");
    }
}

#[tokio::test]
async fn a_large_head_is_refused_with_a_sentence() {
    let sandbox = Sandbox::new().await;
    let large = "a".repeat(65 << 10);
    let many: String = (0..101).map(|n| format!("x-{n}: 1\r\n")).collect();
    for head in [format!("x: {large}\r\n"), many] {
        let answer = raw(&sandbox, &format!("GET / HTTP/1.1\r\nhost: localhost\r\n{head}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(answer.contains("<Code>RequestHeaderSectionTooLarge</Code>"), "{answer}");
        assert!(answer.contains("x-amz-request-id: "), "{answer}");
        let target = format!("x-amz-target: AWSGlue.GetTables\r\n{head}");
        let answer = raw(&sandbox, &format!("POST / HTTP/1.1\r\nhost: localhost\r\n{target}\r\n")).await;
        assert!(answer.contains("\"__type\":\"RequestHeaderSectionTooLarge\""), "{answer}");
        assert!(answer.contains("x-amzn-requestid: "), "{answer}");
    }
    // Without an end, hyper cuts it off.
    let answer =
        raw(&sandbox, &format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}", "a".repeat(4 << 20))).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(get(&sandbox, "/_headwater/health").await.status(), 200);
}

#[tokio::test]
async fn a_path_is_taken_as_it_is_written() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    let api = sandbox.api();
    for key in ["%C3%A4", "a//b", "%25", "..", "a/../../b"] {
        let path = format!("/lake/{key}");
        let put = api.send("s3", Method::PUT, &path, &[], Bytes::from_static(b"x")).await.expect("an answer");
        assert_eq!(put.status, 200, "{key}: {:?}", put.body);
        let got = api.send("s3", Method::GET, &path, &[], Bytes::new()).await.expect("an answer");
        assert_eq!(got.body.as_ref(), b"x", "{key}");
    }
    // NUL is no part of a key, and neither is what is no UTF-8.
    for path in ["/lake/%00", "/lake/%FF"] {
        let refused = api.send("s3", Method::GET, path, &[], Bytes::new()).await.expect("an answer");
        assert_eq!(refused.status, 400, "{path}: {:?}", refused.body);
    }
}

#[tokio::test]
async fn a_host_of_a_service_that_is_not_there_is_no_bucket() {
    let sandbox = Sandbox::new().await;
    for host in ["abc.lambda-url.us-east-1.localhost", "abc.execute-api.us-east-1.localhost:4566"] {
        let answer =
            raw(&sandbox, &format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")).await;
        assert!(
            answer.starts_with("HTTP/1.1 403 ") && answer.contains("\"message\":\"Forbidden\""),
            "{answer}"
        );
        assert!(answer.contains("x-amzn-requestid: "), "{answer}");
    }
}

#[tokio::test]
async fn whoever_waits_for_leave_to_send_a_body_gets_it() {
    let sandbox = Sandbox::new().await;
    let mut socket = TcpStream::connect(sandbox.addresses().api).await.expect("the node listens");
    let head = "POST /_headwater/nothing HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\
                expect: 100-continue\r\n\r\n";
    socket.write_all(head.as_bytes()).await.expect("it is read");
    let mut leave = [0; 25];
    socket.read_exact(&mut leave).await.expect("leave");
    assert_eq!(std::str::from_utf8(&leave).expect("text"), "HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(b"{}").await.expect("it is read");
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(std::str::from_utf8(&answer).expect("text"), "HTTP/1.1 404");
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

/// What a client writes about where it comes from is not believed.
#[tokio::test]
async fn a_forwarded_address_is_nobodys_address() {
    let setup = Setup::default();
    let sandbox =
        Sandbox::with(Setup { config: Config { auth: iam::Mode::Enforce, ..setup.config }, ..setup }).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let root = sandbox.api();
    let call = async |body: String| {
        let answer = root.send("iam", Method::POST, "/", &form, Bytes::from(body)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    call("Action=CreateUser&Version=2010-05-08&UserName=away".to_owned()).await;
    let document = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}]});
    let document: String =
        percent_encoding::utf8_percent_encode(&document.to_string(), percent_encoding::NON_ALPHANUMERIC)
            .to_string();
    call(format!(
        "Action=PutUserPolicy&Version=2010-05-08&UserName=away&PolicyName=p&PolicyDocument={document}"
    ))
    .await;
    let made = call("Action=CreateAccessKey&Version=2010-05-08&UserName=away".to_owned()).await;
    let element = |name: &str| elements(&made, name).next().expect("an element").to_owned();
    let key = iam::RootKey::new(element("AccessKeyId"), element("SecretAccessKey"));
    let away = sandbox.client(&key, "us-east-1");
    for header in ["x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip"] {
        let said = [(header, if header == "forwarded" { "for=203.0.113.9" } else { "203.0.113.9" })];
        let answer = away.send("iot", Method::GET, "/things", &said, Bytes::new()).await.expect("an answer");
        assert_eq!(answer.status, 403, "{header}: {:?}", answer.body);
    }
}
