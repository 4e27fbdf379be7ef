//! Publish over HTTPS with a client certificate.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/http.html>

use bytes::Bytes;
use http::{Method, Request, Response};
use mqtt::Qos;
use serde_json::{Value, json};
use testkit::{Closed, HttpConnection, Identity, Sandbox};

use crate::common::{allow, anything, refused_by_tls, text};

async fn post(connection: &mut HttpConnection, path: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    send(connection, Method::POST, path, body).await
}

async fn send(
    connection: &mut HttpConnection,
    method: Method,
    path: &str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost").body(body.into());
    connection.send(request.expect("a request")).await.unwrap_or_else(|closed| panic!("{path}: {closed:?}"))
}

#[tokio::test]
async fn what_is_posted_is_published() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    let mut subscriber = sandbox.device("subscriber").await;
    subscriber.subscribe("#", Qos::AtLeastOnce).await.expect("it is granted");
    let mut connection = sandbox.https(&identity).await.expect("it is registered");
    for (path, topic, qos) in [
        ("/topics/a/b?qos=1", "a/b", Qos::AtLeastOnce),
        ("/topics/a%2Fb%20c?qos=1", "a/b c", Qos::AtLeastOnce),
        ("/topics/a?qos=0", "a", Qos::AtMostOnce),
        ("/topics/a", "a", Qos::AtMostOnce),
        ("/topics//health/You?qos=1", "/health/You", Qos::AtLeastOnce),
    ] {
        let answer = post(&mut connection, path, r#"{"t": 21}"#).await;
        let body: Value = serde_json::from_slice(answer.body()).expect("JSON");
        assert_eq!((answer.status().as_u16(), &body["message"]), (200, &json!("OK")), "{path}");
        assert!(body["traceId"].is_string(), "{path}: {body}");
        let message = subscriber.message().await.expect("a message");
        assert_eq!(
            (text(&message), message.delivery.qos()),
            (format!("{topic} {{\"t\": 21}}"), qos),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_forbidden() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &json!([allow("iot:Publish", "topic/a")])).await;
    let mut connection = sandbox.https(&identity).await.expect("it is registered");
    assert_eq!(post(&mut connection, "/topics/a?qos=1", "x").await.status(), 200);
    assert_eq!(post(&mut connection, "/topics/b?qos=1", "x").await.status(), 403);
    assert_eq!(post(&mut connection, "/topics/a?qos=1&retain=true", "x").await.status(), 403);
    assert_eq!(post(&mut connection, "/topics/a?qos=1", "the connection goes on").await.status(), 200);
}

#[tokio::test]
async fn a_message_may_be_retained() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    let mut connection = sandbox.https(&identity).await.expect("it is registered");
    assert_eq!(post(&mut connection, "/topics/kept?qos=1&retain=true", "x").await.status(), 200);
    let mut subscriber = sandbox.device("subscriber").await;
    subscriber.subscribe("kept", Qos::AtLeastOnce).await.expect("it is granted");
    assert!(subscriber.message().await.expect("the retained one").retain);
}

#[tokio::test]
async fn what_is_no_publish_is_refused() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    for (method, path, body, status) in [
        (Method::GET, "/topics/a", 0, 405),
        (Method::POST, "/topics/", 0, 404),
        (Method::POST, "/", 0, 404),
        (Method::POST, "/things/x/shadow", 0, 404),
        (Method::POST, "/topics/a?qos=2", 0, 400),
        (Method::POST, "/topics/a?qos=x", 0, 400),
        (Method::POST, "/topics/%23", 0, 400),
        (Method::POST, "/topics/%FF", 0, 400),
        (Method::POST, "/topics/$SYS", 0, 400),
        (Method::POST, "/topics/1/2/3/4/5/6/7/8/9", 0, 400),
        (Method::POST, "/topics/a?qos=1", 128 * 1024, 200),
        (Method::POST, "/topics/a?qos=1", 128 * 1024 + 1, 413),
    ] {
        let mut connection = sandbox.https(&identity).await.expect("it is registered");
        let answer = send(&mut connection, method, path, vec![b'x'; body]).await;
        assert_eq!(answer.status(), status, "{path} with {body} bytes: {:?}", answer.body());
    }
}

#[tokio::test]
async fn who_is_not_registered_or_not_active_is_refused() {
    let sandbox = Sandbox::new().await;
    let elsewhere = Sandbox::with(testkit::Setup { seed: 2, ..testkit::Setup::default() }).await;
    let ca = sandbox.node().ca_certificate_pem();
    let stranger = elsewhere.identity("sensor", &anything()).await;
    let inactive = sandbox.identity("inactive", &anything()).await;
    let path = format!("/certificates/{}?newStatus=INACTIVE", inactive.certificate_id);
    sandbox.api().rest("iot", Method::PUT, &path, "").await.expect("it is changed");
    for (name, config) in [
        ("stranger", stranger.tls(&ca, sandbox.clock())),
        ("inactive", inactive.tls(&ca, sandbox.clock())),
        ("nobody", Identity::anonymous_tls(&ca, sandbox.clock())),
    ] {
        let closed = match HttpConnection::tls(sandbox.addresses().https, config).await {
            Err(closed) => closed,
            // TLS 1.3 tells when it is read.
            Ok(mut connection) => {
                let request = Request::post("/topics/a").header("host", "localhost").body(Bytes::new());
                let answer = connection.send(request.expect("a request")).await;
                answer.err().unwrap_or_else(|| panic!("{name} is let in"))
            }
        };
        assert!(refused_by_tls(&closed), "{name}: {closed:?}");
    }
}

#[tokio::test]
async fn a_certificate_deactivated_meanwhile_may_publish_no_more() {
    let sandbox = Sandbox::new().await;
    let identity = sandbox.identity("sensor", &anything()).await;
    let mut connection = sandbox.https(&identity).await.expect("it is registered");
    assert_eq!(post(&mut connection, "/topics/a", "x").await.status(), 200);
    let path = format!("/certificates/{}?newStatus=INACTIVE", identity.certificate_id);
    sandbox.api().rest("iot", Method::PUT, &path, "").await.expect("it is changed");
    let request = Request::post("/topics/a").header("host", "localhost").body(Bytes::new());
    match connection.send(request.expect("a request")).await {
        Ok(answer) => assert_eq!(answer.status(), 403),
        Err(closed) => assert_eq!(closed, Closed::Silently),
    }
}
