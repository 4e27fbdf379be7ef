//! For the tests at the bottom of the files: a client that signs, and a service on memory behind the front, without sockets.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use kernel::{AccountId, Clock, Context, Entropy, ManualClock, Metrics, Principal, Secret, Timestamp};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use policy::{Caller, Document, Policies, ResourcePolicy, Silence};
use store::MetaStore;
use store::meta::memory::MemoryMetaStore;
use wire::authorize::Denied;
use wire::sigv4::Signer;
use wire::{Authorize, Credential, Credentials, Facts, Resource, Unusable};

use crate::{S3, S3Front};

pub(crate) const KEY: &str = "AKIDEXAMPLE";
/// The labels of what is counted for the bucket of [`Client::with_bucket`].
pub(crate) const LAKE: [&str; 3] = ["000000000000", "us-east-1", "lake"];
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// The keys of two accounts, each with a root and two users: `may` may everything by their own policies, `maynot` nothing. The second
/// account has no buckets.
struct Keys;

impl Credentials for Keys {
    fn find(&self, access_key_id: &str) -> Option<Credential> {
        let (account, user) = match access_key_id {
            KEY => ("000000000000", None),
            "AKIDMAY" => ("000000000000", Some("may")),
            "AKIDMAYNOT" => ("000000000000", Some("maynot")),
            "AKIDOTHER" => ("111111111111", None),
            "AKIDOTHERMAY" => ("111111111111", Some("may")),
            "AKIDOTHERMAYNOT" => ("111111111111", Some("maynot")),
            _ => return None,
        };
        let account: AccountId = account.parse().unwrap();
        let principal = match user {
            None => Principal::Root { account },
            Some(name) => Principal::User {
                user: format!("arn:aws:iam::{account}:user/{name}").parse().unwrap(),
                account,
                id: format!("AIDA{name}"),
                access_key_id: access_key_id.to_owned(),
                issued_at: None,
            },
        };
        Some(Credential { secret: Secret::new(SECRET.to_owned()), principal })
    }

    /// `ASIATEMPORARY` is the root's for a time.
    fn find_temporary(&self, access_key_id: &str, token: &str) -> Result<Credential, Unusable> {
        match (access_key_id, token) {
            ("ASIATEMPORARY", "token") => self.find(KEY).ok_or(Unusable::Invalid),
            ("ASIATEMPORARY", "over") => Err(Unusable::Expired),
            _ => Err(Unusable::Invalid),
        }
    }
}

/// Decides as `iam` does, by the policies of [`Keys`]; what touches a resource whose ARN contains `forbidden` is denied to all.
struct NotForbidden;

impl Authorize for NotForbidden {
    fn authorize(&self, cx: &Context, action: &str, resource: &Resource) -> Result<(), Denied> {
        self.authorize_with(cx, action, resource, &Facts::default())
    }

    fn authorize_with(
        &self,
        cx: &Context,
        action: &str,
        resource: &Resource,
        facts: &Facts<'_>,
    ) -> Result<(), Denied> {
        if resource.to_string().contains("forbidden") {
            return Err(Denied::implicit(cx, action, resource));
        }
        let everything = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
        let everything = Document::parse(everything).unwrap();
        let caller = match &cx.principal {
            Principal::Root { account } => Caller::Root { account: account.to_string() },
            Principal::User { account, user, .. } => {
                Caller::User { account: account.to_string(), arn: user.to_string() }
            }
            Principal::Service { name, .. } => Caller::Service { name: (*name).to_owned() },
            _ => Caller::Anonymous,
        };
        let may = matches!(&cx.principal, Principal::User { user, .. } if user.resource().ends_with("/may"));
        let owner = facts.owner.unwrap_or(cx.account.as_str());
        let document = facts.resource_policy.map(|text| Document::parse(text).unwrap());
        let policies = Policies {
            identity: may.then_some(&everything).into_iter().collect(),
            resource: Some(ResourcePolicy { document: document.as_ref(), owner, silence: Silence::Neutral }),
            ..Policies::default()
        };
        let mut context = policy::Context::new().with("aws:SecureTransport", cx.secure.to_string());
        for (key, values) in facts.keys {
            context = context.with_values(key, values.clone());
        }
        let resource_name = resource.to_string();
        let request = policy::Request { action, resource: &resource_name, context: &context };
        match policy::authorize(&policies, &caller, &request).reason(action) {
            None => Ok(()),
            Some(reason) => Err(Denied { reason, ..Denied::implicit(cx, action, resource) }),
        }
    }
}

