//! What is not served says so, in its protocol, with a status that no SDK retries.

use bytes::Bytes;
use http::Method;
use testkit::{HttpConnection, Sandbox};

use crate::requests::{Speaks, outcome};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn check(
    sandbox: &Sandbox,
    service: &str,
    (method, path): (Method, &str),
    (header, body): ((&str, &str), &'static str),
    (speaks, expected): (Speaks, &str),
) {
    let body = Bytes::from_static(body.as_bytes());
    let answer = sandbox.api().send(service, method, path, &[header], body).await.expect("an answer");
    assert_eq!(outcome(speaks, &answer), expected, "{service} {path} {header:?}: {:?}", answer.body);
}

#[tokio::test]
async fn an_unknown_operation_of_aws_json() {
    let sandbox = Sandbox::new().await;
    for (service, target) in [
        ("firehose", "Firehose_20150804.StartDeliveryStreamEncryption"),
        ("firehose", "Firehose_20150804."),
        ("firehose", "Firehose_20150804"),
        ("glue", "AWSGlue.CreateJob"),
        ("athena", "AmazonAthena.CreateNotebook"),
        ("athena", "AmazonAthena.startqueryexecution"),
    ] {
        let expected = (Speaks::Json, "400 UnknownOperationException");
        check(&sandbox, service, (Method::POST, "/"), (("x-amz-target", target), "{}"), expected).await;
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_speaks_aws_json() {
    let sandbox = Sandbox::new().await;
    for (service, target) in [
        ("kinesis", "Kinesis_20131202.ListStreams"),
        ("dynamodb", "DynamoDB_20120810.ListTables"),
        ("logs", "Logs_20140328.DescribeLogGroups"),
    ] {
        let expected = (Speaks::Json, "400 UnknownOperationException");
        check(&sandbox, service, (Method::POST, "/"), (("x-amz-target", target), "{}"), expected).await;
    }
}

#[tokio::test]
async fn an_unknown_operation_of_rest_json() {
    let sandbox = Sandbox::new().await;
    let nothing = (("content-type", "application/json"), "");
    for (service, method, path) in [
        ("iot", Method::GET, "/jobs"),
        ("iot", Method::PUT, "/things/x"),
        ("iot", Method::GET, "/"),
        ("iotdata", Method::GET, "/things/x/shadow"),
        ("lambda", Method::GET, "/2015-03-31/functions"),
    ] {
        let expected = (Speaks::Rest, "400 UnknownOperationException");
        check(&sandbox, service, (method, path), nothing, expected).await;
    }
}

#[tokio::test]
async fn an_unknown_operation_of_query() {
    let sandbox = Sandbox::new().await;
    for (service, body, expected) in [
        ("sts", "Action=AssumeRoot&Version=2011-06-15", "400 InvalidAction"),
        ("sts", "Action=GetCallerIdentity&Version=2010-05-08", "400 InvalidAction"),
        ("sts", "Action=GetCallerIdentity", "400 InvalidAction"),
        ("sts", "Version=2011-06-15", "400 MissingAction"),
        ("sts", "Action=&Version=2011-06-15", "400 MissingAction"),
        ("sts", "", "400 MissingAction"),
        ("iam", "Action=ListMFADevices&Version=2010-05-08", "400 InvalidAction"),
        ("sns", "Action=ListTopics&Version=2010-03-31", "400 InvalidAction"),
    ] {
        check(&sandbox, service, (Method::POST, "/"), (FORM, body), (Speaks::Query, expected)).await;
    }
}

#[tokio::test]
async fn an_unknown_operation_of_cbor() {
    let sandbox = Sandbox::new().await;
    for path in [
        "/service/GraniteServiceVersion20100801/operation/DescribeAlarmContributors",
        "/service/Nobody/operation/Nothing",
        "/service/Nobody",
    ] {
        let expected = (Speaks::Cbor, "400 UnknownOperationException");
        let rpc = (("smithy-protocol", "rpc-v2-cbor"), "");
        check(&sandbox, "monitoring", (Method::POST, path), rpc, expected).await;
    }
    let cbor =
        [("x-amz-target", "Kinesis_20131202.ListStreams"), ("content-type", "application/x-amz-cbor-1.1")];
    let answer =
        sandbox.api().send("kinesis", Method::POST, "/", &cbor, Bytes::new()).await.expect("an answer");
    assert_eq!(outcome(Speaks::Cbor, &answer), "400 UnknownOperationException");
    assert_eq!(answer.headers["content-type"], "application/x-amz-cbor-1.1");
}

/// Without a signature too: nothing is S3's that says what it is.
#[tokio::test]
async fn an_unknown_operation_without_a_signature() {
    let sandbox = Sandbox::new().await;
    for (path, (name, value), body, (speaks, expected)) in [
        (
            "/",
            ("x-amz-target", "DynamoDB_20120810.ListTables"),
            "{}",
            (Speaks::Json, "400 UnknownOperationException"),
        ),
        ("/", FORM, "Action=ListTopics&Version=2010-03-31", (Speaks::Query, "400 InvalidAction")),
        ("/", FORM, "Action=ListUsers&Version=2010-05-08", (Speaks::Query, "403 MissingAuthenticationToken")),
        (
            "/service/Nobody/operation/Nothing",
            ("smithy-protocol", "rpc-v2-cbor"),
            "",
            (Speaks::Cbor, "400 UnknownOperationException"),
        ),
    ] {
        let request = http::Request::post(path).header("host", "localhost").header(name, value);
        let request = request.body(Bytes::from_static(body.as_bytes())).expect("a request");
        let answer =
            HttpConnection::plain(sandbox.addresses().api).await.send(request).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        assert!(parts.headers.contains_key("x-amzn-requestid"), "{path} {value}");
        let answer = client::Answer { status: parts.status, headers: parts.headers, body };
        assert_eq!(outcome(speaks, &answer), expected, "{path} {value}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn an_unknown_operation_of_s3() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    for path in ["/lake?inventory=", "/lake?intelligent-tiering=", "/lake?analytics=", "/lake/k?acl="] {
        let expected = (Speaks::S3, "501 NotImplemented");
        check(&sandbox, "s3", (Method::GET, path), (("accept", "*/*"), ""), expected).await;
    }
}

#[tokio::test]
async fn nonsense_is_the_clients_fault() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let bodies =
        ["", "[]", "null", "\"x\"", "{", "{\"DeliveryStreamName\": 7}", "\u{0}", "{\"Limit\": 1e400}"];
    for body in bodies {
        for (service, target) in [
            ("firehose", "Firehose_20150804.DescribeDeliveryStream"),
            ("glue", "AWSGlue.CreateTable"),
            ("athena", "AmazonAthena.StartQueryExecution"),
        ] {
            let answer =
                api.send(service, Method::POST, "/", &[("x-amz-target", target)], Bytes::from(body)).await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status, 400, "{target} {body:?}: {:?}", answer.body);
            assert!(answer.json()["__type"].is_string(), "{target} {body:?}: {:?}", answer.body);
        }
        let answer =
            api.send("iot", Method::POST, "/rules/r", &[], Bytes::from(body)).await.expect("an answer");
        assert_eq!(answer.status, 400, "CreateTopicRule {body:?}: {:?}", answer.body);
    }
}
