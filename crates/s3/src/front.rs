//! S3 over HTTP: authentication and authorisation around `s3s`, and what is counted.
//!
//! 1. No operation runs before its request is authenticated and authorised; an operation that is not in the table is refused unread.
//! 2. Every answer carries `x-amz-request-id` and `x-amz-id-2`.
//! 3. Every error has the one envelope, with AWS's sentence; the answer to HEAD has none, as on AWS.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::BodyExt;
use kernel::{Clock, Context, Entropy, Principal, Region};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::path::S3Path;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode, S3Result};
use wire::{Attempt, Credential, Credentials, Fault, Resource, Unusable};

use crate::authorize::{Caller, Target, denied};
use crate::counted::Counted;
use crate::directory::Known;
use crate::host::Domains;
use crate::limits::XML_BYTES_MAX;
use crate::metrics::{BucketMetrics, Kind};
use crate::ops::{self, On, Operations};
use crate::service::bucket_arn;
use crate::{Error, S3, conditions, cors, faults, precheck};

/// Why a body cannot be sent or received.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer.
pub type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

/// S3 over HTTP.
pub struct S3Front {
    service: S3Service,
    s3: Arc<S3>,
    domains: Domains,
    credentials: Arc<dyn Credentials>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
}

tokio::task_local! {
    /// The temporary credentials whose token the request carries: `s3s` asks for secrets by access key alone.
    static TEMPORARY: Option<Credential>;
}

/// The bucket that a request is about.
struct Subject {
    known: Arc<Known>,
    kind: Kind,
    counters: BucketMetrics,
    /// What the answer tells a browser.
    cors: Option<http::HeaderMap>,
}

/// What is known of a request before it is authenticated; travels in its extensions.
#[derive(Clone)]
struct Arrival {
    request_id: String,
    region: Option<Region>,
    via: wire::Arrival,
}

impl S3Front {
    /// Puts the service behind HTTP. `domains` are those under which a bucket is a subdomain, besides `localhost` and `s3.localhost`.
    pub fn new(s3: Arc<S3>, credentials: Arc<dyn Credentials>, domains: &[String]) -> Self {
        let (clock, entropy) = (Arc::clone(&s3.clock), s3.entropy.clone());
        let mut config = S3Config::default();
        config.xml_max_body_size = XML_BYTES_MAX;
        // The clock of the node decides, in `precheck`, not the system's.
        config.presigned_url_max_skew_time_secs = u32::MAX;
        let mut builder = S3ServiceBuilder::new(Operations(Arc::clone(&s3)));
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        let domains = Domains::new(domains);
        builder.set_host(domains.clone());
        builder.set_auth(Auth(Arc::clone(&credentials)));
        builder.set_access(Access { s3: Arc::clone(&s3), credentials: Arc::clone(&credentials) });
        Self { service: builder.build(), s3, domains, credentials, clock, entropy }
    }

