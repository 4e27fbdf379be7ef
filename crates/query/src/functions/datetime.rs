//! Dates and times: parts, truncation, arithmetic by unit, UNIX time, ISO 8601.
//!
//! Source: <https://trino.io/docs/current/functions/datetime.html>

use std::sync::Arc;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, StringArray, TimestampMillisecondArray,
};
use datafusion::arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMillisecondType};
use datafusion::common::Result;

use super::{Call, Function, Kind, always};
use crate::error::QueryError;
use crate::temporal;
use crate::types::timestamp_utc;

const TEMPORAL: &[&[Kind]] = &[&[Kind::Date], &[Kind::Timestamp], &[Kind::TimestampZoned]];

macro_rules! part {
    ($name:literal, $part:expr) => {
        Function {
            name: $name,
            accepts: TEMPORAL,
            returns: always!(DataType::Int64),
            call: |call| part(call, $part),
        }
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    part!("year", |at| i64::from(at.year())),
    part!("quarter", |at| i64::from(at.month0() / 3 + 1)),
    part!("month", |at| i64::from(at.month())),
    part!("week", |at| i64::from(at.iso_week().week())),
    part!("week_of_year", |at| i64::from(at.iso_week().week())),
    part!("year_of_week", |at| i64::from(at.iso_week().year())),
    part!("yow", |at| i64::from(at.iso_week().year())),
    part!("day", |at| i64::from(at.day())),
    part!("day_of_month", |at| i64::from(at.day())),
    part!("day_of_week", |at| i64::from(at.weekday().number_from_monday())),
    part!("dow", |at| i64::from(at.weekday().number_from_monday())),
    part!("day_of_year", |at| i64::from(at.ordinal())),
    part!("doy", |at| i64::from(at.ordinal())),
    part!("hour", |at| i64::from(at.hour())),
    part!("minute", |at| i64::from(at.minute())),
    part!("second", |at| i64::from(at.second())),
    part!("millisecond", |at| i64::from(at.nanosecond() / 1_000_000)),
    Function {
        name: "date_trunc",
        accepts: &[
            &[Kind::Text, Kind::Date],
            &[Kind::Text, Kind::Timestamp],
            &[Kind::Text, Kind::TimestampZoned],
        ],
        returns: |types| Ok(types[1].clone()),
        call: date_trunc,
    },
    Function {
        name: "date_add",
        accepts: &[
            &[Kind::Text, Kind::Bigint, Kind::Date],
            &[Kind::Text, Kind::Bigint, Kind::Timestamp],
            &[Kind::Text, Kind::Bigint, Kind::TimestampZoned],
        ],
        returns: |types| Ok(types[2].clone()),
        call: date_add,
    },
    Function {
        name: "date_diff",
        accepts: &[
            &[Kind::Text, Kind::Date, Kind::Date],
            &[Kind::Text, Kind::Timestamp, Kind::Timestamp],
            &[Kind::Text, Kind::TimestampZoned, Kind::TimestampZoned],
            &[Kind::Text, Kind::Timestamp, Kind::TimestampZoned],
            &[Kind::Text, Kind::TimestampZoned, Kind::Timestamp],
        ],
        returns: always!(DataType::Int64),
        call: date_diff,
    },
    Function {
        name: "last_day_of_month",
        accepts: TEMPORAL,
        returns: always!(DataType::Date32),
        call: |call| {
            Ok(Arc::new(call.map::<_, Date32Array>(|row| {
                let date = datetime(&call.args[0], row)?.date();
                let first = date.with_day(1).and_then(|first| first.checked_add_months(Months::new(1)));
                Ok(first.and_then(|next| next.pred_opt()).map(temporal::days))
            })?))
        },
    },
    Function {
        name: "from_unixtime",
        accepts: &[&[Kind::Double]],
        returns: always!(timestamp_utc()),
        call: |call| {
            let seconds = call.args[0].as_primitive::<Float64Type>();
            let millis = call.map::<_, TimestampMillisecondArray>(|row| {
                let millis = (seconds.value(row) * 1_000.0).round();
                if millis.abs() > 9.0e15 {
                    return Err(QueryError::argument("Timestamp is out of range").into());
                }
                #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
                Ok(Some(millis as i64))
            })?;
            Ok(Arc::new(millis.with_timezone(crate::types::UTC)))
        },
    },
    Function {
        name: "to_unixtime",
        accepts: &[&[Kind::Timestamp], &[Kind::TimestampZoned]],
        returns: always!(DataType::Float64),
        call: |call| {
            let millis = call.args[0].as_primitive::<TimestampMillisecondType>();
            #[expect(clippy::cast_precision_loss, reason = "a double is the result's type")]
            let seconds = call.map::<_, Float64Array>(|row| Ok(Some(millis.value(row) as f64 / 1_000.0)))?;
            Ok(Arc::new(seconds))
        },
    },
    Function {
        name: "from_iso8601_timestamp",
        accepts: &[&[Kind::Text]],
        returns: always!(timestamp_utc()),
        call: |call| {
            let texts = call.args[0].as_string::<i32>();
            let millis = call.map::<_, TimestampMillisecondArray>(|row| {
                let text = texts.value(row);
                let spaced = text.contains(' ');
                match temporal::parse_timestamp(text.as_bytes()).filter(|_| !spaced) {
                    Some(millis) => Ok(Some(millis)),
                    None => Err(QueryError::argument(format!("Invalid format: \"{text}\"")).into()),
                }
            })?;
            Ok(Arc::new(millis.with_timezone(crate::types::UTC)))
        },
    },
    Function {
        name: "from_iso8601_date",
        accepts: &[&[Kind::Text]],
        returns: always!(DataType::Date32),
        call: |call| {
            let texts = call.args[0].as_string::<i32>();
            Ok(Arc::new(call.map::<_, Date32Array>(|row| {
                let text = texts.value(row);
                match temporal::parse_date(text.as_bytes()) {
                    Some(days) => Ok(Some(days)),
                    None => Err(QueryError::argument(format!("Invalid format: \"{text}\"")).into()),
                }
            })?))
        },
    },
    Function {
        name: "to_iso8601",
        accepts: TEMPORAL,
        returns: always!(DataType::Utf8),
        call: |call| {
            let (date, suffix) = match call.args[0].data_type() {
                DataType::Date32 => (true, ""),
                DataType::Timestamp(_, Some(_)) => (false, "Z"),
                _ => (false, ""),
            };
            Ok(Arc::new(call.map::<_, StringArray>(|row| {
                let at = datetime(&call.args[0], row)?;
                let format = if date { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S%.3f" };
                Ok(Some(format!("{}{suffix}", at.format(format))))
            })?))
        },
    },
    Function {
        // How `now()` reaches a plan: the statement's start, in milliseconds.
        name: "$timestamp_utc",
        accepts: &[&[Kind::Bigint]],
        returns: always!(timestamp_utc()),
        call: |call| {
            let millis = call.args[0].as_primitive::<Int64Type>();
            let array = call.map::<_, TimestampMillisecondArray>(|row| Ok(Some(millis.value(row))))?;
            Ok(Arc::new(array.with_timezone(crate::types::UTC)))
        },
    },
];

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// So many milliseconds.
    Millis(i64),
    /// So many months.
    Months(i64),
}

const DAY: i64 = 86_400_000;

fn unit(name: &str, date: bool) -> Result<Unit> {
    let unit = match name.to_ascii_lowercase().as_str() {
        "millisecond" if !date => Unit::Millis(1),
        "second" if !date => Unit::Millis(1_000),
        "minute" if !date => Unit::Millis(60_000),
        "hour" if !date => Unit::Millis(3_600_000),
        "day" => Unit::Millis(DAY),
        "week" => Unit::Millis(7 * DAY),
        "month" => Unit::Months(1),
        "quarter" => Unit::Months(3),
        "year" => Unit::Months(12),
        _ => {
            let ty = if date { "DATE" } else { "TIMESTAMP" };
            return Err(QueryError::argument(format!("'{name}' is not a valid {ty} field")).into());
        }
    };
    Ok(unit)
}

/// The civil time a date or timestamp stands for.
pub(super) fn datetime(array: &ArrayRef, row: usize) -> Result<NaiveDateTime> {
    let at = match array.data_type() {
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            temporal::date_of(days).map(|date| date.and_time(NaiveTime::MIN))
        }
        _ => temporal::datetime_of(array.as_primitive::<TimestampMillisecondType>().value(row)),
    };
    at.ok_or_else(|| QueryError::argument("Timestamp is out of range").into())
}

