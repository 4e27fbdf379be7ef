//! What AWS does not say, one function each, so that an observation on AWS changes one place.
//!
//! Each says what we do; the reference repeats it for users.

use crate::Value;
use crate::ast::Expr;

/// The key of an item without AS: the last step of a path, the name of a function or variable, and
/// otherwise the item's position, `_1` for the first.
pub(crate) fn unaliased_key(expr: &Expr, position: usize) -> String {
    match expr {
        Expr::Name(name) | Expr::Variable(_, name) => name.clone(),
        Expr::Path(_, steps) => steps.last().cloned().unwrap_or_default(),
        Expr::Call(call) => call.function.name.to_owned(),
        _ => format!("_{position}"),
    }
}

/// Int / Int is an Int when it divides evenly and a Decimal when not. By zero it is Undefined.
pub(crate) fn divide_ints(dividend: i128, divisor: i128) -> Value {
    match dividend.checked_rem(divisor) {
        None => Value::Undefined,
        Some(0) => Value::int(dividend / divisor),
        Some(_) => Value::decimal(dividend as f64 / divisor as f64),
    }
}

/// `bitnot` is two's complement, −14 for 13; AWS's example says 2.
pub(crate) fn bitnot(int: i128) -> i128 {
    !int
}

/// AND of operands of which one does not convert to Boolean is Undefined, even beside false.
pub(crate) fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    left.zip(right).map(|(left, right)| left && right)
}

/// OR of operands of which one does not convert to Boolean is Undefined, even beside true.
pub(crate) fn or(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    left.zip(right).map(|(left, right)| left || right)
}

/// `length` counts code points.
pub(crate) fn length(text: &str) -> usize {
    text.chars().count()
}

/// `indexof` what is not there is −1. Positions are code points, as in `length`.
pub(crate) fn index_of(text: &str, part: &str) -> i128 {
    match text.split_once(part) {
        Some((before, _)) => length(before) as i128,
        None => -1,
    }
}

/// Arithmetic on fractions is that of doubles: 0.1 + 0.2 is 0.30000000000000004.
pub(crate) fn decimal_arithmetic(left: f64, right: f64, operation: fn(f64, f64) -> f64) -> Value {
    Value::decimal(operation(left, right))
}

/// A nested query over an object or scalar gives an array of one; a parameter that wants an object takes
/// it out of that array.
pub(crate) fn object_argument(value: &Value) -> &Value {
    match value {
        Value::Array(elements) => match elements.as_slice() {
            [only @ Value::Object(_)] => only,
            _ => value,
        },
        _ => value,
    }
}

/// `SELECT VALUE <array>` gives an array in an array; a parameter that wants an array takes the inner one.
pub(crate) fn array_argument(value: &Value) -> &Value {
    match value {
        Value::Array(elements) => match elements.as_slice() {
            [only @ Value::Array(_)] => only,
            _ => value,
        },
        _ => value,
    }
}

/// A nested query whose source is Undefined is Undefined, and EXISTS of it is false.
pub(crate) fn query_over_undefined() -> Value {
    Value::Undefined
}

/// `x IN y` where `y` is no array is Undefined.
pub(crate) fn in_non_array() -> Value {
    Value::Undefined
}

/// An Undefined element of an array literal is left out, as an Undefined member of an object is.
pub(crate) fn keeps_array_element(element: &Value) -> bool {
    *element != Value::Undefined
}