    /// The bucket that a request is about, if it is there, and what is counted for it.
    fn subject(&self, parts: &http::request::Parts) -> Option<Subject> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let path = parts.uri.path().trim_start_matches('/');
        let (bucket, key) = match self.domains.bucket(host) {
            Some(bucket) => (Cow::Owned(bucket), path),
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (Cow::Borrowed(bucket), key)
            }
        };
        let known = self.s3.known(&bucket).ok()?;
        let key = Some(key).filter(|key| !key.is_empty());
        let kind = Kind::of(&parts.method, key, parts.uri.query().unwrap_or_default());
        let counters = known.metrics(&bucket, &self.s3.metrics).clone();
        Some(Subject {
            cors: cors::answer(&known, parts.method.as_str(), &parts.headers),
            known,
            kind,
            counters,
        })
    }

    /// Answers a request.
    pub async fn handle<B>(&self, request: Request<B>, via: wire::Arrival) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        BoxError: From<B::Error>,
    {
        let request_id = hex::encode_upper(self.entropy.bytes::<8>());
        let host_id = STANDARD.encode(self.entropy.bytes::<48>());
        let (parts, body) = request.into_parts();
        let (began, subject) = (self.clock.now(), self.subject(&parts));
        let uploaded = subject.as_ref().map(|subject| subject.counters.uploaded.clone());
        let body = Counted::new(body.boxed_unsync(), uploaded);
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let answered = match method {
            Method::OPTIONS => {
                let known = subject.as_ref().map(|subject| &*subject.known);
                cors::preflight(known, &parts.headers).map(|headers| {
                    let mut response = Response::new(faults::whole(Bytes::new()));
                    *response.headers_mut() = headers;
                    response
                })
            }
            _ => {
                let arrival = Arrival { request_id: request_id.clone(), region: None, via };
                self.serve(parts, body, arrival).await
            }
        };
        let mut response =
            answered.unwrap_or_else(|fault| faults::render(&fault, &method, &path, &request_id, &host_id));
        if let Some(Subject { kind, counters, cors, .. }) = subject {
            counters.answered(kind, response.status(), began, self.clock.now());
            response = response.map(|body| Body::new(Counted::new(body, Some(counters.downloaded))));
            response.headers_mut().extend(cors.unwrap_or_default());
        }
        tracing::debug!(%method, path, status = response.status().as_u16(), request_id, "request");
        let headers = response.headers_mut();
        let value = |text: &str| HeaderValue::from_str(text).expect("hex and base64 are header text");
        headers.insert("x-amz-request-id", value(&request_id));
        headers.insert("x-amz-id-2", value(&host_id));
        response
    }

    /// Has an operation answer.
    async fn serve<B>(
        &self,
        parts: http::request::Parts,
        body: B,
        arrival: Arrival,
    ) -> Result<Response<Body>, Fault>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        BoxError: From<B::Error>,
    {
        let claimed = claimed_key(&parts);
        let source_ip = arrival.via.source_ip.clone();
        let attempt = |key| Attempt::new(source_ip.as_deref(), key);
        if let (Some(quotas), Some(key)) = (self.s3.quotas.get(), &claimed) {
            quotas.attempt(attempt(key)).map_err(|_| Fault::from_service(&Error::SlowDown))?;
        }
        let answered = self.serve_admitted(parts, body, arrival).await;
        if let (Some(quotas), Some(key), Err(fault)) = (self.s3.quotas.get(), &claimed, &answered) {
            match fault.code.as_str() {
                // Keys that are not there share one bucket: there is no end of them.
                "InvalidAccessKeyId" | "InvalidToken" => quotas.failed(attempt(""), &fault.code),
                "SignatureDoesNotMatch" | "ExpiredToken" => quotas.failed(attempt(key), &fault.code),
                _ => {}
            }
        }
        answered
    }

    async fn serve_admitted<B>(
        &self,
        mut parts: http::request::Parts,
        body: B,
        arrival: Arrival,
    ) -> Result<Response<Body>, Fault>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        BoxError: From<B::Error>,
    {
        let region = precheck::check(&parts, self.clock.now())?;
        let temporary = temporary(&parts, &*self.credentials)?;
        precheck::sign_token_v2(&mut parts);
        self.verify_v2(&parts, temporary.as_ref())?;
        let claimed = faults::Claimed::of(&parts.headers);
        parts.extensions.insert(Arrival { region, ..arrival });
        let request = Request::from_parts(parts, s3s::Body::http_body_unsync(body));
        // `s3s` has large futures; the caller's should not be.
        match TEMPORARY.scope(temporary, Box::pin(self.service.call(request))).await {
            Ok(response) => faults::into_fault(response, &claimed).map(|answer| answer.map(Body::new)),
            Err(error) => {
                let error: BoxError = error.into();
                tracing::error!(error, "no answer could be made");
                Err(Fault::from_service(&Error::Internal(error)))
            }
        }
    }
}

impl S3Front {
    /// Compares a signature of version 2 in constant time, as `s3s` does those of version 4 alone. What it is not asked about, an
    /// unknown key for one, it leaves to `s3s`.
    fn verify_v2(&self, parts: &http::request::Parts, temporary: Option<&Credential>) -> Result<(), Fault> {
        let Some(id) = precheck::access_key_v2(parts) else { return Ok(()) };
        let Some(credential) = temporary.cloned().or_else(|| self.credentials.find(&id)) else {
            return Ok(());
        };
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let bucket = self.domains.bucket(host);
        if precheck::is_signed_v2(parts, bucket.as_deref(), credential.secret.expose()) {
            Ok(())
        } else {
            Err(Fault::from_service(&Error::SignatureDoesNotMatch))
        }
    }
}

