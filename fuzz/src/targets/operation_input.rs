//! The input of every operation of every service, as somebody with a key and without rights sends it.
//!
//! It is decoded and its resource is named; then it is denied, or refused as no input of the operation. The first line names the operation,
//! and which of its service's protocols is spoken: `glue CreateTable 0`; the second is the path of REST-JSON, or a query; the rest is the
//! body.

use wire::{Arrival, Http, Protocol};

use super::node::{World, signed};
use super::{REQUEST, halves};
use crate::{Body, Target};

pub(super) static TARGET: Target = Target {
    name: "operation_input",
    about: "the input of any operation, in the protocol of its service",
    words: &[
        "\":",
        "null",
        "{\"a\":",
        "[[[[",
        "1e400",
        "-9223372036854775809",
        "\\ud800",
        "\\u0000",
        "&",
        ".member.1.",
        ".member.4294967296.",
        ".entry.1.key=",
        "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r=",
        "%F0%9F%98%80",
        "arn:aws:iam::000000000000:role/r",
        "DeliveryStreamName",
        "TableInput",
        "PolicyDocument",
    ],
    memory: REQUEST,
    mutations: 6_000,
    start,
    seeds,
};

fn start() -> Body {
    let world = World::new();
    let dispatcher = world.denying();
    Box::new(move |input| {
        let (name, rest) = halves(input, b'\n');
        let (path, body) = halves(rest, b'\n');
        let name = String::from_utf8_lossy(name);
        let path = String::from_utf8_lossy(path);
        let mut words = name.split(' ');
        let (Some(service), Some(operation), Some(spoken)) = (words.next(), words.next(), words.next())
        else {
            return;
        };
        let services = dispatcher.services().iter();
        let mut of_name = services.filter(|found| found.descriptor().signing_name == service);
        let Some(found) = of_name.next() else { return };
        let rows = found.operations();
        let Some((_, _, http)) = rows.iter().find(|(name, ..)| *name == operation) else { return };
        let Some(protocol) = spoken.parse().ok().and_then(|n: usize| found.descriptor().protocols.get(n))
        else {
            return;
        };
        let Spoken { method, path: own, headers } = Spoken::new(protocol, operation, http.as_ref());
        let path = if own.is_empty() { path.as_ref() } else { own.as_str() };
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let Some(request) = signed(service, (method, path), &headers, body) else { return };
        let answer = world.runtime.block_on(dispatcher.handle(request, Arrival::default()));
        let status = answer.status();
        let text = String::from_utf8_lossy(answer.body());
        assert!(status.is_client_error(), "{name} {path}: {status} {text}");
    })
}

/// How an operation is called in a protocol.
struct Spoken {
    method: &'static str,
    /// Where the protocol says it; else it is the input's.
    path: String,
    headers: Vec<(&'static str, String)>,
}

impl Spoken {
    fn new(protocol: &Protocol, operation: &str, http: Option<&Http>) -> Self {
        let (method, path, headers) = match protocol {
            Protocol::Json { target_prefix, version } => {
                let kind = ("content-type", format!("application/x-amz-json-{version}"));
                ("POST", "/".to_owned(), vec![("x-amz-target", format!("{target_prefix}.{operation}")), kind])
            }
            Protocol::RestJson => (http.map_or("POST", |http| http.method), String::new(), Vec::new()),
            Protocol::Query { .. } => (
                "POST",
                String::new(),
                vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            ),
            Protocol::RpcV2Cbor { service } => {
                let headers = vec![
                    ("smithy-protocol", "rpc-v2-cbor".to_owned()),
                    ("content-type", "application/cbor".to_owned()),
                ];
                ("POST", format!("/service/{service}/operation/{operation}"), headers)
            }
        };
        Self { method, path, headers }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let world = World::new();
    let mut seeds = Vec::new();
    for service in world.sandbox.node().dispatcher().services() {
        let descriptor = service.descriptor();
        for (spoken, protocol) in descriptor.protocols.iter().enumerate() {
            for (operation, _, http) in service.operations().iter().step_by(6) {
                // Some of each service; a richer input of those that have one stands in `operation`.
                let (path, body) = seed(protocol, operation, http.as_ref());
                let head = format!("{} {operation} {spoken}\n{path}\n", descriptor.signing_name);
                seeds.push([head.as_bytes(), &body].concat());
            }
        }
    }
    seeds
}

fn seed(protocol: &Protocol, operation: &str, http: Option<&Http>) -> (String, Vec<u8>) {
    match protocol {
        Protocol::Json { .. } => {
            ("/".to_owned(), b"{\"Name\": \"x\", \"Tags\": [{\"Key\": \"a\", \"Value\": null}]}".to_vec())
        }
        Protocol::RestJson => {
            let path = http.map_or("/", |http| http.path).replace(['{', '}', '+'], "");
            (format!("{path}?maxResults=5&nextToken=x"), b"{\"tags\": {\"a\": \"b\"}}".to_vec())
        }
        Protocol::Query { version, .. } => {
            let form = format!(
                "Action={operation}&Version={version}&Name=a+b&Tags.member.1.Key=k&Tags.member.2.Key=%2F"
            );
            ("/".to_owned(), form.into_bytes())
        }
        // {"Namespace": "a", "Values": [1, 1.5, tag 1 of 1, null], "Data": h'00FF', _ "more": [_ true]}
        Protocol::RpcV2Cbor { .. } => {
            let mut body = vec![0xBF, 0x69];
            body.extend_from_slice(b"Namespace\x61a\x66Values\x84\x01\xF9\x3E\x00\xC1\x01\xF6\x64Data\x42\x00\xFF\x64more\x9F\xF5\xFF\xFF");
            ("-".to_owned(), body)
        }
    }
}
