//! Two accounts on one enforcing node: A has everything, B has an administrator who wants it.

use std::sync::Arc;

use bytes::Bytes;
use client::{Answer, Client};
use http::Method;
use iam::RootKey;
use kernel::ManualClock;
use node::EngineParts;
use serde_json::{Value, json};
use testkit::{Sandbox, Setup, elements};

/// The tenant that is attacked.
pub(crate) const A: &str = "111111111111";

/// The tenant that attacks.
pub(crate) const B: &str = "222222222222";

/// A's bucket, with an object under each of [`KEYS`].
pub(crate) const LAKE: &str = "lake-of-a";

/// The keys of A's objects.
pub(crate) const KEYS: [&str; 2] = ["raw/1.json", "secret.txt"];

/// What A's records say, and nobody else may read.
pub(crate) const SECRET: &str = "the-secret-of-a";

/// One account of the node.
pub(crate) struct Tenant {
    pub(crate) account: &'static str,
    /// An administrator's own key: a user with every right that their account can give.
    pub(crate) key: RootKey,
    /// A client with it.
    pub(crate) api: Client,
    /// The root's key.
    pub(crate) root: RootKey,
}

/// The node and its two tenants.
pub(crate) struct Tenants {
    pub(crate) sandbox: Sandbox,
    pub(crate) a: Tenant,
    pub(crate) b: Tenant,
}

/// Status and code of an answer in any protocol: `403 AccessDenied`.
pub(crate) fn said(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let header = answer.headers.get("x-amzn-errortype").and_then(|code| code.to_str().ok());
    let json = answer.json();
    let code =
        header.or(json["__type"].as_str()).or_else(|| elements(&text, "Code").next()).unwrap_or_default();
    format!("{} {code}", answer.status.as_u16()).trim_end().to_owned()
}

/// The text of an answer without what differs from one request to the next, and with `name` as `NAME`.
pub(crate) fn blurred(answer: &Answer, name: &str) -> String {
    let mut text = String::from_utf8_lossy(&answer.body).into_owned();
    for element in ["RequestId", "HostId"] {
        let found = elements(&text, element).next().map(str::to_owned);
        if let Some(found) = found {
            text = text.replace(&found, "");
        }
    }
    format!("{} {}", answer.status, text.replace(name, "NAME"))
}

/// Calls IAM or STS.
pub(crate) async fn form(client: &Client, service: &str, form: &str) -> Answer {
    let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
    let body = Bytes::from(format!("{form}&Version={version}"));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    client.send(service, Method::POST, "/", &headers, body).await.expect("an answer")
}

/// The same, and elements of the answer, which must be good.
pub(crate) async fn formed<const N: usize>(
    client: &Client,
    service: &str,
    text: &str,
    names: [&str; N],
) -> [String; N] {
    let answer = form(client, service, text).await;
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 200, "{text}: {said}");
    names.map(|name| elements(&said, name).next().unwrap_or_default().to_owned())
}

