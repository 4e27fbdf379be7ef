//! What the message and the rule know about themselves.

use super::Arguments;
use crate::convert::to_int;
use crate::{Object, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) fn accountid(arguments: &Arguments<'_, '_>) -> Value {
    Value::text(arguments.message().account_id)
}

pub(super) fn clientid(arguments: &Arguments<'_, '_>) -> Value {
    Value::text(arguments.message().client_id.unwrap_or("n/a"))
}

pub(super) fn principal(arguments: &Arguments<'_, '_>) -> Value {
    Value::text_or_undefined(arguments.message().principal)
}

pub(super) fn sourceip(arguments: &Arguments<'_, '_>) -> Value {
    arguments.message().source_ip.map_or(Value::Undefined, |ip| Value::String(ip.to_string()))
}

pub(super) fn sql_version(arguments: &Arguments<'_, '_>) -> Value {
    Value::text(arguments.scope.version.name())
}

pub(super) fn timestamp(arguments: &Arguments<'_, '_>) -> Value {
    Value::Int(arguments.message().timestamp_ms.into())
}

pub(super) fn traceid(arguments: &Arguments<'_, '_>) -> Value {
    Value::text_or_undefined(arguments.message().trace_id)
}

/// `topic()`, or `topic(n)` for a level, counted from 1.
pub(super) fn topic(arguments: &Arguments<'_, '_>) -> Value {
    let topic = arguments.message().topic;
    if arguments.len() == 0 {
        return Value::text(topic);
    }
    let level =
        to_int(arguments.value(0)).and_then(|n| usize::try_from(n).ok()).and_then(|n| n.checked_sub(1));
    Value::text_or_undefined(level.and_then(|level| topic.split('/').nth(level)))
}

/// A UUID of version 4.
pub(super) fn newuuid(arguments: &Arguments<'_, '_>) -> Value {
    let random = (arguments.message().random)();
    let versioned = random & !(0xf << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
    let digits = format!("{versioned:032x}");
    let mut uuid = String::with_capacity(36);
    for (n, digit) in digits.chars().enumerate() {
        if matches!(n, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    Value::String(uuid)
}

/// From 0, inclusive, to 1, exclusive.
pub(super) fn rand(arguments: &Arguments<'_, '_>) -> Value {
    let bits = (arguments.message().random)() >> (128 - 53);
    Value::decimal(bits as f64 / (1_u64 << 53) as f64)
}

pub(super) fn get_mqtt_property(arguments: &Arguments<'_, '_>) -> Value {
    let properties = &arguments.message().properties;
    let Value::String(name) = arguments.value(0) else { return Value::Undefined };
    match name.as_str() {
        "content_type" => Value::text_or_undefined(properties.content_type),
        "response_topic" => Value::text_or_undefined(properties.response_topic),
        "correlation_data" => {
            properties.correlation_data.map_or(Value::Undefined, |data| Value::String(STANDARD.encode(data)))
        }
        "format_indicator" => {
            Value::text(if properties.utf8_payload { "UTF8_DATA" } else { "UNSPECIFIED_BYTES" })
        }
        _ => Value::Undefined,
    }
}

/// All values of one name, or every property as an object of its own; Undefined for none.
pub(super) fn get_user_properties(arguments: &Arguments<'_, '_>) -> Value {
    let properties = arguments.message().properties.user;
    let found: Vec<Value> = if arguments.len() == 0 {
        let objects = properties.iter().map(|(name, value)| {
            let mut object = Object::default();
            object.insert(name.clone(), Value::text(value.as_str()));
            Value::Object(object)
        });
        objects.collect()
    } else {
        let Some(name) = arguments.text(0) else { return Value::Undefined };
        properties
            .iter()
            .filter(|(key, _)| **key == *name)
            .map(|(_, value)| Value::text(value.as_str()))
            .collect()
    };
    if found.is_empty() { Value::Undefined } else { Value::Array(found) }
}
