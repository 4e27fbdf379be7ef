//! Identity providers: what is kept of them, and whom their tokens let in.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Mutex;

use super::*;
use crate::oidc::token::tests::Signer;
use crate::{Fetch, FetchError};

const PROVIDER: &str = "arn:aws:iam::000000000000:oidc-provider/idp.example/tenant";
const ROLE: &str = "arn:aws:iam::000000000000:role/r";

/// The pages of the world's identity providers, and how often each was asked for.
#[derive(Default)]
pub(super) struct Idp {
    pages: Mutex<HashMap<String, Value>>,
    asked: Mutex<Vec<String>>,
}

impl Fetch for Idp {
    fn get<'a>(
        &'a self,
        url: &'a str,
        thumbprints: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>> {
        self.asked.lock().unwrap().push(url.to_owned());
        let page = match self.pages.lock().unwrap().get(url) {
            Some(page) if thumbprints.is_empty() => Ok(page.to_string().into_bytes()),
            Some(_) => Err(FetchError::Untrusted("another certificate".to_owned())),
            None => Err(FetchError::Unreachable("connection refused".to_owned())),
        };
        Box::pin(std::future::ready(page))
    }
}

impl Idp {
    fn publishes(&self, url: &str, page: Value) {
        self.pages.lock().unwrap().insert(url.to_owned(), page);
    }

    fn times_asked(&self) -> usize {
        std::mem::take(&mut *self.asked.lock().unwrap()).len()
    }

    fn is_up(&self, signers: &[&Signer]) {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        self.publishes(
            "https://idp.example/tenant/.well-known/openid-configuration",
            json!({"issuer": "https://idp.example/tenant", "jwks_uri": "https://keys.example/jwks"}),
        );
        self.publishes("https://keys.example/jwks", json!({"keys": keys}));
    }
}

fn claims() -> Value {
    let now_s = NOW_MS / 1000;
    json!({
        "iss": "https://idp.example/tenant", "sub": "repo:me/app", "aud": "sts", "amr": ["authenticated"],
        "iat": now_s, "exp": now_s + 3_600,
    })
}

fn with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[claim] = value;
    claims
}

/// A provider and a role that one of its subjects may assume.
async fn bench_with(signer: &Signer, condition: &Value) -> Bench {
    let bench = Bench::new(Mode::Audit).await;
    bench.idp.is_up(&[signer]);
    let provider = json!({"Url": "https://idp.example/tenant", "ClientIDList": ["sts", "other"]});
    bench.ok("CreateOpenIDConnectProvider", provider).await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }]});
    bench.ok("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": trust.to_string()})).await;
    bench
}

fn only_me() -> Value {
    json!({"StringEquals": {"idp.example/tenant:sub": "repo:me/app", "idp.example/tenant:aud": "sts"}})
}

fn ask(token: &str) -> Value {
    json!({"RoleArn": ROLE, "RoleSessionName": "build", "WebIdentityToken": token})
}

/// As the dispatcher calls it: without a signature.
async fn assume(bench: &Bench, input: Value) -> Result<Value, Fault> {
    let input = wire::operation::Input::Members(input);
    let nobody = bench.as_principal(Principal::Anonymous);
    let call = bench.services[1].call(&nobody.caller, "AssumeRoleWithWebIdentity", input, &*bench.iam);
    let output = call.expect("there is such an operation").await?;
    Ok(serde_json::from_slice(&output).unwrap())
}

async fn said(bench: &Bench, token: &str) -> String {
    assume(bench, ask(token)).await.map_or_else(|fault| fault.to_string(), |output| format!("{output}"))
}

