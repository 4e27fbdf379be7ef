//! Arrays, objects and absent values.

use super::Arguments;
use crate::convert::to_int;
use crate::limits::TRANSFORM_BYTES_MAX;
use crate::{Value, open_questions};

/// The first argument does not convert: elements and characters by index, members by String key.
pub(super) fn get(arguments: &Arguments<'_, '_>) -> Value {
    let index = || to_int(arguments.value(1)).and_then(|index| usize::try_from(index).ok());
    match (arguments.value(0), arguments.value(1)) {
        (Value::Array(elements), _) => {
            index().and_then(|index| elements.get(index)).cloned().unwrap_or_default()
        }
        (Value::String(text), _) => {
            index().and_then(|index| text.chars().nth(index)).map_or(Value::Undefined, Value::text)
        }
        (object @ Value::Object(_), Value::String(key)) => object.member(key).clone(),
        _ => Value::Undefined,
    }
}

pub(super) fn get_or_default(arguments: &Arguments<'_, '_>) -> Value {
    match arguments.value(0) {
        Value::Undefined | Value::Null => arguments.value(1).clone(),
        value => value.clone(),
    }
}

/// Undefined is not Null.
pub(super) fn isnull(arguments: &Arguments<'_, '_>) -> Value {
    Value::Bool(*arguments.value(0) == Value::Null)
}

pub(super) fn isundefined(arguments: &Arguments<'_, '_>) -> Value {
    Value::Bool(*arguments.value(0) == Value::Undefined)
}

/// No Decimal here is NaN, so this is the older name of [`get_or_default`].
pub(super) fn nanvl(arguments: &Arguments<'_, '_>) -> Value {
    get_or_default(arguments)
}

/// `transform("enrichArray", object, array)`: the members of the object in every element.
pub(super) fn transform(arguments: &Arguments<'_, '_>) -> Value {
    let mode = arguments.value(0);
    let attributes = open_questions::object_argument(arguments.value(1));
    let array = open_questions::array_argument(arguments.value(2));
    let (Value::String(mode), Value::Object(attributes), Value::Array(elements)) = (mode, attributes, array)
    else {
        return Value::Undefined;
    };
    let grown = arguments.value(1).weight().saturating_mul(elements.len());
    if mode != "enrichArray" || !arguments.affords(grown) {
        return Value::Undefined;
    }
    let mut enriched = Vec::with_capacity(elements.len());
    for element in elements {
        let Value::Object(element) = element else { return Value::Undefined };
        let mut element = element.clone();
        for (key, value) in attributes.iter() {
            element.insert(key.to_owned(), value.clone());
        }
        enriched.push(Value::Object(element));
    }
    let enriched = Value::Array(enriched);
    if enriched.to_json(arguments.scope.version).len() > TRANSFORM_BYTES_MAX {
        Value::Undefined
    } else {
        enriched
    }
}