/// The temporary credentials of a request that carries a token. Its key is claimed, not yet verified; only its secret is told to
/// the verifier.
fn temporary(
    parts: &http::request::Parts,
    credentials: &dyn Credentials,
) -> Result<Option<Credential>, Fault> {
    let Some(token) = precheck::token(parts) else { return Ok(None) };
    let claimed = claimed_key(parts).unwrap_or_default();
    match credentials.find_temporary(&claimed, &token) {
        Ok(credential) => Ok(Some(credential)),
        Err(Unusable::Invalid) => {
            Err(Fault::new(400, "InvalidToken", "The provided token is malformed or otherwise invalid."))
        }
        Err(Unusable::Expired) => Err(Fault::new(400, "ExpiredToken", "The provided token has expired.")),
    }
}

/// The access key that a request claims to be signed with.
fn claimed_key(parts: &http::request::Parts) -> Option<String> {
    let claimed = wire::sigv4::claimed_scope(parts).map(|scope| scope.access_key_id);
    claimed.or_else(|| precheck::access_key_v2(parts))
}

/// Whom the access key of a request belongs to.
fn owner(credentials: &dyn Credentials, access_key_id: &str) -> Option<Credential> {
    let temporary = TEMPORARY.try_with(Clone::clone).ok().flatten();
    temporary.or_else(|| credentials.find(access_key_id))
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The secrets `s3s` verifies signatures with.
struct Auth(Arc<dyn Credentials>);

impl S3Auth for Auth {
    fn get_secret_key<'life0, 'life1, 'async_trait>(
        &'life0 self,
        access_key: &'life1 str,
    ) -> BoxFuture<'async_trait, S3Result<SecretKey>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let credential =
                owner(&*self.0, access_key).ok_or_else(|| S3Error::new(S3ErrorCode::InvalidAccessKeyId))?;
            Ok(SecretKey::from(credential.secret.expose().as_str()))
        })
    }
}

/// The decision on every request.
struct Access {
    s3: Arc<S3>,
    credentials: Arc<dyn Credentials>,
}

impl S3Access for Access {
    fn check<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        request: &'life1 mut S3AccessContext<'life2>,
    ) -> BoxFuture<'async_trait, S3Result<()>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move { self.decide(request).await.map_err(|error| ops::s3_error(&error)) })
    }
}

impl Access {
    /// Invariant 1: the operation finds its caller among the request's extensions, and nowhere else.
    async fn decide(&self, request: &mut S3AccessContext<'_>) -> Result<(), Error> {
        let credential =
            request.credentials().and_then(|signed| owner(&*self.credentials, &signed.access_key));
        let principal = credential.map_or(Principal::Anonymous, |credential| credential.principal);
        let entry = ops::entry(request.s3_op().name()).ok_or(Error::NotImplemented)?;
        let arrival = request.extensions_mut().remove::<Arrival>();
        if principal == Principal::Anonymous && matches!(entry.on, On::Account | On::NewBucket) {
            return Err(denied());
        }
        let cx = self.context(principal, request.s3_path(), arrival)?;
        if let Some(quotas) = self.s3.quotas.get() {
            let admitted = quotas.admit(&cx.principal, cx.source_ip.as_deref(), cx.region.as_str());
            admitted.map_err(|_| Error::SlowDown)?;
        }
        let keys = conditions::of_any(request.headers(), request.uri(), self.s3.clock.now());
        let caller = Caller::new(cx, keys);
        let action = conditions::versioned(entry.action, request.uri());
        let more = conditions::of_action(request.headers(), request.uri(), action);
        match (entry.on, request.s3_path()) {
            (On::Account, _) | (_, S3Path::Root) => {
                self.s3.allow_account(&caller, action, &Resource::Any)?;
            }
            (On::NewBucket, S3Path::Bucket { bucket } | S3Path::Object { bucket, .. }) => {
                self.s3.allow_account(&caller, action, &bucket_arn(bucket))?;
            }
            (On::Body, S3Path::Bucket { bucket } | S3Path::Object { bucket, .. }) => {
                self.s3.admit(&caller, bucket)?;
            }
            (On::Bucket | On::Object, S3Path::Bucket { bucket })
            | (On::Bucket, S3Path::Object { bucket, .. }) => {
                self.s3.allow_with(&caller, action, Target::Bucket(bucket), &more)?;
            }
            (On::Object, S3Path::Object { bucket, key }) => {
                self.s3.allow_existing(&caller, action, (bucket, key), &more).await?;
            }
        }
        let expected = request.headers().get("x-amz-expected-bucket-owner");
        if let (Some(expected), Some(bucket)) = (expected, bucket_of(request.s3_path()))
            && entry.on != On::NewBucket
        {
            self.s3.check_owner(&caller, bucket, Some(expected.to_str().unwrap_or_default()))?;
        }
        request.extensions_mut().insert(caller);
        Ok(())
    }

