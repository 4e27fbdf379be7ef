//! Rules and delivery streams act as the roles they name, on a node that enforces policies: what a role may not, they may not from the
//! next moment on, and nothing that was acknowledged is lost or doubled by it.

use std::time::Duration;

use client::Client;
use http::Method;
use iam::{Mode, RootKey};
use mqtt::Qos;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use testkit::{Sandbox, Setup, elements};

use crate::lake::{self, BUCKET, INTERVAL, ROLE, counts, numbered, once, seen, stored, to_stream};

const ERRORS_ROLE: &str = "arn:aws:iam::000000000000:role/errors";

/// The session as which rules act.
const RULE: &str = "arn:aws:sts::000000000000:assumed-role/iot.firehose/iot";

/// Calls IAM as the root; every parameter is a name and a text.
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

fn trust(services: &Value) -> String {
    document(&json!([{"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}]))
}

async fn create_role(sandbox: &Sandbox, path: &str, name: &str, services: &Value) {
    let trust = trust(services);
    let parameters = [("RoleName", name), ("Path", path), ("AssumeRolePolicyDocument", &trust)];
    iam(sandbox, "CreateRole", &parameters).await;
}

/// Lets a role do this, under the name of a policy that can be taken away.
async fn allow(sandbox: &Sandbox, role: &str, policy: &str, action: &str, resource: &str) {
    let document = document(&json!([{"Effect": "Allow", "Action": action, "Resource": resource}]));
    let parameters = [("RoleName", role), ("PolicyName", policy), ("PolicyDocument", &document)];
    iam(sandbox, "PutRolePolicy", &parameters).await;
}

async fn take_away(sandbox: &Sandbox, role: &str, policy: &str) {
    iam(sandbox, "DeleteRolePolicy", &[("RoleName", role), ("PolicyName", policy)]).await;
}

async fn allow_records(sandbox: &Sandbox) {
    let stream = "arn:aws:firehose:us-east-1:000000000000:deliverystream/numbers";
    allow(sandbox, "iot.firehose", "records", "firehose:PutRecord", stream).await;
}

async fn allow_objects(sandbox: &Sandbox) {
    allow(sandbox, "iot.firehose", "objects", "s3:PutObject", "arn:aws:s3:::lake/numbers/*").await;
}

/// The pipeline on an enforcing node, with an error action that has a role of its own.
async fn enforcing() -> Sandbox {
    let usual = lake::setup();
    let config = node::Config { auth: Mode::Enforce, ..usual.config.clone() };
    let sandbox = Sandbox::with(Setup { config, ..usual }).await;
    let both = json!(["iot.amazonaws.com", "firehose.amazonaws.com"]);
    create_role(&sandbox, "/service-role/", "iot.firehose", &both).await;
    allow_records(&sandbox).await;
    allow_objects(&sandbox).await;
    create_role(&sandbox, "/", "errors", &json!("iot.amazonaws.com")).await;
    allow(&sandbox, "errors", "objects", "s3:PutObject", "arn:aws:s3:::errors/*").await;
    lake::build(&sandbox).await;
    sandbox.bucket("errors").await;
    sandbox
}

/// The rule's actions, with the error action.
async fn replace_rule(sandbox: &Sandbox, actions: &Value) {
    let error_action = json!({"s3": {"roleArn": ERRORS_ROLE, "bucketName": "errors", "key": "${n}"}});
    let payload = json!({"sql": "SELECT * FROM 'in/#'", "awsIotSqlVersion": "2016-03-23",
                         "actions": actions, "errorAction": error_action});
    let replaced = sandbox.api().rest("iot", Method::PATCH, "/rules/numbers", payload.to_string()).await;
    replaced.unwrap_or_else(|error| panic!("{error}"));
}

/// What the error action was told of the message with this number.
async fn told(sandbox: &Sandbox, n: u64) -> String {
    let key = n.to_string();
    let there = async || sandbox.keys("errors", "").await.contains(&key);
    sandbox.advance_until(Duration::from_secs(1), "the error action is done", there).await;
    let document: Value = serde_json::from_slice(&sandbox.object("errors", &key).await).expect("JSON");
    document["failures"][0]["errorMessage"].as_str().expect("a sentence").to_owned()
}

#[tokio::test]
async fn a_rule_puts_what_its_role_may_put_from_one_message_to_the_next() {
    let sandbox = enforcing().await;
    replace_rule(&sandbox, &json!([to_stream("numbers")])).await;
    let mut device = sandbox.device("d").await;
    device.publish("in/a", numbered(1)).await;
    take_away(&sandbox, "iot.firehose", "records").await;
    device.publish("in/a", numbered(2)).await;
    assert_eq!(
        told(&sandbox, 2).await,
        format!(
            "Failed to put records to Firehose. The error received was User: {RULE} is not authorized to perform: \
             firehose:PutRecord on resource: arn:aws:firehose:us-east-1:000000000000:deliverystream/numbers because no \
             identity-based policy allows the firehose:PutRecord action (Status Code: 403; Error Code: \
             AccessDeniedException). Message arrived on: in/a, Action: firehose, Delivery stream: numbers"
        )
    );
    allow_records(&sandbox).await;
    device.publish("in/a", numbered(3)).await;
    // Nor does it act as a role that does not trust it any more.
    let parameters =
        [("RoleName", "iot.firehose"), ("PolicyDocument", &*trust(&json!("firehose.amazonaws.com")))];
    iam(&sandbox, "UpdateAssumeRolePolicy", &parameters).await;
    device.publish("in/a", numbered(4)).await;
    let told = told(&sandbox, 4).await;
    let sentence = format!("iot.amazonaws.com is unable to perform: sts:AssumeRole on resource: {ROLE} (");
    assert!(told.contains(&sentence), "{told}");
    assert_eq!(seen(&sandbox).await, once([1, 3]));
    lake::deliver(&sandbox).await;
    assert_eq!(stored(&sandbox).await, once([1, 3]));
}

#[tokio::test]
async fn a_stream_without_its_role_keeps_its_records_over_a_crash_and_delivers_them_once() {
    let mut sandbox = enforcing().await;
    let mut device = sandbox.device("d").await;
    device.publish("in/a", numbered(1)).await;
    take_away(&sandbox, "iot.firehose", "objects").await;
    sandbox.advance(INTERVAL);
    let tried = async |sandbox: &Sandbox| {
        let tried = async || sandbox.counter("firehose_failed_attempts_total") > 2;
        sandbox.advance_until(Duration::from_secs(1), "delivery was tried", tried).await;
    };
    tried(&sandbox).await;
    device.publish("in/a", numbered(2)).await;
    assert_eq!(seen(&sandbox).await, once([1, 2]));
    sandbox.crash().await;
    tried(&sandbox).await;
    assert_eq!(seen(&sandbox).await, once([1, 2]));
    assert!(sandbox.keys(BUCKET, "numbers/").await.is_empty());
    // The role goes altogether; another of its name is it for who trusts by name.
    take_away(&sandbox, "iot.firehose", "records").await;
    iam(&sandbox, "DeleteRole", &[("RoleName", "iot.firehose")]).await;
    tried(&sandbox).await;
    create_role(&sandbox, "/service-role/", "iot.firehose", &json!(["firehose.amazonaws.com"])).await;
    allow_objects(&sandbox).await;
    lake::deliver(&sandbox).await;
    assert_eq!(stored(&sandbox).await, once([1, 2]));
    assert_eq!(seen(&sandbox).await, once([1, 2]));
}

#[tokio::test]
async fn a_new_role_delivers_what_the_old_one_left() {
    let sandbox = enforcing().await;
    sandbox.device("d").await.publish("in/a", numbered(1)).await;
    take_away(&sandbox, "iot.firehose", "objects").await;
    sandbox.advance(INTERVAL);
    let tried = async || sandbox.counter("firehose_failed_attempts_total") > 0;
    sandbox.advance_until(Duration::from_secs(1), "delivery was tried", tried).await;
    create_role(&sandbox, "/", "new", &json!("firehose.amazonaws.com")).await;
    allow(&sandbox, "new", "objects", "s3:PutObject", "arn:aws:s3:::lake/*").await;
    let update = json!({
        "DeliveryStreamName": "numbers", "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": {"RoleARN": "arn:aws:iam::000000000000:role/new"}});
    sandbox.api().json("firehose", "UpdateDestination", &update).await.expect("it is updated");
    lake::deliver(&sandbox).await;
    assert_eq!(stored(&sandbox).await, once([1]));
}

#[tokio::test]
async fn queued_actions_do_what_their_roles_may() {
    let sandbox = enforcing().await;
    let mut listener = sandbox.device("listener").await;
    listener.subscribe("out/#", Qos::AtLeastOnce).await.expect("it is granted");
    let mut device = sandbox.device("d").await;
    let republish = json!({"republish": {"roleArn": ROLE, "topic": "out/${n}", "qos": 1}});
    replace_rule(&sandbox, &json!([republish])).await;
    device.publish("in/a", numbered(1)).await;
    assert_eq!(
        told(&sandbox, 1).await,
        format!(
            "Failed to republish to topic. The error received was User: {RULE} is not authorized to perform: iot:Publish on \
             resource: arn:aws:iot:us-east-1:000000000000:topic/out/1 because no identity-based policy allows the \
             iot:Publish action (Status Code: 403; Error Code: ForbiddenException). Message arrived on: in/a, Action: \
             republish, Topic: out/1"
        )
    );
    let topics = "arn:aws:iot:us-east-1:000000000000:topic/out/*";
    allow(&sandbox, "iot.firehose", "topics", "iot:Publish", topics).await;
    device.publish("in/a", numbered(2)).await;
    assert_eq!(&*listener.message().await.expect("a message").message.topic, "out/2");

    let put = json!({"s3": {"roleArn": ROLE, "bucketName": BUCKET, "key": "elsewhere/${n}"}});
    replace_rule(&sandbox, &json!([put])).await;
    device.publish("in/a", numbered(3)).await;
    let told = told(&sandbox, 3).await;
    let sentence = format!("User: {RULE} is not authorized to perform: s3:PutObject on resource: ");
    assert!(told.contains(&sentence) && told.contains("arn:aws:s3:::lake/elsewhere/3"), "{told}");
    assert!(sandbox.keys(BUCKET, "elsewhere/").await.is_empty());
}

#[tokio::test]
async fn a_role_that_names_its_rule_serves_no_other() {
    let sandbox = enforcing().await;
    let trust = document(&json!([{
        "Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:iot:us-east-1:000000000000:rule/mine"},
                      "StringEquals": {"aws:SourceAccount": "000000000000"}},
    }]));
    let parameters = [("RoleName", "errors"), ("PolicyDocument", &*trust)];
    iam(&sandbox, "UpdateAssumeRolePolicy", &parameters).await;
    let action = json!({"s3": {"roleArn": ERRORS_ROLE, "bucketName": "errors", "key": "${n}"}});
    let payload = json!({"sql": "SELECT * FROM 'in/#'", "actions": [action]}).to_string();
    let create = async |name: &str| {
        sandbox.api().rest("iot", Method::POST, &format!("/rules/{name}"), payload.clone()).await
    };
    let refused = create("theirs").await.expect_err("the role does not trust it").to_string();
    assert!(refused.contains("AWS IoT (iot.amazonaws.com) is unable to assume role"), "{refused}");
    create("mine").await.expect("the role trusts it");
    sandbox.device("d").await.publish("in/a", numbered(7)).await;
    let there = async || sandbox.keys("errors", "").await == ["7"];
    sandbox.until("the object is there", there).await;
}

/// A client of a user who may run queries over everything but the table's objects.
async fn analyst(sandbox: &Sandbox) -> Client {
    iam(sandbox, "CreateUser", &[("UserName", "ana")]).await;
    let statements = json!([
        {"Effect": "Allow", "Action": ["athena:*", "glue:*", "s3:ListBucket", "s3:GetBucketLocation"], "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::results*"},
    ]);
    let document = document(&statements);
    let parameters = [("UserName", "ana"), ("PolicyName", "queries"), ("PolicyDocument", &*document)];
    iam(sandbox, "PutUserPolicy", &parameters).await;
    let made = iam(sandbox, "CreateAccessKey", &[("UserName", "ana")]).await;
    let text = |name| elements(&made, name).next().expect("it is answered").to_owned();
    sandbox.client(&RootKey::new(text("AccessKeyId"), text("SecretAccessKey")), "us-east-1")
}

#[tokio::test]
async fn a_buffered_record_is_seen_by_whoever_may_get_the_object_it_will_be_in() {
    let sandbox = enforcing().await;
    sandbox.bucket("results").await;
    sandbox.device("d").await.publish("in/a", numbered(1)).await;
    let client = analyst(&sandbox).await;
    let ask = async || {
        let input = json!({"QueryString": "SELECT n FROM numbers", "QueryExecutionContext": {"Database": "default"},
                           "ResultConfiguration": {"OutputLocation": "s3://results/"}});
        let started = client.json("athena", "StartQueryExecution", &input).await.expect("she may start it");
        let id = started["QueryExecutionId"].as_str().expect("it has an id").to_owned();
        sandbox.outcome(&id).await
    };
    let outcome = ask().await;
    assert!(outcome.starts_with("FAILED") && outcome.contains("s3:GetObject"), "{outcome}");
    let document = document(
        &json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/numbers/*"}]),
    );
    let parameters = [("UserName", "ana"), ("PolicyName", "objects"), ("PolicyDocument", &*document)];
    iam(&sandbox, "PutUserPolicy", &parameters).await;
    assert_eq!(ask().await, "SUCCEEDED");
    // Once delivered and in the cache of the engine, it is the same.
    lake::deliver(&sandbox).await;
    assert_eq!(counts(&sandbox.sql("SELECT n FROM numbers").await), once([1]));
    iam(&sandbox, "DeleteUserPolicy", &[("UserName", "ana"), ("PolicyName", "objects")]).await;
    let outcome = ask().await;
    assert!(outcome.starts_with("FAILED") && outcome.contains("s3:GetObject"), "{outcome}");
}