fn part(call: &Call<'_>, part: fn(NaiveDateTime) -> i64) -> Result<ArrayRef> {
    Ok(Arc::new(call.map::<_, Int64Array>(|row| Ok(Some(part(datetime(&call.args[0], row)?))))?))
}

/// Rebuilds an array of the result's type from civil times.
pub(super) fn temporal_array(
    call: &Call<'_>,
    value: impl FnMut(usize) -> Result<Option<NaiveDateTime>>,
) -> Result<ArrayRef> {
    let times: Vec<Option<NaiveDateTime>> = call.map(value)?;
    Ok(match call.returns {
        DataType::Date32 => {
            let days = times.into_iter().map(|at| at.map(|at| temporal::days(at.date())));
            Arc::new(days.collect::<Date32Array>())
        }
        DataType::Timestamp(_, zone) => {
            let millis = times.into_iter().map(|at| at.map(temporal::millis));
            let array = millis.collect::<TimestampMillisecondArray>();
            Arc::new(array.with_timezone_opt(zone.clone()))
        }
        other => return Err(QueryError::argument(format!("{other} is no time")).into()),
    })
}

/// The unit each row names; nearly always they are one.
struct Units<'a> {
    names: &'a StringArray,
    date: bool,
    last: Option<(&'a str, Unit)>,
}

