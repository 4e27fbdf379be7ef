//! Metrics: the operator's port, and CloudWatch over its three protocols, through policies and restarts.

use std::collections::BTreeMap;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use client::Client;
use http::{Method, Request, StatusCode};
use iam::{Mode, RootKey};
use node::Config;
use serde_json::{Value, json};
use testkit::{Halt, HttpConnection, Sandbox, Setup, Write, elements};

const PREFIX: &str = "GraniteServiceVersion20100801";

async fn cloudwatch(api: &Client, operation: &str, input: &Value) -> Value {
    let target = format!("{PREFIX}.{operation}");
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
    let body = Bytes::from(input.to_string());
    let answer = api.send("monitoring", Method::POST, "/", &headers, body).await.expect("an answer");
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

async fn get(sandbox: &Sandbox, path: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
    let mut connection = HttpConnection::plain(sandbox.addresses().metrics).await;
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost");
    }
    let answer = connection.send(request.body(Bytes::new()).expect("a request")).await.expect("an answer");
    (answer.status(), String::from_utf8_lossy(answer.body()).into_owned())
}

/// Samples by name and labels. Panics for what is not Prometheus's text format.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut kinds = BTreeMap::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a kind");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is declared twice");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').expect("a series and a value");
            let name = series.split('{').next().expect("a name");
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix).filter(|family| kinds.contains_key(*family)));
            assert!(kinds.contains_key(family.unwrap_or(name)), "{line}");
            let value = value.parse().expect("a number");
            assert!(samples.insert(series.to_owned(), value).is_none(), "{series} is there twice");
        }
    }
    samples
}

