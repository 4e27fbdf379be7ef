//! Nobody without the right key gets as far as an operation.
//!
//! The codes: <https://docs.aws.amazon.com/firehose/latest/APIReference/CommonErrors.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::{Answer, Client};
use http::{Method, Request};
use iam::RootKey;
use kernel::{Clock, ManualClock, Timestamp};
use testkit::{HttpConnection, Sandbox};

use crate::requests::{self, Sample, Speaks, outcome};

/// Asks every operation, as `ask` does it, and compares what each says with what its protocol says.
async fn everyone_is_told(
    sandbox: &Sandbox,
    ask: impl AsyncFn(&Sample) -> Answer,
    expected: impl Fn(&Sample) -> &'static str,
) {
    let samples = requests::all(sandbox);
    assert!(samples.len() > 80, "there are more operations than {}", samples.len());
    let mut wrong = Vec::new();
    for sample in samples {
        let answer = ask(&sample).await;
        let said = outcome(sample.speaks, &answer);
        let expected = match sample.method {
            // What HEAD is answered has no body.
            Method::HEAD => expected(&sample).split(' ').next().expect("a status"),
            _ => expected(&sample),
        };
        if said != expected {
            wrong.push(format!("{}: {said}, not {expected}", sample.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    nothing_happened(sandbox).await;
}

/// None of the samples has done what it would have.
async fn nothing_happened(sandbox: &Sandbox) {
    let api = sandbox.api();
    let get = async |path| api.rest("iot", Method::GET, path, "").await.expect("the root may list");
    assert_eq!(get("/things").await["things"], serde_json::json!([]));
    assert_eq!(get("/certificates").await["certificates"], serde_json::json!([]));
    assert_eq!(get("/policies").await["policies"], serde_json::json!([]));
    let buckets = api.send("s3", Method::GET, "/", &[], Bytes::new()).await.expect("an answer");
    assert!(!String::from_utf8_lossy(&buckets.body).contains("<Bucket>"));
}

async fn signed(client: &Client, sample: &Sample) -> Answer {
    let headers = sample.headers();
    let sent =
        client.send(sample.service, sample.method.clone(), &sample.path, &headers, sample.body.clone());
    sent.await.unwrap_or_else(|error| panic!("{}: {error}", sample.name()))
}

/// A client with the root's key whose clock is off.
fn skewed(sandbox: &Sandbox, by: impl Fn(i64) -> i64) -> Client {
    let clock = ManualClock::new(Timestamp::from_millis(by(sandbox.clock().now().as_millis())));
    let endpoint = format!("http://{}", sandbox.addresses().api);
    let key = sandbox.key();
    let secret = key.secret_access_key.clone();
    Client::new(&endpoint, &key.access_key_id, secret, "us-east-1", Arc::new(clock))
}

#[tokio::test]
async fn no_operation_is_done_without_credentials() {
    let sandbox = Sandbox::new().await;
    let host = sandbox.addresses().api.to_string();
    let unsigned = async |sample: &Sample| {
        let mut request = Request::builder().method(&sample.method).uri(&sample.path).header("host", &host);
        for (name, value) in &sample.headers {
            request = request.header(*name, value);
        }
        let request = request.body(sample.body.clone()).expect("a sample is a request");
        let mut connection = HttpConnection::plain(sandbox.addresses().api).await;
        let answer = connection.send(request).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        Answer { status: parts.status, headers: parts.headers, body }
    };
    // Without a signature nothing tells a request of REST-JSON from an anonymous one to S3, which is what it is taken for; what has no
    // operation there either is refused for that.
    let samples = requests::all(&sandbox);
    for sample in samples.iter().filter(|sample| sample.speaks == Speaks::Rest) {
        let answer = unsigned(sample).await;
        let said = outcome(Speaks::S3, &answer);
        let refused =
            ["403 AccessDenied", "405 MethodNotAllowed", "501 NotImplemented", "400 InvalidBucketName"];
        assert!(refused.contains(&said.as_str()), "{}: {said}", sample.name());
    }
    let all_but_rest = async |sample: &Sample| match sample.speaks {
        Speaks::Rest => signed(&sandbox.client(&RootKey::new("nobody", "x"), "us-east-1"), sample).await,
        _ => unsigned(sample).await,
    };
    everyone_is_told(&sandbox, all_but_rest, |sample| match sample.speaks {
        Speaks::Json => "403 MissingAuthenticationTokenException",
        Speaks::Rest => "403 UnrecognizedClientException",
        Speaks::Query => "403 MissingAuthenticationToken",
        Speaks::S3 => "403 AccessDenied",
    })
    .await;
}

#[tokio::test]
async fn no_operation_is_done_with_an_unknown_key() {
    let sandbox = Sandbox::new().await;
    let stranger = sandbox.client(&RootKey::new("AKIASTRANGERSTRANGER", "secret"), "us-east-1");
    everyone_is_told(
        &sandbox,
        async |sample| signed(&stranger, sample).await,
        |sample| match sample.speaks {
            Speaks::Json | Speaks::Rest => "403 UnrecognizedClientException",
            Speaks::Query => "403 InvalidClientTokenId",
            Speaks::S3 => "403 InvalidAccessKeyId",
        },
    )
    .await;
}

#[tokio::test]
async fn no_operation_is_done_with_a_wrong_secret() {
    let sandbox = Sandbox::new().await;
    let forger = sandbox.client(&RootKey::new(&sandbox.key().access_key_id, "a guess"), "us-east-1");
    everyone_is_told(
        &sandbox,
        async |sample| signed(&forger, sample).await,
        |sample| match sample.speaks {
            Speaks::Json | Speaks::Rest => "403 InvalidSignatureException",
            Speaks::Query | Speaks::S3 => "403 SignatureDoesNotMatch",
        },
    )
    .await;
}

fn out_of_time(sample: &Sample) -> &'static str {
    match sample.speaks {
        Speaks::Json | Speaks::Rest => "403 InvalidSignatureException",
        Speaks::Query => "403 SignatureDoesNotMatch",
        Speaks::S3 => "403 RequestTimeTooSkewed",
    }
}

#[tokio::test]
async fn no_operation_is_done_for_a_clock_that_is_late() {
    let sandbox = Sandbox::new().await;
    let late = skewed(&sandbox, |now_ms| now_ms - 15 * 60 * 1000 - 1000);
    everyone_is_told(&sandbox, async |sample| signed(&late, sample).await, out_of_time).await;
}

#[tokio::test]
async fn no_operation_is_done_for_a_clock_that_is_early() {
    let sandbox = Sandbox::new().await;
    let early = skewed(&sandbox, |now_ms| now_ms + 15 * 60 * 1000 + 1000);
    everyone_is_told(&sandbox, async |sample| signed(&early, sample).await, out_of_time).await;
}

#[tokio::test]
async fn a_quarter_of_an_hour_is_forgiven() {
    let sandbox = Sandbox::new().await;
    for offset_ms in [-15 * 60 * 1000, 15 * 60 * 1000] {
        let client = skewed(&sandbox, |now_ms| now_ms + offset_ms);
        let answer = client.json("firehose", "ListDeliveryStreams", &serde_json::json!({})).await;
        answer.unwrap_or_else(|error| panic!("{offset_ms} ms: {error}"));
    }
}

#[tokio::test]
async fn a_captured_request_is_worth_nothing_after_a_quarter_of_an_hour() {
    let sandbox = Sandbox::new().await;
    let client = skewed(&sandbox, |now_ms| now_ms);
    let input = serde_json::json!({});
    client.json("firehose", "ListDeliveryStreams", &input).await.expect("it is current");
    sandbox.advance(Duration::from_secs(15 * 60 + 1));
    let error = client.json("firehose", "ListDeliveryStreams", &input).await.expect_err("it has expired");
    assert_eq!(
        error.to_string(),
        "InvalidSignatureException: Signature expired: 20260101T000000Z is now earlier than 20260101T000001Z \
         (20260101T001501Z - 15 min.)"
    );
}

#[tokio::test]
async fn a_signature_is_good_for_its_own_service_only() {
    let sandbox = Sandbox::new().await;
    let target = [("x-amz-target", "Firehose_20150804.ListDeliveryStreams")];
    let body = Bytes::from_static(b"{}");
    let answer = sandbox.api().send("glue", Method::POST, "/", &target, body).await.expect("an answer");
    // The scope chooses the service, which has no such operation.
    assert_eq!(outcome(Speaks::Json, &answer), "400 UnknownOperationException");
}

#[tokio::test]
async fn a_body_changed_on_its_way_is_refused() {
    let sandbox = Sandbox::new().await;
    let key = sandbox.key();
    let signer = wire::sigv4::Signer {
        access_key_id: &key.access_key_id,
        secret_access_key: key.secret_access_key.expose(),
        region: "us-east-1",
        service: "firehose",
    };
    let host = sandbox.addresses().api.to_string();
    let headers = [("host", host.as_str()), ("x-amz-target", "Firehose_20150804.ListDeliveryStreams")];
    let signed = Bytes::from_static(br#"{"Limit": 1}"#);
    let uri = "/".parse().expect("a path");
    let now = sandbox.clock().now();
    let added = signer.sign(&Method::POST, &uri, &headers, &signed, now).expect("it can be signed");
    let mut connection = HttpConnection::plain(sandbox.addresses().api).await;
    for (body, status) in [(r#"{"Limit": 1}"#, 200), (r#"{"Limit": 9}"#, 403)] {
        let mut request = Request::builder().method("POST").uri("/");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in &added {
            request = request.header(*name, value);
        }
        let request = request.body(Bytes::from(body)).expect("a request");
        let answer = connection.send(request).await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{body}");
    }
}

#[tokio::test]
async fn a_region_keeps_its_things_to_itself() {
    let sandbox = Sandbox::new().await;
    sandbox.api_in("eu-west-1").rest("iot", Method::POST, "/things/t", "{}").await.expect("it is made");
    let found =
        sandbox.api_in("eu-west-1").rest("iot", Method::GET, "/things/t", "").await.expect("it is there");
    assert_eq!(found["thingArn"], "arn:aws:iot:eu-west-1:000000000000:thing/t");
    let elsewhere = sandbox.api().rest("iot", Method::GET, "/things/t", "").await;
    assert_eq!(elsewhere.expect_err("it is not there").code(), "ResourceNotFoundException");
}
