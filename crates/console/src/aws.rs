//! `POST /console/aws/{service}/{Operation}`: one public operation, in process, as the session's principal.
//!
//! Input and output are the operation's JSON members whatever protocol the service speaks over HTTP.

use bytes::Bytes;
use kernel::Context;
use serde_json::{Map, Value};
use wire::Fault;

use crate::Console;

/// # Errors
/// The fault that any client of the operation would see.
pub(crate) async fn call(
    console: &Console,
    cx: &Context,
    service: &str,
    operation: &str,
    body: &Bytes,
) -> Result<Value, Fault> {
    let input = if body.iter().all(u8::is_ascii_whitespace) {
        Map::new()
    } else {
        serde_json::from_slice(body)
            .map_err(|error| Fault::new(400, "SerializationException", error.to_string()))?
    };
    console.parts.dispatcher.call_as(cx, service, operation, Value::Object(input)).await
}
