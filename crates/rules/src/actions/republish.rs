//! `republish`: publishes what SELECT made to another topic.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/republish-rule-action.html>. A reserved topic is written with `$$`:
//! `$$aws/things/x/shadow/update`.
//!
//! Differs from AWS: a message that rules have republished `HOPS_MAX` times already is not republished again; the action fails.
//! Differs from AWS: `qos` may be a string with a template as well as a number.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use iotsql::{Message, Template, Variables};
use kernel::ErrorKind;
use mqtt::limits::MESSAGE_EXPIRY_SECONDS_MAX;
use ports::{MessageProperties, PortError, PortFuture};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Action, Effect, Input, Kind, Perform, render};
use crate::limits::{HEADER_CHARS_MAX, HOPS_MAX, USER_PROPERTIES_MAX};
use crate::outside::Outside;
use crate::parameters::{Invalid, Parameters};
use crate::properties::Properties;

pub(super) static KIND: Kind = Kind { name: "republish", failed_action: "RepublishAction", parse };

struct RepublishAction {
    topic: Template,
    resource: String,
    qos: Qos,
    headers: Option<Headers>,
}

enum Qos {
    Fixed(u8),
    Template(Template),
}

#[derive(Default)]
struct Headers {
    payload_format_indicator: Option<Template>,
    content_type: Option<Template>,
    response_topic: Option<Template>,
    correlation_data: Option<Template>,
    message_expiry: Option<Template>,
    user_properties: Vec<(Template, Template)>,
}

/// A message for a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Republish {
    topic: String,
    qos: u8,
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    properties: Properties,
}

fn parse(parameters: &Parameters<'_>) -> Result<Box<dyn Action>, Invalid> {
    let (topic, resource) = parameters.required_template("topic")?;
    if let Some(topic) = topic.constant() {
        mqtt::topic::check_name(topic).and_then(|()| mqtt::topic::check_name_limits(topic)).map_err(
            |error| {
                Invalid::new(format!("'{}' is no topic to publish to: {error}.", parameters.path("topic")))
            },
        )?;
    }
    let headers = match parameters.get("headers") {
        None => None,
        Some(value) => {
            let path = parameters.path("headers");
            Some(parse_headers(&Parameters::new(path, value, parameters.statement())?)?)
        }
    };
    Ok(Box::new(RepublishAction {
        topic,
        resource: resource.to_owned(),
        qos: parse_qos(parameters)?,
        headers,
    }))
}

fn parse_qos(parameters: &Parameters<'_>) -> Result<Qos, Invalid> {
    let invalid = |value: &dyn std::fmt::Display| {
        let constraint = "Member must have value between 0 and 1";
        Invalid::constraint(&format!("'{value}'"), &parameters.path("qos"), constraint)
    };
    match parameters.get("qos") {
        None => Ok(Qos::Fixed(0)),
        Some(Value::String(_)) => {
            let Some(template) = parameters.template("qos")? else { return Ok(Qos::Fixed(0)) };
            match template.constant() {
                None => Ok(Qos::Template(template)),
                Some(text) => qos_of(text).map(Qos::Fixed).ok_or_else(|| invalid(&text)),
            }
        }
        Some(value) => qos_of(&value.to_string()).map(Qos::Fixed).ok_or_else(|| invalid(value)),
    }
}

fn qos_of(text: &str) -> Option<u8> {
    match text {
        "0" => Some(0),
        "1" => Some(1),
        _ => None,
    }
}

fn parse_headers(parameters: &Parameters<'_>) -> Result<Headers, Invalid> {
    let header = |name| {
        check_length(parameters, name)?;
        parameters.template(name)
    };
    let headers = Headers {
        payload_format_indicator: header("payloadFormatIndicator")?,
        content_type: header("contentType")?,
        response_topic: header("responseTopic")?,
        correlation_data: header("correlationData")?,
        message_expiry: header("messageExpiry")?,
        user_properties: parse_user_properties(parameters)?,
    };
    let constant = |template: &Option<Template>| template.as_ref()?.constant().map(str::to_owned);
    let invalid =
        |name: &str, why: String| Invalid::new(format!("'{}' is invalid: {why}.", parameters.path(name)));
    if let Some(text) = constant(&headers.payload_format_indicator) {
        is_utf8(&text).map_err(|why| invalid("payloadFormatIndicator", why))?;
    }
    if let Some(text) = constant(&headers.correlation_data) {
        correlation_data(&text).map_err(|why| invalid("correlationData", why))?;
    }
    if let Some(text) = constant(&headers.message_expiry) {
        expiry_s(&text).map_err(|why| invalid("messageExpiry", why))?;
    }
    Ok(headers)
}

fn check_length(parameters: &Parameters<'_>, name: &str) -> Result<(), Invalid> {
    if parameters.text(name)?.is_some_and(|text| text.chars().count() > HEADER_CHARS_MAX) {
        let constraint = format!("Member must have length less than or equal to {HEADER_CHARS_MAX}");
        return Err(Invalid::constraint("", &parameters.path(name), &constraint));
    }
    Ok(())
}

