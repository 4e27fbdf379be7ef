//! Deep and hostile text: a decoder refuses it before its stack or its time ends.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use testkit::Sandbox;

use crate::tenants::said;

/// Far beyond any stack.
const DEPTH: usize = 100_000;

async fn still_serves(sandbox: &Sandbox) {
    let answer = sandbox.api().send("s3", Method::GET, "/", &[], Bytes::new()).await.expect("an answer");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn deep_json_is_refused_by_every_service() {
    let sandbox = Sandbox::new().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    for (service, target) in [
        ("firehose", "Firehose_20150804.CreateDeliveryStream"),
        ("glue", "AWSGlue.CreateTable"),
        ("athena", "AmazonAthena.StartQueryExecution"),
    ] {
        let headers = [("x-amz-target", target)];
        let answer = sandbox.api().send(service, Method::POST, "/", &headers, deep.clone().into()).await;
        assert!(answer.expect("an answer").status.is_client_error(), "{service}");
    }
    for (path, body) in [("/rules/r", deep.clone()), ("/things/t", deep.clone())] {
        let answer =
            sandbox.api().send("iot", Method::POST, path, &[], body.into()).await.expect("an answer");
        assert!(answer.status.is_client_error(), "{path}");
    }
    still_serves(&sandbox).await;
}

#[tokio::test]
async fn deep_forms_and_xml_are_refused() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let name = "a.".repeat(DEPTH);
    let body = format!("Action=CreateUser&Version=2010-05-08&UserName=x&{name}=1");
    let answer = sandbox.api().send("iam", Method::POST, "/", &form, body.into()).await.expect("an answer");
    assert!(answer.status.as_u16() < 500, "{:?}", answer.body);
    for xml in [
        format!("{}{}", "<a>".repeat(DEPTH), "</a>".repeat(DEPTH)),
        // Entities that multiply: they are not expanded at all.
        "<!DOCTYPE t [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>\
         <Tagging><TagSet><Tag><Key>&c;</Key><Value>x</Value></Tag></TagSet></Tagging>"
            .to_owned(),
        "<!DOCTYPE t [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Tagging><TagSet><Tag><Key>k</Key><Value>&x;</Value></Tag></TagSet></Tagging>"
            .to_owned(),
    ] {
        let xml = Bytes::from(xml);
        let answer = sandbox.api().send("s3", Method::PUT, "/lake?tagging=", &[], xml.clone()).await.expect("an answer");
        let shown: String = String::from_utf8_lossy(&xml).chars().take(60).collect();
        assert!(answer.status.is_client_error(), "{shown}: {}", said(&answer));
    }
    // Elements that nobody knows are passed over, however deep.
    let deep = format!("<Tagging><TagSet>{}{}</TagSet></Tagging>", "<a>".repeat(DEPTH), "</a>".repeat(DEPTH));
    let answer =
        sandbox.api().send("s3", Method::PUT, "/lake?tagging=", &[], deep.into()).await.expect("an answer");
    assert!(answer.status.as_u16() < 500, "{}", said(&answer));
    still_serves(&sandbox).await;
}

async fn rule(sandbox: &Sandbox, name: &str, sql: &str) -> String {
    let payload = json!({"sql": sql, "awsIotSqlVersion": "2016-03-23", "actions": [{"republish": {
        "roleArn": "arn:aws:iam::000000000000:role/r", "topic": "out",
    }}]});
    let headers = [("content-type", "application/json")];
    let body = Bytes::from(payload.to_string());
    let answer = sandbox.api().send("iot", Method::POST, &format!("/rules/{name}"), &headers, body).await;
    said(&answer.expect("an answer"))
}

#[tokio::test]
async fn deep_statements_are_refused() {
    let sandbox = Sandbox::new().await;
    for (name, expression) in [
        ("parentheses", format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000))),
        ("negations", format!("{}1", "-".repeat(50_000))),
        ("nots", format!("{}true", "NOT ".repeat(20_000))),
        ("arrays", format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000))),
        ("calls", format!("{}1{}", "abs(".repeat(10_000), ")".repeat(10_000))),
        ("cases", format!("{}1{}", "CASE 1 WHEN 1 THEN ".repeat(3_000), " END".repeat(3_000))),
    ] {
        let said = rule(&sandbox, name, &format!("SELECT {expression} AS x FROM 'a'")).await;
        assert!(said.starts_with("400"), "{name}: {said}");
    }
    // A long sum is not a deep one.
    let sum = format!("SELECT 1{} AS x FROM 'a'", "+1".repeat(40_000));
    assert_eq!(rule(&sandbox, "sum", &sum).await, "200");
    sandbox.device("d").await.publish("a", "{}").await;
    for sql in [
        format!("SELECT {}1{}", "(".repeat(50_000), ")".repeat(50_000)),
        format!("SELECT 1{}", "+1".repeat(60_000)),
        format!("SELECT {}true", "NOT ".repeat(40_000)),
        format!("SELECT {}1", "-".repeat(100_000)),
        format!("{}SELECT 1{}", "SELECT * FROM (".repeat(8_000), ")".repeat(8_000)),
        format!(
            "CREATE EXTERNAL TABLE t (a {}int{}) LOCATION 's3://x/'",
            "array<".repeat(20_000),
            ">".repeat(20_000)
        ),
        format!("SELECT * FROM a{}", " JOIN a ON true".repeat(8_000)),
        format!("SELECT CASE {}", "WHEN CASE ".repeat(20_000)),
    ] {
        let input = json!({"QueryString": sql, "ResultConfiguration": {"OutputLocation": "s3://lake/"}});
        let shown: String = sql.chars().take(40).collect();
        match sandbox.api().json("athena", "StartQueryExecution", &input).await {
            Err(error) => assert_eq!(error.code(), "InvalidRequestException", "{shown}: {error}"),
            Ok(started) => {
                let outcome = sandbox.outcome(started["QueryExecutionId"].as_str().expect("an id")).await;
                assert!(outcome.starts_with("FAILED"), "{shown}: {outcome}");
            }
        }
    }
    still_serves(&sandbox).await;
}

#[tokio::test]
async fn a_deep_payload_stops_no_rule() {
    let sandbox = Sandbox::new().await;
    assert_eq!(rule(&sandbox, "r", "SELECT a.b AS x FROM 'in'").await, "200");
    let mut device = sandbox.device("d").await;
    device.publish("in", format!("{{\"a\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000))).await;
    device.publish("in", "[".repeat(100_000)).await;
    device.subscribe("out", mqtt::Qos::AtLeastOnce).await.expect("it is granted");
    device.publish("in", json!({"a": {"b": 7}}).to_string()).await;
    let heard = device.message().await.expect("a message");
    let heard: Value = serde_json::from_slice(&heard.message.payload).expect("JSON");
    assert_eq!(heard, json!({"x": 7}));
}
