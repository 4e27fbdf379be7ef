//! SQL over the pipeline as a client of Athena sees it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::Entropy;
use serde_json::{Value, json};
use testkit::Sandbox;

use crate::lake::{self, BUCKET, deliver, lake, numbered};

/// The table as its issue has it, names in mixed case and all.
const HEARTRATE: &str = "\
CREATE EXTERNAL TABLE heartrate_iot_data (
    heartRate int,
    userId string,
    rateType string,
    dateTime timestamp)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
LOCATION 's3://lake/heartrate_data/'";

async fn heartrate() -> Sandbox {
    let sandbox = lake().await;
    let prefix = json!({"Prefix": "heartrate_data/"});
    lake::stream(&sandbox, "heartrate", &prefix).await;
    let actions = json!([lake::to_stream("heartrate")]);
    lake::rule(&sandbox, "heartrate", "SELECT * FROM '/health/#'", &actions).await;
    assert_eq!(sandbox.sql(HEARTRATE).await.outcome, "SUCCEEDED");
    sandbox
}

fn beat(user: &str, rate: u64) -> String {
    let rate_type = if rate > 90 { "HIGH" } else { "NORMAL" };
    let at = "2026-01-01 00:00:00";
    json!({"heartRate": rate, "userId": user, "rateType": rate_type, "dateTime": at}).to_string()
}

