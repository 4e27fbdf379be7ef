//! A whole HTTP request of a stranger, from its first byte: its head, the choice of a service, its signature, its body.
//!
//! Whatever it is, a stranger is let in nowhere, and told so in 4xx or 501.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use wire::Arrival;

use super::REQUEST;
use super::node::{DenyAll, World, ask, objects, request, signed, text};
use crate::{Body, Target};

pub(super) static TARGET: Target = Target {
    name: "http_request",
    about: "a request as it stands on a connection, of somebody without a key",
    words: &[
        "x-amz-target: ",
        "authorization: ",
        "AWS4-HMAC-SHA256 Credential=",
        "SignedHeaders=",
        "X-Amz-Signature=",
        "x-amz-security-token: ",
        "content-type: application/x-www-form-urlencoded",
        "content-type: application/cbor",
        "Action=",
        "Version=2010-05-08",
        "AWSGlue.",
        "%2F..%2f",
        "?uploads=",
        "?tagging=",
        "?policy=",
        "host: lake.s3.localhost",
        "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "\r\n",
    ],
    memory: REQUEST,
    mutations: 6_000,
    start,
    seeds,
};

fn start() -> Body {
    let world = World::new();
    // The node's own keys: nobody who writes a seed knows them.
    let dispatcher = world.sandbox.node().dispatcher();
    let front = objects(Arc::new(DenyAll));
    Box::new(move |input| {
        let Some(request) = parse(input) else { return };
        // Who fails again and again is slowed down, and then nothing of a request is looked at.
        world.sandbox.advance(Duration::from_millis(100));
        let line = format!("{} {}", request.method(), request.uri());
        world.runtime.block_on(async {
            let (parts, body) = request.into_parts();
            let serves = dispatcher.serves(&parts);
            let request = Request::from_parts(parts, body);
            let status = match serves {
                true => dispatcher.handle(request, Arrival::default()).await.status(),
                false => ask(&front, request).await.status(),
            };
            let refused = status.is_client_error() || status == 501;
            assert!(refused, "{line}: a stranger is answered {status}");
        });
    })
}

/// As hyper does it, with the same parser.
fn parse(input: &[u8]) -> Option<Request<Bytes>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(input).ok()? else { return None };
    let headers: Vec<(&str, &[u8])> = head.headers.iter().map(|header| (header.name, header.value)).collect();
    request((head.method?, head.path?), &headers, input.get(length..).unwrap_or_default())
}

fn seeds() -> Vec<Vec<u8>> {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let target = ("x-amz-target", "Firehose_20150804.ListDeliveryStreams");
    let forged = [
        signed("firehose", ("POST", "/"), &[target, ("content-type", "application/x-amz-json-1.1")], b"{}"),
        signed("iot", ("GET", "/things/a%2Fb?maxResults=5"), &[], b""),
        signed(
            "iam",
            ("POST", "/"),
            &[form],
            b"Action=CreateUser&Version=2010-05-08&UserName=x&Tags.member.1.Key=a",
        ),
        signed("sts", ("GET", "/?Action=GetCallerIdentity&Version=2011-06-15"), &[], b""),
        signed(
            "s3",
            ("PUT", "/lake/a/b?tagging="),
            &[("x-amz-security-token", "token")],
            b"<Tagging><TagSet/></Tagging>",
        ),
        signed("nothing", ("POST", "/"), &[("x-amz-target", "Nothing_1.Do")], b"{}"),
    ];
    let mut seeds: Vec<Vec<u8>> = forged.iter().flatten().map(text).collect();
    for plain in [
        "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET /lake?list-type=2&prefix=a%2F HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET /k HTTP/1.1\r\nhost: lake.s3.localhost\r\nrange: bytes=0-1\r\n\r\n",
        "PUT /lake/k HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhello",
        "POST /lake?delete= HTTP/1.1\r\nhost: localhost\r\n\r\n<Delete><Object><Key>a</Key></Object></Delete>",
        "OPTIONS /lake/k HTTP/1.1\r\nhost: localhost\r\norigin: http://x\r\naccess-control-request-method: PUT\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: h\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\nAction=GetCallerIdentity&Version=2011-06-15",
        "POST / HTTP/1.1\r\nhost: h\r\nx-amz-target: AWSGlue.GetTables\r\n\r\n{}",
        "POST / HTTP/1.1\r\nhost: h\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\nAction=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fr&RoleSessionName=s&WebIdentityToken=eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJpc3MiOiJodHRwczovL2EuYiIsInN1YiI6ImMiLCJhdWQiOiJkIiwiZXhwIjoxfQ.AAAA",
        "POST /service/GraniteServiceVersion20100801/operation/PutMetricData HTTP/1.1\r\nhost: h\r\nsmithy-protocol: rpc-v2-cbor\r\ncontent-type: application/cbor\r\n\r\n\u{1}",
        "POST /lake HTTP/1.1\r\nhost: h\r\ncontent-type: multipart/form-data; boundary=x\r\n\r\n--x\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\na\r\n--x--",
        "GET /lake/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00 HTTP/1.1\r\nhost: h\r\n\r\n",
        "GET /lake/k?AWSAccessKeyId=AKIDEXAMPLE&Signature=x&Expires=1767225700 HTTP/1.1\r\nhost: h\r\n\r\n",
        "GET /?Action=GetCallerIdentity&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE/20260101/us-east-1/sts/aws4_request&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0 HTTP/1.1\r\nhost: h\r\n\r\n",
    ] {
        seeds.push(plain.as_bytes().to_vec());
    }
    seeds
}
