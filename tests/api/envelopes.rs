//! The form of an answer and of an error, to the byte, in each protocol.

use bytes::Bytes;
use client::Answer;
use http::Method;
use testkit::{Sandbox, elements};

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn send(
    sandbox: &Sandbox,
    service: &str,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let body = match headers.iter().any(|(name, _)| *name == "x-amz-target") {
        true => Bytes::from_static(br#"{"DeliveryStreamName": "nope"}"#),
        false => Bytes::new(),
    };
    sandbox.api().send(service, method, path, headers, body).await.expect("an answer")
}

/// 8-4-4-4-12 hex digits.
fn is_request_id(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[tokio::test]
async fn aws_json() {
    let sandbox = Sandbox::new().await;
    let target = [("x-amz-target", "Firehose_20150804.DescribeDeliveryStream")];
    let answer = send(&sandbox, "firehose", Method::POST, "/", &target).await;
    assert_eq!(answer.status, 400);
    assert_eq!(header(&answer, "content-type"), "application/x-amz-json-1.1");
    assert!(is_request_id(header(&answer, "x-amzn-requestid")), "{:?}", answer.headers);
    assert_eq!(
        answer.body,
        r#"{"__type":"ResourceNotFoundException","message":"Firehose nope under account 000000000000 not found."}"#
    );
}

#[tokio::test]
async fn rest_json() {
    let sandbox = Sandbox::new().await;
    let answer = send(&sandbox, "iot", Method::GET, "/things/nope", &[]).await;
    assert_eq!(answer.status, 404);
    assert_eq!(header(&answer, "content-type"), "application/json");
    assert_eq!(header(&answer, "x-amzn-errortype"), "ResourceNotFoundException");
    assert!(is_request_id(header(&answer, "x-amzn-requestid")), "{:?}", answer.headers);
    assert_eq!(answer.body, r#"{"message":"Thing nope cannot be found."}"#);
}

#[tokio::test]
async fn query() {
    let sandbox = Sandbox::new().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let call = async |body: &'static str| {
        let body = Bytes::from_static(body.as_bytes());
        sandbox.api().send("sts", Method::POST, "/", &form, body).await.expect("an answer")
    };
    let answer = call("Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!((answer.status.as_u16(), header(&answer, "content-type")), (200, "text/xml"));
    let id = header(&answer, "x-amzn-requestid");
    assert_eq!(
        answer.body,
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <UserId>000000000000</UserId><Account>000000000000</Account><Arn>arn:aws:iam::000000000000:root</Arn>\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        )
    );
    let answer = call("Action=Nope&Version=2011-06-15").await;
    assert_eq!((answer.status.as_u16(), header(&answer, "content-type")), (400, "text/xml"));
    let id = header(&answer, "x-amzn-requestid");
    assert!(is_request_id(id), "{:?}", answer.headers);
    assert_eq!(
        answer.body,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>InvalidAction</Code><Message>Could not find operation Nope for version 2011-06-15</Message></Error>\
             <RequestId>{id}</RequestId></ErrorResponse>"
        )
    );
}

#[tokio::test]
async fn the_callers_identity_may_be_asked_with_get() {
    let sandbox = Sandbox::new().await;
    let path = "/?Action=GetCallerIdentity&Version=2011-06-15";
    let answer = send(&sandbox, "sts", Method::GET, path, &[]).await;
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(elements(&text, "Arn").next(), Some("arn:aws:iam::000000000000:root"), "{text}");
}

#[tokio::test]
async fn s3() {
    let sandbox = Sandbox::new().await;
    let answer = send(&sandbox, "s3", Method::GET, "/nope/a%26b", &[]).await;
    assert_eq!((answer.status.as_u16(), header(&answer, "content-type")), (404, "application/xml"));
    let (id, host_id) = (header(&answer, "x-amz-request-id"), header(&answer, "x-amz-id-2"));
    assert!(!id.is_empty() && !host_id.is_empty(), "{:?}", answer.headers);
    assert_eq!(
        answer.body,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code>\
             <Message>The specified bucket does not exist</Message><Resource>/nope/a%26b</Resource>\
             <RequestId>{id}</RequestId><HostId>{host_id}</HostId></Error>"
        )
    );
    let head = send(&sandbox, "s3", Method::HEAD, "/nope/k", &[]).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (404, 0));
}

#[tokio::test]
async fn every_answer_has_its_own_request_id() {
    let sandbox = Sandbox::new().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let answer = send(&sandbox, "iot", Method::GET, "/things", &[]).await;
        assert!(seen.insert(header(&answer, "x-amzn-requestid").to_owned()));
        let answer = send(&sandbox, "s3", Method::GET, "/", &[]).await;
        assert!(seen.insert(header(&answer, "x-amz-request-id").to_owned()));
    }
}
