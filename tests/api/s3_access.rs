//! Two accounts at one node that enforces policies: what is in a bucket is its owner's to give.

use bytes::Bytes;
use client::Client;
use http::{Method, Request};
use iam::{Mode, RootKey};
use node::Config;
use serde_json::{Value, json};
use testkit::{HttpConnection, Sandbox, Setup, elements};

use crate::requests::{Speaks, outcome};

const OTHER: &str = "111111111111";

async fn sandbox(mode: Mode) -> Sandbox {
    let config = Config { auth: mode, ..Config::default() };
    let sandbox = Sandbox::with(Setup { config, ..Setup::default() }).await;
    sandbox.bucket("lake").await;
    sandbox.put("lake", "k", "content").await;
    sandbox
}

/// A user of the account of `root`, with a policy of this statement or without.
async fn user(sandbox: &Sandbox, root: &Client, name: &str, statement: Option<Value>) -> Client {
    let query = async |fields: &[(&str, &str)]| {
        let mut body = "Version=2010-05-08".to_owned();
        for (name, value) in fields {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            body += &format!("&{name}={value}");
        }
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let answer = root.send("iam", Method::POST, "/", &form, body.into()).await.expect("an answer");
        assert!(answer.status.is_success(), "{:?}", answer.body);
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    query(&[("Action", "CreateUser"), ("UserName", name)]).await;
    if let Some(statement) = statement {
        let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        let fields = [
            ("Action", "PutUserPolicy"),
            ("UserName", name),
            ("PolicyName", "p"),
            ("PolicyDocument", &*document),
        ];
        query(&fields).await;
    }
    let made = query(&[("Action", "CreateAccessKey"), ("UserName", name)]).await;
    let element = |name| elements(&made, name).next().expect("a key has it").to_owned();
    sandbox.client(&RootKey::new(element("AccessKeyId"), element("SecretAccessKey")), "us-east-1")
}

async fn ask(client: &Client, method: Method, path: &str, body: &str) -> String {
    let answer = client.send("s3", method, path, &[], Bytes::copy_from_slice(body.as_bytes())).await;
    outcome(Speaks::S3, &answer.expect("an answer"))
}

async fn policy(sandbox: &Sandbox, statement: Value) {
    let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let said = ask(&sandbox.api(), Method::PUT, "/lake?policy", &document).await;
    assert_eq!(said, "204", "{document}");
}

fn allow(principal: &Value, actions: &[&str]) -> Value {
    json!({
        "Effect": "Allow", "Principal": principal, "Action": actions,
        "Resource": ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*"],
    })
}

/// What a hostile tenant tries on a bucket of which it knows the name.
const ATTEMPTS: [(Method, &str, &str); 22] = [
    (Method::GET, "/lake", ""),
    (Method::GET, "/lake?list-type=2", ""),
    (Method::GET, "/lake?versions", ""),
    (Method::GET, "/lake?uploads", ""),
    (Method::GET, "/lake?location", ""),
    (Method::GET, "/lake?tagging", ""),
    (Method::GET, "/lake?policy", ""),
    (Method::GET, "/lake?acl", ""),
    (Method::GET, "/lake?publicAccessBlock", ""),
    (Method::GET, "/lake/k", ""),
    (Method::GET, "/lake/none", ""),
    (Method::GET, "/lake/k?tagging", ""),
    (Method::PUT, "/lake/k", "mine"),
    (Method::DELETE, "/lake/k", ""),
    (Method::POST, "/lake?delete", "<Delete><Object><Key>k</Key></Object></Delete>"),
    (Method::POST, "/lake/k?uploads", ""),
    (Method::PUT, "/lake?policy", "{}"),
    (Method::DELETE, "/lake?policy", ""),
    (Method::DELETE, "/lake?publicAccessBlock", ""),
    (Method::DELETE, "/lake?tagging", ""),
    (Method::DELETE, "/lake?ownershipControls", ""),
    (Method::DELETE, "/lake", ""),
];

#[tokio::test]
async fn a_tenant_reaches_nothing_of_another_in_any_mode() {
    for mode in [Mode::Enforce, Mode::Audit, Mode::Off] {
        let sandbox = sandbox(mode).await;
        let root = sandbox.create_account(OTHER).await;
        let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let mallory = user(&sandbox, &root, "mallory", Some(everything)).await;
        for client in [&root, &mallory] {
            for (method, path, body) in ATTEMPTS {
                assert_eq!(
                    ask(client, method.clone(), path, body).await,
                    "403 AccessDenied",
                    "{mode:?} {method} {path}"
                );
            }
            assert_eq!(ask(client, Method::HEAD, "/lake", "").await, "403");
            assert_eq!(ask(client, Method::HEAD, "/lake/none", "").await, "403");
            assert_eq!(ask(client, Method::PUT, "/lake", "").await, "409 BucketAlreadyExists");
            let own = client.send("s3", Method::GET, "/", &[], Bytes::new()).await.expect("an answer");
            assert!(!String::from_utf8_lossy(&own.body).contains("lake"));
        }
        assert_eq!(sandbox.keys("lake", "").await, ["k"]);
        assert_eq!(sandbox.object("lake", "k").await, "content");
    }
}

#[tokio::test]
async fn both_accounts_must_allow_what_one_does_with_the_others() {
    let sandbox = sandbox(Mode::Enforce).await;
    let root = sandbox.create_account(OTHER).await;
    let read = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/*"});
    let reader = user(&sandbox, &root, "reader", Some(read)).await;
    let nobody = user(&sandbox, &root, "nobody", None).await;
    assert_eq!(ask(&reader, Method::GET, "/lake/k", "").await, "403 AccessDenied");
    policy(&sandbox, allow(&json!({"AWS": OTHER}), &["s3:GetObject", "s3:ListBucket"])).await;
    assert_eq!(ask(&reader, Method::GET, "/lake/k", "").await, "200");
    assert_eq!(ask(&nobody, Method::GET, "/lake/k", "").await, "403 AccessDenied");
    // The owner allows it to list, its own account does not: so it is not told what is missing.
    assert_eq!(ask(&reader, Method::GET, "/lake/none", "").await, "403 AccessDenied");
    assert_eq!(ask(&root, Method::GET, "/lake/none", "").await, "404 NoSuchKey");
    // Across accounts even one that is named needs its own account's leave.
    let named = json!({"AWS": format!("arn:aws:iam::{OTHER}:user/nobody")});
    policy(&sandbox, allow(&named, &["s3:GetObject", "s3:ListBucket"])).await;
    assert_eq!(ask(&nobody, Method::GET, "/lake/k", "").await, "403 AccessDenied");
    assert_eq!(ask(&reader, Method::GET, "/lake/k", "").await, "403 AccessDenied");
}

#[tokio::test]
async fn within_an_account_the_buckets_policy_is_enough() {
    let sandbox = sandbox(Mode::Enforce).await;
    let bob = user(&sandbox, &sandbox.api(), "bob", None).await;
    assert_eq!(ask(&bob, Method::GET, "/lake/k", "").await, "403 AccessDenied");
    let named = json!({"AWS": "arn:aws:iam::000000000000:user/bob"});
    policy(&sandbox, allow(&named, &["s3:GetObject", "s3:ListBucket"])).await;
    assert_eq!(ask(&bob, Method::GET, "/lake/k", "").await, "200");
    let tags = json!([
        allow(&named, &["s3:PutObject", "s3:PutObjectTagging", "s3:ListBucket"]),
        {
            "Effect": "Allow", "Principal": named, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/*",
            "Condition": {"StringEquals": {"s3:ExistingObjectTag/class": "open"}},
        },
    ]);
    policy(&sandbox, tags).await;
    assert_eq!(ask(&bob, Method::GET, "/lake/k", "").await, "403 AccessDenied");
    let tagging = "<Tagging><TagSet><Tag><Key>class</Key><Value>open</Value></Tag></TagSet></Tagging>";
    assert_eq!(ask(&bob, Method::PUT, "/lake/k?tagging", tagging).await, "200");
    assert_eq!(ask(&bob, Method::GET, "/lake/k", "").await, "200");
}

#[tokio::test]
async fn the_public_is_let_in_by_a_policy_that_nothing_blocks_and_a_restart_changes_nothing() {
    let mut sandbox = sandbox(Mode::Enforce).await;
    let anonymous = async |sandbox: &Sandbox, method: &str, path: &str| {
        let host = sandbox.addresses().api.to_string();
        let request = Request::builder().method(method).uri(path).header("host", host);
        let request = request.body(Bytes::new()).expect("a request");
        let mut connection = HttpConnection::plain(sandbox.addresses().api).await;
        connection.send(request).await.expect("an answer").status().as_u16()
    };
    assert_eq!(anonymous(&sandbox, "GET", "/lake/k").await, 403);
    assert_eq!(ask(&sandbox.api(), Method::DELETE, "/lake?publicAccessBlock", "").await, "204");
    policy(&sandbox, allow(&json!("*"), &["s3:GetObject", "s3:ListBucket"])).await;
    sandbox.crash().await;
    for (method, path, expect) in [
        ("GET", "/lake/k", 200),
        ("GET", "/lake?list-type=2", 200),
        ("GET", "/lake/none", 404),
        ("PUT", "/lake/k", 403),
        ("DELETE", "/lake/k", 403),
        ("GET", "/lake?policy", 403),
        ("GET", "/", 403),
        ("GET", "/pond/k", 404),
    ] {
        assert_eq!(anonymous(&sandbox, method, path).await, expect, "{method} {path}");
    }
    let restrict = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    assert_eq!(ask(&sandbox.api(), Method::PUT, "/lake?publicAccessBlock", restrict).await, "200");
    assert_eq!(anonymous(&sandbox, "GET", "/lake/k").await, 403);
}
