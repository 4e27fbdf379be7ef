//! Little that becomes much: compressed data, regular expressions, patterns.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use serde_json::json;
use testkit::Sandbox;

use crate::tenants::{Tenants, escaped, form, said};

/// So many times the same mebibyte, compressed.
fn bomb(mebibyte: &[u8], times: usize) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    for _ in 0..times {
        encoder.write_all(mebibyte).expect("it is written to memory");
    }
    encoder.finish().expect("it is written to memory").into()
}

/// The most memory this process has had, in bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib << 10
}

#[tokio::test]
async fn a_compressed_object_is_read_in_pieces_and_a_bomb_is_not_read_to_its_end() {
    let tenants = Tenants::with_engine().await;
    let output = "s3://lake-of-a/results/";
    let line = b"{}\n".iter().chain(&vec![b' '; (1 << 20) - 3]).copied().collect::<Vec<u8>>();
    // One endless line, and long ones without end; a kilobyte on disk for each mebibyte.
    for (folder, mebibyte, times) in [("line", vec![b' '; 1 << 20], 64), ("lines", line, 300)] {
        let object = bomb(&mebibyte, times);
        assert!(object.len() < 1 << 20, "{folder}: {} bytes", object.len());
        let path = format!("/lake-of-a/{folder}/bomb.gz");
        let put = tenants.a.api.send("s3", Method::PUT, &path, &[], object).await.expect("an answer");
        assert_eq!(said(&put), "200");
        let ddl = format!(
            "CREATE EXTERNAL TABLE {folder} (word string) ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' LOCATION 's3://lake-of-a/{folder}/'"
        );
        tenants.a.sql(&tenants.sandbox, &ddl, output).await;
        let before = peak_memory();
        let (outcome, _) =
            tenants.a.sql(&tenants.sandbox, &format!("SELECT count(word) FROM {folder}"), output).await;
        let grown = peak_memory() - before;
        assert!(outcome.starts_with("FAILED"), "{folder}: {outcome}");
        assert!(grown < 384 << 20, "{folder}: {} MiB of memory", grown >> 20);
    }
}

#[tokio::test]
async fn a_compressed_request_is_inflated_within_bounds() {
    let sandbox = Sandbox::new().await;
    let object = bomb(&vec![b' '; 1 << 20], 512);
    let before = peak_memory();
    for (service, target) in [
        ("monitoring", "GraniteServiceVersion20100801.PutMetricData"),
        ("firehose", "Firehose_20150804.ListDeliveryStreams"),
    ] {
        let headers = [
            ("x-amz-target", target),
            ("content-encoding", "gzip"),
            ("content-type", "application/x-amz-json-1.0"),
        ];
        let answer = sandbox
            .api()
            .send(service, Method::POST, "/", &headers, object.clone())
            .await
            .expect("an answer");
        assert!(answer.status.is_client_error(), "{service}: {}", said(&answer));
    }
    let grown = peak_memory() - before;
    assert!(grown < 96 << 20, "{} MiB of memory", grown >> 20);
}