#[tokio::test]
async fn a_provider_is_kept_changed_and_forgotten() {
    let bench = Bench::new(Mode::Enforce).await;
    let thumbprint = "990f4193972f2becf12ddeda5237f9c952f20d9e";
    let input = json!({
        "Url": "https://idp.example/tenant", "ClientIDList": ["sts"], "ThumbprintList": [thumbprint.to_uppercase()],
        "Tags": [{"Key": "team", "Value": "a"}],
    });
    let made = bench.ok("CreateOpenIDConnectProvider", input.clone()).await;
    assert_eq!(made["OpenIDConnectProviderArn"], PROVIDER);
    assert_eq!(
        bench.refused("CreateOpenIDConnectProvider", input).await,
        "EntityAlreadyExists: Provider with url https://idp.example/tenant already exists."
    );
    let arn = json!({"OpenIDConnectProviderArn": PROVIDER});
    let member = |name: &str, value: Value| {
        let mut input = arn.clone();
        input[name] = value;
        input
    };
    bench.ok("AddClientIDToOpenIDConnectProvider", member("ClientID", json!("more"))).await;
    bench.ok("AddClientIDToOpenIDConnectProvider", member("ClientID", json!("more"))).await;
    bench.ok("RemoveClientIDFromOpenIDConnectProvider", member("ClientID", json!("sts"))).await;
    bench.ok("TagOpenIDConnectProvider", member("Tags", json!([{"Key": "room", "Value": "b"}]))).await;
    bench.ok("UntagOpenIDConnectProvider", member("TagKeys", json!(["team"]))).await;
    let after = bench.restarted().await;
    let found = after.ok("GetOpenIDConnectProvider", arn.clone()).await;
    assert_eq!(
        found,
        json!({
            "Url": "idp.example/tenant", "ClientIDList": ["more"], "ThumbprintList": [thumbprint],
            "CreateDate": "2017-08-26T07:47:12Z", "Tags": [{"Key": "room", "Value": "b"}],
        })
    );
    let tags = after.ok("ListOpenIDConnectProviderTags", arn.clone()).await;
    assert_eq!(tags, json!({"Tags": [{"Key": "room", "Value": "b"}], "IsTruncated": false}));
    let other = "A".repeat(40);
    bench.ok("UpdateOpenIDConnectProviderThumbprint", member("ThumbprintList", json!([other]))).await;
    let found = bench.ok("GetOpenIDConnectProvider", arn.clone()).await;
    assert_eq!(found["ThumbprintList"], json!(["a".repeat(40)]));
    let listed = bench.ok("ListOpenIDConnectProviders", json!({})).await;
    assert_eq!(listed["OpenIDConnectProviderList"], json!([{"Arn": PROVIDER}]));
    bench.ok("DeleteOpenIDConnectProvider", arn.clone()).await;
    bench.ok("DeleteOpenIDConnectProvider", arn.clone()).await;
    assert!(bench.refused("GetOpenIDConnectProvider", arn).await.starts_with("NoSuchEntity"));
    assert_eq!(
        bench.ok("ListOpenIDConnectProviders", json!({})).await["OpenIDConnectProviderList"],
        json!([])
    );
}

#[tokio::test]
async fn what_is_no_provider_is_refused_and_they_are_counted() {
    let bench = Bench::new(Mode::Enforce).await;
    for (input, code) in [
        (json!({"Url": "http://idp.example"}), "ValidationError: Invalid Open ID Connect Provider URL"),
        (json!({"Url": "https://idp.example", "ThumbprintList": ["x"]}), "ValidationError"),
        (json!({"Url": "https://idp.example", "ThumbprintList": vec!["a".repeat(40); 6]}), "InvalidInput"),
        (json!({"Url": "https://idp.example", "ClientIDList": [""]}), "ValidationError"),
        (json!({"ThumbprintList": []}), "ValidationError"),
    ] {
        let said = bench.refused("CreateOpenIDConnectProvider", input.clone()).await;
        assert!(said.starts_with(code), "{input}: {said}");
    }
    let ids: Vec<String> = (0..101).map(|at| at.to_string()).collect();
    let many = json!({"Url": "https://idp.example", "ClientIDList": ids});
    assert!(bench.refused("CreateOpenIDConnectProvider", many).await.starts_with("LimitExceeded"));
    for at in 0..crate::limits::OIDC_PROVIDERS_MAX {
        bench.ok("CreateOpenIDConnectProvider", json!({"Url": format!("https://idp.example/{at}")})).await;
    }
    let full = bench.refused("CreateOpenIDConnectProvider", json!({"Url": "https://idp.example/full"})).await;
    assert_eq!(full, "LimitExceeded: Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100");
    let foreign = bench.as_principal(Principal::Root { account: "111122223333".parse().unwrap() });
    let arn = json!({"OpenIDConnectProviderArn": "arn:aws:iam::000000000000:oidc-provider/idp.example/1"});
    for operation in ["GetOpenIDConnectProvider", "ListOpenIDConnectProviderTags"] {
        assert!(foreign.refused(operation, arn.clone()).await.starts_with("NoSuchEntity"));
    }
    foreign.ok("DeleteOpenIDConnectProvider", arn.clone()).await;
    bench.ok("GetOpenIDConnectProvider", arn).await;
}

