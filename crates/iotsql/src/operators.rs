//! The operators.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-operators.html>. The two that surprise:
//! `=` and `<>` convert nothing, and `>`, `>=`, `<`, `<=` convert both sides to Decimal, so that strings
//! are never compared as text.

use crate::ast::{Arithmetic, Comparison};
use crate::convert::{Number, to_number, to_text};
use crate::{Object, SqlVersion, Value, open_questions};

/// Boolean or Undefined.
pub(crate) fn compare(operator: Comparison, left: &Value, right: &Value) -> Value {
    let answer = match operator {
        Comparison::Equal => equals(left, right),
        Comparison::NotEqual => equals(left, right).map(|equal| !equal),
        Comparison::Greater => order(left, right, |ordering| ordering.is_gt()),
        Comparison::GreaterOrEqual => order(left, right, |ordering| ordering.is_ge()),
        Comparison::Less => order(left, right, |ordering| ordering.is_lt()),
        Comparison::LessOrEqual => order(left, right, |ordering| ordering.is_le()),
    };
    answer.map_or(Value::Undefined, Value::Bool)
}

/// `None` if a side is Undefined; false for different types, except the two numeric ones.
pub(crate) fn equals(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Undefined, _) | (_, Value::Undefined) => None,
        (left, right) => Some(deep_equals(left, right)),
    }
}

/// `x IN array`: whether an element equals `x`.
pub(crate) fn is_in(value: &Value, array: &Value) -> Value {
    match (value, array) {
        (Value::Undefined, _) => Value::Undefined,
        (value, Value::Array(elements)) => {
            Value::Bool(elements.iter().any(|element| deep_equals(value, element)))
        }
        _ => open_questions::in_non_array(),
    }
}

/// Int with Int is exact while it fits; with a Decimal or a numeric string it is Decimal.
pub(crate) fn arithmetic(operator: Arithmetic, left: &Value, right: &Value, version: SqlVersion) -> Value {
    if operator == Arithmetic::Add && (matches!(left, Value::String(_)) || matches!(right, Value::String(_)))
    {
        return concatenate(left, right, version);
    }
    match (to_number(left), to_number(right)) {
        (Some(Number::Int(left)), Some(Number::Int(right))) => int_arithmetic(operator, left, right),
        (Some(left), Some(right)) => decimal_arithmetic(operator, left.to_double(), right.to_double()),
        _ => Value::Undefined,
    }
}

/// Unary minus.
pub(crate) fn negate(value: &Value) -> Value {
    match to_number(value) {
        Some(Number::Int(int)) => Value::int(-int),
        Some(Number::Decimal(decimal)) => Value::decimal(-decimal),
        None => Value::Undefined,
    }
}

/// The remainder has the sign of the dividend; by zero it is Undefined.
pub(crate) fn remainder(left: &Value, right: &Value, version: SqlVersion) -> Value {
    arithmetic(Arithmetic::Remainder, left, right, version)
}

fn concatenate(left: &Value, right: &Value, version: SqlVersion) -> Value {
    match (to_text(left, version), to_text(right, version)) {
        (Some(left), Some(right)) => Value::text(left.into_owned() + &right),
        _ => Value::Undefined,
    }
}

fn int_arithmetic(operator: Arithmetic, left: i128, right: i128) -> Value {
    let exact = match operator {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => return open_questions::divide_ints(left, right),
        Arithmetic::Remainder => {
            return left.checked_rem(right).map_or(Value::Undefined, Value::int);
        }
    };
    match exact {
        Some(exact) => Value::int(exact),
        None => decimal_arithmetic(operator, left as f64, right as f64),
    }
}

fn decimal_arithmetic(operator: Arithmetic, left: f64, right: f64) -> Value {
    let operation: fn(f64, f64) -> f64 = match operator {
        Arithmetic::Add => |left, right| left + right,
        Arithmetic::Subtract => |left, right| left - right,
        Arithmetic::Multiply => |left, right| left * right,
        Arithmetic::Divide => |left, right| left / right,
        Arithmetic::Remainder => |left, right| left % right,
    };
    open_questions::decimal_arithmetic(left, right, operation)
}

fn order(left: &Value, right: &Value, holds: fn(std::cmp::Ordering) -> bool) -> Option<bool> {
    let ordering = match (to_number(left)?, to_number(right)?) {
        (Number::Int(left), Number::Int(right)) => left.cmp(&right),
        (left, right) => left.to_double().partial_cmp(&right.to_double())?,
    };
    Some(holds(ordering))
}

fn deep_equals(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(int), Value::Decimal(decimal)) | (Value::Decimal(decimal), Value::Int(int)) => {
            *int as f64 == *decimal
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| deep_equals(left, right))
        }
        (Value::Object(left), Value::Object(right)) => objects_equal(left, right),
        (left, right) => left == right,
    }
}

/// Keys are unique, so equal lengths and every member of one in the other is equality. Members in the same
/// order, the usual case, are met without searching.
fn objects_equal(left: &Object, right: &Object) -> bool {
    if left.len() != right.len() {
        return false;
    }
    left.iter().zip(right.iter()).all(|((key, value), (same_place, other))| {
        let other = if key == same_place { Some(other) } else { right.get(key) };
        other.is_some_and(|other| deep_equals(value, other))
    })
}
