//! Conversions between types: the implicit ones of operators and functions, and `cast`.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-data-types.html>. `None` is a value that
//! does not convert; Null does not either, and what it would become, no operator accepts.

use crate::ast::Type;
use crate::{SqlVersion, Value, json};
use std::borrow::Cow;

/// The two numeric types.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i128),
    Decimal(f64),
}

/// An Int or Decimal as it is, a numeric string as Decimal.
pub(crate) fn to_number(value: &Value) -> Option<Number> {
    match value {
        Value::Int(int) => Some(Number::Int(*int)),
        Value::Decimal(decimal) => Some(Number::Decimal(*decimal)),
        Value::String(text) => parse_decimal(text).map(Number::Decimal),
        _ => None,
    }
}

pub(crate) fn to_decimal(value: &Value) -> Option<f64> {
    to_number(value).map(Number::to_double)
}

/// The Int of the conversion table: a Decimal rounds to the nearest, a string's fraction is cut off.
pub(crate) fn to_int(value: &Value) -> Option<i128> {
    match value {
        Value::Decimal(decimal) => whole(decimal.round()),
        Value::String(text) => whole(parse_decimal(text)?.trunc()),
        Value::Int(int) => Some(*int),
        _ => None,
    }
}

/// The Int most functions ask for: everything rounds down.
pub(crate) fn to_int_down(value: &Value) -> Option<i128> {
    match to_number(value)? {
        Number::Int(int) => Some(int),
        Number::Decimal(decimal) => whole(decimal.floor()),
    }
}

/// As [`to_int_down`], but a number too large for an Int is the largest there is.
pub(crate) fn to_index(value: &Value) -> Option<i128> {
    match to_number(value)? {
        Number::Int(int) => Some(int),
        Number::Decimal(decimal) => Some(decimal.floor() as i128),
    }
}

pub(crate) fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(bool) => Some(*bool),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

pub(crate) fn to_text(value: &Value, version: SqlVersion) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Int(int) => Some(Cow::Owned(int.to_string())),
        Value::Decimal(decimal) => Some(Cow::Owned(json::decimal_text(*decimal, version))),
        Value::Array(_) | Value::Object(_) => String::from_utf8(value.to_json(version)).ok().map(Cow::Owned),
        Value::Undefined | Value::Null | Value::Bytes(_) => None,
    }
}

/// `CAST(value AS to)`: the conversions above, and numbers to and from Boolean.
pub(crate) fn cast(value: &Value, to: Type, version: SqlVersion) -> Value {
    let converted = match to {
        Type::String => to_text(value, version).map(Value::text),
        Type::Int => match value {
            Value::Bool(bool) => Some(Value::Int(i128::from(*bool))),
            other => to_int_down(other).map(Value::Int),
        },
        Type::Decimal => match value {
            Value::Bool(bool) => Some(Value::Decimal(f64::from(u8::from(*bool)))),
            Value::Int(int) => Some(Value::Int(*int)),
            other => to_decimal(other).map(Value::decimal),
        },
        Type::Bool => match value {
            Value::Int(int) => Some(Value::Bool(*int != 0)),
            Value::Decimal(decimal) => Some(Value::Bool(*decimal != 0.0)),
            other => to_bool(other).map(Value::Bool),
        },
    };
    converted.unwrap_or_default()
}

impl Number {
    pub(crate) fn to_double(self) -> f64 {
        match self {
            Number::Int(int) => int as f64,
            Number::Decimal(decimal) => decimal,
        }
    }
}

fn whole(decimal: f64) -> Option<i128> {
    match Value::whole(decimal) {
        Value::Int(int) => Some(int),
        _ => None,
    }
}

/// A string of the form `^-?\d+(\.\d+)?((?i)E-?\d+)?$`: no leading `+`, no bare point, no `E+`.
fn parse_decimal(text: &str) -> Option<f64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let numeric = digits(whole)
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix('-').unwrap_or(exponent)));
    if !numeric {
        return None;
    }
    text.parse().ok().filter(|decimal: &f64| decimal.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_strings_are_those_of_the_published_pattern() {
        for (text, number) in [("0", 0.0), ("-1.2", -1.2), ("5E-12", 5e-12), ("1e3", 1000.0), ("007", 7.0)] {
            assert_eq!(parse_decimal(text), Some(number), "{text}");
        }
        for text in ["", "-", "+1", ".5", "5.", "1E+3", "1e", " 1", "1e999", "inf", "NaN", "0x1"] {
            assert_eq!(parse_decimal(text), None, "{text}");
        }
    }

    #[test]
    fn each_rounding_is_its_own() {
        let text = |text: &str| Value::text(text);
        assert_eq!(to_int(&Value::Decimal(-1.5)), Some(-2));
        assert_eq!(to_int(&Value::Decimal(1.5)), Some(2));
        assert_eq!(to_int(&text("-1.9")), Some(-1));
        assert_eq!(to_int_down(&text("-1.1")), Some(-2));
        assert_eq!(to_int_down(&Value::Decimal(1e300)), None);
        assert_eq!(to_index(&Value::Decimal(-2.411e247)), Some(i128::MIN));
    }
}
