//! AssumeRoleWithWebIdentity against an identity provider of flesh and blood: HTTPS on this machine, a CA of its own, keys behind
//! `/.well-known/openid-configuration`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use client::Client;
use http::{Method, Request};
use iam::RootKey;
use kernel::{Clock, OnCancel, OnError, SystemClock, TaskGroup, TaskKind};
use node::{Config, Outgoing, Reset};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use testkit::{HttpConnection, Sandbox, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

static SERVE: TaskKind =
    TaskKind { name: "identity-provider", on_cancel: OnCancel::Abort, on_error: OnError::Log };

/// What a provider does when it is asked for its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Honest,
    /// Sends whoever asks to another page.
    Redirects,
    /// Answers without an end.
    Floods,
}

struct Provider {
    port: u16,
    signer: EcdsaKeyPair,
    ca_thumbprint: String,
    asked: Arc<AtomicUsize>,
    _group: TaskGroup,
}

impl Provider {
    async fn start(manner: Manner) -> Self {
        let ca_key = KeyPair::generate().expect("a key");
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name.push(rcgen::DnType::CommonName, "Identity CA");
        let ca_certificate = ca.self_signed(&ca_key).expect("a certificate");
        let key = KeyPair::generate().expect("a key");
        let leaf = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let issuer = Issuer::from_params(&ca, &ca_key);
        let certificate = leaf.signed_by(&key, &issuer).expect("a certificate");
        let chain = vec![certificate.der().clone(), ca_certificate.der().clone()];
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS")
            .with_no_client_auth()
            .with_single_cert(chain, rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .expect("they belong together");
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let signer = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
            .expect("a key");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let point = signer.public_key().as_ref();
        let jwks = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        }]});
        let asked = Arc::new(AtomicUsize::new(0));
        let group = TaskGroup::root(Arc::new(SystemClock));
        let (acceptor, counted) = (TlsAcceptor::from(Arc::new(tls)), Arc::clone(&asked));
        group.spawn(&SERVE, move |_| async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                // Who does not like the certificate goes away.
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream, manner, port, &jwks).await.ok();
                }
            }
        });
        let ca_thumbprint = hex::encode(Sha1::digest(ca_certificate.der()));
        Self { port, signer, ca_thumbprint, asked, _group: group }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/tenant", self.port)
    }

    fn arn(&self) -> String {
        format!("arn:aws:iam::000000000000:oidc-provider/localhost:{}/tenant", self.port)
    }

    fn token(&self, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&json!({"alg": "ES256", "kid": "1"})), encode(claims));
        let signature = self.signer.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn answer(
    mut stream: TlsStream<TcpStream>,
    manner: Manner,
    port: u16,
    jwks: &Value,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match path {
        "/tenant/.well-known/openid-configuration" => {
            let issuer = format!("https://localhost:{port}/tenant");
            let keys = format!("https://localhost:{port}/keys");
            ("200 OK", json!({"issuer": issuer, "jwks_uri": keys}).to_string())
        }
        "/keys" if manner == Manner::Redirects => ("302 Found\r\nlocation: /elsewhere", String::new()),
        "/keys" if manner == Manner::Floods => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(&[b' '; 65_536]).await?;
            }
        }
        "/keys" | "/elsewhere" => ("200 OK", jwks.to_string()),
        _ => ("404 Not Found", String::new()),
    };
    let length = body.len();
    stream
        .write_all(format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").as_bytes())
        .await?;
    stream.shutdown().await
}

fn form(pairs: &[(&str, &str)]) -> Bytes {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&").into()
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn iam(client: &Client, action: &str, pairs: &[(&str, &str)]) {
    let mut all = vec![("Action", action), ("Version", "2010-05-08")];
    all.extend(pairs);
    let answer = client.send("iam", Method::POST, "/", &[FORM], form(&all)).await.expect("an answer");
    assert!(answer.status.is_success(), "{action}: {:?}", answer.body);
}

/// A node that knows the provider, and a role that one of its subjects may assume.
async fn sandbox(provider: &Provider, outgoing: Outgoing, thumbprint: Option<&str>) -> Sandbox {
    let config = Config { reset: Reset::Allowed, outgoing, auth: iam::Mode::Enforce, ..Config::default() };
    let sandbox = Sandbox::with(Setup { config, ..Setup::default() }).await;
    let (url, arn) = (provider.url(), provider.arn());
    let mut pairs = vec![("Url", url.as_str()), ("ClientIDList.member.1", "sts")];
    pairs.extend(thumbprint.map(|thumbprint| ("ThumbprintList.member.1", thumbprint)));
    iam(&sandbox.api(), "CreateOpenIDConnectProvider", &pairs).await;
    let subject = format!("localhost:{}/tenant:sub", provider.port);
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": arn}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {subject: "repo:me"}},
    }]});
    let trust = trust.to_string();
    let role = [("RoleName", "deploy"), ("AssumeRolePolicyDocument", trust.as_str())];
    iam(&sandbox.api(), "CreateRole", &role).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "firehose:ListDeliveryStreams", "Resource": "*"},
    ]});
    let policy = policy.to_string();
    let policy = [("RoleName", "deploy"), ("PolicyName", "p"), ("PolicyDocument", policy.as_str())];
    iam(&sandbox.api(), "PutRolePolicy", &policy).await;
    sandbox
}

