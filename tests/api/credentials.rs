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
use testkit::{HttpConnection, Sandbox, elements};

use crate::requests::{self, Sample, Speaks, outcome};

/// Asks every operation, as `ask` does it, and compares what each says with what its protocol says.
async fn everyone_is_told(
    sandbox: &Sandbox,
    ask: impl AsyncFn(&Sample) -> Answer,
    expected: impl Fn(&Sample) -> &'static str,
) {
    // S3 says of a bucket that is not there that it is not, to anyone.
    sandbox.bucket("lake").await;
    let samples = requests::all(sandbox);
    assert!(samples.len() > 80, "there are more operations than {}", samples.len());
    let mut wrong = Vec::new();
    for sample in samples {
        // Who fails again and again is slowed down; here each failure is the first.
        sandbox.advance(Duration::from_millis(100));
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
    assert_eq!(String::from_utf8_lossy(&buckets.body).matches("<Bucket>").count(), 1);
    assert_eq!(sandbox.keys("lake", "").await, [""; 0]);
    for (path, code) in [("/lake?policy", "404 NoSuchBucketPolicy"), ("/lake?tagging", "404 NoSuchTagSet")] {
        let answer = api.send("s3", Method::GET, path, &[], Bytes::new()).await.expect("an answer");
        assert_eq!(outcome(Speaks::S3, &answer), code);
    }
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
        let refused = [
            "403 AccessDenied",
            "404 NoSuchBucket",
            "405 MethodNotAllowed",
            "501 NotImplemented",
            "400 InvalidBucketName",
        ];
        assert!(refused.contains(&said.as_str()), "{}: {said}", sample.name());
    }
    let all_but_rest = async |sample: &Sample| match sample.speaks {
        Speaks::Rest => signed(&sandbox.client(&RootKey::new("nobody", "x"), "us-east-1"), sample).await,
        _ => unsigned(sample).await,
    };
    everyone_is_told(&sandbox, all_but_rest, |sample| match sample.speaks {
        Speaks::Json | Speaks::Cbor => "403 MissingAuthenticationTokenException",
        Speaks::Rest => "403 UnrecognizedClientException",
        // Its input says who calls, and here it says nothing.
        Speaks::Query if sample.operation == "AssumeRoleWithWebIdentity" => "400 ValidationError",
        Speaks::Query => "403 MissingAuthenticationToken",
        Speaks::S3 => "403 AccessDenied",
    })
    .await;
}

#[tokio::test]
async fn no_operation_is_done_with_an_unknown_key() {
    let sandbox = Sandbox::new().await;
    let stranger = sandbox.client(&RootKey::new("AKIASTRANGERSTRANGER", "secret"), "us-east-1");
    everyone_is_told(&sandbox, async |sample| signed(&stranger, sample).await, unknown_key).await;
}

#[tokio::test]
async fn no_operation_is_done_with_a_wrong_secret() {
    let sandbox = Sandbox::new().await;
    let forger = sandbox.client(&RootKey::new(&sandbox.key().access_key_id, "a guess"), "us-east-1");
    everyone_is_told(
        &sandbox,
        async |sample| signed(&forger, sample).await,
        |sample| match sample.speaks {
            Speaks::Json | Speaks::Rest | Speaks::Cbor => "403 InvalidSignatureException",
            Speaks::Query | Speaks::S3 => "403 SignatureDoesNotMatch",
        },
    )
    .await;
}

/// What is said to keys that are not known, or no longer.
fn unknown_key(sample: &Sample) -> &'static str {
    match sample.speaks {
        Speaks::Json | Speaks::Rest | Speaks::Cbor => "403 UnrecognizedClientException",
        Speaks::Query => "403 InvalidClientTokenId",
        Speaks::S3 => "403 InvalidAccessKeyId",
    }
}

/// Calls an operation of IAM or STS as somebody, and takes elements of the answer.
async fn identity<const N: usize>(
    caller: &Client,
    service: &str,
    form: &str,
    names: [&str; N],
) -> [String; N] {
    let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
    let body = Bytes::from(format!("{form}&Version={version}"));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = caller.send(service, Method::POST, "/", &headers, body).await.expect("an answer");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 200, "{form}: {text}");
    names.map(|name| elements(&text, name).next().unwrap_or_default().to_owned())
}

/// A user without any policy, and a key of theirs.
async fn user(sandbox: &Sandbox) -> RootKey {
    let root = sandbox.api();
    identity(&root, "iam", "Action=CreateUser&UserName=eve", []).await;
    let key =
        identity(&root, "iam", "Action=CreateAccessKey&UserName=eve", ["AccessKeyId", "SecretAccessKey"])
            .await;
    RootKey::new(&key[0], key[1].as_str())
}

