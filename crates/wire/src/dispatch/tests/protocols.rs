//! One service that speaks Query, AWS JSON and RPC v2 CBOR, and one whose bodies are JSON or CBOR.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use minicbor::{Decoder, Encoder};

use super::*;
use crate::{Blob, EpochSeconds};

struct PutPoint;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Point {
    name: String,
    value: f64,
    at: EpochSeconds,
    data: Option<Blob>,
    #[serde(default)]
    counts: Vec<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    name: String,
    value: f64,
    at: EpochSeconds,
    data: Option<Blob>,
    total: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("The value {0} is not a number.")]
struct Invalid(f64);

impl kernel::ServiceError for Invalid {
    fn kind(&self) -> kernel::ErrorKind {
        kernel::ErrorKind::Invalid
    }

    fn code(&self) -> &str {
        "InvalidParameterValueException"
    }
}

impl Operation for PutPoint {
    type Service = Echo;
    type Request = Point;
    type Response = Put;
    type Error = Invalid;

    const NAME: &'static str = "PutPoint";
    const ACTION: &'static str = "echo:PutPoint";

    fn resource(_: &Context, _: &Point) -> Resource {
        Resource::Any
    }

    async fn handle(_: &Echo, _: &Context, point: Point) -> Result<Put, Invalid> {
        if point.value.is_nan() {
            return Err(Invalid(point.value));
        }
        let total = point.counts.iter().sum();
        Ok(Put { name: point.name, value: point.value, at: point.at, data: point.data, total })
    }
}

/// Called with a token instead of a signature.
struct WhoAmI;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Token {
    token: String,
}

impl Operation for WhoAmI {
    type Service = Echo;
    type Request = Token;
    type Response = (String, String);
    type Error = Invalid;

    const NAME: &'static str = "WhoAmI";
    const ACTION: &'static str = "echo:WhoAmI";

    fn resource(_: &Context, _: &Token) -> Resource {
        Resource::Any
    }

    async fn handle(_: &Echo, cx: &Context, token: Token) -> Result<(String, String), Invalid> {
        Ok((cx.principal.arn(), token.token))
    }
}

static MANY: Descriptor = Descriptor {
    signing_name: "monitoring",
    protocols: &[
        Protocol::Query {
            version: "2010-08-01",
            namespace: "urn:many",
            codes: &[("InvalidParameterValueException", "InvalidParameterValue")],
        },
        Protocol::Json { version: "1.0", target_prefix: "Granite" },
        Protocol::RpcV2Cbor { service: "Granite" },
    ],
    validation_code: "InvalidParameterValueException",
};
static STREAM: Descriptor = Descriptor {
    signing_name: "stream",
    protocols: &[Protocol::Json { version: "1.1", target_prefix: "Stream_2013" }],
    validation_code: "ValidationException",
};
static OPERATIONS: &[Entry<Echo>] = &[Entry::of::<PutPoint>(), Entry::unsigned::<WhoAmI>()];

fn dispatcher(authorize: Arc<dyn Authorize>) -> Dispatcher {
    let services =
        vec![service(&MANY, OPERATIONS, Arc::new(Echo)), service(&STREAM, OPERATIONS, Arc::new(Echo))];
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_500_000_000_000)));
    Dispatcher::new(services, Arc::new(Key), authorize, clock, Entropy::seeded(1))
}

async fn answer(request: Request_) -> Response<Bytes> {
    let dispatcher = dispatcher(Arc::new(AllowAll));
    let (parts, body) = request.into_parts();
    assert!(dispatcher.serves(&parts));
    dispatcher.handle(http::Request::from_parts(parts, body), Arrival::default()).await
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const RPC: (&str, &str) = ("smithy-protocol", "rpc-v2-cbor");
const RPC_PATH: &str = "/service/Granite/operation/PutPoint";
const JSON_TARGET: (&str, &str) = ("x-amz-target", "Granite.PutPoint");

/// Name, value, instant and three bytes. Indefinite, as some SDKs write it.
fn cbor(value: f64, instant: f64) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    out.begin_map().unwrap().str("Name").unwrap().str("a").unwrap();
    out.str("Value").unwrap().f64(value).unwrap();
    out.str("At").unwrap().tag(minicbor::data::Tag::new(1)).unwrap().f64(instant).unwrap();
    out.str("Data").unwrap().begin_bytes().unwrap().bytes(b"ab").unwrap().bytes(b"c").unwrap().end().unwrap();
    out.str("Counts").unwrap().begin_array().unwrap().u8(1).unwrap().u8(2).unwrap().end().unwrap();
    out.end().unwrap();
    out.into_writer()
}

