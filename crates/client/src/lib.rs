//! Signed calls to an AWS endpoint: what the demo, the simulator, the benchmarks and the tests speak.
//!
//! A small client, not an SDK: one request, its answer, no retries and no model. It sends what a caller names (a service, a
//! method and path, or a target), so that it can also send what an SDK would refuse to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kernel::{Clock, Secret};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use wire::sigv4::Signer;

/// How services are reached: `X-Amz-Target` prefixes of the AWS JSON services.
const TARGETS: &[(&str, &str)] =
    &[("athena", "AmazonAthena"), ("firehose", "Firehose_20150804"), ("glue", "AWSGlue")];

/// Who calls, and where.
#[derive(Clone)]
pub struct Client {
    http: HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoint: String,
    access_key_id: String,
    secret_access_key: Secret<String>,
    region: String,
    clock: Arc<dyn Clock>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: http::HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; null when it is empty or something else.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Why a call gave no output.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer came.
    #[error("no answer from {endpoint}")]
    Transport {
        /// Who should have answered.
        endpoint: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The service refused.
    #[error("{code}: {message}")]
    Service {
        /// HTTP status.
        status: u16,
        /// The exception's name.
        code: String,
        /// The service's sentence.
        message: String,
    },
}

impl CallError {
    /// The exception's name, when the service refused.
    pub fn code(&self) -> &str {
        match self {
            Self::Transport { .. } => "",
            Self::Service { code, .. } => code,
        }
    }
}

impl Client {
    /// A client of `endpoint` (`http://127.0.0.1:4566`) with this key, for this region.
    pub fn new(
        endpoint: &str,
        access_key_id: &str,
        secret_access_key: Secret<String>,
        region: &str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http: http_client(RootCertStore::empty(), &clock),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            access_key_id: access_key_id.to_owned(),
            secret_access_key,
            region: region.to_owned(),
            clock,
        }
    }

    /// The same with an endpoint that shows a certificate of these CAs: PEM.
    ///
    /// # Errors
    /// When the text holds none.
    pub fn trusting(self, ca_pem: &str) -> Result<Self, NoCa> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
            roots.add(certificate.map_err(|_| NoCa)?).map_err(|_| NoCa)?;
        }
        if roots.is_empty() {
            return Err(NoCa);
        }
        let http = http_client(roots, &self.clock);
        Ok(Self { http, ..self })
    }

    /// Calls an operation of an AWS JSON service: `athena`, `firehose`, `glue`.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn json(&self, service: &str, operation: &str, input: &Value) -> Result<Value, CallError> {
        let prefix = TARGETS.iter().find(|(name, _)| *name == service).map_or(service, |(_, prefix)| prefix);
        let target = format!("{prefix}.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let answer = self.send(service, Method::POST, "/", &headers, input.to_string().into()).await?;
        output(&answer)
    }

    /// Calls an operation of a REST-JSON service: `iot`, `iotdata`.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn rest(
        &self,
        service: &str,
        method: Method,
        path: &str,
        body: impl Into<Bytes> + Send,
    ) -> Result<Value, CallError> {
        let headers = [("content-type", "application/json")];
        let answer = self.send(service, method, path, &headers, body.into()).await?;
        output(&answer)
    }

    /// Sends a signed request and returns whatever is answered.
    ///
    /// # Errors
    /// [`CallError::Transport`] only.
    pub async fn send(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, CallError> {
        let transport = |source: Box<dyn std::error::Error + Send + Sync>| CallError::Transport {
            endpoint: self.endpoint.clone(),
            source,
        };
        let uri: Uri =
            format!("{}{path}", self.endpoint).parse().map_err(|error| transport(Box::new(error)))?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let mut signed: Vec<(&str, &str)> = vec![("host", &host)];
        signed.extend(headers);
        let signer = Signer {
            access_key_id: &self.access_key_id,
            secret_access_key: self.secret_access_key.expose(),
            region: &self.region,
            service,
        };
        let added = signer
            .sign(&method, &uri, &signed, &body, self.clock.now())
            .map_err(|error| transport(Box::new(error)))?;
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in signed.iter().copied().chain(added.iter().map(|(n, v)| (*n, v.as_str()))) {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).map_err(|error| transport(Box::new(error)))?;
        let response = self.http.request(request).await.map_err(|error| transport(Box::new(error)))?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| transport(Box::new(error)))?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

/// There is no CA certificate where one should be.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("there is no CA certificate in that text")]
pub struct NoCa;

/// Certificates are good or not by the client's own clock.
struct Time(Arc<dyn Clock>);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let now = u64::try_from(self.0.now().as_millis()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(now)))
    }
}

fn http_client(
    roots: RootCertStore,
    clock: &Arc<dyn Clock>,
) -> HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_details(provider, Arc::new(Time(Arc::clone(clock))))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    HttpClient::builder(TokioExecutor::new()).build(connector)
}

fn output(answer: &Answer) -> Result<Value, CallError> {
    let body = answer.json();
    if answer.status.is_success() {
        return Ok(body);
    }
    let header = answer.headers.get("x-amzn-errortype").and_then(|code| code.to_str().ok());
    let code = header.or_else(|| body["__type"].as_str()).unwrap_or("Unknown");
    let message = body["message"].as_str().or_else(|| body["Message"].as_str()).unwrap_or_default();
    Err(CallError::Service {
        status: answer.status.as_u16(),
        code: code.to_owned(),
        message: message.to_owned(),
    })
}
