//! `GetRetainedMessage`: <https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_GetRetainedMessage.html>

use bytes::Bytes;
use kernel::Context;
use mqtt::Qos;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Blob, Operation, Resource};

use crate::{Error, Gateway};

pub(super) struct GetRetainedMessage;

#[derive(Deserialize)]
pub(super) struct Request {
    topic: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    topic: String,
    payload: Blob,
    qos: u8,
    /// Milliseconds since the epoch.
    last_modified_time: i64,
    /// A JSON array of objects with one member each.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_properties: Option<Blob>,
}

impl Operation for GetRetainedMessage {
    type Service = Gateway;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetRetainedMessage";
    const ACTION: &'static str = "iot:GetRetainedMessage";

    fn resource(cx: &Context, request: &Request) -> Resource {
        cx.arn("iot", &format!("topic/{}", request.topic)).into()
    }

    async fn handle(gateway: &Gateway, cx: &Context, request: Request) -> Result<Response, Error> {
        let broker = gateway.known_broker(&cx.account, &cx.region);
        let entry = broker.and_then(|broker| broker.retained.get(&request.topic));
        let entry = entry.ok_or_else(|| {
            Error::NotFound(format!("No retained message was found for the topic {}.", request.topic))
        })?;
        let message = &entry.outbound.message;
        let pairs = &message.properties.user_properties;
        let user_properties = (!pairs.is_empty()).then(|| {
            let list: Vec<Value> =
                pairs.iter().map(|(name, value)| serde_json::json!({ name: value })).collect();
            Blob(Bytes::from(Value::Array(list).to_string()))
        });
        Ok(Response {
            topic: request.topic,
            payload: Blob(message.payload.clone()),
            qos: u8::from(entry.qos != Qos::AtMostOnce),
            last_modified_time: entry.outbound.received_at.as_millis(),
            user_properties,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wire::{service, testing};

    use crate::testing::Node;
    use crate::{DESCRIPTOR, OPERATIONS};

    #[tokio::test]
    async fn what_was_retained_is_returned() {
        let node = Node::start().await;
        let iot_data = service(&DESCRIPTOR, OPERATIONS, std::sync::Arc::clone(&node.gateway));
        let call = |operation, input| testing::call(&*iot_data, operation, input);
        let publish = json!({
            "topic": "a", "payload": "aGk=", "qos": 1, "retain": true, "userProperties": "W3siayI6InYifV0=",
        });
        call("Publish", publish).await.unwrap();
        let expected = json!({
            "topic": "a", "payload": "aGk=", "qos": 1, "lastModifiedTime": 1_700_000_000_000i64,
            "userProperties": "W3siayI6InYifV0=",
        });
        assert_eq!(call("GetRetainedMessage", json!({"topic": "a"})).await.unwrap(), expected);
        let fault = call("GetRetainedMessage", json!({"topic": "b"})).await.unwrap_err();
        assert_eq!((fault.status, fault.code.as_str()), (404, "ResourceNotFoundException"));
    }
}