/// Temporary credentials of such a user, with their token.
async fn session(sandbox: &Sandbox) -> (RootKey, String) {
    let eve = sandbox.client(&user(sandbox).await, "us-east-1");
    let names = ["AccessKeyId", "SecretAccessKey", "SessionToken"];
    let [id, secret, token] =
        identity(&eve, "sts", "Action=GetSessionToken&DurationSeconds=900", names).await;
    (RootKey::new(&id, secret), token)
}

async fn with_token(client: &Client, sample: &Sample, token: &str) -> Answer {
    let mut sample = sample.clone();
    sample.headers.push(("x-amz-security-token", token.to_owned()));
    signed(client, &sample).await
}

#[tokio::test]
async fn no_operation_is_done_with_a_key_that_was_deactivated() {
    let sandbox = Sandbox::new().await;
    let key = user(&sandbox).await;
    let eve = sandbox.client(&key, "us-east-1");
    identity(&eve, "sts", "Action=GetCallerIdentity", []).await;
    let id = &key.access_key_id;
    let form = format!("Action=UpdateAccessKey&UserName=eve&Status=Inactive&AccessKeyId={id}");
    identity(&sandbox.api(), "iam", &form, []).await;
    everyone_is_told(&sandbox, async |sample| signed(&eve, sample).await, unknown_key).await;
}

#[tokio::test]
async fn no_operation_is_done_for_a_user_who_is_gone() {
    let sandbox = Sandbox::new().await;
    let key = user(&sandbox).await;
    let eve = sandbox.client(&key, "us-east-1");
    identity(&eve, "sts", "Action=GetCallerIdentity", []).await;
    let id = &key.access_key_id;
    identity(&sandbox.api(), "iam", &format!("Action=DeleteAccessKey&UserName=eve&AccessKeyId={id}"), [])
        .await;
    identity(&sandbox.api(), "iam", "Action=DeleteUser&UserName=eve", []).await;
    everyone_is_told(&sandbox, async |sample| signed(&eve, sample).await, unknown_key).await;
}

#[tokio::test]
async fn no_operation_is_done_with_temporary_credentials_without_their_token() {
    let sandbox = Sandbox::new().await;
    let (key, token) = session(&sandbox).await;
    let eve = sandbox.client(&key, "us-east-1");
    let known =
        [("x-amz-security-token", token.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let body = Bytes::from_static(b"Action=GetCallerIdentity&Version=2011-06-15");
    let answer = eve.send("sts", Method::POST, "/", &known, body).await.expect("an answer");
    assert_eq!(answer.status, 200, "with it they are: {:?}", answer.body);
    everyone_is_told(&sandbox, async |sample| signed(&eve, sample).await, unknown_key).await;
}

fn bad_token(sample: &Sample) -> &'static str {
    match sample.speaks {
        Speaks::S3 => "400 InvalidToken",
        _ => unknown_key(sample),
    }
}

#[tokio::test]
async fn no_operation_is_done_with_a_token_that_was_changed() {
    let sandbox = Sandbox::new().await;
    let (key, token) = session(&sandbox).await;
    let eve = sandbox.client(&key, "us-east-1");
    let other = if token.ends_with('A') { "B" } else { "A" };
    let changed = format!("{}{other}", token.get(..token.len() - 1).expect("a token is ASCII"));
    everyone_is_told(&sandbox, async |sample| with_token(&eve, sample, &changed).await, bad_token).await;
}

#[tokio::test]
async fn no_operation_is_done_with_somebody_elses_token() {
    let sandbox = Sandbox::new().await;
    let (_, token) = session(&sandbox).await;
    // The root's own key with a token: it has none.
    let root = sandbox.api();
    everyone_is_told(&sandbox, async |sample| with_token(&root, sample, &token).await, bad_token).await;
}

#[tokio::test]
async fn no_operation_is_done_after_a_session_has_ended() {
    let sandbox = Sandbox::new().await;
    let (key, token) = session(&sandbox).await;
    let eve = sandbox.client(&key, "us-east-1");
    sandbox.advance(Duration::from_secs(901));
    everyone_is_told(
        &sandbox,
        async |sample| with_token(&eve, sample, &token).await,
        |sample| match sample.speaks {
            Speaks::Json | Speaks::Rest | Speaks::Cbor => "403 ExpiredTokenException",
            Speaks::Query => "403 ExpiredToken",
            Speaks::S3 => "400 ExpiredToken",
        },
    )
    .await;
}

/// Signs a request as the root, with a change between signing and sending.
async fn changed(
    sandbox: &Sandbox,
    sample: &Sample,
    region: &str,
    change: impl Fn(&mut Request<Bytes>),
) -> Answer {
    let key = sandbox.key();
    let signer = wire::sigv4::Signer {
        access_key_id: &key.access_key_id,
        secret_access_key: key.secret_access_key.expose(),
        region,
        service: sample.service,
    };
    let host = sandbox.addresses().api.to_string();
    let mut headers = vec![("host", host.as_str())];
    headers.extend(sample.headers());
    let uri = sample.path.parse().expect("a path");
    let now = sandbox.clock().now();
    let added = signer.sign(&sample.method, &uri, &headers, &sample.body, now).expect("it can be signed");
    let mut request = Request::builder().method(&sample.method).uri(&sample.path);
    for (name, value) in
        headers.iter().copied().chain(added.iter().map(|(name, value)| (*name, value.as_str())))
    {
        request = request.header(name, value);
    }
    let mut request = request.body(sample.body.clone()).expect("a sample is a request");
    change(&mut request);
    let mut connection = HttpConnection::plain(sandbox.addresses().api).await;
    let (parts, body) = connection.send(request).await.expect("an answer").into_parts();
    Answer { status: parts.status, headers: parts.headers, body }
}

fn wrong_signature(sample: &Sample) -> &'static str {
    match sample.speaks {
        Speaks::Json | Speaks::Rest | Speaks::Cbor => "403 InvalidSignatureException",
        Speaks::Query | Speaks::S3 => "403 SignatureDoesNotMatch",
    }
}