#[tokio::test]
async fn prometheus_reads_every_series_once() {
    let sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    sandbox.put("lake", "k", "x").await;
    let (status, text) = get(&sandbox, "/metrics", &[]).await;
    assert_eq!(status, StatusCode::OK);
    let samples = parse(&text);
    let put = "s3_put_objects_total{account=\"000000000000\",region=\"us-east-1\",bucket=\"lake\"}";
    assert_eq!(samples.get(put), Some(&1.0), "{text}");
    let accept = [("accept", "application/openmetrics-text; version=1.0.0")];
    assert!(get(&sandbox, "/metrics", &accept).await.1.ends_with("# EOF\n"));
    assert_eq!(get(&sandbox, "/", &[]).await.0, StatusCode::NOT_FOUND);
    // A page that a browser was lead to read this machine's port by.
    let rebound = get(&sandbox, "/metrics", &[("host", "rebound.example.com")]).await;
    assert_eq!(rebound.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_node_is_live_and_ready() {
    let sandbox = Sandbox::new().await;
    for path in ["/livez", "/readyz", "/readyz"] {
        assert_eq!(get(&sandbox, path, &[]).await, (StatusCode::OK, "ok\n".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_node_whose_store_takes_no_writes_is_not_ready() {
    let halt = Halt::default();
    let setup = Setup::default();
    let sandbox = Sandbox::with(Setup { stores: halt.stores(setup.stores.clone()), ..setup }).await;
    assert_eq!(get(&sandbox, "/readyz", &[]).await.0, StatusCode::OK);
    for (write, reason) in [(Write::Commit, "the stores take too long to write\n"), (Write::Append, "")] {
        halt.before(write);
        sandbox.advance(Duration::from_secs(6));
        let mut asked = std::pin::pin!(get(&sandbox, "/readyz", &[]));
        let mut answer = None;
        sandbox
            .advance_until(Duration::from_secs(1), "an answer", async || {
                if let Poll::Ready(said) = futures::poll!(asked.as_mut()) {
                    answer = Some(said);
                }
                answer.is_some()
            })
            .await;
        let (status, said) = answer.expect("an answer");
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{said}");
        assert!(said.starts_with(reason), "{said}");
        assert_eq!(get(&sandbox, "/livez", &[]).await.0, StatusCode::OK);
        halt.lift();
    }
}

#[tokio::test]
async fn what_services_count_is_cloud_watchs_too_and_survives_a_crash() {
    let mut sandbox = Sandbox::new().await;
    sandbox.bucket("lake").await;
    sandbox.put("lake", "k", "x").await;
    let listed = json!({"Namespace": "AWS/S3", "MetricName": "AllRequests"});
    let api = sandbox.api();
    sandbox
        .advance_until(Duration::from_secs(60), "a minute of metrics", async || {
            cloudwatch(&api, "ListMetrics", &listed).await["Metrics"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        })
        .await;
    sandbox.crash().await;
    let listed = cloudwatch(&sandbox.api(), "ListMetrics", &listed).await;
    let dimensions =
        json!([{"Name": "BucketName", "Value": "lake"}, {"Name": "FilterId", "Value": "EntireBucket"}]);
    assert_eq!(listed["Metrics"][0]["Dimensions"], dimensions, "{listed}");
}

#[tokio::test]
async fn query_and_json_say_the_same() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let form = async |body: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = Bytes::from(format!("{body}&Version=2010-08-01"));
        let answer = api.send("monitoring", Method::POST, "/", &headers, body).await.expect("an answer");
        (answer.status.as_u16(), String::from_utf8_lossy(&answer.body).into_owned())
    };
    let put = "Action=PutMetricData&Namespace=App&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1.5\
               &MetricData.member.1.Timestamp=2026-01-01T00:00:00Z&MetricData.member.1.Dimensions.member.1.Name=a\
               &MetricData.member.1.Dimensions.member.1.Value=b";
    let (status, text) = form(put).await;
    assert_eq!(status, 200, "{text}");
    assert!(!text.contains("PutMetricDataResult"), "{text}");
    let get = "Action=GetMetricStatistics&Namespace=App&MetricName=m&StartTime=2026-01-01T00:00:00Z\
               &EndTime=2026-01-01T00:01:00Z&Period=60&Dimensions.member.1.Name=a&Dimensions.member.1.Value=b";
    let (_, text) = form(&format!("{get}&Statistics.member.1=Sum")).await;
    let said = |name: &str| elements(&text, name).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        (said("Sum"), said("Timestamp")),
        (vec!["1.5".to_owned()], vec!["2026-01-01T00:00:00Z".to_owned()])
    );
    let (_, text) = form(&format!("{get}&ExtendedStatistics.member.1=p99.9")).await;
    assert!(text.contains("<entry><key>p99.9</key><value>1.5</value></entry>"), "{text}");
    let (status, text) = form("Action=PutMetricData&Namespace=App").await;
    assert_eq!((status, elements(&text, "Code").next()), (400, Some("MissingParameter")), "{text}");
    let input = json!({
        "Namespace": "App", "MetricName": "m", "Dimensions": [{"Name": "a", "Value": "b"}],
        "StartTime": 1_767_225_600, "EndTime": 1_767_225_660, "Period": 60, "Statistics": ["Sum"],
    });
    let said = cloudwatch(&api, "GetMetricStatistics", &input).await;
    assert_eq!(said["Datapoints"][0], json!({"Timestamp": 1_767_225_600.0, "Sum": 1.5, "Unit": "None"}));
    let refused = cloudwatch(&api, "PutMetricData", &json!({"Namespace": "App"})).await;
    assert_eq!(refused["__type"], "MissingRequiredParameterException", "{refused}");
}

#[tokio::test]
async fn a_policy_says_into_which_namespaces_one_may_put() {
    let setup =
        Setup { config: Config { auth: Mode::Enforce, ..Setup::default().config }, ..Setup::default() };
    let sandbox = Sandbox::with(setup).await;
    let root = sandbox.api();
    let call = async |body: String| {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = Bytes::from(format!("{body}&Version=2010-05-08"));
        let answer = root.send("iam", Method::POST, "/", &headers, body).await.expect("an answer");
        assert!(answer.status.is_success(), "{:?}", answer.body);
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    call("Action=CreateUser&UserName=u".to_owned()).await;
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22cloudwatch%3APutMetricData%22%2C%22Resource%22%3A%22*%22%2C%22Condition%22%3A%7B%22StringEquals%22%3A%7B%22cloudwatch%3Anamespace%22%3A%22Mine%22%7D%7D%7D%5D%7D";
    call(format!("Action=PutUserPolicy&UserName=u&PolicyName=p&PolicyDocument={policy}")).await;
    let made = call("Action=CreateAccessKey&UserName=u".to_owned()).await;
    let text = |name: &str| elements(&made, name).next().expect("an element").to_owned();
    let user = sandbox.client(&RootKey::new(text("AccessKeyId"), text("SecretAccessKey")), "us-east-1");
    let put =
        |namespace: &str| json!({"Namespace": namespace, "MetricData": [{"MetricName": "m", "Value": 1}]});
    let denied = cloudwatch(&user, "PutMetricData", &put("Theirs")).await;
    assert_eq!(denied["__type"], "AccessDeniedException", "{denied}");
    let done = cloudwatch(&user, "PutMetricData", &put("Mine")).await;
    assert!(done.get("__type").is_none(), "{done}");
    let denied = cloudwatch(&user, "ListMetrics", &json!({})).await;
    assert_eq!(denied["__type"], "AccessDeniedException", "{denied}");
    let listed = cloudwatch(&root, "ListMetrics", &json!({})).await;
    assert_eq!(listed["Metrics"].as_array().map(Vec::len), Some(1), "{listed}");
}

#[tokio::test]
async fn list_metrics_comes_in_pages() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    let names: Vec<String> = (0..750).map(|n| format!("m{n:03}")).collect();
    let data: Vec<Value> = names.iter().map(|name| json!({"MetricName": name, "Value": 1})).collect();
    cloudwatch(&api, "PutMetricData", &json!({"Namespace": "App", "MetricData": data})).await;
    let mut found = Vec::new();
    let mut input = json!({"Namespace": "App"});
    loop {
        let page = cloudwatch(&api, "ListMetrics", &input).await;
        let metrics = page["Metrics"].as_array().expect("a list");
        assert!(metrics.len() <= 500, "{}", metrics.len());
        found.extend(metrics.iter().map(|metric| metric["MetricName"].as_str().expect("a name").to_owned()));
        match page.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(found, names);
}
