//! GetMetricData through the real table.

use serde_json::{Value, json};

use crate::testing::*;

fn metric(id: &str, name: &str, statistic: &str) -> Value {
    let metric = json!({"Namespace": "App", "MetricName": name});
    json!({"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}})
}

fn input(queries: &Value) -> Value {
    json!({"MetricDataQueries": queries, "StartTime": NOW - 300.0, "EndTime": NOW})
}

fn with(mut input: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// Two metrics over five minutes: `a` is 1 to 5, `b` is 10 in the second and the fourth.
async fn filled() -> Node {
    let node = node().await;
    for n in 0..5 {
        let at = NOW - 300.0 + f64::from(n) * 60.0;
        node.put("App", json!({"MetricName": "a", "Value": n + 1, "Timestamp": at})).await;
        if n % 2 == 1 {
            node.put("App", json!({"MetricName": "b", "Value": 10, "Timestamp": at})).await;
        }
    }
    node
}

/// Id, label, values and status of each result.
fn brief(said: &Value) -> Vec<Value> {
    let of = |result: &Value| json!([result["Id"], result["Label"], result["Values"], result["StatusCode"]]);
    said["MetricDataResults"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn metrics_come_newest_first_unless_asked_otherwise() {
    let node = filled().await;
    let queries =
        json!([metric("q1", "a", "Sum"), metric("q2", "b", "SampleCount"), metric("q3", "none", "p99")]);
    let said = node.ok("GetMetricData", input(&queries)).await;
    let expect = json!([
        ["q1", "a", [5.0, 4.0, 3.0, 2.0, 1.0], "Complete"],
        ["q2", "b", [1.0, 1.0], "Complete"],
        ["q3", "none", [], "Complete"],
    ]);
    assert_eq!(json!(brief(&said)), expect);
    assert_eq!(said["MetricDataResults"][1]["Timestamps"], json!([NOW - 120.0, NOW - 240.0]));
    assert_eq!(said["Messages"], json!([]));
    let ascending = with(input(&queries), &json!({"ScanBy": "TimestampAscending"}));
    let said = node.ok("GetMetricData", ascending).await;
    assert_eq!(brief(&said)[0], json!(["q1", "a", [1.0, 2.0, 3.0, 4.0, 5.0], "Complete"]));
}

#[tokio::test]
async fn pages_go_through_all_data_points_once() {
    let node = filled().await;
    let plain = json!([metric("q1", "a", "Sum"), metric("q2", "none", "Sum"), metric("q3", "b", "Sum")]);
    let math =
        json!([{"Id": "e", "Expression": "METRICS()"}, metric("q1", "a", "Sum"), metric("q3", "b", "Sum")]);
    for (queries, most, expect) in [(plain, 2, 7), (math, 3, 14)] {
        let mut values = Vec::new();
        let mut sizes = Vec::new();
        let mut next = json!(null);
        loop {
            let more = json!({"MaxDatapoints": most, "NextToken": next, "ScanBy": "TimestampAscending"});
            let said = node.ok("GetMetricData", with(input(&queries), &more)).await;
            let mut size = 0;
            for result in said["MetricDataResults"].as_array().unwrap() {
                size += result["Values"].as_array().unwrap().len();
                for (at, value) in
                    result["Timestamps"].as_array().unwrap().iter().zip(result["Values"].as_array().unwrap())
                {
                    values.push(format!("{} {} {at} {value}", result["Id"], result["Label"]));
                }
            }
            sizes.push(size);
            assert!(size <= most);
            next = said["NextToken"].clone();
            if next.is_null() {
                break;
            }
        }
        assert_eq!(values.len(), expect);
        values.dedup();
        assert_eq!(values.len(), expect);
        assert!(sizes.len() <= expect / most + 2, "{sizes:?}");
    }
}

#[tokio::test]
async fn expressions_are_evaluated_on_what_is_not_returned() {
    let node = filled().await;
    let hidden = with(metric("m1", "a", "Sum"), &json!({"ReturnData": false}));
    let queries = json!([
        hidden,
        metric("m2", "b", "Sum"),
        {"Id": "e1", "Expression": "m1 * 2", "Label": "[max: ${MAX}] ${LABEL}"},
        {"Id": "e2", "Expression": "FILL(m2, 0) + e1"},
        {"Id": "e3", "Expression": "METRICS()"},
    ]);
    let said =
        node.ok("GetMetricData", with(input(&queries), &json!({"ScanBy": "TimestampAscending"}))).await;
    let expect = json!([
        ["m2", "b", [10.0, 10.0], "Complete"],
        ["e1", "[max: 10] e1", [2.0, 4.0, 6.0, 8.0, 10.0], "Complete"],
        ["e2", "e2", [2.0, 14.0, 6.0, 18.0, 10.0], "Complete"],
        ["e3", "a", [1.0, 2.0, 3.0, 4.0, 5.0], "Complete"],
        ["e3", "b", [10.0, 10.0], "Complete"],
    ]);
    assert_eq!(json!(brief(&said)), expect);
}

#[tokio::test]
async fn a_search_finds_the_accounts_own_metrics() {
    let node = filled().await;
    for host in ["x", "y"] {
        let dimensions = json!([{"Name": "Host", "Value": host}]);
        let datum =
            json!({"MetricName": "cpu", "Value": 3, "Timestamp": NOW - 60.0, "Dimensions": dimensions});
        node.put("App", datum).await;
    }
    let other = json!({"Namespace": "App", "MetricData": [{"MetricName": "cpu", "Value": 9, "Dimensions": [{"Name": "Host", "Value": "z"}]}]});
    node.ok_as("111111111111", "PutMetricData", other).await;
    let queries = json!([
        {"Id": "s", "Expression": "SEARCH('{App,Host} MetricName=\"cpu\"', 'Sum', 60)"},
        {"Id": "t", "Expression": "SUM(SEARCH('{App,Host} cpu', 'Sum'))", "Period": 60},
    ]);
    let said = node.ok("GetMetricData", input(&queries)).await;
    let expect = json!([
        ["s", "x cpu", [3.0], "Complete"],
        ["s", "y cpu", [3.0], "Complete"],
        ["t", "t", [6.0], "Complete"],
    ]);
    assert_eq!(json!(brief(&said)), expect);
}

#[tokio::test]
async fn another_account_is_forbidden() {
    let node = filled().await;
    let foreign = with(metric("q", "a", "Sum"), &json!({"AccountId": "111111111111"}));
    let own = with(metric("o", "a", "Sum"), &json!({"AccountId": "000000000000"}));
    let said = node.ok("GetMetricData", input(&json!([foreign, own]))).await;
    assert_eq!(brief(&said)[0], json!(["q", "q", [], "Forbidden"]));
    assert_eq!(brief(&said)[1][3], "Complete");
}

#[tokio::test]
async fn every_wrong_request_is_told() {
    let node = node().await;
    let good = || input(&json!([metric("q", "a", "Sum")]));
    let query = |more: Value| input(&json!([with(metric("q", "a", "Sum"), &more)]));
    let stat = |more: Value| {
        let metric = metric("q", "a", "Sum");
        let stat = with(metric["MetricStat"].clone(), &more);
        input(&json!([with(metric, &json!({"MetricStat": stat}))]))
    };
    let expression = |text: &str| input(&json!([{"Id": "e", "Expression": text}]));
    let first = "MetricDataQueries.member.1";
    let cases = [
        (
            with(good(), &json!({"MetricDataQueries": []})),
            "The parameter MetricDataQueries is required.".to_owned(),
        ),
        (with(good(), &json!({"StartTime": null})), "The parameter StartTime is required.".to_owned()),
        (with(good(), &json!({"EndTime": null})), "The parameter EndTime is required.".to_owned()),
        (
            with(good(), &json!({"StartTime": NOW})),
            "The parameter StartTime must not equal parameter EndTime.".to_owned(),
        ),
        (
            with(good(), &json!({"StartTime": NOW + 1.0})),
            "The parameter StartTime must be less than the parameter EndTime.".to_owned(),
        ),
        (
            with(good(), &json!({"ScanBy": "Random"})),
            "The value Random for parameter ScanBy is invalid.".to_owned(),
        ),
        (
            with(good(), &json!({"MaxDatapoints": 0})),
            "The value 0 for parameter MaxDatapoints is invalid.".to_owned(),
        ),
        (
            with(good(), &json!({"MaxDatapoints": 100_801})),
            "The value 100801 for parameter MaxDatapoints is invalid.".to_owned(),
        ),
        (
            with(good(), &json!({"LabelOptions": {"Timezone": "CET"}})),
            "The value CET for parameter LabelOptions.Timezone is invalid.".to_owned(),
        ),
        (
            input(&json!(vec![metric("q", "a", "Sum"); 501])),
            "The collection MetricDataQueries must not have a size greater than 500.".to_owned(),
        ),
        (
            input(&json!([metric("q", "a", "Sum"), metric("q", "b", "Sum")])),
            "The values for parameter id in MetricDataQueries are not unique: q.".to_owned(),
        ),
        (query(json!({"Id": null})), format!("The parameter {first}.Id is required.")),
        (query(json!({"Id": "Q"})), format!("The value Q for parameter {first}.Id is invalid.")),
        (query(json!({"Id": "q-1"})), format!("The value q-1 for parameter {first}.Id is invalid.")),
        (
            query(json!({"Period": 7})),
            format!("The parameter {first}.Period must be 1, 5, 10, 20, 30 or a multiple of 60."),
        ),
        (
            query(json!({"Expression": "1"})),
            format!(
                "The parameters {first}.MetricStat and {first}.Expression are mutually exclusive and you have specified both."
            ),
        ),
        (
            query(json!({"MetricStat": null})),
            format!(
                "At least one of the parameters {first}.MetricStat and {first}.Expression must be specified."
            ),
        ),
        (stat(json!({"Metric": null})), format!("The parameter {first}.MetricStat.Metric is required.")),
        (
            stat(json!({"Metric": {"MetricName": "a"}})),
            format!("The parameter {first}.MetricStat.Metric.Namespace is required."),
        ),
        (
            stat(json!({"Metric": {"Namespace": "a"}})),
            format!("The parameter {first}.MetricStat.Metric.MetricName is required."),
        ),
        (stat(json!({"Period": null})), format!("The parameter {first}.MetricStat.Period is required.")),
        (
            stat(json!({"Period": 86_460})),
            format!("The parameter {first}.MetricStat.Period must be less than or equal to 86400."),
        ),
        (stat(json!({"Stat": null})), format!("The parameter {first}.MetricStat.Stat is required.")),
        (
            stat(json!({"Stat": "p"})),
            format!("The value p for parameter {first}.MetricStat.Stat is not a valid statistic."),
        ),
        (
            stat(json!({"Unit": "Parsecs"})),
            format!("The value Parsecs for parameter {first}.MetricStat.Unit is invalid."),
        ),
        (expression("e"), "Error in expression 'e': e refers to itself.".to_owned()),
        (expression("m1 +"), "Error in expression 'e': it ends too early.".to_owned()),
        (expression("5"), "Error in expression 'e': it does not return a time series.".to_owned()),
        (expression("SEARCH('{', 'Sum')"), "Error in expression 'e': a schema does not end.".to_owned()),
        (
            expression("select avg(x) from App"),
            "Error in expression 'e': Metrics Insights queries are not supported.".to_owned(),
        ),
        (expression(&"1".repeat(2_049)), "The expression of e must have 1 to 2048 characters.".to_owned()),
    ];
    for (input, expect) in cases {
        let said = node.said("GetMetricData", input).await;
        assert_eq!(said, format!("ValidationException: {expect}"));
    }
    let token = with(good(), &json!({"NextToken": "x"}));
    assert_eq!(node.said("GetMetricData", token).await, "InvalidNextToken: The next token is invalid.");
}