/// A value in a form.
pub(crate) fn escaped(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

impl Tenant {
    async fn new(sandbox: &Sandbox, account: &'static str) -> Self {
        let root = sandbox.account(account).await;
        let client = sandbox.client(&root, "us-east-1");
        formed(&client, "iam", "Action=CreateUser&UserName=admin", []).await;
        let policy = escaped("arn:aws:iam::aws:policy/AdministratorAccess");
        formed(&client, "iam", &format!("Action=AttachUserPolicy&UserName=admin&PolicyArn={policy}"), [])
            .await;
        let names = ["AccessKeyId", "SecretAccessKey"];
        let [id, secret] = formed(&client, "iam", "Action=CreateAccessKey&UserName=admin", names).await;
        let key = RootKey::new(id, secret);
        let api = sandbox.client(&key, "us-east-1");
        Self { account, key, api, root }
    }

    /// The ARN of a role that both services may assume and that may do everything, made when it is not there.
    pub(crate) async fn role(&self) -> String {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": ["iot.amazonaws.com", "firehose.amazonaws.com"]}, "Action": "sts:AssumeRole",
        }]});
        let trust = escaped(&trust.to_string());
        form(
            &self.api,
            "iam",
            &format!("Action=CreateRole&RoleName=pipeline&AssumeRolePolicyDocument={trust}"),
        )
        .await;
        let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        let all = escaped(&all.to_string());
        let text = format!("Action=PutRolePolicy&RoleName=pipeline&PolicyName=all&PolicyDocument={all}");
        formed(&self.api, "iam", &text, []).await;
        format!("arn:aws:iam::{}:role/pipeline", self.account)
    }

    pub(crate) async fn json(&self, service: &str, operation: &str, input: Value) -> Value {
        let answer = self.api.json(service, operation, &input).await;
        answer.unwrap_or_else(|error| panic!("{} {operation} {input}: {error}", self.account))
    }

    /// The same when it may be refused: what the service says.
    pub(crate) async fn tried(&self, service: &str, operation: &str, input: Value) -> String {
        match self.api.json(service, operation, &input).await {
            Ok(output) => output.to_string(),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) async fn rest(&self, service: &str, method: Method, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let headers = [("content-type", "application/json")];
        self.api.send(service, method, path, &headers, body).await.expect("an answer")
    }

    pub(crate) async fn s3(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.api.send("s3", method, path, headers, Bytes::from(body.to_owned())).await.expect("an answer")
    }

    pub(crate) async fn bucket(&self, name: &str) {
        assert_eq!(said(&self.s3(Method::PUT, &format!("/{name}"), &[], "").await), "200", "{name}");
    }

    /// Every key of a bucket of theirs.
    pub(crate) async fn keys(&self, bucket: &str) -> Vec<String> {
        let answer = self.s3(Method::GET, &format!("/{bucket}?list-type=2"), &[], "").await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 200, "{text}");
        elements(&text, "Key").map(str::to_owned).collect()
    }

    /// A stream of theirs into a bucket, by a role: what the service says.
    pub(crate) async fn stream(&self, name: &str, bucket: &str, role: &str) -> String {
        let destination = json!({
            "RoleARN": role, "BucketARN": format!("arn:aws:s3:::{bucket}"), "Prefix": "raw/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60},
        });
        self.tried(
            "firehose",
            "CreateDeliveryStream",
            json!({"DeliveryStreamName": name, "ExtendedS3DestinationConfiguration": destination}),
        )
        .await
    }

    pub(crate) async fn put_record(&self, stream: &str, data: &[u8]) -> String {
        use base64::Engine as _;
        let data = base64::engine::general_purpose::STANDARD.encode(data);
        self.tried("firehose", "PutRecord", json!({"DeliveryStreamName": stream, "Record": {"Data": data}}))
            .await
    }

    /// Runs a statement to its end: `SUCCEEDED`, or the state and its reason; or why it does not start.
    pub(crate) async fn sql(&self, sandbox: &Sandbox, statement: &str, output: &str) -> (String, Value) {
        let input = json!({"QueryString": statement, "ResultConfiguration": {"OutputLocation": output}});
        let id = match self.api.json("athena", "StartQueryExecution", &input).await {
            Ok(started) => started["QueryExecutionId"].clone(),
            Err(error) => return (error.to_string(), Value::Null),
        };
        let mut outcome = String::new();
        sandbox
            .until("the query execution ends", async || {
                let found = self.json("athena", "GetQueryExecution", json!({"QueryExecutionId": id})).await;
                let status = &found["QueryExecution"]["Status"];
                outcome = format!(
                    "{} {}",
                    status["State"].as_str().unwrap_or_default(),
                    status["StateChangeReason"]
                );
                !outcome.starts_with("QUEUED") && !outcome.starts_with("RUNNING")
            })
            .await;
        let rows = self.tried("athena", "GetQueryResults", json!({"QueryExecutionId": id})).await;
        (outcome, rows.into())
    }
}

impl Tenants {
    /// Two tenants; A has a bucket with objects.
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// The same with the SQL engine.
    pub(crate) async fn with_engine() -> Self {
        let engine = Arc::new(|parts: EngineParts| {
            let EngineParts { catalog, objects, buffered, clock } = parts;
            Arc::new(query::Engine::new(query::Config::default(), catalog, objects, buffered, clock)) as _
        });
        Self::with(Setup { engine, ..Setup::default() }).await
    }

    pub(crate) async fn with(mut setup: Setup) -> Self {
        setup.config.auth = iam::Mode::Enforce;
        let sandbox = Sandbox::with(setup).await;
        let a = Tenant::new(&sandbox, A).await;
        let b = Tenant::new(&sandbox, B).await;
        a.bucket(LAKE).await;
        for key in KEYS {
            let body = json!({"word": SECRET}).to_string();
            assert_eq!(said(&a.s3(Method::PUT, &format!("/{LAKE}/{key}"), &[], &body).await), "200");
        }
        Self { sandbox, a, b }
    }

    pub(crate) fn clock(&self) -> &ManualClock {
        self.sandbox.clock()
    }
}
