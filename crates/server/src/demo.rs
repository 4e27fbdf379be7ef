//! `headwater demo`: a node, a pipeline made through the public operations, devices, and where to look.
//!
//! Run again on the same data it finds what is there and goes on.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use client::{CallError, Client};
use devices::AtEnd;
use http::Method;
use kernel::TaskGroup;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::cli::{DemoArguments, ServeArguments};
use crate::devices::{IDENTITIES, check_speed};
use crate::run::say;
use crate::serve::{self, Served};

const BUCKET: &str = "pydata.iot.pipeline";
const STREAM: &str = "heartrate-stream";
const RULE: &str = "heartrate_rule";
const TABLE: &str = "heartrate_iot_data";
const ROLE: &str = "iot.firehose";

const TABLE_DDL: &str = "\
CREATE EXTERNAL TABLE IF NOT EXISTS heartrate_iot_data (
  heartRate int,
  userId string,
  rateType string,
  dateTime timestamp)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
LOCATION 's3://pydata.iot.pipeline/heartrate_data/'";

const AVERAGES: &str = "\
SELECT userid, count(*) AS beats, avg(heartrate) AS average
FROM heartrate_iot_data
GROUP BY userid
ORDER BY average DESC";

/// How often the demo looks whether something has arrived.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long a statement of the set-up may take.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the demo until it is told to stop.
pub(crate) async fn demo(arguments: DemoArguments) -> anyhow::Result<()> {
    check_speed(arguments.speed)?;
    let started = std::time::Instant::now();
    let served = serve::start(&arguments.serve).await?;
    step(started, "the node is ready");
    let group = TaskGroup::root(Arc::clone(&served.clock));
    let run = async {
        let api = Client::new(
            &serve::url(&arguments.serve, &served.node, served.node.addresses().api),
            &served.key.access_key_id,
            served.key.secret_access_key.clone(),
            &arguments.serve.region,
            Arc::clone(&served.clock),
        );
        let api = serve::trusting(api, serve::trust(&arguments.serve)?.as_deref())?;
        let role = create_role(&api, &arguments.serve).await.context("cannot create the role")?;
        create_pipeline(&api, &served, &role, started).await?;
        let progress = start_devices(&arguments, &api, &served, &group).await?;
        step(started, &format!("{} devices are connecting over TLS", arguments.devices));
        while progress.acknowledged() == 0 {
            served.clock.sleep(LOOK_EVERY).await;
        }
        step(started, "the first heart-beat is acknowledged: it is durable");
        while rows(&api, &served).await? == 0 {
            served.clock.sleep(LOOK_EVERY).await;
        }
        step(started, "the first heart-beat is in SQL, before any object was written");
        try_next(&arguments, &served);
        serve::wait(&served.node, &arguments.serve.data).await
    };
    let done = tokio::select! {
        done = run => done,
        stopped = crate::run::stopped() => stopped,
    };
    say(&format!("\nStopping. Everything is kept in {}.", arguments.serve.data.display()));
    group.cancel();
    crate::run::shutdown(&served.node).await?;
    done
}

fn step(started: std::time::Instant, what: &str) {
    say(&format!("{:>6.1} s  {what}", started.elapsed().as_secs_f64()));
}

