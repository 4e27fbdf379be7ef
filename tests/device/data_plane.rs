//! The data plane on the API's port: publish with a signature, and retained messages.

use http::Method;
use iam::{Mode, RootKey};
use mqtt::Qos;
use node::Config;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use testkit::{Sandbox, Setup, elements};

use crate::common::{allow, text};

#[tokio::test]
async fn a_signed_publish_reaches_devices() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let mut subscriber = sandbox.device("subscriber").await;
    subscriber.subscribe("#", Qos::AtLeastOnce).await.expect("it is granted");
    for (path, topic, qos) in [
        ("/topics/a%2Fb?qos=1", "a/b", Qos::AtLeastOnce),
        ("/topics/a/b?qos=0", "a/b", Qos::AtMostOnce),
        ("/topics/%2Fhealth%2FYou?qos=1", "/health/You", Qos::AtLeastOnce),
    ] {
        api.rest("iotdata", Method::POST, path, "payload")
            .await
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let message = subscriber.message().await.expect("a message");
        assert_eq!((text(&message), message.delivery.qos()), (format!("{topic} payload"), qos), "{path}");
    }
}

#[tokio::test]
async fn a_retained_message_is_found_by_its_topic() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    api.rest("iotdata", Method::POST, "/topics/a%2Fb?qos=1&retain=true", "kept")
        .await
        .expect("it is published");
    let found = api.rest("iotdata", Method::GET, "/retainedMessage/a%2Fb", "").await.expect("it is there");
    assert_eq!((found["topic"].as_str(), found["payload"].as_str()), (Some("a/b"), Some("a2VwdA==")));
    assert_eq!(
        (found["qos"].as_i64(), found["lastModifiedTime"].as_i64()),
        (Some(1), Some(1_767_225_600_000))
    );
    let missing =
        api.rest("iotdata", Method::GET, "/retainedMessage/b", "").await.expect_err("it is not there");
    assert_eq!(missing.code(), "ResourceNotFoundException");
    api.rest("iotdata", Method::POST, "/topics/a%2Fb?retain=true", "").await.expect("it is published");
    let gone =
        api.rest("iotdata", Method::GET, "/retainedMessage/a%2Fb", "").await.expect_err("it is deleted");
    assert_eq!(gone.code(), "ResourceNotFoundException");
}

#[tokio::test]
async fn a_publish_that_cannot_be_is_refused() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    for (path, bytes, code) in [
        ("/topics/a%2F%23?qos=1", 1, "InvalidRequestException"),
        ("/topics/%24SYS?qos=1", 1, "InvalidRequestException"),
        ("/topics/a?qos=2", 1, "InvalidRequestException"),
        ("/topics/1%2F2%2F3%2F4%2F5%2F6%2F7%2F8%2F9", 1, "InvalidRequestException"),
        ("/topics/a", 128 * 1024 + 1, "RequestEntityTooLargeException"),
    ] {
        let error =
            api.rest("iotdata", Method::POST, path, vec![b'x'; bytes]).await.expect_err("it cannot be");
        assert_eq!(error.code(), code, "{path}: {error}");
    }
}

#[tokio::test]
async fn devices_of_another_region_are_not_reached() {
    let sandbox = Sandbox::new().await;
    let mut subscriber = sandbox.device("subscriber").await;
    subscriber.subscribe("#", Qos::AtLeastOnce).await.expect("it is granted");
    let elsewhere = sandbox.api_in("eu-west-1");
    elsewhere
        .rest("iotdata", Method::POST, "/topics/a?qos=1&retain=true", "there")
        .await
        .expect("it is published");
    sandbox.api().rest("iotdata", Method::POST, "/topics/a?qos=1", "here").await.expect("it is published");
    assert_eq!(text(&subscriber.message().await.expect("a message")), "a here");
    let missing = sandbox.api().rest("iotdata", Method::GET, "/retainedMessage/a", "").await;
    assert_eq!(missing.expect_err("it is there only").code(), "ResourceNotFoundException");
}

/// Calls IAM as the root.
async fn call_iam(sandbox: &Sandbox, body: &str) -> String {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("{body}&Version=2010-05-08");
    let answer = sandbox.api().send("iam", Method::POST, "/", &form, body.into()).await.expect("an answer");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(answer.status.is_success(), "{text}");
    text
}

#[tokio::test]
async fn a_user_publishes_and_retains_what_its_policies_allow() {
    let setup = Setup::default();
    let config = Config { auth: Mode::Enforce, ..setup.config.clone() };
    let sandbox = Sandbox::with(Setup { config, ..setup }).await;
    call_iam(&sandbox, "Action=CreateUser&UserName=ana").await;
    let statements =
        json!([allow("iot:Publish", "topic/mine/*"), allow("iot:RetainPublish", "topic/mine/kept")]);
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let document = utf8_percent_encode(&document, NON_ALPHANUMERIC);
    let put = format!("Action=PutUserPolicy&UserName=ana&PolicyName=p&PolicyDocument={document}");
    call_iam(&sandbox, &put).await;
    let made = call_iam(&sandbox, "Action=CreateAccessKey&UserName=ana").await;
    let text = |name| elements(&made, name).next().expect("it is answered").to_owned();
    let key = RootKey::new(text("AccessKeyId"), text("SecretAccessKey"));
    for (region, path, status) in [
        ("us-east-1", "/topics/mine%2Fa?qos=1", 200),
        ("us-east-1", "/topics/mine%2Fkept?retain=true", 200),
        ("us-east-1", "/topics/mine%2Fa?retain=true", 403),
        ("us-east-1", "/topics/theirs%2Fa", 403),
        ("eu-west-1", "/topics/mine%2Fa", 403),
        ("us-east-1", "/topics/mine%2F%2B", 400),
    ] {
        let sent = sandbox.client(&key, region).send("iotdata", Method::POST, path, &[], "x".into()).await;
        let answer = sent.expect("an answer");
        assert_eq!(answer.status, status, "{region} {path}: {:?}", answer.body);
    }
}
