//! CAST and TRY_CAST to the plain types, as Trino converts: to integers half up, to varchar in Athena's own text.
//!
//! Decimals and types with parts are left to the engine's own cast, which agrees.
//!
//! Source: <https://trino.io/docs/current/functions/conversion.html>

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMillisecondArray,
};
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, TimeUnit,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::QueryError;
use crate::temporal;
use crate::text::Text;
use crate::types::{TIMESTAMP, timestamp_utc, trino_name};

/// The name a target has in the functions' names, and its type.
fn targets() -> [(&'static str, DataType); 11] {
    [
        ("boolean", DataType::Boolean),
        ("tinyint", DataType::Int8),
        ("smallint", DataType::Int16),
        ("integer", DataType::Int32),
        ("bigint", DataType::Int64),
        ("real", DataType::Float32),
        ("double", DataType::Float64),
        ("varchar", DataType::Utf8),
        ("date", DataType::Date32),
        ("timestamp", TIMESTAMP),
        ("timestamptz", timestamp_utc()),
    ]
}

/// What becomes of a value that cannot be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Failure {
    Error,
    Null,
}

/// The functions `$cast_integer`, `$try_cast_integer`, …
pub(super) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let both = [("$cast_", Failure::Error), ("$try_cast_", Failure::Null)];
    both.into_iter().flat_map(|(prefix, failure)| {
        targets().into_iter().map(move |(name, target)| {
            let signature = Signature::any(1, Volatility::Immutable);
            let cast = Cast { name: format!("{prefix}{name}"), target, failure, signature };
            Arc::new(ScalarUDF::new_from_impl(cast))
        })
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Cast {
    name: String,
    target: DataType,
    failure: Failure,
    signature: Signature,
}

impl ScalarUDFImpl for Cast {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.target.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &args.args[0] {
            ColumnarValue::Array(array) => {
                convert(array, &self.target, self.failure).map(ColumnarValue::Array)
            }
            ColumnarValue::Scalar(value) => {
                let array = convert(&value.to_array()?, &self.target, self.failure)?;
                ScalarValue::try_from_array(&array, 0).map(ColumnarValue::Scalar)
            }
        }
    }
}

fn convert(array: &ArrayRef, target: &DataType, failure: Failure) -> Result<ArrayRef> {
    let from = array.data_type();
    if from == target {
        return Ok(Arc::clone(array));
    }
    match (from, target) {
        (DataType::Null, _) => Ok(cast(array, target)?),
        (_, DataType::Utf8) => to_text(array),
        (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, _) => {
            from_text(cast(array, &DataType::Utf8)?.as_string::<i32>(), target, failure)
        }
        (DataType::Float32 | DataType::Float64, target) if target.is_integer() => {
            let wide = cast(array, &DataType::Float64)?;
            let shown = trino_name(target).to_uppercase();
            let rounded = values(wide.as_primitive::<Float64Type>().iter(), failure, |value| {
                let rounded = value.round();
                // 2^63 is a double, 2^63 - 1 is none.
                if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded) {
                    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
                    return Ok(rounded as i64);
                }
                Err(QueryError::user(
                    "INVALID_CAST_ARGUMENT",
                    format!("Cannot cast {} to {shown}", crate::text::float(value)),
                ))
            })?;
            narrow(&rounded.into_iter().collect::<Int64Array>(), target, failure)
        }
        (DataType::Decimal128(_, scale), target) if target.is_integer() => {
            let factor = 10i128.pow(u32::from(scale.unsigned_abs()));
            let rounded = values(array.as_primitive::<Decimal128Type>().iter(), failure, |value| {
                let (quotient, rest) = (value / factor, value % factor);
                let up = if rest.abs() * 2 >= factor { value.signum() } else { 0 };
                i64::try_from(quotient + up).map_err(|_| out_of_range(quotient, target))
            })?;
            narrow(&rounded.into_iter().collect::<Int64Array>(), target, failure)
        }
        (from, target) if from.is_integer() && target.is_integer() => {
            let wide = cast(array, &DataType::Int64)?;
            narrow(wide.as_primitive::<Int64Type>(), target, failure)
        }
        (DataType::Timestamp(..), DataType::Date32) => days(array),
        (DataType::Date32, DataType::Timestamp(_, zone)) => {
            let days = array.as_primitive::<Date32Type>();
            let millis = days.iter().map(|days| days.map(|days| i64::from(days) * 86_400_000));
            let array = millis.collect::<TimestampMillisecondArray>();
            Ok(Arc::new(array.with_timezone_opt(zone.clone())))
        }
        (from, target) if is_number(from) && *target == DataType::Boolean => {
            let wide = cast(array, &DataType::Float64)?;
            let truths =
                wide.as_primitive::<Float64Type>().iter().map(|value| value.map(|value| value != 0.0));
            Ok(Arc::new(truths.collect::<BooleanArray>()))
        }
        (from, target) if may_cast(from, target) => {
            let options = CastOptions { safe: failure == Failure::Null, ..CastOptions::default() };
            Ok(cast_with_options(array, target, &options)?)
        }
        (from, target) => {
            let sentence = format!("Cannot cast {} to {}", trino_name(from), trino_name(target));
            Err(QueryError::user("TYPE_MISMATCH", sentence).into())
        }
    }
}