/// A thing that is there already is as good as one just made.
fn existing(result: Result<Value, CallError>, code: &str) -> Result<(), CallError> {
    match result {
        Err(error) if error.code() == code => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

/// The role that the stream and the rule act as, with what they need and no more. Its ARN.
async fn create_role(api: &Client, node: &ServeArguments) -> anyhow::Result<String> {
    let ServeArguments { account, region, .. } = node;
    let document = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let trust = document(json!([{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": ["firehose.amazonaws.com", "iot.amazonaws.com"]},
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }]));
    let role = [("RoleName", ROLE), ("Path", "/service-role/"), ("AssumeRolePolicyDocument", &*trust)];
    iam(api, "CreateRole", &role).await?;
    let stream = format!("arn:aws:firehose:{region}:{account}:deliverystream/{STREAM}");
    let rights = document(json!([
        {"Effect": "Allow", "Action": "firehose:PutRecord", "Resource": stream},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{BUCKET}/*")},
    ]));
    let policy = [("RoleName", ROLE), ("PolicyName", "pipeline"), ("PolicyDocument", &*rights)];
    iam(api, "PutRolePolicy", &policy).await?;
    Ok(format!("arn:aws:iam::{account}:role/service-role/{ROLE}"))
}

/// Calls IAM. What is there already stays.
async fn iam(api: &Client, operation: &str, parameters: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut body = format!("Action={operation}&Version=2010-05-08");
    for (name, value) in parameters {
        body.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = api.send("iam", Method::POST, "/", &form, body.into()).await?;
    let text = String::from_utf8_lossy(&answer.body);
    if !answer.status.is_success() && !text.contains("<Code>EntityAlreadyExists</Code>") {
        bail!("{operation}: {text}");
    }
    Ok(())
}

async fn create_pipeline(
    api: &Client,
    served: &Served,
    role: &str,
    started: std::time::Instant,
) -> anyhow::Result<()> {
    let answer = api.send("s3", Method::PUT, &format!("/{BUCKET}"), &[], Bytes::new()).await?;
    if !answer.status.is_success() && answer.status.as_u16() != 409 {
        bail!("cannot create the bucket: {}", String::from_utf8_lossy(&answer.body));
    }
    step(started, &format!("bucket {BUCKET}"));
    let stream = json!({
        "DeliveryStreamName": STREAM,
        "ExtendedS3DestinationConfiguration": {
            "RoleARN": role,
            "BucketARN": format!("arn:aws:s3:::{BUCKET}"),
            "Prefix": "heartrate_data/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60},
        },
    });
    existing(api.json("firehose", "CreateDeliveryStream", &stream).await, "ResourceInUseException")
        .context("cannot create the delivery stream")?;
    step(started, &format!("delivery stream {STREAM} (60 s or 1 MiB)"));
    let rule = json!({
        "sql": "SELECT * FROM '/health/#'",
        "description": "heart-beats into the delivery stream",
        "awsIotSqlVersion": "2016-03-23",
        "ruleDisabled": false,
        "actions": [{"firehose": {"roleArn": role, "deliveryStreamName": STREAM, "separator": "\n"}}],
    });
    let created = api.rest("iot", Method::POST, &format!("/rules/{RULE}"), rule.to_string()).await;
    existing(created, "ResourceAlreadyExistsException").context("cannot create the rule")?;
    step(started, &format!("topic rule {RULE}: SELECT * FROM '/health/#'"));
    statement(api, served, TABLE_DDL).await.context("cannot create the table")?;
    step(started, &format!("table default.{TABLE}"));
    let listed = api.json("athena", "ListNamedQueries", &json!({})).await?;
    if listed["NamedQueryIds"].as_array().is_none_or(Vec::is_empty) {
        let named =
            json!({"Name": "Average heart rate by user", "Database": "default", "QueryString": AVERAGES});
        api.json("athena", "CreateNamedQuery", &named).await.context("cannot save the query")?;
    }
    Ok(())
}

/// Runs a statement and waits for its end.
async fn statement(api: &Client, served: &Served, sql: &str) -> anyhow::Result<String> {
    let input = json!({"QueryString": sql, "QueryExecutionContext": {"Database": "default"}});
    let started = api.json("athena", "StartQueryExecution", &input).await?;
    let id = started["QueryExecutionId"].as_str().unwrap_or_default().to_owned();
    let give_up_at = served.clock.now() + STATEMENT_TIMEOUT;
    loop {
        let execution = api.json("athena", "GetQueryExecution", &json!({"QueryExecutionId": id})).await?;
        let status = &execution["QueryExecution"]["Status"];
        match status["State"].as_str() {
            Some("SUCCEEDED") => return Ok(id),
            Some("QUEUED" | "RUNNING") if served.clock.now() < give_up_at => {
                served.clock.sleep(Duration::from_millis(50)).await;
            }
            _ => bail!("{status}"),
        }
    }
}

/// How many heart-beats SQL sees.
async fn rows(api: &Client, served: &Served) -> anyhow::Result<u64> {
    let id = statement(api, served, &format!("SELECT count(*) FROM {TABLE}")).await?;
    let results = api.json("athena", "GetQueryResults", &json!({"QueryExecutionId": id})).await?;
    let count = results.pointer("/ResultSet/Rows/1/Data/0/VarCharValue").and_then(Value::as_str);
    count.and_then(|count| count.parse().ok()).context("count(*) has no result")
}

async fn start_devices(
    arguments: &DemoArguments,
    api: &Client,
    served: &Served,
    group: &TaskGroup,
) -> anyhow::Result<Arc<devices::Progress>> {
    let config = devices::Config {
        host: "localhost".to_owned(),
        port: served.node.addresses().mqtts.port(),
        devices: arguments.devices,
        speed: arguments.speed,
        at_end: AtEnd::Repeat,
        identities: arguments.serve.data.join(IDENTITIES),
        ca_certificate_pem: served.node.ca_certificate_pem(),
    };
    Ok(devices::start(config, api, Arc::clone(&served.clock), &served.entropy, group).await?)
}

fn try_next(arguments: &DemoArguments, served: &Served) {
    let data = arguments.serve.data.display();
    let program = std::env::args().next().unwrap_or_else(|| "headwater".to_owned());
    let beat = r#"{\"heartRate\":111,\"userId\":\"You\",\"rateType\":\"HIGH\",\"dateTime\":\"$(date -u '+%F %T')\"}"#;
    say(&format!(
        "\nWatch it:  {}\n\n\
         Three things to try next, in another terminal after  eval \"$({program} env --data {data})\":\n  \
         1. aws athena start-query-execution --query-string 'SELECT max(heartrate) FROM {TABLE}'\n  \
         2. aws s3 ls --recursive s3://{BUCKET}/            (the first object comes after a minute)\n  \
         3. mosquitto_pub -p {} -q 1 -t /health/You -m \"{beat}\"\n\n\
         Stop with Ctrl+C; everything is kept in {data}.",
        served.node.console_url(),
        served.node.addresses().mqtt.port(),
    ));
}
