//! From an HTTP request to an operation's handler and back, in the same steps for all of them.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response, header};
use kernel::{AccountId, Clock, Context, Entropy};
use serde_json::Value;

use crate::authorize::{Authorize, Credentials};
use crate::envelope::Fault;
use crate::operation::{Input, Protocol, Service};
use crate::{query, sigv4};

/// Serves the operations of every service but S3.
pub struct Dispatcher {
    services: Vec<Arc<dyn Service>>,
    credentials: Arc<dyn Credentials>,
    authorize: Arc<dyn Authorize>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
}

/// How a request came to the node: what the connection tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The caller's address without port.
    pub source_ip: Option<String>,
    /// Whether it came over TLS.
    pub secure: bool,
}

/// The operation a request names, before it is verified.
struct Matched {
    operation: String,
    input: Result<Input, Fault>,
}

impl Dispatcher {
    /// A dispatcher of these services.
    pub fn new(
        services: Vec<Arc<dyn Service>>,
        credentials: Arc<dyn Credentials>,
        authorize: Arc<dyn Authorize>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
    ) -> Self {
        Self { services, credentials, authorize, clock, entropy }
    }

    /// Every service, for tests and generated documents.
    pub fn services(&self) -> &[Arc<dyn Service>] {
        &self.services
    }

    /// Whether a request is for one of these services: by the scope of its signature, its `X-Amz-Target`, or, unsigned, a form's
    /// `Action`. One that is signed for a service that is not there is answered here too; everything else is S3's.
    pub fn serves(&self, parts: &Parts) -> bool {
        let elsewhere = || sigv4::claimed_scope(parts).is_some_and(|scope| scope.service != "s3");
        self.select(parts).is_some() || elsewhere()
    }

    fn select(&self, parts: &Parts) -> Option<&Arc<dyn Service>> {
        if let Some(scope) = sigv4::claimed_scope(parts) {
            let scoped = |service: &&Arc<dyn Service>| service.descriptor().signing_name == scope.service;
            return self.services.iter().find(scoped);
        }
        self.by_target(parts)
    }

    fn by_target(&self, parts: &Parts) -> Option<&Arc<dyn Service>> {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let form = is_form(parts);
        self.services.iter().find(|service| match service.descriptor().protocol {
            Protocol::Json { target_prefix, .. } => target
                .and_then(|target| target.rsplit_once('.'))
                .is_some_and(|(prefix, _)| prefix == target_prefix),
            Protocol::Query { .. } => form && target.is_none(),
            Protocol::RestJson => false,
        })
    }

    /// Answers a request that [`Dispatcher::serves`].
    pub async fn handle(&self, request: Request<Bytes>, arrival: Arrival) -> Response<Bytes> {
        let request_id = self.entropy.uuid();
        let (parts, body) = request.into_parts();
        let Some(service) = self.select(&parts) else {
            let protocol = spoken(&parts);
            return stamp(Fault::unknown_operation(&protocol).render(&protocol, &request_id), &request_id);
        };
        let protocol = service.descriptor().protocol;
        let matched = matched(service.as_ref(), &parts, &body);
        let operation = matched.as_ref().map(|matched| matched.operation.clone()).unwrap_or_default();
        let answer = self.answer(service, &parts, &body, matched, (&request_id, arrival)).await;
        let response = match answer {
            Ok(output) => render(&protocol, &operation, output, &request_id),
            Err(fault) => fault.render(&protocol, &request_id),
        };
        tracing::debug!(
            service = service.descriptor().signing_name,
            operation,
            status = response.status().as_u16(),
            request_id,
            "request"
        );
        stamp(response, &request_id)
    }

    async fn answer(
        &self,
        service: &Arc<dyn Service>,
        parts: &Parts,
        body: &Bytes,
        matched: Option<Matched>,
        (request_id, arrival): (&str, Arrival),
    ) -> Result<Bytes, Fault> {
        let protocol = &service.descriptor().protocol;
        let verified = sigv4::verify(parts, body, &*self.credentials, &*self.clock)
            .map_err(|fault| for_protocol(fault, protocol))?;
        let matched = matched.ok_or_else(|| Fault::unknown_operation(protocol))?;
        let region = verified.scope.region.parse().map_err(|_| {
            Fault::new(
                403,
                "InvalidSignatureException",
                "Credential should be scoped to a valid region.".to_owned(),
            )
        })?;
        let account = verified.principal.account().cloned().unwrap_or_else(AccountId::default_account);
        let cx = Context {
            principal: verified.principal,
            account,
            region,
            request_id: request_id.to_owned(),
            source_ip: arrival.source_ip,
            secure: arrival.secure,
        };
        let call = service
            .call(&cx, &matched.operation, matched.input?, &*self.authorize)
            .ok_or_else(|| Fault::unknown_operation(protocol))?;
        call.await
    }