/// An answer with its body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The contents of every element of this name.
    pub(crate) fn elements(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        self.text().split(open.as_str()).skip(1).filter_map(|rest| Some(rest.split_once(&close)?.0)).collect()
    }

    /// The content of the first element of this name.
    pub(crate) fn element(&self, name: &str) -> Option<&str> {
        self.elements(name).first().copied()
    }

    /// Status and, of an error, its code.
    pub(crate) fn outcome(&self) -> String {
        let code = if self.status >= 400 { self.element("Code").unwrap_or_default() } else { "" };
        format!("{} {code}", self.status).trim_end().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, outcome: &str) -> Self {
        assert_eq!(self.outcome(), outcome, "{}", String::from_utf8_lossy(&self.body));
        assert!(self.headers.contains_key("x-amz-request-id") && self.headers.contains_key("x-amz-id-2"));
        self
    }
}

/// The body that gives these tags.
pub(crate) fn tagging(tags: &[(&str, &str)]) -> String {
    let tag = |(key, value): &(&str, &str)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    format!("<Tagging><TagSet>{}</TagSet></Tagging>", tags.iter().map(tag).collect::<String>())
}

/// A client of a service on memory.
pub(crate) struct Client {
    pub(crate) s3: Arc<S3>,
    pub(crate) front: S3Front,
    pub(crate) clock: ManualClock,
    pub(crate) blobs: Arc<dyn ObjectStore>,
    pub(crate) metrics: Metrics,
    pub(crate) access_key_id: &'static str,
    pub(crate) region: &'static str,
}

impl Client {
    /// A client of an empty service, at 2017-08-26T07:47:12.345Z.
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(1_503_733_632_345));
        let meta: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::new());
        let blobs: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let (entropy, metrics) = (Entropy::seeded(1), Metrics::default());
        let s3 = Arc::new(S3::new(
            &meta,
            Arc::clone(&blobs),
            Arc::new(NotForbidden),
            Arc::new(clock.clone()),
            entropy,
            &metrics,
        ));
        let front = S3Front::new(Arc::clone(&s3), Arc::new(Keys), &[]);
        Self { s3, front, clock, blobs, metrics, access_key_id: KEY, region: "us-east-1" }
    }

    /// The same with a bucket, `lake`.
    pub(crate) async fn with_bucket() -> Self {
        let client = Self::new();
        client.put("/lake", "").await.expect("200");
        client
    }

    /// Sends a request as it is.
    pub(crate) async fn send(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).unwrap();
        let (parts, body) = self.front.handle(request, wire::Arrival::default()).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Signs a request and sends it.
    pub(crate) async fn call(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.call_as(self.access_key_id, method, uri, headers, body.into()).await
    }

    async fn call_as(
        &self,
        access_key_id: &str,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        let length = body.len().to_string();
        let mut all = vec![("host", "localhost:4566"), ("content-length", &length)];
        all.extend(headers);
        if headers.iter().any(|(name, _)| *name == "host") {
            all.remove(0);
        }
        let signer = Signer { access_key_id, secret_access_key: SECRET, region: self.region, service: "s3" };
        let method: Method = method.parse().unwrap();
        let added = signer.sign(&method, &uri.parse().unwrap(), &all, &body, self.clock.now()).unwrap();
        all.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
        self.send(method.as_str(), uri, &all, body).await
    }

    /// Sends a request without a signature.
    pub(crate) async fn unsigned(&self, method: &str, uri: &str) -> Answer {
        self.send(method, uri, &[("host", "localhost")], Bytes::new()).await
    }

    /// The same client with another key.
    pub(crate) async fn as_key(
        &self,
        key: &'static str,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.call_as(key, method, uri, headers, Bytes::new()).await
    }

    pub(crate) async fn put(&self, uri: &str, body: impl Into<Bytes>) -> Answer {
        self.call("PUT", uri, &[], body).await
    }

    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.call("GET", uri, &[], "").await
    }

    pub(crate) async fn delete(&self, uri: &str) -> Answer {
        self.call("DELETE", uri, &[], "").await
    }

    /// How many blobs there are.
    pub(crate) async fn blobs(&self) -> usize {
        futures::StreamExt::count(self.blobs.list(None)).await
    }
}
