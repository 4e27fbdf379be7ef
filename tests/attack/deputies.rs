//! Confused deputies: services that act for B with what is A's. Whatever B is allowed to write down, A's data neither comes out nor
//! changes.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::tenants::{A, B, KEYS, LAKE, SECRET, Tenants, said};

/// Time for every delivery and every retry to have happened.
async fn everything_is_delivered(tenants: &Tenants) {
    for _ in 0..20 {
        tenants.sandbox.advance(Duration::from_secs(60));
        // A request of its own after each minute: what is due has been begun when it is answered.
        assert_eq!(said(&tenants.b.s3(Method::GET, "/", &[], "").await), "200");
    }
}

#[tokio::test]
async fn a_stream_into_another_accounts_bucket_delivers_nothing() {
    let tenants = Tenants::new().await;
    let role = tenants.b.role().await;
    // As on AWS, the bucket of a stream may be another account's, if its policy allows: A's does not.
    let made = tenants.b.stream("s", LAKE, &role).await;
    if made.contains("DeliveryStreamARN") {
        tenants.b.put_record("s", b"{\"word\": \"planted\"}\n").await;
        everything_is_delivered(&tenants).await;
    }
    assert_eq!(tenants.a.keys(LAKE).await, KEYS, "{made}");
}

#[tokio::test]
async fn a_stream_does_not_act_as_another_accounts_role() {
    let tenants = Tenants::new().await;
    let role = tenants.a.role().await;
    tenants.b.bucket("lake-of-b").await;
    for (name, bucket) in [("s", LAKE), ("t", "lake-of-b")] {
        let existing = tenants.b.stream(name, bucket, &role).await;
        let missing = tenants.b.stream(name, bucket, &format!("arn:aws:iam::{A}:role/nothing")).await;
        assert!(!existing.contains("DeliveryStreamARN"), "{existing}");
        assert_eq!(existing.replace("role/pipeline", ""), missing.replace("role/nothing", ""));
    }
    assert_eq!(tenants.a.keys(LAKE).await, KEYS);
}

#[tokio::test]
async fn a_stream_of_another_account_takes_no_record_and_is_not_there() {
    let tenants = Tenants::new().await;
    let role = tenants.a.role().await;
    let made = tenants.a.stream("numbers", LAKE, &role).await;
    assert!(made.contains("DeliveryStreamARN"), "{made}");
    for operation in ["DescribeDeliveryStream", "DeleteDeliveryStream", "ListTagsForDeliveryStream"] {
        let ask = async |name: &str| {
            let said = tenants.b.tried("firehose", operation, json!({"DeliveryStreamName": name})).await;
            said.replace(name, "NAME")
        };
        let existing = ask("numbers").await;
        assert!(existing.contains("ResourceNotFoundException"), "{operation}: {existing}");
        assert_eq!(existing, ask("nothing").await, "{operation}");
    }
    let put = tenants.b.put_record("numbers", b"planted").await;
    assert!(put.contains("ResourceNotFoundException"), "{put}");
    let listed = tenants.b.json("firehose", "ListDeliveryStreams", json!({})).await;
    assert_eq!(listed["DeliveryStreamNames"], json!([]));
    everything_is_delivered(&tenants).await;
    assert_eq!(tenants.a.keys(LAKE).await, KEYS);
}

async fn rule(tenants: &Tenants, name: &str, actions: serde_json::Value) -> String {
    let payload =
        json!({"sql": "SELECT * FROM 'in/#'", "awsIotSqlVersion": "2016-03-23", "actions": actions});
    said(&tenants.b.rest("iot", Method::POST, &format!("/rules/{name}"), payload).await)
}

async fn publish(tenants: &Tenants) {
    let body = json!({"word": "planted"});
    let published = tenants.b.rest("iotdata", Method::POST, "/topics/in/a?qos=1", body).await;
    assert_eq!(said(&published), "200");
}

#[tokio::test]
async fn a_rule_acts_on_nothing_of_another_account() {
    let tenants = Tenants::new().await;
    let (role_a, role_b) = (tenants.a.role().await, tenants.b.role().await);
    let made = tenants.a.stream("numbers", LAKE, &role_a).await;
    assert!(made.contains("DeliveryStreamARN"), "{made}");
    let into_bucket = |role: &str| json!([{"s3": {"roleArn": role, "bucketName": LAKE, "key": "planted"}}]);
    let into_stream = |role: &str| json!([{"firehose": {"roleArn": role, "deliveryStreamName": "numbers"}}]);
    // With a role of A's it is not even made; with B's own it is, and then A's bucket refuses, and A's stream is not there.
    assert!(rule(&tenants, "a_s_role", into_bucket(&role_a)).await.starts_with('4'));
    assert!(rule(&tenants, "a_s_role_too", into_stream(&role_a)).await.starts_with('4'));
    rule(&tenants, "b_s_role", into_bucket(&role_b)).await;
    rule(&tenants, "b_s_role_too", into_stream(&role_b)).await;
    publish(&tenants).await;
    everything_is_delivered(&tenants).await;
    assert_eq!(tenants.a.keys(LAKE).await, KEYS);
}