#[tokio::test]
async fn a_token_lets_its_subject_in_and_nobody_else() {
    let signer = Signer::new("1");
    let bench = bench_with(&signer, &only_me()).await;
    let answer = assume(&bench, ask(&signer.sign(&claims()))).await.unwrap();
    assert_eq!(
        (&answer["SubjectFromWebIdentityToken"], &answer["Audience"], &answer["Provider"]),
        (&json!("repo:me/app"), &json!("sts"), &json!(PROVIDER))
    );
    assert_eq!(answer["AssumedRoleUser"]["Arn"], "arn:aws:sts::000000000000:assumed-role/r/build");
    assert_eq!(answer["Credentials"]["Expiration"], "2017-08-26T08:47:12Z");
    assert_eq!(bench.holder_of(&answer).unwrap().arn(), "arn:aws:sts::000000000000:assumed-role/r/build");
    let denied = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";
    assert_eq!(said(&bench, &signer.sign(&with("sub", json!("repo:you/app")))).await, denied);
    assert_eq!(said(&bench, &signer.sign(&with("aud", json!("other")))).await, denied);
    let mut missing = ask(&signer.sign(&claims()));
    missing["RoleArn"] = "arn:aws:iam::000000000000:role/none".into();
    assert_eq!(assume(&bench, missing).await.unwrap_err().to_string(), denied);
    // A role that trusts the account is not the token's to assume.
    bench
        .ok(
            "CreateRole",
            json!({"RoleName": "own", "AssumeRolePolicyDocument": trusts(&json!({"AWS": "000000000000"}))}),
        )
        .await;
    let mut own = ask(&signer.sign(&claims()));
    own["RoleArn"] = "arn:aws:iam::000000000000:role/own".into();
    assert_eq!(assume(&bench, own).await.unwrap_err().to_string(), denied);
    for (claims, expect) in [
        (with("aud", json!("nobody")), "InvalidIdentityToken: Incorrect token audience"),
        (
            with("iss", json!("https://elsewhere.example")),
            "InvalidIdentityToken: No OpenIDConnect provider found in your account for https://elsewhere.example",
        ),
        (
            with("exp", json!(NOW_MS / 1000)),
            "ExpiredTokenException: Token expired: current date/time 1503733632 must be before the expiration date/time 1503733632",
        ),
    ] {
        assert_eq!(said(&bench, &signer.sign(&claims)).await, expect);
    }
    assert_eq!(
        said(&bench, "not a token").await,
        "InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
    );
    let forger = Signer::new("1");
    assert_eq!(
        said(&bench, &forger.sign(&claims())).await,
        "InvalidIdentityToken: The ID Token's signature is not valid."
    );
    let mut oauth = ask(&signer.sign(&claims()));
    oauth["ProviderId"] = "www.amazon.com".into();
    let refused = assume(&bench, oauth).await.unwrap_err().to_string();
    assert_eq!(refused, "ValidationError: ProviderId www.amazon.com is not supported.");
}

#[tokio::test]
async fn tags_methods_and_the_first_identity_come_from_the_token() {
    let signer = Signer::new("1");
    let bench = bench_with(
        &signer,
        &json!({"ForAnyValue:StringEquals": {"idp.example/tenant:amr": "authenticated"}}),
    )
    .await;
    let mut tagged = claims();
    tagged["https://aws.amazon.com/tags"] =
        json!({"principal_tags": {"team": ["a"]}, "transitive_tag_keys": ["team"]});
    tagged["https://aws.amazon.com/source_identity"] = "me".into();
    let denied = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";
    assert_eq!(said(&bench, &signer.sign(&tagged)).await, denied);
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": PROVIDER},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {"StringEquals": {"aws:RequestTag/team": "a"}},
    }]});
    bench.ok("UpdateAssumeRolePolicy", json!({"RoleName": "r", "PolicyDocument": trust.to_string()})).await;
    let answer = assume(&bench, ask(&signer.sign(&tagged))).await.unwrap();
    assert_eq!(answer["SourceIdentity"], "me");
    let Principal::Session(session) = bench.holder_of(&answer).unwrap() else { panic!("it is a session") };
    assert_eq!(
        (session.tags["team"].as_str(), session.transitive_tag_keys.as_slice()),
        ("a", ["team".to_owned()].as_slice())
    );
}