/// The date of each time.
fn days(array: &ArrayRef) -> Result<ArrayRef> {
    let millis = cast(array, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
    let millis = cast(&millis, &DataType::Int64)?;
    let days = millis.as_primitive::<Int64Type>().iter();
    let days = days.map(|millis| millis.and_then(|millis| i32::try_from(millis.div_euclid(86_400_000)).ok()));
    Ok(Arc::new(days.collect::<Date32Array>()))
}

fn is_number(ty: &DataType) -> bool {
    ty.is_numeric()
}

/// Conversions on which the engine's own cast and Trino's agree.
fn may_cast(from: &DataType, to: &DataType) -> bool {
    let number = |ty: &DataType| is_number(ty) || *ty == DataType::Boolean;
    (number(from) && number(to))
        || matches!((from, to), (DataType::Timestamp(..) | DataType::Date64, DataType::Timestamp(..)))
}

fn to_text(array: &ArrayRef) -> Result<ArrayRef> {
    let text = Text::new(array)?;
    Ok(Arc::new((0..array.len()).map(|row| text.at(row)).collect::<StringArray>()))
}

fn from_text(texts: &StringArray, target: &DataType, failure: Failure) -> Result<ArrayRef> {
    let shown = trino_name(target).to_uppercase();
    let bad =
        |text: &str| QueryError::user("INVALID_CAST_ARGUMENT", format!("Cannot cast '{text}' to {shown}"));
    Ok(match target {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let parsed =
                values(texts.iter(), failure, |text| text.trim().parse::<i64>().map_err(|_| bad(text)))?;
            return narrow(&parsed.into_iter().collect::<Int64Array>(), target, failure);
        }
        DataType::Float32 | DataType::Float64 => {
            let parsed = values(texts.iter(), failure, |text| {
                let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE ".contains(&byte));
                match text.trim() {
                    "NaN" => Ok(f64::NAN),
                    "Infinity" | "+Infinity" => Ok(f64::INFINITY),
                    "-Infinity" => Ok(f64::NEG_INFINITY),
                    number if plain => number.parse::<f64>().map_err(|_| bad(text)),
                    _ => Err(bad(text)),
                }
            })?;
            let array: ArrayRef = Arc::new(parsed.into_iter().collect::<Float64Array>());
            if *target == DataType::Float32 {
                let narrowed = cast(&array, target)?;
                return Ok(Arc::new(narrowed.as_primitive::<Float32Type>().clone()));
            }
            array
        }
        DataType::Boolean => {
            let parsed = values(texts.iter(), failure, |text| match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" => Ok(true),
                "false" | "f" | "0" => Ok(false),
                _ => Err(bad(text)),
            })?;
            Arc::new(parsed.into_iter().collect::<BooleanArray>())
        }
        DataType::Date32 => {
            let parsed = values(texts.iter(), failure, |text| {
                temporal::parse_date(text.trim().as_bytes()).ok_or_else(|| bad(text))
            })?;
            Arc::new(parsed.into_iter().collect::<Date32Array>())
        }
        DataType::Timestamp(_, zone) => {
            let parsed = values(texts.iter(), failure, |text| {
                temporal::parse_timestamp(text.trim().as_bytes()).ok_or_else(|| bad(text))
            })?;
            let array = parsed.into_iter().collect::<TimestampMillisecondArray>();
            Arc::new(array.with_timezone_opt(zone.clone()))
        }
        other => {
            let sentence = format!("Cannot cast varchar to {}", trino_name(other));
            return Err(QueryError::user("TYPE_MISMATCH", sentence).into());
        }
    })
}

/// Converts each value; one that cannot be is an error or NULL.
fn values<V, T>(
    input: impl Iterator<Item = Option<V>>,
    failure: Failure,
    mut convert: impl FnMut(V) -> Result<T, QueryError>,
) -> Result<Vec<Option<T>>> {
    let mut out = Vec::with_capacity(input.size_hint().0);
    for value in input {
        out.push(match value.map(&mut convert) {
            None => None,
            Some(Ok(value)) => Some(value),
            Some(Err(_)) if failure == Failure::Null => None,
            Some(Err(error)) => return Err(error.into()),
        });
    }
    Ok(out)
}

fn narrow(wide: &Int64Array, target: &DataType, failure: Failure) -> Result<ArrayRef> {
    let (min, max) = match target {
        DataType::Int8 => (i64::from(i8::MIN), i64::from(i8::MAX)),
        DataType::Int16 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        DataType::Int32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let checked = values(wide.iter(), failure, |value| {
        if (min..=max).contains(&value) { Ok(value) } else { Err(out_of_range(value.into(), target)) }
    })?;
    let array: ArrayRef = Arc::new(checked.into_iter().collect::<Int64Array>());
    Ok(cast(&array, target)?)
}

fn out_of_range(value: i128, target: &DataType) -> QueryError {
    let sentence = format!("Out of range for {}: {value}", trino_name(target));
    QueryError::user("NUMERIC_VALUE_OUT_OF_RANGE", sentence)
}