/// Text members of an answer.
fn member(body: &[u8], name: &str) -> Option<String> {
    let mut tokens = Decoder::new(body);
    for _ in 0..tokens.map().unwrap().unwrap() {
        if tokens.str().unwrap() == name {
            return tokens.str().ok().map(str::to_owned);
        }
        tokens.skip().unwrap();
    }
    None
}

#[tokio::test]
async fn the_same_operation_in_three_protocols() {
    let form = "Action=PutPoint&Version=2010-08-01&Name=a&Value=1.5&At=2017-07-14T02:40:00Z&Data=YWJj\
                &Counts.member.1=1&Counts.member.2=2";
    let response = answer(request("monitoring", Method::POST, "/", &[FORM], form)).await;
    assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, "text/xml"));
    assert!(
        text(&response).contains(
            "<PutPointResult><Name>a</Name><Value>1.5</Value><At>2017-07-14T02:40:00Z</At><Data>YWJj</Data>\
             <Total>3</Total></PutPointResult>"
        ),
        "{}",
        text(&response)
    );

    let json = r#"{"Name":"a","Value":1.5,"At":1500000000,"Data":"YWJj","Counts":[1,2]}"#;
    let response = answer(request("monitoring", Method::POST, "/", &[JSON_TARGET], json)).await;
    assert_eq!(header(&response, "content-type"), "application/x-amz-json-1.0");
    assert_eq!(text(&response), r#"{"Name":"a","Value":1.5,"At":1500000000.0,"Data":"YWJj","Total":3}"#);

    let body = cbor(1.5, 1_500_000_000.0);
    let response = answer(request_of("monitoring", Method::POST, RPC_PATH, &[RPC], body)).await;
    assert_eq!(
        (response.status().as_u16(), header(&response, "content-type")),
        (200, "application/cbor"),
        "{response:?}"
    );
    assert_eq!(header(&response, "smithy-protocol"), "rpc-v2-cbor");
    // Five members; At is tag 1 of a double; Data are bytes.
    let expected = "a5 644e616d65 6161 6556616c7565 fb3ff8000000000000 624174 c1 fb41d65a0bc0000000 6444617461 43616263 65546f74616c 03";
    assert_eq!(hex::encode(response.body()), expected.replace(' ', ""));
}

#[tokio::test]
async fn aws_json_in_cbor_counts_milliseconds() {
    let headers = [("x-amz-target", "Stream_2013.PutPoint"), ("content-type", "application/x-amz-cbor-1.1")];
    let body = cbor(1.5, 1_500_000_000_250.0);
    let response = answer(request_of("stream", Method::POST, "/", &headers, body)).await;
    assert_eq!(header(&response, "content-type"), "application/x-amz-cbor-1.1");
    assert_eq!(header(&response, "smithy-protocol"), "");
    let body = hex::encode(response.body());
    assert!(body.contains("624174c11b0000015d3ef798fa"), "{body}");
    let target = [("x-amz-target", "Stream_2013.Nope"), headers[1]];
    let response = answer(request_of("stream", Method::POST, "/", &target, Vec::new())).await;
    assert_eq!(member(response.body(), "__type").as_deref(), Some("UnknownOperationException"));
}

#[tokio::test]
async fn an_error_has_the_shape_of_its_protocol() {
    let form = "Action=PutPoint&Version=2010-08-01&Name=a&Value=NaN&At=0";
    let response = answer(request("monitoring", Method::POST, "/", &[FORM], form)).await;
    assert_eq!(response.status(), 400);
    assert!(text(&response).contains("<Code>InvalidParameterValue</Code>"), "{}", text(&response));

    let mode = ("x-amzn-query-mode", "true");
    let body = cbor(f64::NAN, 0.0);
    for (headers, code) in [(vec![RPC, mode], "InvalidParameterValue;Sender"), (vec![RPC], "")] {
        let response = answer(request_of("monitoring", Method::POST, RPC_PATH, &headers, body.clone())).await;
        assert_eq!((response.status().as_u16(), header(&response, "x-amzn-query-error")), (400, code));
        assert_eq!(member(response.body(), "__type").as_deref(), Some("InvalidParameterValueException"));
        assert_eq!(member(response.body(), "message").as_deref(), Some("The value NaN is not a number."));
    }
    let response = answer(request("monitoring", Method::POST, "/", &[JSON_TARGET, mode], "{}")).await;
    assert_eq!(header(&response, "x-amzn-query-error"), "InvalidParameterValue;Sender");
    assert!(text(&response).contains("\"__type\":\"InvalidParameterValueException\""));

    let malformed = answer(request_of("monitoring", Method::POST, RPC_PATH, &[RPC], vec![0x9f])).await;
    assert_eq!(member(malformed.body(), "__type").as_deref(), Some("SerializationException"));
    for path in ["/service/Granite/operation/Nope", "/service/Other/operation/PutPoint", "/", "/operation/x"]
    {
        let response = answer(request_of("monitoring", Method::POST, path, &[RPC], Vec::new())).await;
        assert_eq!(response.status(), 400, "{path}");
        assert_eq!(header(&response, "smithy-protocol"), "rpc-v2-cbor", "{path}");
        assert_eq!(member(response.body(), "__type").as_deref(), Some("UnknownOperationException"), "{path}");
    }
}