#[tokio::test]
async fn a_provider_is_asked_once_and_again_for_a_new_key_but_not_by_everybody() {
    let (first, second) = (Signer::new("1"), Signer::new("2"));
    let bench = bench_with(&first, &only_me()).await;
    let unknown = "InvalidIdentityToken: Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements";
    for _ in 0..10 {
        assume(&bench, ask(&first.sign(&claims()))).await.unwrap();
        assert_eq!(said(&bench, &second.sign(&claims())).await, unknown);
    }
    assert_eq!(bench.idp.times_asked(), 2);
    bench.idp.is_up(&[&first, &second]);
    assert_eq!(said(&bench, &second.sign(&claims())).await, unknown);
    bench.advance(30);
    assume(&bench, ask(&second.sign(&claims()))).await.unwrap();
    assert_eq!(bench.idp.times_asked(), 2);
    // What is withdrawn is good for an hour at most.
    bench.idp.is_up(&[&second]);
    bench.advance(3_500);
    assume(&bench, ask(&first.sign(&with("exp", json!(NOW_MS / 1000 + 9_000))))).await.unwrap();
    bench.advance(100);
    assert_eq!(said(&bench, &first.sign(&with("exp", json!(NOW_MS / 1000 + 9_000)))).await, unknown);
}

#[tokio::test]
async fn a_provider_that_fails_is_told_apart_and_not_pressed() {
    let signer = Signer::new("1");
    let bench = bench_with(&signer, &only_me()).await;
    let token = signer.sign(&with("exp", json!(NOW_MS / 1000 + 9_000)));
    bench.idp.pages.lock().unwrap().clear();
    for _ in 0..3 {
        assert!(said(&bench, &token).await.starts_with("IDPCommunicationError: "));
    }
    assert_eq!(bench.idp.times_asked(), 1);
    bench.idp.is_up(&[&signer]);
    bench.advance(30);
    assume(&bench, ask(&token)).await.unwrap();
    // Changed thumbprints are looked at at once.
    let pinned = json!({"OpenIDConnectProviderArn": PROVIDER, "ThumbprintList": ["a".repeat(40)]});
    bench.ok("UpdateOpenIDConnectProviderThumbprint", pinned).await;
    assert_eq!(
        said(&bench, &token).await,
        "InvalidIdentityToken: OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"
    );
    let none = json!({"OpenIDConnectProviderArn": PROVIDER, "ThumbprintList": []});
    bench.ok("UpdateOpenIDConnectProviderThumbprint", none).await;
    for (page, value) in [
        (
            "https://idp.example/tenant/.well-known/openid-configuration",
            json!({"issuer": "https://evil.example", "jwks_uri": "https://keys.example/jwks"}),
        ),
        (
            "https://idp.example/tenant/.well-known/openid-configuration",
            json!({"issuer": "https://idp.example/tenant"}),
        ),
        ("https://keys.example/jwks", json!([])),
    ] {
        bench.idp.is_up(&[&signer]);
        bench.idp.publishes(page, value);
        bench.advance(3_600);
        let now_s = NOW_MS / 1000 + 20_000;
        let token = signer.sign(&with("exp", json!(now_s)));
        assert!(said(&bench, &token).await.starts_with("InvalidIdentityToken: Couldn't retrieve"));
    }
}

#[tokio::test]
async fn one_accounts_provider_lets_nobody_into_anothers_role() {
    let signer = Signer::new("1");
    let bench = bench_with(&signer, &only_me()).await;
    let other = bench.as_principal(Principal::Root { account: "111122223333".parse().unwrap() });
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity",
    }]});
    other.ok("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": trust.to_string()})).await;
    let mut input = ask(&signer.sign(&claims()));
    input["RoleArn"] = "arn:aws:iam::111122223333:role/r".into();
    let refused = assume(&bench, input).await.unwrap_err().to_string();
    assert!(refused.starts_with("InvalidIdentityToken: No OpenIDConnect provider found"), "{refused}");
}
