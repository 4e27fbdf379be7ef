//! Numbers: what keeps integers integers and rounds half up, where DataFusion makes everything a double.
//!
//! Source: <https://trino.io/docs/current/functions/math.html>

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use datafusion::common::Result;

use super::{Call, Function, Kind, always};
use crate::error::QueryError;
use crate::limits::DECIMAL_DIGITS_MAX;

const NUMBER: &[&[Kind]] = &[&[Kind::Double], &[Kind::Bigint], &[Kind::Decimal]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "ceil", accepts: NUMBER, returns: whole, call: ceil },
    Function { name: "ceiling", accepts: NUMBER, returns: whole, call: ceil },
    Function {
        name: "floor",
        accepts: NUMBER,
        returns: whole,
        call: |call| number(call, f64::floor, i128::div_euclid),
    },
    Function {
        name: "truncate",
        accepts: NUMBER,
        returns: whole,
        call: |call| number(call, f64::trunc, |value, unit| value / unit),
    },
    Function {
        name: "sign",
        accepts: &[&[Kind::Double]],
        returns: same,
        call: |call| {
            doubles(call, |value| if value == 0.0 || value.is_nan() { value } else { value.signum() })
        },
    },
    Function {
        name: "round",
        accepts: &[
            &[Kind::Double],
            &[Kind::Bigint],
            &[Kind::Double, Kind::Bigint],
            &[Kind::Bigint, Kind::Bigint],
            &[Kind::Decimal],
            &[Kind::Decimal, Kind::Bigint],
        ],
        returns: |types| match types {
            [_] => whole(types),
            [DataType::Decimal128(precision, scale), ..] => {
                Ok(DataType::Decimal128((precision + 1).min(DECIMAL_DIGITS_MAX), *scale))
            }
            _ => same(types),
        },
        call: round,
    },
    Function {
        // How `approx_percentile` of integers stays an integer.
        name: "$as_type_of",
        accepts: &[&[Kind::Double, Kind::Any]],
        returns: |types| Ok(types[1].clone()),
        call: |call| {
            let rounded = if call.returns.is_floating() {
                Arc::clone(&call.args[0])
            } else {
                doubles(call, f64::round)?
            };
            Ok(cast(&rounded, call.returns)?)
        },
    },
    Function {
        name: "e",
        accepts: &[&[]],
        returns: always!(DataType::Float64),
        call: |call| Ok(Arc::new(Float64Array::from(vec![std::f64::consts::E; call.rows]))),
    },
    Function {
        name: "infinity",
        accepts: &[&[]],
        returns: always!(DataType::Float64),
        call: |call| Ok(Arc::new(Float64Array::from(vec![f64::INFINITY; call.rows]))),
    },
    Function {
        name: "nan",
        accepts: &[&[]],
        returns: always!(DataType::Float64),
        call: |call| Ok(Arc::new(Float64Array::from(vec![f64::NAN; call.rows]))),
    },
];

#[expect(clippy::unnecessary_wraps, reason = "the table wants this shape")]
fn same(types: &[DataType]) -> Result<DataType> {
    Ok(types[0].clone())
}

/// The type of a number without its fraction: a decimal may gain a digit before the point.
fn whole(types: &[DataType]) -> Result<DataType> {
    match &types[0] {
        DataType::Decimal128(precision, scale) => {
            let digits = precision.saturating_sub(scale.unsigned_abs()).saturating_add(1);
            Ok(DataType::Decimal128(digits.min(DECIMAL_DIGITS_MAX), 0))
        }
        _ => same(types),
    }
}

fn ceil(call: &Call<'_>) -> Result<ArrayRef> {
    number(call, f64::ceil, |value, unit| -(-value).div_euclid(unit))
}

/// Applies a function to doubles, and to a decimal's digits its like, which divides by the decimal's unit.
fn number(call: &Call<'_>, double: fn(f64) -> f64, decimal: fn(i128, i128) -> i128) -> Result<ArrayRef> {
    let DataType::Decimal128(_, scale) = *call.args[0].data_type() else { return doubles(call, double) };
    let unit = 10i128.pow(u32::from(scale.unsigned_abs()));
    let values = call.args[0].as_primitive::<Decimal128Type>();
    decimals(call, |row| Some(decimal(values.value(row), unit)))
}

fn decimals(call: &Call<'_>, mut value: impl FnMut(usize) -> Option<i128>) -> Result<ArrayRef> {
    let DataType::Decimal128(precision, scale) = *call.returns else {
        return Err(QueryError::argument("expected a decimal").into());
    };
    let bound = 10i128.checked_pow(u32::from(precision)).unwrap_or(i128::MAX);
    let values =
        call.map::<_, Decimal128Array>(|row| match value(row).filter(|value| value.abs() < bound) {
            Some(value) => Ok(Some(value)),
            None => Err(QueryError::user("NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow").into()),
        })?;
    Ok(Arc::new(values.with_precision_and_scale(precision, scale)?))
}

/// A decimal half away from zero, at a number of decimal places; without one its fraction goes.
fn round_decimal(call: &Call<'_>, scale: u32) -> Result<ArrayRef> {
    let values = call.args[0].as_primitive::<Decimal128Type>();
    let places = call.args.get(1).map(|array| array.as_primitive::<Int64Type>());
    decimals(call, |row| {
        let value = values.value(row);
        let kept = places.map_or(0, |places| places.value(row));
        let dropped = u32::try_from(i64::from(scale).saturating_sub(kept)).unwrap_or(0);
        let rounded = match 10i128.checked_pow(dropped) {
            Some(unit) => {
                let (quotient, rest) = (value / unit, value % unit);
                quotient + if rest.abs() >= unit - rest.abs() { value.signum() } else { 0 }
            }
            None => 0,
        };
        let back = if places.is_some() { dropped } else { 0 };
        10i128.checked_pow(back).map_or(Some(0), |unit| rounded.checked_mul(unit))
    })
}

/// Applies a function to doubles; an integer is its own ceiling, floor and truth.
fn doubles(call: &Call<'_>, value: fn(f64) -> f64) -> Result<ArrayRef> {
    if call.args[0].data_type().is_integer() {
        return Ok(Arc::clone(&call.args[0]));
    }
    let values = call.args[0].as_primitive::<Float64Type>();
    Ok(Arc::new(call.map::<_, Float64Array>(|row| Ok(Some(value(values.value(row)))))?))
}

/// Half away from zero, at a number of decimal places.
fn round(call: &Call<'_>) -> Result<ArrayRef> {
    if let DataType::Decimal128(_, scale) = *call.args[0].data_type() {
        return round_decimal(call, u32::from(scale.unsigned_abs()));
    }
    if call.args[0].data_type().is_integer() {
        return Ok(Arc::clone(&call.args[0]));
    }
    let values = call.args[0].as_primitive::<Float64Type>();
    let places = call.args.get(1).map(|array| array.as_primitive::<Int64Type>());
    Ok(Arc::new(call.map::<_, Float64Array>(|row| {
        let value = values.value(row);
        let places = places.map_or(0, |places| places.value(row).clamp(-400, 400));
        let factor = 10f64.powi(i32::try_from(places).unwrap_or(0));
        let scaled = value * factor;
        // Beyond 2^52 a double has no fraction to round.
        if !scaled.is_finite() || scaled.abs() > 4_503_599_627_370_496.0 || factor == 0.0 {
            return Ok(Some(if factor == 0.0 { 0.0 } else { value }));
        }
        Ok(Some(scaled.round() / factor))
    })?))
}
