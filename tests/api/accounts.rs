//! Accounts of a node: who makes them, what their roots see, and the keys that are replaced.

use bytes::Bytes;
use client::{Answer, Client};
use http::Method;
use iam::RootKey;
use serde_json::{Value, json};
use testkit::Sandbox;

const B: &str = "111122223333";

async fn ask(client: &Client, method: Method, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    client.send("headwater", method, path, &[], body).await.expect("an answer")
}

async fn create(client: &Client, body: Value) -> Answer {
    ask(client, Method::POST, "/_headwater/accounts", body).await
}

async fn rotate(client: &Client, body: Value) -> Answer {
    ask(client, Method::POST, "/_headwater/root-keys", body).await
}

async fn identity(client: &Client) -> Answer {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = Bytes::from_static(b"Action=GetCallerIdentity&Version=2011-06-15");
    client.send("sts", Method::POST, "/", &form, body).await.expect("an answer")
}

fn key(answer: &Answer) -> RootKey {
    let body = answer.json();
    let text = |member: &str| body[member].as_str().unwrap_or_else(|| panic!("{member}: {body}")).to_owned();
    RootKey::new(text("rootAccessKeyId"), text("secretAccessKey"))
}

#[tokio::test]
async fn an_account_is_made_used_at_once_and_there_after_a_crash() {
    let mut sandbox = Sandbox::new().await;
    let made = create(&sandbox.api(), json!({"account": B, "name": "Second"})).await;
    assert_eq!(made.status, 201);
    let body = made.json();
    assert_eq!(
        (&body["account"], &body["name"], &body["createdAt"]),
        (&json!(B), &json!("Second"), &json!("2026-01-01T00:00:00.000Z"))
    );
    let root = key(&made);
    for crashed in [false, true] {
        if crashed {
            sandbox.crash().await;
        }
        let said = identity(&sandbox.client(&root, "us-east-1")).await;
        let said = String::from_utf8_lossy(&said.body).into_owned();
        assert!(said.contains("<Arn>arn:aws:iam::111122223333:root</Arn>"), "{said}");
        let listed = ask(&sandbox.api(), Method::GET, "/_headwater/accounts", Value::Null).await;
        let listed = listed.json();
        let numbers: Vec<&str> = listed["accounts"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|row| row["account"].as_str())
            .collect();
        assert_eq!(numbers, ["000000000000", B]);
        assert!(!listed.to_string().contains("secret"), "{listed}");
    }
    let drawn = create(&sandbox.api(), Value::Null).await.json();
    assert!(drawn["account"].as_str().is_some_and(|number| number.len() == 12), "{drawn}");
}

