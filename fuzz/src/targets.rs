//! The targets, those that need no credentials first.

mod athena_sql;
mod certificate;
mod http_request;
mod iot_sql;
mod mqtt_packet;
mod mqtt_session;
mod node;
mod operation;
mod operation_input;
mod policy_document;
mod s3_body;
mod sigv4;

use crate::{Memory, Target};

/// Every target.
pub const ALL: &[&Target] = &[
    &http_request::TARGET,
    &sigv4::TARGET,
    &operation_input::TARGET,
    &operation::TARGET,
    &s3_body::TARGET,
    &mqtt_packet::TARGET,
    &mqtt_session::TARGET,
    &certificate::TARGET,
    &policy_document::TARGET,
    &iot_sql::TARGET,
    &athena_sql::TARGET,
];

/// Enough for a parser, its tree, and the text of an error.
const PARSER: Memory = Memory { bytes: 64 << 10, per_byte: 512 };

/// Enough for a request on its way through a node, whose tables and buffers grow by chance while it is measured.
const REQUEST: Memory = Memory { bytes: 4 << 20, per_byte: 1024 };

/// Texts as seeds.
fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// What comes before the first `separator`, and what after it.
fn halves(input: &[u8], separator: u8) -> (&[u8], &[u8]) {
    let mut halves = input.splitn(2, |byte| *byte == separator);
    (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
}
