//! What the error action is given.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html>: one document per rule and message, whatever the
//! number of actions that failed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;

use crate::actions::Failure;
use crate::entry::Entry;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorDocument<'a> {
    rule_name: &'a str,
    topic: &'a str,
    cloudwatch_trace_id: &'a str,
    /// As `clientid()` says it of a message that did not come over MQTT.
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_ip: Option<&'a str>,
    base64_original_payload: String,
    failures: &'a [Failure],
}

pub(crate) fn error_document(entry: &Entry, failures: &[Failure]) -> Result<Bytes, serde_json::Error> {
    let document = ErrorDocument {
        rule_name: &entry.rule,
        topic: &entry.origin.topic,
        cloudwatch_trace_id: &entry.origin.trace_id,
        client_id: entry.origin.client_id.as_deref().unwrap_or("n/a"),
        source_ip: entry.origin.source_ip.as_deref(),
        base64_original_payload: STANDARD.encode(&entry.original),
        failures,
    };
    serde_json::to_vec(&document).map(Bytes::from)
}