impl<'a> Units<'a> {
    fn new(array: &'a ArrayRef, date: bool) -> Self {
        Self { names: array.as_string::<i32>(), date, last: None }
    }

    fn at(&mut self, row: usize) -> Result<Unit> {
        let name = self.names.value(row);
        match self.last {
            Some((last, unit)) if last == name => Ok(unit),
            _ => Ok(self.last.insert((name, unit(name, self.date)?)).1),
        }
    }
}

fn date_trunc(call: &Call<'_>) -> Result<ArrayRef> {
    let date = *call.returns == DataType::Date32;
    let mut units = Units::new(&call.args[0], date);
    if let DataType::Timestamp(_, zone) = call.returns {
        // What dashboards group by: no calendar is needed for units up to a day.
        let values = call.args[1].as_primitive::<TimestampMillisecondType>();
        let truncated = call.map::<_, TimestampMillisecondArray>(|row| {
            let millis = values.value(row);
            match units.at(row)? {
                Unit::Millis(step) if step <= DAY => Ok(Some(millis - millis.rem_euclid(step))),
                unit => Ok(truncate(datetime(&call.args[1], row)?, unit).map(temporal::millis)),
            }
        })?;
        return Ok(Arc::new(truncated.with_timezone_opt(zone.clone())));
    }
    temporal_array(call, |row| Ok(truncate(datetime(&call.args[1], row)?, units.at(row)?)))
}

fn truncate(at: NaiveDateTime, unit: Unit) -> Option<NaiveDateTime> {
    match unit {
        Unit::Millis(millis) if millis == 7 * DAY => {
            let monday = u64::from(at.weekday().num_days_from_monday());
            at.date().checked_sub_days(Days::new(monday)).map(|date| date.and_time(NaiveTime::MIN))
        }
        Unit::Millis(step) => {
            let millis = temporal::millis(at);
            temporal::datetime_of(millis - millis.rem_euclid(step))
        }
        Unit::Months(months) => {
            let months = u32::try_from(months).unwrap_or(1);
            let month = at.month0() / months * months + 1;
            NaiveDate::from_ymd_opt(at.year(), month, 1).map(|date| date.and_time(NaiveTime::MIN))
        }
    }
}

fn date_add(call: &Call<'_>) -> Result<ArrayRef> {
    let mut units = Units::new(&call.args[0], *call.returns == DataType::Date32);
    let counts = call.args[1].as_primitive::<Int64Type>();
    temporal_array(call, |row| {
        let at = datetime(&call.args[2], row)?;
        let added = add(at, units.at(row)?, counts.value(row));
        added.map(Some).ok_or_else(|| QueryError::argument("Timestamp is out of range").into())
    })
}

fn add(at: NaiveDateTime, unit: Unit, count: i64) -> Option<NaiveDateTime> {
    match unit {
        Unit::Millis(millis) => {
            temporal::datetime_of(temporal::millis(at).checked_add(count.checked_mul(millis)?)?)
        }
        Unit::Months(months) => {
            let months = count.checked_mul(months)?;
            let step = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
            if months < 0 { at.checked_sub_months(step) } else { at.checked_add_months(step) }
        }
    }
}

/// Whole units from the first time to the second.
fn date_diff(call: &Call<'_>) -> Result<ArrayRef> {
    let mut units = Units::new(&call.args[0], *call.args[1].data_type() == DataType::Date32);
    Ok(Arc::new(call.map::<_, Int64Array>(|row| {
        let (from, to) = (datetime(&call.args[1], row)?, datetime(&call.args[2], row)?);
        Ok(Some(match units.at(row)? {
            Unit::Millis(millis) => (temporal::millis(to) - temporal::millis(from)) / millis,
            Unit::Months(unit) => {
                let index = |at: NaiveDateTime| i64::from(at.year()) * 12 + i64::from(at.month0());
                let mut months = index(to) - index(from);
                let reached = add(from, Unit::Months(1), months);
                if months > 0 && reached.is_none_or(|reached| reached > to) {
                    months -= 1;
                } else if months < 0 && reached.is_none_or(|reached| reached < to) {
                    months += 1;
                }
                months / unit
            }
        }))
    })?))
}
