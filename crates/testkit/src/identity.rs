//! A device's identity, made through the public API as a device maker would.

use std::sync::Arc;

use bytes::Bytes;
use client::Client;
use http::Method;
use kernel::{Clock, ManualClock};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::time_provider::TimeProvider;
use serde_json::{Value, json};

/// A thing, its certificate and its key.
#[derive(Clone)]
pub struct Identity {
    /// The thing's name.
    pub thing: String,
    /// SHA-256 of the certificate, 64 hex digits.
    pub certificate_id: String,
    /// The certificate's ARN: the target policies are attached to.
    pub certificate_arn: String,
    /// The certificate.
    pub certificate_pem: String,
    /// Its private key.
    pub private_key_pem: String,
}

impl Identity {
    /// Creates a thing, an active certificate and a policy `<thing>-policy` of these statements, and attaches them.
    ///
    /// # Panics
    /// If a call fails: the test has failed.
    pub async fn create(api: &Client, thing: &str, statements: &Value) -> Self {
        let rest = async |method: Method, path: String, body: Value| -> Value {
            let answer = api.rest("iot", method, &path, body.to_string()).await;
            answer.unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        rest(Method::POST, format!("/things/{thing}"), json!({})).await;
        let made = rest(Method::POST, "/keys-and-certificate?setAsActive=true".to_owned(), json!({})).await;
        let text =
            |pointer: &str| made.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let identity = Self {
            thing: thing.to_owned(),
            certificate_id: text("/certificateId"),
            certificate_arn: text("/certificateArn"),
            certificate_pem: text("/certificatePem"),
            private_key_pem: text("/keyPair/PrivateKey"),
        };
        let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let policy = format!("{thing}-policy");
        rest(Method::POST, format!("/policies/{policy}"), json!({"policyDocument": document})).await;
        let target = json!({"target": identity.certificate_arn});
        rest(Method::PUT, format!("/target-policies/{policy}"), target).await;
        let path = format!("/things/{thing}/principals");
        let principal = [("x-amzn-principal", identity.certificate_arn.as_str())];
        let attached = api.send("iot", Method::PUT, &path, &principal, Bytes::new()).await;
        let attached = attached.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(attached.status.is_success(), "{path}: {:?}", attached.body);
        identity
    }

    /// A client's TLS set-up with this certificate, which trusts the CA and lives in the sandbox's time.
    ///
    /// # Panics
    /// If a certificate cannot be read.
    pub fn tls(&self, ca_certificate_pem: &str, clock: &ManualClock) -> Arc<rustls::ClientConfig> {
        let chain = certificates(&self.certificate_pem);
        let key = PrivateKeyDer::from_pem_slice(self.private_key_pem.as_bytes()).expect("the key is PEM");
        let config = builder(ca_certificate_pem, clock);
        Arc::new(config.with_client_auth_cert(chain, key).expect("certificate and key belong together"))
    }

    /// A client's TLS set-up without a certificate.
    pub fn anonymous_tls(ca_certificate_pem: &str, clock: &ManualClock) -> Arc<rustls::ClientConfig> {
        Arc::new(builder(ca_certificate_pem, clock).with_no_client_auth())
    }
}

fn builder(
    ca_certificate_pem: &str,
    clock: &ManualClock,
) -> rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates(ca_certificate_pem) {
        roots.add(certificate).expect("the CA's certificate is one");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
    rustls::ClientConfig::builder_with_details(provider, Arc::new(SandboxTime(clock.clone())))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_webpki_verifier(verifier.expect("there is a root"))
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(|found| found.expect("certificates are PEM")).collect()
}

/// The sandbox's clock, as rustls asks for it.
#[derive(Clone)]
struct SandboxTime(ManualClock);

impl std::fmt::Debug for SandboxTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SandboxTime")
    }
}

impl TimeProvider for SandboxTime {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.0.now().as_millis()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_millis(ms)))
    }
}