#[tokio::test]
async fn a_query_reads_nothing_of_another_account() {
    let tenants = Tenants::with_engine().await;
    tenants.b.bucket("lake-of-b").await;
    let output = "s3://lake-of-b/results/";
    // A's records: some in objects, some still in A's stream, which delivers into the same place.
    let role = tenants.a.role().await;
    let made = tenants.a.stream("numbers", LAKE, &role).await;
    assert!(made.contains("DeliveryStreamARN"), "{made}");
    let put = tenants.a.put_record("numbers", json!({"word": SECRET}).to_string().as_bytes()).await;
    assert!(put.contains("RecordId"), "{put}");
    let ddl = format!(
        "CREATE EXTERNAL TABLE stolen (word string) ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' LOCATION 's3://{LAKE}/raw/'"
    );
    tenants.b.sql(&tenants.sandbox, &ddl, output).await;
    for statement in [
        "SELECT * FROM stolen",
        "SELECT count(*) FROM stolen",
        "SELECT \"$path\" FROM stolen",
        "SELECT word FROM stolen WHERE word LIKE 'the%'",
    ] {
        let (outcome, rows) = tenants.b.sql(&tenants.sandbox, statement, output).await;
        assert!(!outcome.starts_with("SUCCEEDED"), "{statement}: {outcome} {rows}");
        assert!(!format!("{outcome} {rows}").contains(SECRET), "{outcome} {rows}");
    }
    // A sees both.
    tenants.a.sql(&tenants.sandbox, &ddl, &format!("s3://{LAKE}/results/")).await;
    let (outcome, rows) = tenants
        .a
        .sql(&tenants.sandbox, "SELECT count(*) FROM stolen", &format!("s3://{LAKE}/results/"))
        .await;
    assert!(outcome.starts_with("SUCCEEDED"), "{outcome}");
    assert!(rows.to_string().contains('2'), "{rows}");
}

#[tokio::test]
async fn a_query_writes_nothing_into_another_accounts_bucket() {
    let tenants = Tenants::with_engine().await;
    let (outcome, _) = tenants.b.sql(&tenants.sandbox, "SELECT 1", &format!("s3://{LAKE}/results/")).await;
    assert!(!outcome.starts_with("SUCCEEDED"), "{outcome}");
    let name = json!({"Name": "w", "Configuration": {
        "EnforceWorkGroupConfiguration": true, "ResultConfiguration": {"OutputLocation": format!("s3://{LAKE}/results/")},
    }});
    tenants.b.tried("athena", "CreateWorkGroup", name).await;
    let started = tenants
        .b
        .tried("athena", "StartQueryExecution", json!({"QueryString": "SELECT 1", "WorkGroup": "w"}))
        .await;
    assert!(!started.contains(SECRET));
    everything_is_delivered(&tenants).await;
    assert_eq!(tenants.a.keys(LAKE).await, KEYS);
}

#[tokio::test]
async fn a_query_of_another_account_is_not_there() {
    let tenants = Tenants::with_engine().await;
    let input = json!({"QueryString": format!("SELECT '{SECRET}'"), "ResultConfiguration": {"OutputLocation": format!("s3://{LAKE}/results/")}});
    let started = tenants.a.json("athena", "StartQueryExecution", input).await;
    let id = started["QueryExecutionId"].as_str().expect("it has an id").to_owned();
    let other = "00000000-0000-4000-8000-000000000000";
    for operation in ["GetQueryExecution", "GetQueryResults", "StopQueryExecution"] {
        let ask = async |id: &str| {
            tenants.b.tried("athena", operation, json!({"QueryExecutionId": id})).await.replace(id, "ID")
        };
        let existing = ask(&id).await;
        assert!(
            existing.contains("InvalidRequestException") && !existing.contains(SECRET),
            "{operation}: {existing}"
        );
        assert_eq!(existing, ask(other).await, "{operation}");
    }
    let batch =
        tenants.b.json("athena", "BatchGetQueryExecution", json!({"QueryExecutionIds": [id, other]})).await;
    assert_eq!(batch["QueryExecutions"], json!([]));
    let listed = tenants.b.json("athena", "ListQueryExecutions", json!({})).await;
    assert_eq!(listed["QueryExecutionIds"], json!([]));
}

#[tokio::test]
async fn the_catalog_of_another_account_is_not_there() {
    let tenants = Tenants::new().await;
    tenants.a.json("glue", "CreateDatabase", json!({"DatabaseInput": {"Name": "heart"}})).await;
    let table = json!({"Name": "beats", "StorageDescriptor": {"Location": format!("s3://{LAKE}/raw/"), "Columns": []}});
    tenants.a.json("glue", "CreateTable", json!({"DatabaseName": "heart", "TableInput": table})).await;
    for catalog in [None, Some(A), Some(B)] {
        let input = |mut input: serde_json::Value| {
            if let Some(catalog) = catalog {
                input["CatalogId"] = catalog.into();
            }
            input
        };
        for (operation, existing, missing) in [
            ("GetDatabase", json!({"Name": "heart"}), json!({"Name": "nothing"})),
            ("DeleteDatabase", json!({"Name": "heart"}), json!({"Name": "nothing"})),
            ("GetTables", json!({"DatabaseName": "heart"}), json!({"DatabaseName": "nothing"})),
            (
                "GetTable",
                json!({"DatabaseName": "heart", "Name": "beats"}),
                json!({"DatabaseName": "nothing", "Name": "beats"}),
            ),
            (
                "DeleteTable",
                json!({"DatabaseName": "heart", "Name": "beats"}),
                json!({"DatabaseName": "nothing", "Name": "beats"}),
            ),
        ] {
            let existing = tenants.b.tried("glue", operation, input(existing)).await;
            let missing = tenants.b.tried("glue", operation, input(missing)).await;
            assert!(!existing.contains(LAKE), "{operation}: {existing}");
            assert!(existing.contains("Exception"), "{operation} {catalog:?}: {existing}");
            assert_eq!(existing.replace("heart", "nothing"), missing, "{operation} {catalog:?}");
        }
        let listed = tenants.b.tried("glue", "GetDatabases", input(json!({}))).await;
        assert!(!listed.contains("heart"), "{listed}");
    }
    tenants.a.json("glue", "GetTable", json!({"DatabaseName": "heart", "Name": "beats"})).await;
}