fn claims(provider: &Provider, sandbox: &Sandbox) -> Value {
    let now_s = sandbox.clock().now().as_millis() / 1000;
    json!({"iss": provider.url(), "sub": "repo:me", "aud": "sts", "iat": now_s, "exp": now_s + 600})
}

/// As SDKs call it: without a signature.
async fn assume(sandbox: &Sandbox, token: &str) -> String {
    let pairs = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::000000000000:role/deploy"),
        ("RoleSessionName", "build"),
        ("WebIdentityToken", token),
    ];
    let request = Request::post("/")
        .header("host", sandbox.addresses().api.to_string())
        .header(FORM.0, FORM.1)
        .body(form(&pairs))
        .expect("a request");
    let mut connection = HttpConnection::plain(sandbox.addresses().api).await;
    let answer = connection.send(request).await.expect("an answer");
    String::from_utf8_lossy(answer.body()).into_owned()
}

fn text<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split('<').next().unwrap_or_default()
}

#[tokio::test]
async fn a_token_is_worth_what_the_role_may_and_no_more() {
    let provider = Provider::start(Manner::Honest).await;
    let sandbox = sandbox(&provider, Outgoing::Anywhere, Some(&provider.ca_thumbprint)).await;
    let said = assume(&sandbox, &provider.token(&claims(&provider, &sandbox))).await;
    assert_eq!(text(&said, "Provider"), provider.arn());
    assert_eq!(text(&said, "Arn"), "arn:aws:sts::000000000000:assumed-role/deploy/build");
    let key = RootKey::new(text(&said, "AccessKeyId"), text(&said, "SecretAccessKey"));
    let session = sandbox.client(&key, "us-east-1");
    let token = text(&said, "SessionToken").to_owned();
    let call = async |target: &str| {
        let headers = [("x-amz-target", target), ("x-amz-security-token", token.as_str())];
        let sent = session.send("firehose", Method::POST, "/", &headers, Bytes::from_static(b"{}")).await;
        sent.expect("an answer").status.as_u16()
    };
    assert_eq!(call("Firehose_20150804.ListDeliveryStreams").await, 200);
    let mut other = claims(&provider, &sandbox);
    other["sub"] = "repo:you".into();
    let said = assume(&sandbox, &provider.token(&other)).await;
    assert_eq!(text(&said, "Code"), "AccessDenied");
    assert_eq!(text(&said, "Message"), "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    // The keys were fetched once.
    assert_eq!(provider.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_believed() {
    let provider = Provider::start(Manner::Honest).await;
    for thumbprint in [None, Some("0123456789012345678901234567890123456789")] {
        let sandbox = sandbox(&provider, Outgoing::Anywhere, thumbprint).await;
        let said = assume(&sandbox, &provider.token(&claims(&provider, &sandbox))).await;
        assert_eq!(text(&said, "Code"), "InvalidIdentityToken");
        assert_eq!(
            text(&said, "Message"),
            "OpenIDConnect provider&apos;s HTTPS certificate doesn&apos;t match configured thumbprint"
        );
    }
}

#[tokio::test]
async fn this_machine_is_not_asked_unless_it_is_allowed() {
    let provider = Provider::start(Manner::Honest).await;
    let sandbox = sandbox(&provider, Outgoing::Public, Some(&provider.ca_thumbprint)).await;
    let said = assume(&sandbox, &provider.token(&claims(&provider, &sandbox))).await;
    assert_eq!(text(&said, "Code"), "InvalidIdentityToken");
    assert!(text(&said, "Message").starts_with("Couldn&apos;t retrieve verification key"), "{said}");
    assert_eq!(provider.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_flood_not_swallowed() {
    for manner in [Manner::Redirects, Manner::Floods] {
        let provider = Provider::start(manner).await;
        let sandbox = sandbox(&provider, Outgoing::Anywhere, Some(&provider.ca_thumbprint)).await;
        let said = assume(&sandbox, &provider.token(&claims(&provider, &sandbox))).await;
        assert_eq!(text(&said, "Code"), "InvalidIdentityToken", "{said}");
        assert_eq!(provider.asked.load(Ordering::SeqCst), 2);
    }
}
