//! MQTT 5 properties in a form that can be kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iotsql::MqttProperties;
use ports::MessageProperties;
use serde::{Deserialize, Serialize};

/// The properties of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub(crate) struct Properties(pub(crate) MessageProperties);

#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Kept {
    payload_is_utf8: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_topic: Option<String>,
    /// base64
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_expiry_s: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user_properties: Vec<(String, String)>,
}

impl Properties {
    pub(crate) fn is_empty(&self) -> bool {
        self.0 == MessageProperties::default()
    }
}

/// As the language sees them.
pub(crate) fn of_sql(properties: &MessageProperties) -> MqttProperties<'_> {
    MqttProperties {
        content_type: properties.content_type.as_deref(),
        utf8_payload: properties.payload_is_utf8,
        response_topic: properties.response_topic.as_deref(),
        correlation_data: properties.correlation_data.as_deref(),
        user: &properties.user_properties,
    }
}

impl From<Properties> for Kept {
    fn from(Properties(properties): Properties) -> Self {
        Self {
            payload_is_utf8: properties.payload_is_utf8,
            content_type: properties.content_type,
            response_topic: properties.response_topic,
            correlation_data: properties.correlation_data.map(|data| STANDARD.encode(data)),
            message_expiry_s: properties.message_expiry_s,
            user_properties: properties.user_properties,
        }
    }
}

impl TryFrom<Kept> for Properties {
    type Error = base64::DecodeError;

    fn try_from(kept: Kept) -> Result<Self, Self::Error> {
        Ok(Self(MessageProperties {
            payload_is_utf8: kept.payload_is_utf8,
            content_type: kept.content_type,
            response_topic: kept.response_topic,
            correlation_data: kept
                .correlation_data
                .map(|data| STANDARD.decode(data))
                .transpose()?
                .map(Into::into),
            message_expiry_s: kept.message_expiry_s,
            user_properties: kept.user_properties,
        }))
    }
}