#[tokio::test]
async fn names_of_columns_are_the_same_in_any_case() {
    let sandbox = heartrate().await;
    let mut device = sandbox.device("d").await;
    device.publish("/health/Silva", beat("Silva", 71)).await;
    device.publish("/health/Silva", r#"{"HEARTRATE": 72, "userid": "Silva"}"#).await;
    for select in [
        "SELECT heartRate, userId FROM heartrate_iot_data ORDER BY heartRate",
        "select heartrate, userid from HeartRate_IoT_Data order by HEARTRATE",
        "SELECT \"heartRate\", t.USERID FROM default.heartrate_iot_data AS t ORDER BY 1",
    ] {
        let executed = sandbox.sql(select).await;
        assert_eq!(executed.values(), [["71", "Silva"], ["72", "Silva"]], "{select}");
    }
    let executed = sandbox.sql("SELECT * FROM heartrate_iot_data WHERE heartRate = 71").await;
    assert_eq!(
        executed.rows,
        [
            ["heartrate", "userid", "ratetype", "datetime"],
            ["71", "Silva", "NORMAL", "2026-01-01 00:00:00.000"]
        ]
    );
}

#[tokio::test]
async fn averages_by_user_are_those_of_what_was_sent() {
    let sandbox = heartrate().await;
    let entropy = Entropy::seeded(7);
    let mut device = sandbox.device("d").await;
    let mut sent: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for n in 0..600 {
        let user = format!("user-{:02}", entropy.below(20));
        let rate = 50 + entropy.below(100);
        device.publish(&format!("/health/{user}"), beat(&user, rate)).await;
        sent.entry(user).or_default().push(rate);
        if n == 300 {
            deliver(&sandbox).await;
        }
    }
    let executed = sandbox
        .sql(
            "SELECT userId, count(*), min(heartRate), max(heartRate), sum(heartRate), avg(heartRate) \
              FROM heartrate_iot_data GROUP BY userId ORDER BY userId",
        )
        .await;
    let values = executed.values();
    assert_eq!(values.len(), sent.len());
    for (row, (user, rates)) in values.iter().zip(&sent) {
        let (count, sum) = (rates.len() as u64, rates.iter().sum::<u64>());
        let (min, max) = (rates.iter().min().expect("one"), rates.iter().max().expect("one"));
        let texts = [user.clone(), count.to_string(), min.to_string(), max.to_string(), sum.to_string()];
        assert_eq!(row[..5], texts.each_ref().map(String::as_str));
        let average: f64 = row[5].parse().expect("a number");
        assert!((average - sum as f64 / count as f64).abs() < 1e-9, "{user}: {average}");
    }
    let high = "SELECT count(*) FROM heartrate_iot_data WHERE rateType = 'HIGH'";
    let expected = sent.values().flatten().filter(|rate| **rate > 90).count();
    assert_eq!(sandbox.sql(high).await.value(), expected.to_string());
}

/// Puts records straight into a stream.
async fn put(sandbox: &Sandbox, stream: &str, records: &[&str]) {
    for record in records {
        let data = STANDARD.encode(record);
        let input = json!({"DeliveryStreamName": stream, "Record": {"Data": data}});
        sandbox.api().json("firehose", "PutRecord", &input).await.expect("it is put");
    }
}

#[tokio::test]
async fn a_malformed_line_is_left_out_where_the_table_says_so() {
    let sandbox = heartrate().await;
    let good = beat("Silva", 71) + "\n";
    put(&sandbox, "heartrate", &[&good, "{\"heartRate\": 1\n", "garbage\n", &good]).await;
    let count = "SELECT count(*) FROM heartrate_iot_data";
    assert_eq!(sandbox.sql(count).await.value(), "2", "in the buffer");
    deliver(&sandbox).await;
    assert_eq!(sandbox.sql(count).await.value(), "2", "in the object");
}

#[tokio::test]
async fn a_malformed_line_is_named_where_the_table_does_not() {
    let sandbox = lake().await;
    put(&sandbox, "numbers", &["{\"n\": 1}\n", "{\"n\": 2}\n{\"n\": \n", "{\"n\": 4}\n"]).await;
    let select = "SELECT n FROM numbers";
    let buffered = sandbox.sql(select).await.outcome;
    deliver(&sandbox).await;
    let key = sandbox.keys(BUCKET, "numbers/").await.remove(0);
    let stored = sandbox.sql(select).await.outcome;
    for outcome in [buffered, stored] {
        assert!(outcome.starts_with("FAILED: HIVE_CURSOR_ERROR: "), "{outcome}");
        assert!(outcome.ends_with(&format!("s3://lake/{key}, line 3")), "{outcome} does not name {key}");
    }
}

#[tokio::test]
async fn a_mistake_in_a_statement_is_told_with_its_place() {
    let sandbox = lake().await;
    for (statement, expected) in [
        ("SELECT nope FROM numbers", "FAILED: COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"),
        (
            "SELECT * FROM nowhere",
            "FAILED: TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.nowhere' does not exist",
        ),
    ] {
        let outcome = sandbox.sql(statement).await.outcome;
        assert!(outcome.starts_with(expected), "{statement}: {outcome}");
    }
}

#[tokio::test]
async fn a_workgroup_puts_results_where_it_says() {
    let sandbox = heartrate().await;
    sandbox.bucket("results").await;
    let api = sandbox.api();
    let configuration = json!({
        "EnforceWorkGroupConfiguration": true,
        "ResultConfiguration": {"OutputLocation": "s3://results/team/"},
    });
    let input = json!({"Name": "team", "Configuration": configuration});
    api.json("athena", "CreateWorkGroup", &input).await.expect("it is made");
    let mut device = sandbox.device("d").await;
    device.publish("/health/a", beat("a \"quoted\", b", 60)).await;
    device.publish("/health/b", beat("b", 80)).await;
    let executed = sandbox
        .execute(&json!({
            "QueryString": "SELECT userId, heartRate, CAST(NULL AS varchar) AS nothing FROM heartrate_iot_data ORDER BY heartRate",
            "QueryExecutionContext": {"Database": "default"},
            "WorkGroup": "team",
            // The workgroup's settings win.
            "ResultConfiguration": {"OutputLocation": "s3://results/elsewhere/"},
        }))
        .await;
    assert_eq!(executed.outcome, "SUCCEEDED");
    let key = format!("team/{}.csv", executed.id);
    assert_eq!(sandbox.keys("results", "").await, [key.clone(), format!("{key}.metadata")]);
    assert_eq!(
        sandbox.object("results", &key).await,
        "\"userId\",\"heartRate\",\"nothing\"\n\"a \"\"quoted\"\", b\",\"60\",\n\"b\",\"80\",\n"
    );
    let found = api.json("athena", "GetQueryExecution", &json!({"QueryExecutionId": executed.id})).await;
    let found = found.expect("it is there");
    let location =
        found.pointer("/QueryExecution/ResultConfiguration/OutputLocation").and_then(Value::as_str);
    assert_eq!(location, Some(format!("s3://results/{key}").as_str()));
}

#[tokio::test]
async fn a_running_query_is_stopped() {
    let sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    for n in 0..200 {
        device.publish("in/a", numbered(n)).await;
    }
    let api = sandbox.api();
    // 200^5 rows: nobody waits for that.
    let endless = "SELECT count(*) FROM numbers a, numbers b, numbers c, numbers d, numbers e \
                   WHERE a.n + b.n + c.n + d.n + e.n = -1";
    let input = json!({"QueryString": endless, "QueryExecutionContext": {"Database": "default"}});
    let started = api.json("athena", "StartQueryExecution", &input).await.expect("it starts");
    let id = json!({"QueryExecutionId": started["QueryExecutionId"]});
    sandbox
        .until("it runs", async || {
            let found = api.json("athena", "GetQueryExecution", &id).await.expect("it is there");
            found.pointer("/QueryExecution/Status/State").and_then(Value::as_str) == Some("RUNNING")
        })
        .await;
    api.json("athena", "StopQueryExecution", &id).await.expect("it is stopped");
    let outcome = sandbox.outcome(started["QueryExecutionId"].as_str().expect("an id")).await;
    assert!(outcome.starts_with("CANCELLED"), "{outcome}");
    assert_eq!(sandbox.sql("SELECT count(*) FROM numbers").await.value(), "200", "and the engine goes on");
    let results = api.json("athena", "GetQueryResults", &id).await.expect_err("it has none");
    assert_eq!(results.code(), "InvalidRequestException");
}

#[tokio::test]
async fn a_result_of_many_pages_is_read_whole() {
    let sandbox = lake().await;
    let mut lines = String::new();
    for n in 0..2500 {
        lines.push_str(&numbered(n));
        lines.push('\n');
    }
    sandbox.put(BUCKET, "numbers/all.json", lines).await;
    let executed = sandbox.sql("SELECT n FROM numbers ORDER BY n").await;
    let values: Vec<u64> = executed.values().iter().map(|row| row[0].parse().expect("a number")).collect();
    assert_eq!(values, (0..2500).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_query_that_a_crash_interrupted_has_failed() {
    let mut sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    for n in 0..200 {
        device.publish("in/a", numbered(n)).await;
    }
    let endless = "SELECT count(*) FROM numbers a, numbers b, numbers c, numbers d, numbers e \
                   WHERE a.n + b.n + c.n + d.n + e.n = -1";
    let input = json!({"QueryString": endless, "QueryExecutionContext": {"Database": "default"}});
    let started = sandbox.api().json("athena", "StartQueryExecution", &input).await.expect("it starts");
    sandbox.crash().await;
    let outcome = sandbox.outcome(started["QueryExecutionId"].as_str().expect("an id")).await;
    assert!(outcome.starts_with("FAILED"), "{outcome}");
    assert_eq!(sandbox.sql("SELECT count(*) FROM numbers").await.value(), "200");
}

#[tokio::test]
async fn tables_of_the_catalog_and_of_ddl_are_the_same() {
    let sandbox = heartrate().await;
    let input = json!({"DatabaseName": "default", "Name": "heartrate_iot_data"});
    let found = sandbox.api().json("glue", "GetTable", &input).await.expect("it is there");
    let columns =
        found.pointer("/Table/StorageDescriptor/Columns").and_then(Value::as_array).expect("columns");
    let names: Vec<&str> = columns.iter().filter_map(|column| column["Name"].as_str()).collect();
    assert_eq!(names, ["heartrate", "userid", "ratetype", "datetime"]);
    let storage = json!({
        "Columns": [{"Name": "n", "Type": "int"}], "Location": "s3://lake/numbers/",
        "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}});
    let table = json!({"Name": "again", "StorageDescriptor": storage});
    let input = json!({"DatabaseName": "default", "TableInput": table});
    sandbox.api().json("glue", "CreateTable", &input).await.expect("it is made");
    sandbox.device("d").await.publish("in/a", numbered(5)).await;
    assert_eq!(sandbox.sql("SELECT a.n + b.n FROM again a JOIN numbers b ON a.n = b.n").await.value(), "10");
}