#[tokio::test]
async fn what_is_no_account_is_refused() {
    let sandbox = Sandbox::new().await;
    let api = sandbox.api();
    assert_eq!(create(&api, json!({"account": B})).await.status, 201);
    for (body, status, code) in [
        (json!({"account": B}), 409, "EntityAlreadyExists"),
        (json!({"account": "000000000000"}), 409, "EntityAlreadyExists"),
        (json!({"account": "12"}), 400, "SerializationException"),
        (json!({"account": "11112222333x"}), 400, "SerializationException"),
        (json!({"name": ""}), 400, "ValidationError"),
        (json!({"nonsense": 1}), 400, "SerializationException"),
        (json!([]), 400, "SerializationException"),
    ] {
        let answer = create(&api, body.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["__type"].as_str()),
            (status, Some(code)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn only_the_operator_makes_accounts_replaces_keys_and_resets() {
    let sandbox = Sandbox::new().await;
    let other = sandbox.create_account(B).await;
    let user = |client: Client| async move {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let call = async |body: &str| {
            let sent = client.send("iam", Method::POST, "/", &form, Bytes::from(body.to_owned())).await;
            String::from_utf8_lossy(&sent.expect("an answer").body).into_owned()
        };
        call("Action=CreateUser&Version=2010-05-08&UserName=u").await;
        let everything = "arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FAdministratorAccess";
        call(&format!("Action=AttachUserPolicy&Version=2010-05-08&UserName=u&PolicyArn={everything}")).await;
        let made = call("Action=CreateAccessKey&Version=2010-05-08&UserName=u").await;
        let text = |name: &str| {
            let (_, rest) = made.split_once(&format!("<{name}>")).expect("an element");
            rest.split('<').next().unwrap_or_default().to_owned()
        };
        RootKey::new(text("AccessKeyId"), text("SecretAccessKey"))
    };
    let administrator = sandbox.client(&user(sandbox.api()).await, "us-east-1");
    let stranger = sandbox.client(&RootKey::new("AKIASTRANGERSTRANGER", "x"), "us-east-1");
    for (client, code) in [
        (&other, "AccessDeniedException"),
        (&administrator, "AccessDeniedException"),
        (&stranger, "UnrecognizedClientException"),
    ] {
        for (method, path) in [
            (Method::GET, "/_headwater/accounts"),
            (Method::POST, "/_headwater/accounts"),
            (Method::POST, "/_headwater/root-keys"),
            (Method::POST, "/_headwater/reset"),
        ] {
            let answer = ask(client, method.clone(), path, Value::Null).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json()["__type"].as_str()),
                (403, Some(code)),
                "{path}"
            );
        }
    }
    let unsigned = http::Request::post("/_headwater/accounts").header("host", "localhost").body(Bytes::new());
    let mut connection = testkit::HttpConnection::plain(sandbox.addresses().api).await;
    let answer = connection.send(unsigned.expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn a_roots_key_is_replaced_at_once_or_after_a_while() {
    let mut sandbox = Sandbox::new().await;
    let first = sandbox.account(B).await;
    let second = key(&rotate(&sandbox.api(), json!({"account": B, "overlapSeconds": 3600})).await);
    let known = async |sandbox: &Sandbox, key: &RootKey| {
        identity(&sandbox.client(key, "us-east-1")).await.status == 200
    };
    assert!(known(&sandbox, &first).await && known(&sandbox, &second).await);
    sandbox.crash().await;
    assert!(known(&sandbox, &first).await && known(&sandbox, &second).await);
    sandbox.advance(std::time::Duration::from_secs(3600));
    assert!(!known(&sandbox, &first).await && known(&sandbox, &second).await);
    let third = key(&rotate(&sandbox.api(), json!({"account": B})).await);
    assert!(!known(&sandbox, &second).await && known(&sandbox, &third).await);
    for (body, status, code) in [
        (json!({"account": "999999999999"}), 404, "NoSuchEntity"),
        (json!({"account": B, "overlapSeconds": 10_000_000}), 400, "ValidationError"),
        (json!({"account": B, "overlapSeconds": -1}), 400, "SerializationException"),
        // A sandbox's first key is chosen by whoever started it.
        (json!({}), 400, "InvalidInput"),
    ] {
        let answer = rotate(&sandbox.api(), body.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["__type"].as_str()),
            (status, Some(code)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_roots_key_signs_in_to_the_console_of_its_own_account_alone() {
    let sandbox = Sandbox::new().await;
    sandbox.api().rest("iot", Method::POST, "/things/mine", "{}").await.expect("a thing");
    let root = sandbox.account(B).await;
    let host = sandbox.addresses().console.to_string();
    let mut connection = testkit::HttpConnection::plain(sandbox.addresses().console).await;
    let mut ask = async |method: Method, path: &'static str, cookie: &str, body: Value| {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", &host)
            .header("x-console", "1")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .header("cookie", cookie)
            .body(Bytes::from(body.to_string()));
        let answer = connection.send(request.expect("a request")).await.expect("an answer");
        let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status().as_u16(), body, cookie)
    };
    let login =
        json!({"accessKeyId": root.access_key_id, "secretAccessKey": root.secret_access_key.expose()});
    let (status, session, cookie) = ask(Method::POST, "/console/session", "", login).await;
    assert_eq!((status, &session["account"]), (200, &json!(B)));
    assert_eq!(session["arn"], "arn:aws:iam::111122223333:root");
    let (status, things, _) = ask(Method::POST, "/console/aws/iot/ListThings", &cookie, json!({})).await;
    assert_eq!((status, &things["things"]), (200, &json!([])), "{things}");
    let input = json!({"thingName": "mine"});
    let (status, error, _) = ask(Method::POST, "/console/aws/iot/DescribeThing", &cookie, input).await;
    assert_eq!((status, &error["__type"]), (404, &json!("ResourceNotFoundException")));
}