    /// Calls an operation in the name of a principal authenticated elsewhere (a console session). Authorised like any other call.
    ///
    /// # Errors
    /// The fault a client would see.
    pub async fn call_as(
        &self,
        cx: &Context,
        signing_name: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, Fault> {
        let unknown =
            || Fault::new(400, "UnknownOperationException", "The requested operation is not supported.");
        let named = |service: &&Arc<dyn Service>| service.descriptor().signing_name == signing_name;
        // `iot` and `iotdata` are two services; a name may also be shared by two tables.
        for service in self.services.iter().filter(named) {
            if let Some(call) = service.call(cx, operation, Input::Members(input.clone()), &*self.authorize) {
                let output = call.await?;
                return Ok(serde_json::from_slice(&output).expect("the encoder wrote JSON"));
            }
        }
        Err(unknown())
    }

    /// A context for [`Dispatcher::call_as`] with a new request id.
    pub fn request_id(&self) -> String {
        self.entropy.uuid()
    }
}

fn is_form(parts: &Parts) -> bool {
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
}

/// The protocol of a request for a service that is not there, as far as it shows.
fn spoken(parts: &Parts) -> Protocol {
    if parts.headers.contains_key("x-amz-target") {
        Protocol::Json { version: "1.0", target_prefix: "" }
    } else if is_form(parts) {
        Protocol::Query { version: "", namespace: "" }
    } else {
        Protocol::RestJson
    }
}

fn matched(service: &dyn Service, parts: &Parts, body: &Bytes) -> Option<Matched> {
    match service.descriptor().protocol {
        Protocol::Json { target_prefix, .. } => {
            let target = parts.headers.get("x-amz-target")?.to_str().ok()?;
            let operation = target.strip_prefix(target_prefix)?.strip_prefix('.')?.to_owned();
            Some(Matched { operation, input: Ok(Input::Text(body.clone())) })
        }
        Protocol::RestJson => service.operations().into_iter().find_map(|(name, _, http)| {
            let http = http?;
            let labels = http.matches(parts.method.as_str(), parts.uri.path())?;
            let input = http.input(labels, parts, body).map(Input::Members);
            Some(Matched { operation: name.to_owned(), input })
        }),
        Protocol::Query { .. } => {
            let mut pairs = query::pairs(parts.uri.query().unwrap_or_default());
            pairs.retain(|(name, _)| !name.starts_with("X-Amz-"));
            pairs.extend(query::pairs(&String::from_utf8_lossy(body)));
            let operation = pairs.iter().find(|(name, _)| name == "Action")?.1.clone();
            Some(Matched { operation, input: Ok(Input::Members(query::members(&pairs))) })
        }
    }
}

fn render(protocol: &Protocol, operation: &str, output: Bytes, request_id: &str) -> Response<Bytes> {
    let body = match protocol {
        Protocol::Query { namespace, .. } => {
            let value: Value = serde_json::from_slice(&output).expect("the encoder wrote JSON");
            query::render(operation, namespace, &value, request_id).into()
        }
        _ => output,
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, protocol.content_type());
    response
}

/// The Query protocol has other names for what is wrong with a signature.
fn for_protocol(fault: Fault, protocol: &Protocol) -> Fault {
    if !matches!(protocol, Protocol::Query { .. }) {
        return fault;
    }
    let code = match fault.code.as_str() {
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        "IncompleteSignatureException" => "IncompleteSignature",
        "ExpiredTokenException" => "ExpiredToken",
        _ => return fault,
    };
    Fault { code: code.to_owned(), ..fault }
}

fn stamp(mut response: Response<Bytes>, request_id: &str) -> Response<Bytes> {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

#[cfg(test)]
mod tests {
    use http::Method;
    use kernel::{ManualClock, Principal, Secret, Timestamp};
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::authorize::{Credential, Denied, Resource};
    use crate::operation::{Descriptor, Entry, Operation, service};
    use crate::rest::{Http, Param};
    use crate::testing::{self, AllowAll};

    struct Echo;

    #[derive(Debug, thiserror::Error)]
    #[error("Thing {0} not found.")]
    struct NotFound(String);

    impl kernel::ServiceError for NotFound {
        fn kind(&self) -> kernel::ErrorKind {
            kernel::ErrorKind::NotFound
        }

        fn code(&self) -> &str {
            "ResourceNotFoundException"
        }
    }

    struct GetThing;

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        max: Option<u32>,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        name: String,
        max: Option<u32>,
    }

    impl Operation for GetThing {
        type Service = Echo;
        type Request = Request;
        type Response = Answer;
        type Error = NotFound;

        const NAME: &'static str = "GetThing";
        const ACTION: &'static str = "echo:GetThing";

        fn resource(cx: &Context, request: &Request) -> Resource {
            cx.arn("echo", &format!("thing/{}", request.name)).into()
        }

        async fn handle(_: &Echo, _: &Context, request: Request) -> Result<Answer, NotFound> {
            if request.name == "nope" {
                return Err(NotFound(request.name));
            }
            Ok(Answer { name: request.name, max: request.max })
        }
    }

    static JSON: Descriptor = Descriptor {
        signing_name: "echo",
        protocol: Protocol::Json { version: "1.1", target_prefix: "Echo_2020" },
        validation_code: "ValidationException",
    };
    static QUERY: Descriptor = Descriptor {
        signing_name: "echoquery",
        protocol: Protocol::Query { version: "2020", namespace: "urn:echo" },
        validation_code: "ValidationError",
    };
    static REST: Descriptor = Descriptor {
        signing_name: "echorest",
        protocol: Protocol::RestJson,
        validation_code: "InvalidRequestException",
    };
    static OPERATIONS: &[Entry<Echo>] = &[Entry::of::<GetThing>()];
    static REST_OPERATIONS: &[Entry<Echo>] = &[Entry::rest::<GetThing>(
        Http::new("GET", "/things/{Name}").query(&[Param::number("max").member("Max")]),
    )];

    struct Key;

    impl Credentials for Key {
        fn find(&self, access_key_id: &str) -> Option<Credential> {
            (access_key_id == "AK").then(|| Credential {
                secret: Secret::new("secret".to_owned()),
                principal: Principal::Root { account: AccountId::default_account() },
            })
        }
    }

    struct DenyAll;

    impl Authorize for DenyAll {
        fn authorize(&self, cx: &Context, action: &str, resource: &Resource) -> Result<(), Denied> {
            Err(Denied::implicit(cx, action, resource))
        }
    }

    fn dispatcher(authorize: Arc<dyn Authorize>) -> Dispatcher {
        let services = vec![
            service(&JSON, OPERATIONS, Arc::new(Echo)),
            service(&QUERY, OPERATIONS, Arc::new(Echo)),
            service(&REST, REST_OPERATIONS, Arc::new(Echo)),
        ];
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_500_000_000_000)));
        Dispatcher::new(services, Arc::new(Key), authorize, clock, Entropy::seeded(1))
    }

    fn request(service: &str, method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> Request_ {
        let signer =
            sigv4::Signer { access_key_id: "AK", secret_access_key: "secret", region: "us-east-1", service };
        let body = Bytes::from(body.to_owned());
        let mut all = vec![("host", "h")];
        all.extend(headers);
        let uri: http::Uri = uri.parse().unwrap();
        let now = Timestamp::from_millis(1_500_000_000_000);
        let added = signer.sign(&method, &uri, &all, &body, now).unwrap();
        let mut builder = http::Request::builder().method(method).uri(uri);
        for (name, value) in all.into_iter().chain(added.iter().map(|(n, v)| (*n, v.as_str()))) {
            builder = builder.header(name, value);
        }
        builder.body(body).unwrap()
    }

    type Request_ = http::Request<Bytes>;

    async fn check(request: Request_, status: u16, body: &str) {
        let response = dispatcher(Arc::new(AllowAll)).handle(request, Arrival::default()).await;
        assert_eq!(
            (response.status().as_u16(), std::str::from_utf8(response.body()).unwrap()),
            (status, body)
        );
        assert!(response.headers().contains_key("x-amzn-requestid"));
    }

    fn json(target: &str, body: &str) -> Request_ {
        request("echo", Method::POST, "/", &[("x-amz-target", target)], body)
    }

    #[tokio::test]
    async fn aws_json_answers() {
        check(json("Echo_2020.GetThing", r#"{"Name":"a"}"#), 200, r#"{"Name":"a","Max":null}"#).await;
        check(
            json("Echo_2020.GetThing", r#"{"Name":"nope"}"#),
            404,
            r#"{"__type":"ResourceNotFoundException","message":"Thing nope not found."}"#,
        )
        .await;
        check(
            json("Echo_2020.Nope", "{}"),
            400,
            r#"{"__type":"UnknownOperationException","message":"The requested operation is not supported."}"#,
        )
        .await;
        // A member that is null is as good as absent.
        check(json("Echo_2020.GetThing", r#"{"Name":"a","Max":null}"#), 200, r#"{"Name":"a","Max":null}"#)
            .await;
        check(
            json("Echo_2020.GetThing", r#"{"Name":null}"#),
            400,
            r#"{"__type":"ValidationException","message":"1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"}"#,
        )
        .await;
        check(
            json("Echo_2020.GetThing", ""),
            400,
            r#"{"__type":"ValidationException","message":"1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"}"#,
        )
        .await;
    }

    #[tokio::test]
    async fn aws_json_with_a_wrong_type_is_a_serialization_exception() {
        let request = json("Echo_2020.GetThing", r#"{"Name":7}"#);
        let response = dispatcher(Arc::new(AllowAll)).handle(request, Arrival::default()).await;
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(
            (response.status().as_u16(), body["__type"].as_str()),
            (400, Some("SerializationException"))
        );
    }

    #[tokio::test]
    async fn rest_json_answers() {
        let get = |uri| request("echorest", Method::GET, uri, &[], "");
        check(get("/things/a%2Fb?max=5"), 200, r#"{"Name":"a/b","Max":5}"#).await;
        check(get("/things/nope"), 404, r#"{"message":"Thing nope not found."}"#).await;
        check(get("/other"), 400, r#"{"message":"The requested operation is not supported."}"#).await;
    }

    #[tokio::test]
    async fn query_answers() {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let post = |body| request("echoquery", Method::POST, "/", &form, body);
        let response = dispatcher(Arc::new(AllowAll))
            .handle(post("Action=GetThing&Version=2020&Name=a"), Arrival::default())
            .await;
        let text = std::str::from_utf8(response.body()).unwrap();
        assert!(text.starts_with(
            "<GetThingResponse xmlns=\"urn:echo\"><GetThingResult><Name>a</Name></GetThingResult>"
        ));
        let response =
            dispatcher(Arc::new(AllowAll)).handle(post("Action=Nope&Version=2020"), Arrival::default()).await;
        assert!(std::str::from_utf8(response.body()).unwrap().contains("<Code>InvalidAction</Code>"));
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_has_no_operation() {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let target = [("x-amz-target", "Kinesis_20131202.ListStreams")];
        let dispatcher = dispatcher(Arc::new(AllowAll));
        for (request, said) in [
            (request("kinesis", Method::POST, "/", &target, "{}"), "\"UnknownOperationException\""),
            (request("iam", Method::POST, "/", &form, "Action=ListUsers"), "<Code>InvalidAction</Code>"),
            (
                request("lambda", Method::GET, "/functions", &[], ""),
                "The requested operation is not supported.",
            ),
        ] {
            let (parts, body) = request.into_parts();
            assert!(dispatcher.serves(&parts));
            let response =
                dispatcher.handle(http::Request::from_parts(parts, body), Arrival::default()).await;
            let text = std::str::from_utf8(response.body()).unwrap();
            assert!(response.status() == 400 && text.contains(said), "{text}");
        }
        let (parts, _) = request("s3", Method::GET, "/bucket", &[], "").into_parts();
        assert!(!dispatcher.serves(&parts));
    }

    #[tokio::test]
    async fn a_bad_signature_has_the_name_its_protocol_gives_it() {
        let mut bad = json("Echo_2020.GetThing", "{}");
        *bad.body_mut() = Bytes::from_static(b"{} ");
        let response = dispatcher(Arc::new(AllowAll)).handle(bad, Arrival::default()).await;
        assert_eq!(response.status(), 403);
        assert!(std::str::from_utf8(response.body()).unwrap().contains("InvalidSignatureException"));
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let mut bad = request("echoquery", Method::POST, "/", &form, "Action=GetThing");
        *bad.body_mut() = Bytes::from_static(b"Action=Other");
        let response = dispatcher(Arc::new(AllowAll)).handle(bad, Arrival::default()).await;
        assert!(std::str::from_utf8(response.body()).unwrap().contains("<Code>SignatureDoesNotMatch</Code>"));
    }

    #[tokio::test]
    async fn no_handler_runs_before_its_request_is_authorised() {
        let response = dispatcher(Arc::new(DenyAll))
            .handle(json("Echo_2020.GetThing", r#"{"Name":"a"}"#), Arrival::default())
            .await;
        assert_eq!(response.status(), 403);
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(
            body["message"],
            "User: arn:aws:iam::000000000000:root is not authorized to perform: echo:GetThing on resource: \
             arn:aws:echo:us-east-1:000000000000:thing/a because no identity-based policy allows the echo:GetThing action"
        );
    }

    #[tokio::test]
    async fn a_call_in_process_is_the_same_call() {
        let dispatcher = dispatcher(Arc::new(AllowAll));
        let cx = testing::context();
        let output = dispatcher.call_as(&cx, "echo", "GetThing", json!({"Name": "a"})).await.unwrap();
        assert_eq!(output["Name"], "a");
        let fault = dispatcher.call_as(&cx, "echo", "Nope", json!({})).await.unwrap_err();
        assert_eq!(fault.code, "UnknownOperationException");
    }
}
