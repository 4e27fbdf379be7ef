//! How much one may ask for: tenants do not slow each other, and nobody guesses without end.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use iam::RootKey;
use node::{Config, QuotaConfig};
use serde_json::json;
use testkit::{Sandbox, Setup};

use crate::requests::{Speaks, outcome};

async fn sandbox(requests_per_second: u32) -> Sandbox {
    let config = Config { api_quota: QuotaConfig { requests_per_second }, ..Setup::default().config };
    Sandbox::with(Setup { config, ..Setup::default() }).await
}

/// The root of another account.
async fn tenant(sandbox: &Sandbox, account: &str) -> RootKey {
    let body = json!({"account": account}).to_string().into();
    let made = sandbox.api().send("headwater", Method::POST, "/_headwater/accounts", &[], body).await;
    let made = made.expect("an answer").json();
    let text = |member: &str| made[member].as_str().expect("a key").to_owned();
    RootKey::new(text("rootAccessKeyId"), text("secretAccessKey"))
}

async fn things(sandbox: &Sandbox, key: &RootKey) -> String {
    let client = sandbox.client(key, "us-east-1");
    let answer = client.send("iot", Method::GET, "/things", &[], Bytes::new()).await.expect("an answer");
    outcome(Speaks::Rest, &answer)
}

#[tokio::test]
async fn a_tenant_at_its_limit_slows_no_other() {
    let sandbox = sandbox(20).await;
    let (noisy, quiet) = (tenant(&sandbox, "111111111111").await, tenant(&sandbox, "222222222222").await);
    for _ in 0..40 {
        assert_eq!(things(&sandbox, &noisy).await, "200");
    }
    assert_eq!(things(&sandbox, &noisy).await, "429 ThrottlingException");
    assert_eq!(things(&sandbox, &quiet).await, "200");
    // In the form of each protocol.
    let api = sandbox.client(&noisy, "us-east-1");
    for (service, headers, body, (speaks, expected)) in [
        ("glue", [("x-amz-target", "AWSGlue.GetDatabases")], "{}", (Speaks::Json, "400 ThrottlingException")),
        (
            "sts",
            [("content-type", "application/x-www-form-urlencoded")],
            "Action=GetCallerIdentity&Version=2011-06-15",
            (Speaks::Query, "400 Throttling"),
        ),
        ("s3", [("accept", "*/*")], "", (Speaks::S3, "503 SlowDown")),
    ] {
        let method = if service == "s3" { Method::GET } else { Method::POST };
        let answer = api.send(service, method, "/", &headers, Bytes::from_static(body.as_bytes())).await;
        let answer = answer.expect("an answer");
        assert_eq!(outcome(speaks, &answer), expected, "{service}: {:?}", answer.body);
    }
    sandbox.advance(Duration::from_millis(50));
    assert_eq!(things(&sandbox, &noisy).await, "200");
    assert_eq!(things(&sandbox, &noisy).await, "429 ThrottlingException");
}

#[tokio::test]
async fn a_secret_cannot_be_guessed_at_speed() {
    let sandbox = sandbox(1000).await;
    let guess = RootKey::new(sandbox.key().access_key_id.clone(), "not the secret".to_owned());
    let mut refused = 0;
    while things(&sandbox, &guess).await != "429 ThrottlingException" {
        refused += 1;
        assert!(refused < 100, "guessing goes on");
    }
    assert_eq!(refused, 20);
    // It is blocked with this key, the right secret too; others from the same address are not.
    assert_eq!(things(&sandbox, sandbox.key()).await, "429 ThrottlingException");
    let other = RootKey::new("AKIAOTHEROTHEROTHER0", "x");
    assert_eq!(things(&sandbox, &other).await, "403 UnrecognizedClientException");
    sandbox.advance(Duration::from_secs(1));
    assert_eq!(things(&sandbox, sandbox.key()).await, "200");
}