#[tokio::test]
async fn a_signature_is_for_the_service_that_is_called() {
    let response = answer(request_of("stream", Method::POST, RPC_PATH, &[RPC], cbor(1.0, 0.0))).await;
    assert_eq!(response.status(), 403);
    assert_eq!(
        member(response.body(), "message").as_deref(),
        Some("Credential should be scoped to correct service: 'monitoring'.")
    );
}

#[tokio::test]
async fn an_action_is_of_a_version() {
    for (query, said) in [
        (
            "Action=PutPoint&Version=2010-08-02",
            "<Code>InvalidAction</Code><Message>Could not find operation PutPoint for version 2010-08-02<",
        ),
        (
            "Action=PutPoint",
            "<Code>InvalidAction</Code><Message>Could not find operation PutPoint for version NO_VERSION_SPECIFIED<",
        ),
        (
            "Action=Nope&Version=2010-08-01",
            "<Code>InvalidAction</Code><Message>Could not find operation Nope for version 2010-08-01<",
        ),
        ("Version=2010-08-01", "<Code>MissingAction</Code>"),
    ] {
        let posted = answer(request("monitoring", Method::POST, "/", &[FORM], query)).await;
        assert!(posted.status() == 400 && text(&posted).contains(said), "{}", text(&posted));
        let got = answer(request("monitoring", Method::GET, &format!("/?{query}"), &[FORM], "")).await;
        assert!(got.status() == 400 && text(&got).contains(said), "{}", text(&got));
    }
    let query = "/?Action=PutPoint&Version=2010-08-01&Name=a&Value=1&At=0";
    let got = answer(request("monitoring", Method::GET, query, &[], "")).await;
    assert!(text(&got).contains("<Name>a</Name><Value>1.0</Value>"), "{}", text(&got));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_compressed_body_is_signed_as_it_is_sent() {
    let send = async |body: Vec<u8>| {
        let headers = [RPC, ("content-encoding", "gzip")];
        answer(request_of("monitoring", Method::POST, RPC_PATH, &headers, body)).await
    };
    assert_eq!(send(gzip(&cbor(1.5, 0.0))).await.status(), 200);
    let response = send(b"not gzip".to_vec()).await;
    assert_eq!(member(response.body(), "__type").as_deref(), Some("SerializationException"));
    // A bomb: sixteen mebibytes and one byte.
    let response = send(gzip(&vec![0; (16 << 20) + 1])).await;
    assert_eq!(response.status(), 413);
}

#[tokio::test]
async fn only_what_says_so_is_done_without_a_signature() {
    let unsigned = |body: &'static str| {
        let builder = http::Request::post("/").header("host", "h").header(FORM.0, FORM.1);
        builder.body(Bytes::from_static(body.as_bytes())).unwrap()
    };
    let response = answer(unsigned("Action=WhoAmI&Version=2010-08-01&Token=t")).await;
    assert!(
        text(&response).contains("<WhoAmIResult><member>anonymous</member><member>t</member></WhoAmIResult>"),
        "{}",
        text(&response)
    );
    let response = answer(unsigned("Action=PutPoint&Version=2010-08-01&Name=a&Value=1&At=0")).await;
    assert_eq!(response.status(), 403);
    assert!(text(&response).contains("<Code>MissingAuthenticationToken</Code>"), "{}", text(&response));
    // Nothing is inflated for nobody.
    let mut compressed = unsigned("Action=WhoAmI&Version=2010-08-01&Token=t");
    compressed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    *compressed.body_mut() = gzip(b"Action=WhoAmI&Version=2010-08-01&Token=t").into();
    let response = answer(compressed).await;
    assert!(!text(&response).contains("<WhoAmIResult>"), "{}", text(&response));
    // Whoever signs it nevertheless is asked for their right.
    let form = "Action=WhoAmI&Version=2010-08-01&Token=t";
    let signed = request("monitoring", Method::POST, "/", &[FORM], form);
    let denied = dispatcher(Arc::new(DenyAll)).handle(signed, Arrival::default()).await;
    assert_eq!(denied.status(), 403);
    let allowed = dispatcher(Arc::new(DenyAll)).handle(unsigned(form), Arrival::default()).await;
    assert_eq!(allowed.status(), 200);
}
