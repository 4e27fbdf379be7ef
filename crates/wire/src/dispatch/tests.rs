//! Requests through a dispatcher of small services.

mod protocols;

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
    protocols: &[Protocol::Json { version: "1.1", target_prefix: "Echo_2020" }],
    validation_code: "ValidationException",
};
static QUERY: Descriptor = Descriptor {
    signing_name: "echoquery",
    protocols: &[Protocol::Query { version: "2020", namespace: "urn:echo", codes: &[] }],
    validation_code: "ValidationError",
};
static REST: Descriptor = Descriptor {
    signing_name: "echorest",
    protocols: &[Protocol::RestJson],
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
    request_of(service, method, uri, headers, body.as_bytes().to_vec())
}

fn request_of(service: &str, method: Method, uri: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Request_ {
    let signer =
        sigv4::Signer { access_key_id: "AK", secret_access_key: "secret", region: "us-east-1", service };
    let body = Bytes::from(body);
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
    assert_eq!((response.status().as_u16(), std::str::from_utf8(response.body()).unwrap()), (status, body));
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
    check(json("Echo_2020.GetThing", r#"{"Name":"a","Max":null}"#), 200, r#"{"Name":"a","Max":null}"#).await;
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
    assert_eq!((response.status().as_u16(), body["__type"].as_str()), (400, Some("SerializationException")));
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
    assert!(
        text.starts_with(
            "<GetThingResponse xmlns=\"urn:echo\"><GetThingResult><Name>a</Name></GetThingResult>"
        )
    );
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
        (request("lambda", Method::GET, "/functions", &[], ""), "The requested operation is not supported."),
    ] {
        let (parts, body) = request.into_parts();
        assert!(dispatcher.serves(&parts));
        let response = dispatcher.handle(http::Request::from_parts(parts, body), Arrival::default()).await;
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

#[tokio::test]
async fn who_has_used_up_a_quota_is_told_in_the_form_of_the_protocol() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_500_000_000_000)));
    let config = QuotaConfig { requests_per_second: 1 };
    let quotas = Arc::new(Quotas::new(config, clock, kernel::Metrics::default()));
    let dispatcher = dispatcher(Arc::new(AllowAll)).with_quotas(quotas);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let send = async |request| {
        let response = dispatcher.handle(request, Arrival::default()).await;
        let code = response.headers().get("x-amzn-errortype").map(|code| code.to_str().unwrap().to_owned());
        let body = std::str::from_utf8(response.body()).unwrap().to_owned();
        (response.status().as_u16(), code, body)
    };
    let name = r#"{"Name":"a"}"#;
    for _ in 0..2 {
        assert_eq!(send(json("Echo_2020.GetThing", name)).await.0, 200);
    }
    let refused = send(json("Echo_2020.GetThing", name)).await;
    assert_eq!(
        (refused.0, refused.2.as_str()),
        (400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#)
    );
    let refused = send(request("echorest", Method::GET, "/things/a", &[], "")).await;
    assert_eq!((refused.0, refused.1.as_deref()), (429, Some("ThrottlingException")));
    let query = request("echoquery", Method::POST, "/", &form, "Action=GetThing&Version=2020&Name=a");
    let refused = send(query).await;
    assert!(refused.0 == 400 && refused.2.contains("<Code>Throttling</Code>"), "{}", refused.2);
}
