//! Whoever gives a delivery stream or a rule a role must be allowed to pass it, and the service to assume it.

use client::Client;
use http::Method;
use iam::{Mode, RootKey};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use testkit::{Sandbox, Setup, elements};

const DELIVERY: &str = "arn:aws:iam::000000000000:role/delivery";
const RULE: &str = "arn:aws:iam::000000000000:role/rule";

async fn iam(sandbox: &Sandbox, operation: &str, parameters: &[(&str, &str)]) -> String {
    let mut body = format!("Action={operation}&Version=2010-05-08");
    for (name, value) in parameters {
        body.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = sandbox.api().send("iam", Method::POST, "/", &form, body.into()).await.expect("an answer");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(answer.status.is_success(), "{operation}: {text}");
    text
}

fn document(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// Gives the user `bob` these rights and no others.
async fn allow(sandbox: &Sandbox, statements: &Value) {
    let document = document(statements);
    let parameters = [("UserName", "bob"), ("PolicyName", "p"), ("PolicyDocument", &*document)];
    iam(sandbox, "PutUserPolicy", &parameters).await;
}

/// An enforcing node with two roles, and a client of `bob`'s, who may do everything with streams and rules but pass no role.
async fn enforcing() -> (Sandbox, Client) {
    let usual = Setup::default();
    let config = node::Config { auth: Mode::Enforce, ..usual.config.clone() };
    let sandbox = Sandbox::with(Setup { config, ..usual }).await;
    for (role, service) in [("delivery", "firehose.amazonaws.com"), ("rule", "iot.amazonaws.com")] {
        let statement =
            json!([{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]);
        let trust = document(&statement);
        let parameters = [("RoleName", role), ("AssumeRolePolicyDocument", &*trust)];
        iam(&sandbox, "CreateRole", &parameters).await;
    }
    iam(&sandbox, "CreateUser", &[("UserName", "bob")]).await;
    allow(&sandbox, &json!([{"Effect": "Allow", "Action": ["firehose:*", "iot:*"], "Resource": "*"}])).await;
    let made = iam(&sandbox, "CreateAccessKey", &[("UserName", "bob")]).await;
    let text = |name| elements(&made, name).next().expect("it is answered").to_owned();
    let bob = sandbox.client(&RootKey::new(text("AccessKeyId"), text("SecretAccessKey")), "us-east-1");
    (sandbox, bob)
}

/// The outcome of a call: nothing, or the code and the sentence.
fn outcome(answer: &client::Answer) -> String {
    if answer.status.is_success() {
        return String::new();
    }
    let body = answer.json();
    let header = answer.headers.get("x-amzn-errortype").and_then(|code| code.to_str().ok());
    let code = header.or(body["__type"].as_str()).unwrap_or_default().to_owned();
    let sentence = body["message"].as_str().or(body["Message"].as_str()).unwrap_or_default();
    format!("{} {code}: {sentence}", answer.status.as_u16())
}

async fn firehose(client: &Client, operation: &str, input: &Value) -> String {
    let target = format!("Firehose_20150804.{operation}");
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
    let sent = client.send("firehose", Method::POST, "/", &headers, input.to_string().into()).await;
    outcome(&sent.expect("an answer"))
}

async fn create_stream(client: &Client, name: &str, role: &str) -> String {
    let input = json!({"DeliveryStreamName": name, "S3DestinationConfiguration":
        {"RoleARN": role, "BucketARN": "arn:aws:s3:::lake"}});
    firehose(client, "CreateDeliveryStream", &input).await
}

async fn rule(client: &Client, method: Method, name: &str, (role, error_role): (&str, &str)) -> String {
    let republish = |role: &str| json!({"republish": {"roleArn": role, "topic": "t"}});
    let payload = json!({"sql": "SELECT * FROM 'a'", "actions": [republish(role)],
                         "errorAction": republish(error_role), "ruleDisabled": true});
    let path = format!("/rules/{name}");
    let headers = [("content-type", "application/json")];
    let sent = client.send("iot", method, &path, &headers, payload.to_string().into()).await;
    outcome(&sent.expect("an answer"))
}

fn may_not_pass(status: u16, role: &str) -> String {
    format!(
        "{status} AccessDeniedException: User: arn:aws:iam::000000000000:user/bob is not authorized to perform: \
         iam:PassRole on resource: {role} because no identity-based policy allows the iam:PassRole action"
    )
}

#[tokio::test]
async fn a_stream_is_given_roles_that_the_caller_may_pass() {
    let (sandbox, bob) = enforcing().await;
    assert_eq!(create_stream(&bob, "s", DELIVERY).await, may_not_pass(400, DELIVERY));
    assert_eq!(create_stream(&sandbox.api(), "s", DELIVERY).await, "");
    let update = |role: Value| {
        json!({"DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": "1",
               "DestinationId": "destinationId-000000000001",
               "S3DestinationUpdate": role})
    };
    let with_role = update(json!({"RoleARN": DELIVERY}));
    assert_eq!(firehose(&bob, "UpdateDestination", &with_role).await, may_not_pass(400, DELIVERY));
    // Who names no role passes none.
    assert_eq!(firehose(&bob, "UpdateDestination", &update(json!({"Prefix": "p/"}))).await, "");
    let passes = |service: &str| {
        json!([{"Effect": "Allow", "Action": "firehose:*", "Resource": "*"},
               {"Effect": "Allow", "Action": "iam:PassRole", "Resource": DELIVERY,
                "Condition": {"StringEquals": {"iam:PassedToService": service}}}])
    };
    allow(&sandbox, &passes("iot.amazonaws.com")).await;
    assert_eq!(create_stream(&bob, "t", DELIVERY).await, may_not_pass(400, DELIVERY));
    allow(&sandbox, &passes("firehose.amazonaws.com")).await;
    assert_eq!(create_stream(&bob, "t", DELIVERY).await, "");
    assert_eq!(create_stream(&bob, "u", RULE).await, may_not_pass(400, RULE));
}

#[tokio::test]
async fn a_rule_is_given_roles_that_the_caller_may_pass() {
    let (sandbox, bob) = enforcing().await;
    assert_eq!(rule(&bob, Method::POST, "r", (RULE, RULE)).await, may_not_pass(403, RULE));
    assert_eq!(rule(&sandbox.api(), Method::POST, "r", (RULE, RULE)).await, "");
    assert_eq!(rule(&bob, Method::PATCH, "r", (RULE, RULE)).await, may_not_pass(403, RULE));
    let create = json!({"Service": "iot.amazonaws.com"});
    let trust = document(&json!([{"Effect": "Allow", "Principal": create, "Action": "sts:AssumeRole"}]));
    let parameters = [("RoleName", "other"), ("AssumeRolePolicyDocument", &*trust)];
    iam(&sandbox, "CreateRole", &parameters).await;
    allow(
        &sandbox,
        &json!([{"Effect": "Allow", "Action": "iot:*", "Resource": "*"},
                {"Effect": "Allow", "Action": "iam:PassRole", "Resource": RULE}]),
    )
    .await;
    assert_eq!(rule(&bob, Method::PATCH, "r", (RULE, RULE)).await, "");
    let other = "arn:aws:iam::000000000000:role/other";
    assert_eq!(rule(&bob, Method::PATCH, "r", (RULE, other)).await, may_not_pass(403, other));
    assert_eq!(rule(&bob, Method::PATCH, "r", (other, RULE)).await, may_not_pass(403, other));
}

#[tokio::test]
async fn a_role_of_another_account_or_that_trusts_another_service_is_refused() {
    let (sandbox, _) = enforcing().await;
    let root = sandbox.api();
    let foreign = "arn:aws:iam::111122223333:role/r";
    let cross = "AccessDeniedException: Cross-account pass role is not allowed.";
    assert_eq!(create_stream(&root, "s", foreign).await, format!("400 {cross}"));
    assert_eq!(rule(&root, Method::POST, "r", (foreign, RULE)).await, format!("403 {cross}"));
    for role in [RULE, "arn:aws:iam::000000000000:role/none"] {
        assert_eq!(
            create_stream(&root, "s", role).await,
            format!(
                "400 InvalidArgumentException: Firehose is unable to assume role {role}. Please check the role provided."
            )
        );
    }
    assert_eq!(
        rule(&root, Method::POST, "r", (DELIVERY, RULE)).await,
        format!(
            "400 InvalidRequestException: AWS IoT (iot.amazonaws.com) is unable to assume role (sts:AssumeRole) on \
             resource: {DELIVERY}. If the role was just created or updated, please try again in a few seconds."
        )
    );
}

#[tokio::test]
async fn where_policies_are_only_recorded_any_role_will_do() {
    let sandbox = Sandbox::new().await;
    let root = sandbox.api();
    let example = "arn:aws:iam::1234567890:role/firehose_delivery_role";
    assert_eq!(create_stream(&root, "s", example).await, "");
    assert_eq!(rule(&root, Method::POST, "r", (example, example)).await, "");
}
