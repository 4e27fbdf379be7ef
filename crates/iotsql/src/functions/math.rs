//! Numbers. Arguments are Int, Decimal or a numeric string; anything else gives Undefined, and so does a
//! result that is infinite or not real.

use super::Arguments;
use crate::convert::{Number, to_index, to_int_down, to_number};
use crate::limits::TRUNC_PLACES_MAX;
use crate::{Value, open_questions, operators};

pub(super) fn abs(arguments: &Arguments<'_, '_>) -> Value {
    match to_number(arguments.value(0)) {
        Some(Number::Int(int)) => Value::int(int.abs()),
        Some(Number::Decimal(decimal)) => Value::decimal(decimal.abs()),
        None => Value::Undefined,
    }
}

pub(super) fn acos(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::acos)
}

pub(super) fn asin(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::asin)
}

pub(super) fn atan(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::atan)
}

/// `atan2(y, x)`: AWS's example, `atan2(1, 0)` = π/2, has the arguments in this order.
pub(super) fn atan2(arguments: &Arguments<'_, '_>) -> Value {
    doubles(arguments, f64::atan2)
}

pub(super) fn cos(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::cos)
}

pub(super) fn cosh(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::cosh)
}

pub(super) fn exp(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::exp)
}

pub(super) fn ln(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::ln)
}

pub(super) fn log(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::log10)
}

pub(super) fn power(arguments: &Arguments<'_, '_>) -> Value {
    doubles(arguments, f64::powf)
}

pub(super) fn sin(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::sin)
}

pub(super) fn sinh(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::sinh)
}

pub(super) fn sqrt(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::sqrt)
}

pub(super) fn tan(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::tan)
}

pub(super) fn tanh(arguments: &Arguments<'_, '_>) -> Value {
    double(arguments, f64::tanh)
}

pub(super) fn bitand(arguments: &Arguments<'_, '_>) -> Value {
    bits(arguments, |left, right| left & right)
}

pub(super) fn bitor(arguments: &Arguments<'_, '_>) -> Value {
    bits(arguments, |left, right| left | right)
}

pub(super) fn bitxor(arguments: &Arguments<'_, '_>) -> Value {
    bits(arguments, |left, right| left ^ right)
}

pub(super) fn bitnot(arguments: &Arguments<'_, '_>) -> Value {
    to_int_down(arguments.value(0)).map_or(Value::Undefined, |int| Value::int(open_questions::bitnot(int)))
}

pub(super) fn ceil(arguments: &Arguments<'_, '_>) -> Value {
    rounded(arguments, f64::ceil)
}

pub(super) fn floor(arguments: &Arguments<'_, '_>) -> Value {
    rounded(arguments, f64::floor)
}

/// Half away from zero.
pub(super) fn round(arguments: &Arguments<'_, '_>) -> Value {
    rounded(arguments, f64::round)
}

pub(super) fn sign(arguments: &Arguments<'_, '_>) -> Value {
    match to_number(arguments.value(0)) {
        Some(Number::Int(int)) => Value::Int(int.signum()),
        Some(Number::Decimal(0.0)) => Value::Int(0),
        Some(Number::Decimal(decimal)) => Value::Int(decimal.signum() as i128),
        None => Value::Undefined,
    }
}

pub(super) fn remainder(arguments: &Arguments<'_, '_>) -> Value {
    operators::remainder(arguments.value(0), arguments.value(1), arguments.scope.version)
}

/// Works on the digits, since scaling a double up and down would change the last of them.
pub(super) fn trunc(arguments: &Arguments<'_, '_>) -> Value {
    let places = match arguments.value(1) {
        places @ (Value::Int(_) | Value::Decimal(_)) => to_index(places),
        _ => None,
    };
    match (to_number(arguments.value(0)), places) {
        (Some(Number::Int(int)), Some(_)) => Value::Int(int),
        (Some(Number::Decimal(decimal)), Some(places)) => {
            let places = places.clamp(0, TRUNC_PLACES_MAX) as usize;
            let digits = decimal.to_string();
            let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
            let kept: String = fraction.chars().take(places).collect();
            let kept = kept.trim_end_matches('0');
            if kept.is_empty() {
                return Value::whole(decimal.trunc());
            }
            format!("{whole}.{kept}").parse().map_or(Value::Undefined, Value::decimal)
        }
        _ => Value::Undefined,
    }
}

fn double(arguments: &Arguments<'_, '_>, function: fn(f64) -> f64) -> Value {
    arguments.decimal(0).map_or(Value::Undefined, |x| Value::decimal(function(x)))
}

fn doubles(arguments: &Arguments<'_, '_>, function: fn(f64, f64) -> f64) -> Value {
    match (arguments.decimal(0), arguments.decimal(1)) {
        (Some(x), Some(y)) => Value::decimal(function(x, y)),
        _ => Value::Undefined,
    }
}

fn bits(arguments: &Arguments<'_, '_>, function: fn(i128, i128) -> i128) -> Value {
    match (to_int_down(arguments.value(0)), to_int_down(arguments.value(1))) {
        (Some(left), Some(right)) => Value::int(function(left, right)),
        _ => Value::Undefined,
    }
}

fn rounded(arguments: &Arguments<'_, '_>, function: fn(f64) -> f64) -> Value {
    match to_number(arguments.value(0)) {
        Some(Number::Int(int)) => Value::Int(int),
        Some(Number::Decimal(decimal)) => Value::whole(function(decimal)),
        None => Value::Undefined,
    }
}