#[tokio::test]
async fn no_operation_is_done_whose_query_was_changed_on_its_way() {
    let sandbox = Sandbox::new().await;
    let more = |request: &mut Request<Bytes>| {
        let uri = request.uri().to_string();
        let joint = if uri.contains('?') { '&' } else { '?' };
        *request.uri_mut() = format!("{uri}{joint}evil=1").parse().expect("a path");
    };
    let ask = async |sample: &Sample| changed(&sandbox, sample, "us-east-1", more).await;
    everyone_is_told(&sandbox, ask, wrong_signature).await;
}

#[tokio::test]
async fn no_operation_is_done_with_a_header_that_was_slipped_in() {
    let sandbox = Sandbox::new().await;
    let more = |request: &mut Request<Bytes>| {
        request.headers_mut().insert("x-amz-evil", http::HeaderValue::from_static("1"));
    };
    let ask = async |sample: &Sample| changed(&sandbox, sample, "us-east-1", more).await;
    everyone_is_told(&sandbox, ask, |sample| match sample.speaks {
        Speaks::S3 => "403 AccessDenied",
        _ => wrong_signature(sample),
    })
    .await;
}

#[tokio::test]
async fn no_operation_is_done_for_a_region_that_cannot_be() {
    let sandbox = Sandbox::new().await;
    let ask = async |sample: &Sample| changed(&sandbox, sample, "No_Region", |_| {}).await;
    everyone_is_told(&sandbox, ask, |sample| match sample.speaks {
        Speaks::S3 => "400 AuthorizationHeaderMalformed",
        _ => wrong_signature(sample),
    })
    .await;
}

/// Not the error of every protocol, since a header that says nothing names no service; but a refusal of all of them.
#[tokio::test]
async fn no_operation_is_done_with_an_authorization_that_is_none() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    for garbage in [
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Basic cm9vdDpyb290",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=, Signature=",
        "",
    ] {
        for sample in requests::all(&sandbox) {
            sandbox.advance(Duration::from_millis(100));
            let answer = changed(&sandbox, &sample, "us-east-1", |request| {
                request.headers_mut().insert("authorization", http::HeaderValue::from_static(garbage));
            });
            let status = answer.await.status.as_u16();
            assert!(
                (400..500).contains(&status) || status == 501,
                "{} with {garbage:?}: {status}",
                sample.name()
            );
        }
    }
    nothing_happened(&sandbox).await;
}

fn out_of_time(sample: &Sample) -> &'static str {
    match sample.speaks {
        Speaks::Json | Speaks::Rest | Speaks::Cbor => "403 InvalidSignatureException",
        Speaks::Query => "403 SignatureDoesNotMatch",
        Speaks::S3 => "403 RequestTimeTooSkewed",
    }
}

#[tokio::test]
async fn no_operation_is_done_for_a_clock_that_is_late() {
    let sandbox = Sandbox::new().await;
    let late = || skewed(&sandbox, |now_ms| now_ms - 15 * 60 * 1000 - 1000);
    everyone_is_told(&sandbox, async |sample| signed(&late(), sample).await, out_of_time).await;
}

#[tokio::test]
async fn no_operation_is_done_for_a_clock_that_is_early() {
    let sandbox = Sandbox::new().await;
    let early = || skewed(&sandbox, |now_ms| now_ms + 15 * 60 * 1000 + 1000);
    everyone_is_told(&sandbox, async |sample| signed(&early(), sample).await, out_of_time).await;
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
