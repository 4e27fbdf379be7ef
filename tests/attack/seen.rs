//! What one tenant sees of another in the console, in metrics and in the record of who was denied.

use bytes::Bytes;
use http::{Method, Request, Response};
use iam::RootKey;
use serde_json::{Value, json};
use testkit::HttpConnection;

use crate::tenants::{A, LAKE, SECRET, Tenants};

/// A session of the console.
struct Session<'t> {
    tenants: &'t Tenants,
    cookie: String,
}

impl<'t> Session<'t> {
    async fn begin(tenants: &'t Tenants, key: &RootKey) -> Self {
        let body =
            json!({"accessKeyId": key.access_key_id, "secretAccessKey": key.secret_access_key.expose()});
        let nobody = Self { tenants, cookie: String::new() };
        let answer = nobody.ask(Method::POST, "/console/session", body).await;
        assert!(answer.status().is_success(), "{answer:?}");
        let cookie =
            answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()).unwrap_or_default();
        Self { tenants, cookie: cookie.split(';').next().unwrap_or_default().to_owned() }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Response<Bytes> {
        let address = self.tenants.sandbox.addresses().console;
        let origin = format!("http://{address}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", address.to_string())
            .header("origin", origin)
            .header("x-console", "1")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .header("cookie", &self.cookie)
            .body(Bytes::from(body))
            .expect("a request");
        HttpConnection::plain(address).await.send(request).await.expect("an answer")
    }

    async fn text(&self, method: Method, path: &str, body: Value) -> String {
        let answer = self.ask(method, path, body).await;
        format!("{} {}", answer.status(), String::from_utf8_lossy(answer.body()))
    }
}

/// A has done something of everything that is counted.
async fn busy() -> Tenants {
    let tenants = Tenants::with_engine().await;
    let role = tenants.a.role().await;
    let made = tenants.a.stream("stream-of-a", LAKE, &role).await;
    assert!(made.contains("DeliveryStreamARN"), "{made}");
    tenants.a.put_record("stream-of-a", b"{}\n").await;
    let rule = json!({"sql": "SELECT * FROM 'in/#'", "awsIotSqlVersion": "2016-03-23",
        "actions": [{"firehose": {"roleArn": role, "deliveryStreamName": "stream-of-a"}}]});
    let made = tenants.a.rest("iot", Method::POST, "/rules/rule_of_a", rule).await;
    assert!(made.status.is_success(), "{:?}", made.body);
    tenants.a.rest("iotdata", Method::POST, "/topics/in/x?qos=1", json!({"word": SECRET})).await;
    let (outcome, _) = tenants.a.sql(&tenants.sandbox, "SELECT 1", &format!("s3://{LAKE}/results/")).await;
    assert!(outcome.starts_with("SUCCEEDED"), "{outcome}");
    tenants
}

fn says_nothing_of_a(what: &str, text: &str) {
    for trace in ["stream-of-a", "rule_of_a", LAKE, A, SECRET] {
        assert!(!text.contains(trace), "{what} tells of {trace}: {text}");
    }
}

#[tokio::test]
async fn the_console_shows_a_tenant_their_own_account() {
    let tenants = busy().await;
    for key in [&tenants.b.key, &tenants.b.root] {
        let session = Session::begin(&tenants, key).await;
        let metrics = session.text(Method::GET, "/console/metrics", Value::Null).await;
        assert!(metrics.starts_with("200"), "{metrics}");
        says_nothing_of_a("metrics", &metrics);
        for path in [
            "firehose/ListDeliveryStreams",
            "iot/ListThings",
            "iot/ListTopicRules",
            "iot/ListCertificates",
            "glue/GetDatabases",
            "athena/ListQueryExecutions",
            "iam/ListUsers",
            "iam/ListRoles",
        ] {
            let answer = session.text(Method::POST, &format!("/console/aws/{path}"), json!({})).await;
            assert!(answer.starts_with("200"), "{path}: {answer}");
            says_nothing_of_a(path, &answer);
        }
        for path in ["denied", "principals"] {
            let answer = session.text(Method::POST, &format!("/console/access/{path}"), json!({})).await;
            says_nothing_of_a(path, &answer);
        }
        let sql = session.text(Method::POST, "/console/sql", json!({"sql": "SHOW TABLES"})).await;
        says_nothing_of_a("SQL", &sql);
    }
    // A's own is shown to A, so the traces above are the right ones.
    let session = Session::begin(&tenants, &tenants.a.key).await;
    let metrics = session.text(Method::GET, "/console/metrics", Value::Null).await;
    assert!(metrics.contains("stream-of-a") && metrics.contains("rule_of_a"), "{metrics}");
}

#[tokio::test]
async fn a_principal_of_another_account_cannot_be_asked_about() {
    let tenants = busy().await;
    let session = Session::begin(&tenants, &tenants.b.root).await;
    let ask = async |name: &str| {
        let principal = format!("arn:aws:iam::{A}:user/{name}");
        session
            .text(Method::POST, "/console/access/policy", json!({"principal": principal}))
            .await
            .replace(name, "NAME")
    };
    let existing = ask("admin").await;
    assert!(existing.starts_with('4'), "{existing}");
    assert_eq!(existing, ask("nobody").await);
}

/// Numbers of A's in CloudWatch, where somebody else lists and reads them.
#[tokio::test]
async fn cloudwatch_knows_a_tenants_own_metrics() {
    let tenants = busy().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let ask = async |client: &client::Client, text: &str| {
        let body = Bytes::from(format!("{text}&Version=2010-08-01"));
        let answer = client.send("monitoring", Method::POST, "/", &form, body).await.expect("an answer");
        assert_eq!(answer.status, 200, "{text}: {:?}", answer.body);
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    let data = "Action=PutMetricData&Namespace=App&MetricData.member.1.MetricName=stream-of-a&MetricData.member.1.Value=7";
    ask(&tenants.a.api, data).await;
    let own = ask(&tenants.a.api, "Action=ListMetrics").await;
    assert!(own.contains("stream-of-a"), "{own}");
    let others = ask(&tenants.b.api, "Action=ListMetrics").await;
    says_nothing_of_a("ListMetrics", &others);
    assert!(!others.contains("<Namespace>App<"), "{others}");
    let read = "Action=GetMetricStatistics&Namespace=App&MetricName=stream-of-a&StartTime=2025-12-31T00%3A00%3A00Z&EndTime=2026-01-02T00%3A00%3A00Z&Period=3600&Statistics.member.1=Sum";
    let read = ask(&tenants.b.api, read).await;
    assert!(!read.contains("<Sum>"), "{read}");
}
