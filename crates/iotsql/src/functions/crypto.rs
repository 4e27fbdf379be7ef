//! Hashes and base64.

use super::Arguments;
use crate::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

pub(super) fn md5(arguments: &Arguments<'_, '_>) -> Value {
    hash::<Md5>(arguments)
}

pub(super) fn sha1(arguments: &Arguments<'_, '_>) -> Value {
    hash::<Sha1>(arguments)
}

pub(super) fn sha224(arguments: &Arguments<'_, '_>) -> Value {
    hash::<Sha224>(arguments)
}

pub(super) fn sha256(arguments: &Arguments<'_, '_>) -> Value {
    hash::<Sha256>(arguments)
}

pub(super) fn sha384(arguments: &Arguments<'_, '_>) -> Value {
    hash::<Sha384>(arguments)
}

pub(super) fn sha512(arguments: &Arguments<'_, '_>) -> Value {
    hash::<Sha512>(arguments)
}

/// `encode(value or *, 'base64')`; `*` is the payload as it came, JSON or not.
pub(super) fn encode(arguments: &Arguments<'_, '_>) -> Value {
    if !is_base64(arguments) {
        return Value::Undefined;
    }
    match arguments.value(0) {
        Value::Bytes(bytes) => Value::String(STANDARD.encode(bytes)),
        _ => arguments.text(0).map_or(Value::Undefined, |text| Value::String(STANDARD.encode(&*text))),
    }
}

/// `decode(text, 'base64')`: an object or array if that is what the text is, else the text; Null if it
/// cannot be decoded.
pub(super) fn decode(arguments: &Arguments<'_, '_>) -> Value {
    let Some(encoded) = arguments.text(0).filter(|_| is_base64(arguments)) else { return Value::Undefined };
    let Some(text) = STANDARD.decode(&*encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return Value::Null;
    };
    match Value::from_json(text.as_bytes()) {
        Some(document @ (Value::Object(_) | Value::Array(_))) => document,
        _ => Value::String(text),
    }
}

fn is_base64(arguments: &Arguments<'_, '_>) -> bool {
    matches!(arguments.value(1), Value::String(scheme) if scheme == "base64")
}

/// Lower-case hexadecimal.
fn hash<D: Digest>(arguments: &Arguments<'_, '_>) -> Value {
    arguments.text(0).map_or(Value::Undefined, |text| Value::String(hex::encode(D::digest(text.as_bytes()))))
}
