//! A presigned URL lets whoever has it do one thing for a while.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use kernel::{Clock, ManualClock, Timestamp};
use node::{Config, Stores};
use testkit::{HttpConnection, Sandbox, Setup, elements};

use crate::signing::Signing;

/// 2090-01-01: the protocol layer asks the system's clock as well, by which nothing here has expired.
const LATER: Timestamp = Timestamp::from_millis(3_786_912_000_000);

/// A sandbox with the object `k` in the bucket `lake`, in which presigned requests are not over.
pub(crate) async fn sandbox() -> Sandbox {
    let clock = ManualClock::new(LATER);
    let usual = Setup::default();
    let log =
        std::sync::Arc::new(store::log::memory::MemoryCommitLog::new(std::sync::Arc::new(clock.clone())));
    let setup = Setup {
        config: Config::default(),
        stores: Stores { log, ..usual.stores },
        clock,
        ..Setup::default()
    };
    let sandbox = Sandbox::with(setup).await;
    sandbox.bucket("lake").await;
    sandbox.put("lake", "k", "content").await;
    sandbox
}

async fn send(sandbox: &Sandbox, method: Method, url: &str, body: &'static str) -> Response<Bytes> {
    let host = sandbox.addresses().api.to_string();
    let request = Request::builder().method(method).uri(url).header("host", host);
    let request = request.body(Bytes::from_static(body.as_bytes())).expect("a request");
    HttpConnection::plain(sandbox.addresses().api).await.send(request).await.expect("an answer")
}

fn url(sandbox: &Sandbox, method: &str, path: &str, expires_s: u64) -> String {
    let host = sandbox.addresses().api.to_string();
    Signing::new(sandbox.key(), sandbox.clock().now()).presign(method, &host, path, &[], expires_s)
}

fn refusal(answer: &Response<Bytes>) -> String {
    let text = String::from_utf8_lossy(answer.body());
    let element = |name| elements(&text, name).next().unwrap_or_default().to_owned();
    format!("{} {}: {}", answer.status().as_u16(), element("Code"), element("Message"))
}

#[tokio::test]
async fn whoever_has_the_url_may_read_the_object() {
    let sandbox = sandbox().await;
    let answer = send(&sandbox, Method::GET, &url(&sandbox, "GET", "/lake/k", 60), "").await;
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, b"content".as_slice()));
}

#[tokio::test]
async fn whoever_has_the_url_may_write_the_object() {
    let sandbox = sandbox().await;
    let answer = send(&sandbox, Method::PUT, &url(&sandbox, "PUT", "/lake/new", 60), "uploaded").await;
    assert_eq!(answer.status(), 200, "{}", refusal(&answer));
    assert_eq!(sandbox.object("lake", "new").await, "uploaded");
}

#[tokio::test]
async fn the_url_is_good_for_its_method_and_object_only() {
    let sandbox = sandbox().await;
    let read = url(&sandbox, "GET", "/lake/k", 60);
    let mismatch = "403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you \
                    provided. Check your key and signing method.";
    let answer = send(&sandbox, Method::PUT, &read, "overwritten").await;
    assert_eq!(refusal(&answer), mismatch);
    let answer = send(&sandbox, Method::GET, &read.replace("/lake/k", "/lake/other"), "").await;
    assert_eq!(refusal(&answer), mismatch);
    let answer = send(&sandbox, Method::GET, &read.replace("Expires=60", "Expires=61"), "").await;
    assert_eq!(refusal(&answer), mismatch);
    assert_eq!(sandbox.object("lake", "k").await, "content");
}

#[tokio::test]
async fn the_url_expires() {
    let sandbox = sandbox().await;
    let read = url(&sandbox, "GET", "/lake/k", 60);
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(send(&sandbox, Method::GET, &read, "").await.status(), 200);
    sandbox.advance(Duration::from_secs(1));
    let answer = send(&sandbox, Method::GET, &read, "").await;
    assert_eq!(refusal(&answer), "403 AccessDenied: Request has expired");
}

#[tokio::test]
async fn a_url_may_not_live_longer_than_a_week() {
    let sandbox = sandbox().await;
    let week = 7 * 24 * 60 * 60;
    assert_eq!(send(&sandbox, Method::GET, &url(&sandbox, "GET", "/lake/k", week), "").await.status(), 200);
    let answer = send(&sandbox, Method::GET, &url(&sandbox, "GET", "/lake/k", week + 1), "").await;
    assert!(refusal(&answer).starts_with("400 AuthorizationQueryParametersError"), "{}", refusal(&answer));
}