    /// Nobody in particular acts in the account of the bucket they ask for.
    fn context(
        &self,
        principal: Principal,
        path: &S3Path,
        arrival: Option<Arrival>,
    ) -> Result<Context, Error> {
        let account = match (principal.account(), bucket_of(path)) {
            (Some(account), _) => account.clone(),
            (None, Some(bucket)) => self.s3.known(bucket)?.bucket.account.clone(),
            (None, None) => return Err(denied()),
        };
        let (request_id, region, via) = match arrival {
            Some(arrival) => (arrival.request_id, arrival.region, arrival.via),
            None => (self.s3.entropy.uuid(), None, wire::Arrival::default()),
        };
        // Signature version 2 names no region.
        let region = region.unwrap_or_else(Region::default_region);
        let wire::Arrival { source_ip, secure } = via;
        Ok(Context { principal, account, region, request_id, source_ip, secure })
    }
}

fn bucket_of(path: &S3Path) -> Option<&str> {
    match path {
        S3Path::Root => None,
        S3Path::Bucket { bucket } | S3Path::Object { bucket, .. } => Some(bucket),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hmac::{Hmac, KeyInit, Mac};
    use sha1::Sha1;

    use super::*;
    use crate::testing::{Client, KEY, SECRET};

    #[tokio::test]
    async fn nobody_is_denied() {
        let client = Client::with_bucket().await;
        let host = [("host", "localhost")];
        let answer = client.send("GET", "/lake/k", &host, Bytes::new()).await.expect("403 AccessDenied");
        assert_eq!(answer.element("Message"), Some("Access Denied"));
        assert_eq!(answer.element("Resource"), Some("/lake/k"));
        assert_eq!(answer.element("RequestId"), answer.header("x-amz-request-id"));
        assert_eq!(answer.element("HostId"), answer.header("x-amz-id-2"));
        client.send("GET", "/", &host, Bytes::new()).await.expect("403 AccessDenied");
    }

    #[tokio::test]
    async fn a_wrong_signature_is_refused_and_a_strange_key_too() {
        let mut client = Client::with_bucket().await;
        let tampered = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
        client.call("PUT", "/lake/k", &tampered, "hello").await.expect("200");
        client.access_key_id = "AKIDSTRANGER";
        let answer = client.get("/lake/k").await.expect("403 InvalidAccessKeyId");
        assert_eq!(
            answer.element("Message"),
            Some("The AWS Access Key Id you provided does not exist in our records.")
        );
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let forged = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20170826/us-east-1/s3/aws4_request, \
            SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        let headers = [
            ("host", "localhost"),
            ("x-amz-date", "20170826T074712Z"),
            ("x-amz-content-sha256", hash),
            ("authorization", forged),
        ];
        client.send("GET", "/lake/k", &headers, Bytes::new()).await.expect("403 SignatureDoesNotMatch");
    }

    #[tokio::test]
    async fn temporary_credentials_need_their_token() {
        let mut client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        client.access_key_id = "ASIATEMPORARY";
        let token = |token: &'static str| [("x-amz-security-token", token)];
        client.call("GET", "/lake/k", &token("token"), "").await.expect("200");
        client.call("GET", "/lake/k", &token("over"), "").await.expect("400 ExpiredToken");
        client.call("GET", "/lake/k", &token("other"), "").await.expect("400 InvalidToken");
        client.get("/lake/k").await.expect("403 InvalidAccessKeyId");
    }

    #[tokio::test]
    async fn a_body_that_is_not_the_one_signed_is_not_stored() {
        let client = Client::with_bucket().await;
        let other = hex::encode([7u8; 32]);
        client
            .call("PUT", "/lake/k", &[("x-amz-content-sha256", &other)], "hello")
            .await
            .expect("400 XAmzContentSHA256Mismatch");
        client.get("/lake/k").await.expect("404 NoSuchKey");
        assert_eq!(client.blobs().await, 0);
    }

    #[tokio::test]
    async fn what_the_policy_forbids_is_denied_before_it_runs() {
        let client = Client::with_bucket().await;
        let answer = client.put("/lake/forbidden", "x").await.expect("403 AccessDenied");
        assert_eq!(
            answer.element("Message"),
            Some(
                "User: arn:aws:iam::000000000000:root is not authorized to perform: s3:PutObject on resource: \
                 \"arn:aws:s3:::lake/forbidden\" because no identity-based policy allows the s3:PutObject action"
            )
        );
        assert_eq!(client.blobs().await, 0);
        client.put("/forbidden", "").await.expect("403 AccessDenied");
    }

    #[tokio::test]
    async fn an_operation_that_is_not_there_says_so() {
        let client = Client::with_bucket().await;
        for uri in ["/lake?inventory", "/lake?intelligent-tiering", "/lake/k?acl", "/lake/k?torrent"] {
            client.get(uri).await.expect("501 NotImplemented");
        }
    }

    #[tokio::test]
    async fn the_bucket_may_be_in_the_host() {
        let client = Client::with_bucket().await;
        let host = [("host", "lake.s3.localhost:4566")];
        client.call("PUT", "/a/b", &host, "hello").await.expect("200");
        assert_eq!(client.get("/lake/a/b").await.text(), "hello");
        assert_eq!(client.call("GET", "/?list-type=2", &host, "").await.elements("Key"), ["a/b"]);
    }

    #[tokio::test]
    async fn an_error_to_head_has_no_body() {
        let client = Client::with_bucket().await;
        let answer = client.call("HEAD", "/lake/k", &[], "").await;
        assert_eq!((answer.status, answer.body.len()), (404, 0));
        let answer = client.call("HEAD", "/nolake", &[], "").await;
        assert_eq!((answer.status, answer.body.len()), (404, 0));
    }

    #[tokio::test]
    async fn a_key_with_every_kind_of_character_is_signed_and_stored() {
        let client = Client::with_bucket().await;
        client.put("/lake/a%20b%2Bc/%C3%A9//d%3De~f", "x").await.expect("200");
        assert_eq!(client.get("/lake?list-type=2").await.elements("Key"), ["a b+c/\u{e9}//d=e~f"]);
        client.put("/lake/a%00b", "x").await.expect("400 InvalidArgument");
        client.put(&format!("/lake/{}", "k".repeat(1025)), "x").await.expect("400 KeyTooLongError");
        client.put("/La_ke/k", "x").await.expect("400 InvalidBucketName");
    }

    fn presigned_v2(method: &str, path: &str, expires: i64) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{method}\n\n\n{expires}\n{path}").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let signature: String =
            percent_encoding::utf8_percent_encode(&signature, percent_encoding::NON_ALPHANUMERIC).collect();
        format!("{path}?AWSAccessKeyId={KEY}&Signature={signature}&Expires={expires}")
    }

    #[tokio::test]
    async fn a_presigned_request_of_version_2_carries_the_token_of_temporary_credentials() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        let signed_as = "/lake/k?AWSAccessKeyId=ASIATEMPORARY";
        let header = "x-amz-security-token:token\n/lake/k";
        let signed = presigned_v2("GET", header, 4_102_444_800)
            .replace(&format!("{header}?AWSAccessKeyId={KEY}"), signed_as);
        let host = [("host", "localhost")];
        let send = async |token: &str| {
            client.send("GET", &format!("{signed}&x-amz-security-token={token}"), &host, Bytes::new()).await
        };
        assert_eq!(send("token").await.expect("200").text(), "hello");
        send("other").await.expect("400 InvalidToken");
        client.send("GET", &signed, &host, Bytes::new()).await.expect("403 InvalidAccessKeyId");
    }

    /// What `s3s` leaves out of what it verifies must not choose the operation.
    #[tokio::test]
    async fn a_presigned_request_of_version_2_is_for_its_own_operation_only() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        let host = [("host", "localhost")];
        let object = presigned_v2("GET", "/lake/k", 4_102_444_800);
        let list = presigned_v2("GET", "/lake", 4_102_444_800);
        let create = presigned_v2("PUT", "/lake", 4_102_444_800);
        client.send("GET", &object, &host, Bytes::new()).await.expect("200");
        for (method, uri) in [
            ("GET", format!("{object}&tagging&tagging")),
            ("GET", format!("{list}&policy&policy=")),
            ("GET", format!("{list}&publicAccessBlock")),
            ("PUT", format!("{create}&policy&policy")),
            ("PUT", format!("{create}&publicAccessBlock")),
        ] {
            client.send(method, &uri, &host, Bytes::from_static(b"{}")).await.expect("403 AccessDenied");
        }
        let tagged = format!("{object}&tagging");
        client.send("GET", &tagged, &host, Bytes::new()).await.expect("403 SignatureDoesNotMatch");
    }

    #[tokio::test]
    async fn a_presigned_request_of_version_2_works_until_it_expires_by_our_clock() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        let host = [("host", "localhost")];
        // The year 2100, for the system's clock must not have passed it.
        let uri = presigned_v2("GET", "/lake/k", 4_102_444_800);
        assert_eq!(client.send("GET", &uri, &host, Bytes::new()).await.expect("200").text(), "hello");
        let other = uri.replace("/lake/k", "/lake/l");
        client.send("GET", &other, &host, Bytes::new()).await.expect("403 SignatureDoesNotMatch");
        client.clock.advance(Duration::from_secs(100 * 366 * 24 * 60 * 60));
        let answer = client.send("GET", &uri, &host, Bytes::new()).await.expect("403 AccessDenied");
        assert_eq!(answer.element("Message"), Some("Request has expired"));
    }

    #[tokio::test]
    async fn a_late_request_is_refused() {
        let client = Client::with_bucket().await;
        let now = client.clock.now();
        client.clock.advance(Duration::from_secs(15 * 60 + 1));
        let signer = wire::sigv4::Signer {
            access_key_id: KEY,
            secret_access_key: SECRET,
            region: "us-east-1",
            service: "s3",
        };
        let host = ("host", "localhost");
        let added =
            signer.sign(&Method::GET, &"/lake".parse().unwrap(), &[host], &Bytes::new(), now).unwrap();
        let mut headers = vec![host];
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
        client.send("GET", "/lake", &headers, Bytes::new()).await.expect("403 RequestTimeTooSkewed");
    }

    #[tokio::test]
    async fn a_chunked_body_with_an_unsigned_trailer_is_stored_and_its_checksum_verified() {
        let client = Client::with_bucket().await;
        let headers = [
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "5"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("x-amz-sdk-checksum-algorithm", "CRC32"),
        ];
        let body = |crc: &str| format!("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n");
        client.call("PUT", "/lake/k", &headers, body("NhCmhg==")).await.expect("200");
        let get =
            client.call("GET", "/lake/k", &[("x-amz-checksum-mode", "ENABLED")], "").await.expect("200");
        assert_eq!((get.text(), get.header("x-amz-checksum-crc32")), ("hello", Some("NhCmhg==")));
        assert_eq!(get.header("content-encoding"), None);
        let answer = client.call("PUT", "/lake/l", &headers, body("NhCmhw==")).await.expect("400 BadDigest");
        assert_eq!(
            answer.element("Message"),
            Some("The CRC32 you specified did not match the calculated checksum.")
        );
        let short = "4\r\nhell\r\n0\r\n\r\n";
        client.call("PUT", "/lake/m", &headers, short).await.expect("400 IncompleteBody");
        assert_eq!(client.blobs().await, 1);
    }

    #[tokio::test]
    async fn buckets_of_another_account_are_out_of_reach() {
        let mut client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        client.access_key_id = "AKIDOTHER";
        client.get("/lake/k").await.expect("403 AccessDenied");
        client.put("/lake", "").await.expect("409 BucketAlreadyExists");
        assert!(client.get("/").await.expect("200").elements("Name").is_empty());
    }
}
