//! Roles, sessions and keys of another account.

use bytes::Bytes;
use client::Client;
use http::Method;
use iam::RootKey;
use testkit::elements;

use crate::tenants::{A, B, Tenants, blurred, escaped, form, formed, said};

/// Who a caller with a token is, or what is said to them.
async fn whoami(client: &Client, token: &str) -> String {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("x-amz-security-token", token)];
    let body = Bytes::from_static(b"Action=GetCallerIdentity&Version=2011-06-15");
    let answer = client.send("sts", Method::POST, "/", &headers, body).await.expect("an answer");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    elements(&text, "Arn").next().map_or_else(|| said(&answer), str::to_owned)
}

#[tokio::test]
async fn a_role_of_another_account_is_assumed_only_when_it_trusts() {
    let tenants = Tenants::new().await;
    let role = tenants.a.role().await;
    let assume = async |arn: &str| {
        let text = format!("Action=AssumeRole&RoleSessionName=session&RoleArn={}", escaped(arn));
        form(&tenants.b.api, "sts", &text).await
    };
    let existing = assume(&role).await;
    assert_eq!(said(&existing), "403 AccessDenied");
    // A role that is not there is refused in the same words.
    let missing = assume(&format!("arn:aws:iam::{A}:role/nothing")).await;
    assert_eq!(blurred(&existing, "role/pipeline"), blurred(&missing, "role/nothing"));
    // The root of the attacker's account is no better.
    let root = tenants.sandbox.client(&tenants.b.root, "us-east-1");
    let text = format!("Action=AssumeRole&RoleSessionName=session&RoleArn={}", escaped(&role));
    assert_eq!(said(&form(&root, "sts", &text).await), "403 AccessDenied");
    // An account that trusts may be used, by whom its own account allows.
    let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{B}:root")}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "agreed"}},
    }]});
    let text = format!(
        "Action=UpdateAssumeRolePolicy&RoleName=pipeline&PolicyDocument={}",
        escaped(&trust.to_string())
    );
    formed(&tenants.a.api, "iam", &text, []).await;
    // Not without what was agreed: the confused deputy.
    assert_eq!(said(&assume(&role).await), "403 AccessDenied");
    let text =
        format!("Action=AssumeRole&RoleSessionName=session&ExternalId=agreed&RoleArn={}", escaped(&role));
    assert_eq!(said(&form(&tenants.b.api, "sts", &text).await), "200");
}

#[tokio::test]
async fn a_token_is_of_use_with_its_own_key_alone() {
    let tenants = Tenants::new().await;
    let names = ["AccessKeyId", "SecretAccessKey", "SessionToken"];
    let session = async |client: &Client| {
        let [id, secret, token] = formed(client, "sts", "Action=GetSessionToken", names).await;
        (RootKey::new(id, secret), token)
    };
    let (key_a, token_a) = session(&tenants.a.api).await;
    let (key_b, token_b) = session(&tenants.b.api).await;
    let client = |key: &RootKey| tenants.sandbox.client(key, "us-east-1");
    assert_eq!(whoami(&client(&key_b), &token_b).await, format!("arn:aws:iam::{B}:user/admin"));
    let refused = "403 InvalidClientTokenId";
    assert_eq!(whoami(&client(&key_b), &token_a).await, refused);
    assert_eq!(whoami(&client(&key_a), &token_b).await, refused);
    // The other's key id with a secret of one's own.
    let forged = RootKey::new(&key_a.access_key_id, key_b.secret_access_key.expose().as_str());
    assert_eq!(whoami(&client(&forged), &token_b).await, refused);
    assert_eq!(whoami(&client(&forged), &token_a).await, "403 SignatureDoesNotMatch");
    // Any bit of the token.
    for at in (0..token_b.len()).step_by(token_b.len() / 40 + 1) {
        let mut bytes = token_b.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        if changed != token_b {
            tenants.sandbox.advance(std::time::Duration::from_millis(200));
            assert_eq!(whoami(&client(&key_b), &changed).await, refused, "byte {at}");
        }
    }
}

#[tokio::test]
async fn users_and_roles_of_another_account_are_not_there() {
    let tenants = Tenants::new().await;
    tenants.a.role().await;
    formed(&tenants.a.api, "iam", "Action=CreateUser&UserName=alice", []).await;
    for (text, missing) in [
        ("Action=GetUser&UserName=alice", "Action=GetUser&UserName=nobody"),
        ("Action=GetRole&RoleName=pipeline", "Action=GetRole&RoleName=nobody"),
        ("Action=ListAccessKeys&UserName=alice", "Action=ListAccessKeys&UserName=nobody"),
        ("Action=CreateAccessKey&UserName=alice", "Action=CreateAccessKey&UserName=nobody"),
        ("Action=DeleteUser&UserName=alice", "Action=DeleteUser&UserName=nobody"),
    ] {
        let name = |text: &str| text.rsplit('=').next().unwrap_or_default().to_owned();
        let found = form(&tenants.b.api, "iam", text).await;
        let none = form(&tenants.b.api, "iam", missing).await;
        assert_eq!(said(&found), "404 NoSuchEntity", "{text}");
        assert_eq!(blurred(&found, &name(text)), blurred(&none, &name(missing)), "{text}");
    }
    for action in ["ListUsers", "ListRoles", "GetAccountAuthorizationDetails", "ListPolicies&Scope=Local"] {
        let answer = form(&tenants.b.api, "iam", &format!("Action={action}")).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(
            !text.contains("alice") && !text.contains("pipeline") && !text.contains(A),
            "{action}: {text}"
        );
    }
    formed(&tenants.a.api, "iam", "Action=GetUser&UserName=alice", []).await;
}

/// A key of A's that B learns the id of is worth nothing: neither to look it up nor to switch it off.
#[tokio::test]
async fn a_key_id_of_another_account_is_no_handle() {
    let tenants = Tenants::new().await;
    let id = &tenants.a.key.access_key_id;
    for text in [
        format!("Action=UpdateAccessKey&Status=Inactive&AccessKeyId={id}"),
        format!("Action=UpdateAccessKey&UserName=admin&Status=Inactive&AccessKeyId={id}"),
        format!("Action=DeleteAccessKey&AccessKeyId={id}"),
        format!("Action=DeleteAccessKey&UserName=admin&AccessKeyId={id}"),
    ] {
        let answer = form(&tenants.b.api, "iam", &text).await;
        assert_eq!(said(&answer), "404 NoSuchEntity", "{text}");
    }
    formed(&tenants.a.api, "sts", "Action=GetCallerIdentity", []).await;
}

#[tokio::test]
async fn the_nodes_own_routes_are_for_its_owner() {
    let tenants = Tenants::new().await;
    let routes = [
        (Method::GET, "/_headwater/accounts", ""),
        (Method::POST, "/_headwater/accounts", "{}"),
        (Method::POST, "/_headwater/root-keys", "{\"account\": \"111111111111\"}"),
        (Method::POST, "/_headwater/reset", ""),
    ];
    for key in [&tenants.b.key, &tenants.b.root] {
        let client = tenants.sandbox.client(key, "us-east-1");
        for (method, path, body) in &routes {
            let answer = client
                .send("headwater", method.clone(), path, &[], Bytes::from_static(body.as_bytes()))
                .await;
            let answer = answer.expect("an answer");
            assert_eq!(said(&answer), "403 AccessDeniedException", "{method} {path}");
            assert!(!String::from_utf8_lossy(&answer.body).contains(A));
        }
    }
    formed(&tenants.a.api, "sts", "Action=GetCallerIdentity", []).await;
}
