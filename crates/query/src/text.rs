//! Values as Athena writes them in results: the text of GetQueryResults and of the CSV file.
//!
//! Timestamps have three digits after the second; a double is Java's (`1.0E10`); arrays are `[1, 2]`, maps and rows
//! `{a=1, b=2}`; NULL inside them is `null`; binary is hex in pairs.

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, cast::as_map_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int64Type,
    IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, TimeUnit,
    TimestampMillisecondType,
};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use ports::Row;

use crate::temporal::{format_date, format_timestamp};

/// The rows of a batch as text.
pub(crate) fn rows(batch: &RecordBatch) -> Result<Vec<Row>, ArrowError> {
    let columns = batch.columns().iter().map(Text::new).collect::<Result<Vec<_>, _>>()?;
    Ok((0..batch.num_rows()).map(|row| columns.iter().map(|column| column.at(row)).collect()).collect())
}

/// Writes the values of one array.
pub(crate) struct Text {
    array: ArrayRef,
    nested: Vec<Text>,
}

impl Text {
    pub(crate) fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        let plain = |to: DataType| cast(array, &to).map(|array| Self { array, nested: Vec::new() });
        match array.data_type() {
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64 => plain(DataType::Int64),
            DataType::Float16 => plain(DataType::Float32),
            DataType::LargeUtf8 | DataType::Utf8View => plain(DataType::Utf8),
            DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                plain(DataType::Binary)
            }
            DataType::Date64 => plain(DataType::Date32),
            DataType::Timestamp(unit, zone) if *unit != TimeUnit::Millisecond => {
                plain(DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))
            }
            DataType::Duration(unit) if *unit != TimeUnit::Millisecond => {
                plain(DataType::Duration(TimeUnit::Millisecond))
            }
            DataType::Dictionary(_, values) => plain((**values).clone()),
            DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                let list = cast(array, &DataType::List(std::sync::Arc::clone(item)))?;
                Self::new(&list)
            }
            DataType::List(_) => {
                let nested = vec![Self::new(array.as_list::<i32>().values())?];
                Ok(Self { array: ArrayRef::clone(array), nested })
            }
            DataType::Map(..) => {
                let map = as_map_array(array);
                let nested = vec![Self::new(map.keys())?, Self::new(map.values())?];
                Ok(Self { array: ArrayRef::clone(array), nested })
            }
            DataType::Struct(_) => {
                let nested = array.as_struct().columns().iter().map(Self::new).collect::<Result<_, _>>()?;
                Ok(Self { array: ArrayRef::clone(array), nested })
            }
            _ => Ok(Self { array: ArrayRef::clone(array), nested: Vec::new() }),
        }
    }

    /// The text of a value; none for NULL.
    pub(crate) fn at(&self, row: usize) -> Option<String> {
        if self.array.is_null(row) || *self.array.data_type() == DataType::Null {
            return None;
        }
        let array = &self.array;
        Some(match array.data_type() {
            DataType::Boolean => array.as_boolean().value(row).to_string(),
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Float32 => float(array.as_primitive::<Float32Type>().value(row)),
            DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
            DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
            DataType::Binary => hex_pairs(array.as_binary::<i32>().value(row)),
            DataType::Date32 => format_date(array.as_primitive::<Date32Type>().value(row)),
            DataType::Timestamp(_, zone) => {
                let text = format_timestamp(array.as_primitive::<TimestampMillisecondType>().value(row));
                match zone {
                    None => text,
                    Some(zone) => format!("{text} {}", zone_name(zone)),
                }
            }
            DataType::Duration(_) => day_time(array.as_primitive::<DurationMillisecondType>().value(row)),
            DataType::Interval(IntervalUnit::YearMonth) => {
                let months = array.as_primitive::<IntervalYearMonthType>().value(row);
                year_month(i64::from(months))
            }
            DataType::Interval(IntervalUnit::DayTime) => {
                let interval = array.as_primitive::<IntervalDayTimeType>().value(row);
                day_time(i64::from(interval.days) * 86_400_000 + i64::from(interval.milliseconds))
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => {
                let interval = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
                if interval.months != 0 {
                    year_month(i64::from(interval.months))
                } else {
                    day_time(i64::from(interval.days) * 86_400_000 + interval.nanoseconds / 1_000_000)
                }
            }
            DataType::List(_) => {
                let offsets = array.as_list::<i32>().value_offsets();
                let items = range(offsets, row).map(|idx| self.inner(0, idx));
                format!("[{}]", join(items))
            }
            DataType::Map(..) => {
                let offsets = as_map_array(array).value_offsets();
                let entries =
                    range(offsets, row).map(|idx| format!("{}={}", self.inner(0, idx), self.inner(1, idx)));
                format!("{{{}}}", join(entries))
            }
            DataType::Struct(fields) => {
                let members = fields
                    .iter()
                    .enumerate()
                    .map(|(idx, field)| format!("{}={}", field.name(), self.inner(idx, row)));
                format!("{{{}}}", join(members))
            }
            _ => ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())
                .map(|formatter| formatter.value(row).to_string())
                .unwrap_or_default(),
        })
    }

    fn inner(&self, nested: usize, row: usize) -> String {
        self.nested.get(nested).and_then(|text| text.at(row)).unwrap_or_else(|| "null".to_owned())
    }
}

fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |idx: usize| usize::try_from(offsets[idx]).expect("offsets are not negative");
    at(row)..at(row + 1)
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn zone_name(zone: &str) -> &str {
    if zone == "+00:00" { "UTC" } else { zone }
}

fn hex_pairs(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for (idx, byte) in bytes.iter().enumerate() {
        let space = if idx == 0 { "" } else { " " };
        write!(out, "{space}{byte:02x}").expect("writing to a string cannot fail");
    }
    out
}

/// `2 03:04:05.678`.
fn day_time(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    format!("{sign}{days} {hours:02}:{minutes:02}:{:02}.{:03}", rest / 1_000 % 60, rest % 1_000)
}

/// `1-06`.
fn year_month(months: i64) -> String {
    let sign = if months < 0 { "-" } else { "" };
    format!("{sign}{}-{}", months.unsigned_abs() / 12, months.unsigned_abs() % 12)
}

/// Java's `Double.toString`: plain from 10⁻³ to 10⁷, else with an exponent; always a point.
pub(crate) fn float<F: Into<f64> + std::fmt::LowerExp + Copy>(value: F) -> String {
    let wide: f64 = value.into();
    if wide.is_nan() {
        return "NaN".to_owned();
    }
    if wide.is_infinite() {
        return if wide > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    // The shortest digits that read back as the same value: `-1.2345e-7`.
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    if wide != 0.0 && !(-3..7).contains(&exponent) {
        let point = if mantissa.contains('.') { "" } else { ".0" };
        return format!("{sign}{mantissa}{point}E{exponent}");
    }
    let digits = mantissa.replace('.', "");
    if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = usize::try_from(exponent + 1).unwrap_or(1);
    let padded = format!("{digits:0<whole$}");
    let (whole, fraction) = padded.split_at(whole);
    format!("{sign}{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{BinaryArray, DurationSecondArray, TimestampMillisecondArray};

    use super::*;

    #[test]
    fn doubles_are_javas() {
        let check = |value: f64, text: &str| assert_eq!(float(value), text);
        check(0.0, "0.0");
        check(-0.0, "-0.0");
        check(1.0, "1.0");
        check(72.5, "72.5");
        check(100.0, "100.0");
        check(9_999_999.0, "9999999.0");
        check(1e7, "1.0E7");
        check(1e10, "1.0E10");
        check(1.234_5e-7, "1.2345E-7");
        check(0.001, "0.001");
        check(0.012_5, "0.0125");
        check(9.99e-4, "9.99E-4");
        check(-123.456, "-123.456");
        check(f64::NAN, "NaN");
        check(f64::NEG_INFINITY, "-Infinity");
        check(f64::MAX, "1.7976931348623157E308");
        assert_eq!(float(0.1f32), "0.1");
    }

    #[test]
    fn binary_intervals_and_zones() {
        let text = |array: ArrayRef| Text::new(&array).unwrap().at(0).unwrap();
        assert_eq!(text(Arc::new(BinaryArray::from_iter_values([b"123"]))), "31 32 33");
        assert_eq!(text(Arc::new(DurationSecondArray::from(vec![-93_784]))), "-1 02:03:04.000");
        let utc = TimestampMillisecondArray::from(vec![0]).with_timezone("+00:00");
        assert_eq!(text(Arc::new(utc)), "1970-01-01 00:00:00.000 UTC");
        assert_eq!(year_month(-18), "-1-6");
    }
}
