//! `sequence`: numbers, dates and times at equal distances, as an array.
//!
//! Source: <https://trino.io/docs/current/functions/array.html#sequence>

use std::sync::Arc;

use chrono::Months;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, Int64Builder, ListArray, ListBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use datafusion::common::Result;

use super::{Call, Function, Kind};
use crate::error::QueryError;
use crate::limits::SEQUENCE_MAX;
use crate::temporal;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "sequence",
        accepts: &[
            &[Kind::Bigint, Kind::Bigint],
            &[Kind::Bigint, Kind::Bigint, Kind::Bigint],
            &[Kind::Date, Kind::Date],
            &[Kind::Date, Kind::Date, Kind::Interval],
            &[Kind::Timestamp, Kind::Timestamp, Kind::Interval],
            &[Kind::TimestampZoned, Kind::TimestampZoned, Kind::Interval],
        ],
        returns: |types| Ok(DataType::List(Arc::new(Field::new_list_field(types[0].clone(), true)))),
        call: sequence,
    },
    Function {
        // How UNNEST … WITH ORDINALITY numbers the elements: the array `1 … cardinality`.
        name: "$ordinals",
        accepts: &[&[Kind::Any]],
        returns: |_| Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))),
        call: ordinals,
    },
];

fn ordinals(call: &Call<'_>) -> Result<ArrayRef> {
    let Some(arrays) = call.args[0].as_list_opt::<i32>() else {
        return Err(QueryError::user("TYPE_MISMATCH", "Cannot unnest type").into());
    };
    let mut lists = ListBuilder::new(Int64Builder::new());
    for row in 0..call.rows {
        for nth in 1..=i64::from(arrays.value_length(row)) {
            lists.values().append_value(nth);
        }
        lists.append(arrays.is_valid(row));
    }
    Ok(Arc::new(lists.finish()))
}

/// How far one value is from the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Plain(i64),
    Months(i32),
}

fn sequence(call: &Call<'_>) -> Result<ArrayRef> {
    let bounds = [plain(&call.args[0])?, plain(&call.args[1])?];
    let is_date = *call.args[0].data_type() == DataType::Date32;
    let mut lists = ListBuilder::new(Int64Builder::new());
    for row in 0..call.rows {
        if call.has_null(row) {
            lists.append(false);
            continue;
        }
        let (start, stop) = (bounds[0].value(row), bounds[1].value(row));
        let step = match call.args.get(2) {
            None => Step::Plain(if start <= stop { 1 } else { -1 }),
            Some(steps) => step(steps, row, is_date)?,
        };
        fill(lists.values(), start, stop, step, is_date)?;
        lists.append(true);
    }
    let lists = lists.finish();
    let DataType::List(field) = call.returns else { return Ok(Arc::new(lists)) };
    let item = restored(lists.values(), field.data_type())?;
    let array = ListArray::try_new(Arc::clone(field), lists.offsets().clone(), item, lists.nulls().cloned())?;
    Ok(Arc::new(array))
}

/// Numbers as they are, dates as days, times as milliseconds.
fn plain(array: &ArrayRef) -> Result<Int64Array> {
    let array = match array.data_type() {
        DataType::Date32 => cast(array, &DataType::Int32)?,
        DataType::Timestamp(..) => cast(array, &DataType::Timestamp(TimeUnit::Millisecond, None))?,
        _ => Arc::clone(array),
    };
    Ok(cast(&array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

fn restored(values: &ArrayRef, ty: &DataType) -> Result<ArrayRef> {
    match ty {
        DataType::Date32 => Ok(cast(&cast(values, &DataType::Int32)?, ty)?),
        _ => Ok(cast(values, ty)?),
    }
}

fn step(steps: &ArrayRef, row: usize, is_date: bool) -> Result<Step> {
    if steps.data_type().is_integer() {
        return Ok(Step::Plain(steps.as_primitive::<Int64Type>().value(row)));
    }
    let interval = cast(steps, &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let interval = interval.as_primitive::<IntervalMonthDayNanoType>().value(row);
    if interval.months != 0 {
        return Ok(Step::Months(interval.months));
    }
    let millis = i64::from(interval.days) * 86_400_000 + interval.nanoseconds / 1_000_000;
    if is_date && millis % 86_400_000 != 0 {
        let sentence = "sequence step must be a day interval if start and end values are dates";
        return Err(QueryError::argument(sentence).into());
    }
    Ok(Step::Plain(if is_date { millis / 86_400_000 } else { millis }))
}

fn fill(values: &mut Int64Builder, start: i64, stop: i64, step: Step, is_date: bool) -> Result<()> {
    let forward = match step {
        Step::Plain(0) | Step::Months(0) => return Err(QueryError::argument("step must not be zero").into()),
        Step::Plain(step) => step > 0,
        Step::Months(step) => step > 0,
    };
    if start != stop && forward != (start < stop) {
        let sentence = "sequence stop value should be greater than or equal to start value if step is greater \
                        than zero otherwise stop should be less than or equal to start";
        return Err(QueryError::argument(sentence).into());
    }
    for nth in 0.. {
        let value = match step {
            Step::Plain(step) => step.checked_mul(nth).and_then(|distance| start.checked_add(distance)),
            Step::Months(step) => months_later(start, i64::from(step).saturating_mul(nth), is_date),
        };
        let Some(value) = value.filter(|value| if forward { *value <= stop } else { *value >= stop }) else {
            return Ok(());
        };
        if nth >= SEQUENCE_MAX {
            let sentence =
                format!("result of sequence function must not have more than {SEQUENCE_MAX} entries");
            return Err(QueryError::argument(sentence).into());
        }
        values.append_value(value);
    }
    Ok(())
}

fn months_later(start: i64, months: i64, is_date: bool) -> Option<i64> {
    let at = temporal::datetime_of(if is_date { start.checked_mul(86_400_000)? } else { start })?;
    let step = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let at = if months < 0 { at.checked_sub_months(step)? } else { at.checked_add_months(step)? };
    Some(if is_date { i64::from(temporal::days(at.date())) } else { temporal::millis(at) })
}