fn parse_user_properties(parameters: &Parameters<'_>) -> Result<Vec<(Template, Template)>, Invalid> {
    let path = parameters.path("userProperties");
    let given = match parameters.get("userProperties") {
        None => return Ok(Vec::new()),
        Some(Value::Array(given)) => given,
        Some(_) => return Err(Invalid::new(format!("'{path}' must be a list."))),
    };
    if !(1..=USER_PROPERTIES_MAX).contains(&given.len()) {
        let constraint = format!("Member must have length between 1 and {USER_PROPERTIES_MAX}");
        return Err(Invalid::constraint("", &path, &constraint));
    }
    let property = |(index, value)| {
        let path = format!("{path}.{}.member", index + 1);
        let members = Parameters::new(path, value, parameters.statement())?;
        let member = |name| {
            members.required_text(name)?;
            check_length(&members, name)?;
            members.template(name)
        };
        Ok((member("key")?, member("value")?))
    };
    let properties = given.iter().enumerate().map(property).collect::<Result<Vec<_>, Invalid>>()?;
    Ok(properties.into_iter().filter_map(|(key, value)| Some((key?, value?))).collect())
}

fn is_utf8(text: &str) -> Result<bool, String> {
    match text {
        "UNSPECIFIED_BYTES" => Ok(false),
        "UTF8_DATA" => Ok(true),
        _ => Err("the payload format indicator is neither UNSPECIFIED_BYTES nor UTF8_DATA".to_owned()),
    }
}

fn correlation_data(text: &str) -> Result<Bytes, String> {
    STANDARD.decode(text).map(Bytes::from).map_err(|_| "the correlation data is not base64".to_owned())
}

/// As for a publisher: at least a second, and at most what the broker keeps.
fn expiry_s(text: &str) -> Result<u32, String> {
    let seconds: u64 =
        text.parse().map_err(|_| "the message expiry is not a whole number of seconds".to_owned())?;
    if seconds == 0 {
        return Err("the message expiry is zero".to_owned());
    }
    Ok(u32::try_from(seconds).unwrap_or(u32::MAX).min(MESSAGE_EXPIRY_SECONDS_MAX))
}

impl Action for RepublishAction {
    fn effect(&self, message: &Message<'_>, variables: &Variables) -> Result<Effect, String> {
        let render = |template: &Template| render(template, message, variables);
        let qos = match &self.qos {
            Qos::Fixed(qos) => *qos,
            Qos::Template(template) => {
                qos_of(&render(template)?).ok_or_else(|| "the QoS is neither 0 nor 1".to_owned())?
            }
        };
        let properties = match &self.headers {
            None => MessageProperties::default(),
            Some(headers) => headers.properties(render)?,
        };
        let topic = render(&self.topic)?;
        Ok(Effect::Republish(Republish { topic, qos, properties: Properties(properties) }))
    }

    fn resource(&self) -> &str {
        &self.resource
    }
}

impl Headers {
    /// A template that gives an empty text gives no header.
    fn properties(
        &self,
        render: impl Fn(&Template) -> Result<String, String>,
    ) -> Result<MessageProperties, String> {
        let header = |template: &Option<Template>| -> Result<Option<String>, String> {
            let Some(template) = template else { return Ok(None) };
            Ok(Some(render(template)?).filter(|text| !text.is_empty()))
        };
        let user_property =
            |(key, value): &(Template, Template)| Ok::<_, String>((render(key)?, render(value)?));
        Ok(MessageProperties {
            payload_is_utf8: match header(&self.payload_format_indicator)? {
                None => false,
                Some(text) => is_utf8(&text)?,
            },
            content_type: header(&self.content_type)?,
            response_topic: header(&self.response_topic)?,
            correlation_data: header(&self.correlation_data)?
                .map(|text| correlation_data(&text))
                .transpose()?,
            message_expiry_s: header(&self.message_expiry)?.map(|text| expiry_s(&text)).transpose()?,
            user_properties: self.user_properties.iter().map(user_property).collect::<Result<_, _>>()?,
        })
    }
}

impl Perform for Republish {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn resource(&self) -> &str {
        &self.topic
    }

    fn attempt(&self) -> (&'static str, String) {
        ("Failed to republish to topic.", format!("Topic: {}", self.topic))
    }

    fn perform<'a>(&'a self, outside: &'a Outside, input: &'a Input<'_>) -> PortFuture<'a, ()> {
        Box::pin(async move {
            if input.hops >= HOPS_MAX {
                let sentence = format!("The message was republished by rules {HOPS_MAX} times already.");
                return Err(PortError::new(ErrorKind::Invalid, "RepublishLoopException", sentence));
            }
            let message = ports::Message {
                topic: self.topic.clone(),
                payload: input.body.clone(),
                qos: self.qos,
                retain: false,
                client_id: None,
                received_at: outside.clock.now(),
                hops: input.hops + 1,
                properties: self.properties.0.clone(),
            };
            outside.publish()?.publish(input.cx, message).await
        })
    }
}