/// What the rules' expressions may cost is bounded for each message; a pattern that would be large is no pattern.
#[tokio::test]
async fn hostile_expressions_of_a_rule_stop_that_rule_alone() {
    let sandbox = Sandbox::new().await;
    let rule = async |name: &str, sql: &str, topic: &str| {
        let payload = json!({"sql": sql, "awsIotSqlVersion": "2016-03-23", "actions": [{"republish": {
            "roleArn": "arn:aws:iam::000000000000:role/r", "topic": topic,
        }}]});
        let made =
            sandbox.api().rest("iot", Method::POST, &format!("/rules/{name}"), payload.to_string()).await;
        made.unwrap_or_else(|error| panic!("{name}: {error}"));
    };
    rule("nested", "SELECT regexp_matches(w, '^(a+)+$') AS m FROM 'in'", "nested").await;
    rule("large", "SELECT regexp_matches(w, '((a{1,999}){1,999}){1,999}') AS m FROM 'in'", "large").await;
    rule("theirs", "SELECT regexp_replace(w, p, 'x') AS m FROM 'in'", "theirs").await;
    let growing = (0..12).fold("w".to_owned(), |inner, _| format!("replace({inner}, 'a', 'aaaaaaaaaa')"));
    rule("growing", &format!("SELECT {growing} AS m FROM 'in'"), "growing").await;
    rule("plain", "SELECT 1 AS m FROM 'in'", "plain").await;
    let mut device = sandbox.device("d").await;
    device.subscribe("plain", mqtt::Qos::AtLeastOnce).await.expect("it is granted");
    let text = json!({"w": format!("{}b", "a".repeat(60_000)), "p": "((.*)*)*(.{1,500}){500}"});
    for _ in 0..3 {
        device.publish("in", text.to_string()).await;
        assert_eq!(device.message().await.expect("a message").message.payload.as_ref(), br#"{"m":1}"#);
    }
}

#[tokio::test]
async fn hostile_expressions_of_a_query_stop_that_query_alone() {
    let tenants = Tenants::with_engine().await;
    let output = "s3://lake-of-a/results/";
    let before = peak_memory();
    for (sql, expected) in [
        ("SELECT regexp_like(rpad('', 20000, 'a') || 'b', '^(a+)+$')", "SUCCEEDED"),
        ("SELECT rpad('', 3000, 'a') LIKE '%a%a%a%a%a%a%a%a%a%a%a%b'", "SUCCEEDED"),
        ("SELECT regexp_like('x', '(((a{1,1000}){1,1000}){1,1000}){1,1000}')", "FAILED"),
        ("SELECT regexp_replace('x', '(\\pL{1,1000}){1,1000}', '')", "FAILED"),
    ] {
        let (outcome, _) = tenants.a.sql(&tenants.sandbox, sql, output).await;
        assert!(outcome.starts_with(expected), "{sql}: {outcome}");
    }
    let grown = peak_memory() - before;
    assert!(grown < 256 << 20, "{} MiB of memory", grown >> 20);
}

/// The wildcards of policies are matched in the time that pattern and text take together, whatever the stars.
#[tokio::test]
async fn hostile_patterns_of_a_policy_are_decided() {
    let tenants = Tenants::new().await;
    let stars = "a*".repeat(900);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": format!("arn:aws:s3:::{stars}b")},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": format!("{stars}b")}}},
    ]});
    let made = form(
        &tenants.b.api,
        "iam",
        &format!("Action=CreatePolicy&PolicyName=stars&PolicyDocument={}", escaped(&policy.to_string())),
    )
    .await;
    assert_eq!(said(&made), "200");
    formed_user(&tenants, &policy.to_string()).await;
}

async fn formed_user(tenants: &Tenants, policy: &str) {
    use crate::tenants::formed;
    let root = &tenants.b.api;
    formed(root, "iam", "Action=CreateUser&UserName=star", []).await;
    let text =
        format!("Action=PutUserPolicy&UserName=star&PolicyName=stars&PolicyDocument={}", escaped(policy));
    assert_eq!(
        said(&form(root, "iam", &text).await),
        "409 LimitExceeded",
        "a user's own policies are 2,048 characters"
    );
    let arn = escaped(&format!("arn:aws:iam::{}:policy/stars", tenants.b.account));
    formed(root, "iam", &format!("Action=AttachUserPolicy&UserName=star&PolicyArn={arn}"), []).await;
    let [id, secret] =
        formed(root, "iam", "Action=CreateAccessKey&UserName=star", ["AccessKeyId", "SecretAccessKey"]).await;
    let star = tenants.sandbox.client(&iam::RootKey::new(id, secret), "us-east-1");
    let key = "a".repeat(1_000);
    for path in [format!("/lake-of-a/{key}"), format!("/lake-of-a?list-type=2&prefix={key}")] {
        for _ in 0..20 {
            let answer = star.send("s3", Method::GET, &path, &[], Bytes::new()).await.expect("an answer");
            assert_eq!(said(&answer), "403 AccessDenied");
        }
    }
}
