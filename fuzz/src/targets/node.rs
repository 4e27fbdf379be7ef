//! What targets that take requests stand on: a node in memory, keys of our own, and an authoriser that says one thing.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use kernel::{AccountId, Context, Entropy, ManualClock, Metrics, Principal, Secret, Timestamp};
use s3::{S3, S3Front};
use store::MetaStore;
use store::meta::memory::MemoryMetaStore;
use testkit::Sandbox;
use tokio::runtime::Runtime;
use wire::authorize::Denied;
use wire::sigv4::Signer;
use wire::{Arrival, Authorize, Credential, Credentials, Dispatcher, Resource, Unusable};

/// The key that [`Keys`] knows.
pub(super) const KEY: &str = "AKIDEXAMPLE";

/// What requests of seeds are signed with.
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// 2026-01-01T00:00:00Z.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// One key of the root.
pub(super) struct Keys {
    pub(super) secret: &'static str,
}

impl Credentials for Keys {
    fn find(&self, access_key_id: &str) -> Option<Credential> {
        let principal = Principal::Root { account: AccountId::default_account() };
        (access_key_id == KEY).then(|| Credential { secret: Secret::new(self.secret.to_owned()), principal })
    }

    fn find_temporary(&self, access_key_id: &str, token: &str) -> Result<Credential, Unusable> {
        match token {
            "token" => self.find(access_key_id).ok_or(Unusable::Invalid),
            "over" => Err(Unusable::Expired),
            _ => Err(Unusable::Invalid),
        }
    }
}

/// Denies everything, so that no handler runs.
pub(super) struct DenyAll;

impl Authorize for DenyAll {
    fn authorize(&self, cx: &Context, action: &str, resource: &Resource) -> Result<(), Denied> {
        Err(Denied::implicit(cx, action, resource))
    }
}

/// A node in memory, and a runtime to ask it in.
pub(super) struct World {
    pub(super) runtime: Runtime,
    pub(super) sandbox: Sandbox,
}

impl World {
    pub(super) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let sandbox = runtime.block_on(Sandbox::new());
        Self { runtime, sandbox }
    }

    /// The node's own operations behind [`Keys`] and [`DenyAll`].
    pub(super) fn denying(&self) -> Dispatcher {
        let services = self.sandbox.node().dispatcher().services().to_vec();
        let clock = Arc::new(ManualClock::new(NOW));
        Dispatcher::new(
            services,
            Arc::new(Keys { secret: SECRET }),
            Arc::new(DenyAll),
            clock,
            Entropy::seeded(1),
        )
    }
}

/// S3 in memory behind [`Keys`].
pub(super) fn objects(authorize: Arc<dyn Authorize>) -> S3Front {
    let meta: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::new());
    let clock = Arc::new(ManualClock::new(NOW));
    let s3 = S3::new(&meta, store::blob::memory(), authorize, clock, Entropy::seeded(1), &Metrics::default());
    S3Front::new(Arc::new(s3), Arc::new(Keys { secret: SECRET }), &["s3.localhost".to_owned()])
}

/// A request with these headers; none if they are not a request's.
pub(super) fn request(
    (method, uri): (&str, &str),
    headers: &[(&str, &[u8])],
    body: &[u8],
) -> Option<Request<Bytes>> {
    let mut request = Request::new(Bytes::copy_from_slice(body));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = uri.parse().ok()?;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        request.headers_mut().append(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(request)
}

/// The same with a signature of [`KEY`].
pub(super) fn signed(
    service: &str,
    (method, uri): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Request<Bytes>> {
    let parsed: Uri = uri.parse().ok()?;
    let length = body.len().to_string();
    let mut all = vec![("host", "localhost"), ("content-length", &length)];
    all.extend(headers);
    let signer = Signer { access_key_id: KEY, secret_access_key: SECRET, region: "us-east-1", service };
    let verb = Method::from_bytes(method.as_bytes()).ok()?;
    let added = signer.sign(&verb, &parsed, &all, &Bytes::copy_from_slice(body), NOW).ok()?;
    all.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
    let headers: Vec<(&str, &[u8])> = all.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    request((method, uri), &headers, body)
}

/// What S3 answers, with its body.
pub(super) async fn ask(front: &S3Front, request: Request<Bytes>) -> Response<Bytes> {
    let (parts, body) = front.handle(request.map(Full::new), Arrival::default()).await.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Response::from_parts(parts, body)
}

/// A request as it stands on a connection.
pub(super) fn text(request: &Request<Bytes>) -> Vec<u8> {
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri()).into_bytes();
    for (name, value) in request.headers() {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(request.body());
    text
}
