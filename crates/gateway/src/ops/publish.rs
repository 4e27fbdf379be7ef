//! `Publish`: <https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_Publish.html>
//!
//! The same request, decoded by hand, comes over HTTPS with a client certificate: `https`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::{Context, Timestamp};
use mqtt::limits::MESSAGE_EXPIRY_SECONDS_MAX;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wire::{Blob, Operation, Resource};

use crate::authorize::Action;
use crate::limits::USER_PROPERTIES_BYTES_MAX;
use crate::{Error, Gateway};

pub(super) struct Publish;

/// What a publish over HTTP says.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Request {
    pub(crate) topic: String,
    pub(crate) payload: Blob,
    pub(crate) qos: Option<i64>,
    pub(crate) retain: Option<bool>,
    pub(crate) content_type: Option<String>,
    pub(crate) response_topic: Option<String>,
    /// Seconds.
    pub(crate) message_expiry: Option<i64>,
    /// In base64, a JSON array of objects with one member each.
    pub(crate) user_properties: Option<String>,
    /// `UNSPECIFIED_BYTES` or `UTF8_DATA`.
    pub(crate) payload_format_indicator: Option<String>,
    /// In base64.
    pub(crate) correlation_data: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Response {}

impl Operation for Publish {
    type Service = Gateway;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "Publish";
    const ACTION: &'static str = "iot:Publish";

    fn resource(cx: &Context, request: &Request) -> Resource {
        cx.arn("iot", &format!("topic/{}", request.topic)).into()
    }

    async fn handle(gateway: &Gateway, cx: &Context, request: Request) -> Result<Response, Error> {
        // iot:Publish was asked for before.
        if request.retain.unwrap_or_default() {
            gateway.allow(cx, Action::RetainPublish, &request.topic)?;
        }
        let message = request.into_message(gateway.shared.clock.now())?;
        gateway.publish_message(cx, message).await?;
        Ok(Response {})
    }
}

impl Request {
    /// # Errors
    /// `InvalidRequestException` for a parameter that is not valid.
    pub(crate) fn into_message(self, received_at: Timestamp) -> Result<ports::Message, Error> {
        let invalid = |what: &str| Error::InvalidRequest(format!("The {what} is not valid."));
        let qos = match self.qos {
            None | Some(0) => 0,
            Some(1) => 1,
            Some(_) => return Err(Error::InvalidRequest("The QoS is not valid: it is 0 or 1.".to_owned())),
        };
        let message_expiry_s = match self.message_expiry {
            None => None,
            Some(seconds) => {
                let seconds = u32::try_from(seconds).map_err(|_| invalid("message expiry"))?;
                Some(seconds.clamp(1, MESSAGE_EXPIRY_SECONDS_MAX))
            }
        };
        let payload_is_utf8 = match self.payload_format_indicator.as_deref() {
            None | Some("UNSPECIFIED_BYTES") => false,
            Some("UTF8_DATA") => true,
            Some(_) => return Err(invalid("payload format indicator")),
        };
        let correlation_data = match self.correlation_data {
            None => None,
            Some(text) => Some(STANDARD.decode(text).map_err(|_| invalid("correlation data"))?.into()),
        };
        Ok(ports::Message {
            topic: self.topic,
            payload: self.payload.0,
            qos,
            retain: self.retain.unwrap_or_default(),
            client_id: None,
            received_at,
            hops: 0,
            properties: ports::MessageProperties {
                payload_is_utf8,
                content_type: self.content_type,
                response_topic: self.response_topic,
                correlation_data,
                message_expiry_s,
                user_properties: match self.user_properties {
                    None => Vec::new(),
                    Some(text) => user_properties(&text).ok_or_else(|| invalid("user properties"))?,
                },
            },
        })
    }
}

fn user_properties(text: &str) -> Option<Vec<(String, String)>> {
    let json = STANDARD.decode(text).ok().filter(|json| json.len() <= USER_PROPERTIES_BYTES_MAX)?;
    let objects: Vec<Map<String, Value>> = serde_json::from_slice(&json).ok()?;
    objects
        .into_iter()
        .flatten()
        .map(|(name, value)| match value {
            Value::String(value) => Some((name, value)),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wire::{service, testing};

    use crate::testing::{Durability, Node};
    use crate::{DESCRIPTOR, OPERATIONS};

    #[tokio::test]
    async fn a_signed_publish_goes_the_way_of_a_device_s() {
        let node = Node::start().await;
        let iot_data = service(&DESCRIPTOR, OPERATIONS, std::sync::Arc::clone(&node.gateway));
        let publish = |input| testing::call(&*iot_data, "Publish", input);
        let input = json!({"topic": "a/b", "payload": "aGk=", "qos": 1, "retain": true});
        assert_eq!(publish(input).await.unwrap(), json!({}));
        let (cx, message) = node.rules.wait(1).await.remove(0);
        assert_eq!((message.topic.as_str(), &message.payload[..], message.qos), ("a/b", &b"hi"[..], 1));
        assert_eq!(cx.principal.arn(), "arn:aws:iam::000000000000:root");
        for (input, code) in [
            (json!({"topic": "a/#", "payload": ""}), "InvalidRequestException"),
            (json!({"topic": "$aws/things/t/shadow/update", "payload": ""}), "InvalidRequestException"),
            (json!({"topic": "a", "payload": "", "qos": 2}), "InvalidRequestException"),
            (json!({"topic": "a", "payload": "", "messageExpiry": -1}), "InvalidRequestException"),
            (json!({"topic": "a", "payload": "", "userProperties": "e30="}), "InvalidRequestException"),
            (json!({"topic": "a", "payload": "", "correlationData": "*"}), "InvalidRequestException"),
            (json!({"topic": "a", "payload": "", "payloadFormatIndicator": "X"}), "InvalidRequestException"),
        ] {
            assert_eq!(publish(input).await.unwrap_err().code, code);
        }
        node.rules.durability.send_replace(Durability::Never);
        let fault = publish(json!({"topic": "a", "payload": ""})).await.unwrap_err();
        assert_eq!((fault.status, fault.code.as_str()), (503, "ServiceUnavailableException"));
    }
}
