//! Arrays and maps: `element_at` (NULL when absent), `[…]` (an error when absent), `cardinality`.
//!
//! Source: <https://trino.io/docs/current/functions/array.html>

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, UInt64Array, make_comparator,
};
use datafusion::arrow::compute::{SortOptions, cast, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::Result;

use super::{Call, Function, Kind, always};
use crate::error::QueryError;
use crate::text::Text;
use crate::types::trino_name;

/// `array[index]` and `map[key]`.
pub(crate) const SUBSCRIPT: Function = Function {
    name: "$subscript",
    accepts: &[&[Kind::Any, Kind::Any]],
    returns: value_type,
    call: |call| look_up(call, Absent::Error),
};

/// How UNNEST makes several columns of one array or map: the n-th of them, given how many there should be.
macro_rules! unnest_column {
    ($name:literal, $nth:literal) => {
        Function {
            name: $name,
            accepts: &[&[Kind::Any, Kind::Bigint]],
            returns: |types| {
                let columns = unnest_columns(&types[0])?;
                let column = columns.get($nth - 1).ok_or_else(|| aliases($nth, columns.len()))?;
                Ok(DataType::List(Arc::new(Field::new_list_field(column.data_type().clone(), true))))
            },
            call: |call| unnest_column(call, $nth),
        }
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    SUBSCRIPT,
    Function {
        name: "element_at",
        accepts: &[&[Kind::Any, Kind::Any]],
        returns: value_type,
        call: |call| look_up(call, Absent::Null),
    },
    unnest_column!("$unnest_1", 1),
    unnest_column!("$unnest_2", 2),
    unnest_column!("$unnest_3", 3),
    unnest_column!("$unnest_4", 4),
    unnest_column!("$unnest_5", 5),
    unnest_column!("$unnest_6", 6),
    unnest_column!("$unnest_7", 7),
    unnest_column!("$unnest_8", 8),
    Function {
        name: "cardinality",
        accepts: &[&[Kind::Any]],
        returns: always!(DataType::Int64),
        call: |call| {
            let array = &call.args[0];
            let offsets = match array.data_type() {
                DataType::List(_) => array.as_list::<i32>().value_offsets(),
                DataType::Map(..) => array.as_map().value_offsets(),
                other => return Err(unexpected(other).into()),
            };
            Ok(Arc::new(
                call.map::<_, Int64Array>(|row| Ok(Some(i64::from(offsets[row + 1] - offsets[row]))))?,
            ))
        },
    },
];

/// The columns that UNNEST makes of an element: a map's key and value, a row's fields.
fn unnest_columns(ty: &DataType) -> Result<Vec<FieldRef>, QueryError> {
    match ty {
        DataType::Map(item, _) | DataType::List(item) => match item.data_type() {
            DataType::Struct(fields) => Ok(fields.iter().cloned().collect()),
            _ => Ok(vec![Arc::clone(item)]),
        },
        other => Err(QueryError::user("TYPE_MISMATCH", format!("Cannot unnest type: {}", trino_name(other)))),
    }
}

fn aliases(named: usize, columns: usize) -> QueryError {
    let sentence = format!("Column alias list has {named} entries but relation has {columns} columns");
    QueryError::user("MISMATCHED_COLUMN_ALIASES", sentence)
}

fn unnest_column(call: &Call<'_>, nth: usize) -> Result<ArrayRef> {
    let array = &call.args[0];
    let columns = unnest_columns(array.data_type())?.len();
    let named = call.args[1].as_primitive::<Int64Type>().iter().flatten().next();
    if let Some(named) = named.and_then(|named| usize::try_from(named).ok()).filter(|named| *named != columns)
    {
        return Err(aliases(named, columns).into());
    }
    let (offsets, entries, nulls) = match array.data_type() {
        DataType::Map(..) => {
            let map = array.as_map();
            (map.offsets().clone(), map.entries().clone(), map.nulls().cloned())
        }
        _ => {
            let list = array.as_list::<i32>();
            (list.offsets().clone(), list.values().as_struct().clone(), list.nulls().cloned())
        }
    };
    // A field of a row that is NULL is NULL, whatever stands there.
    let values = match entries.nulls() {
        None => Arc::clone(entries.column(nth - 1)),
        Some(valid) => {
            let rows = (0..entries.len()).map(|row| valid.is_valid(row).then_some(row as u64));
            take(entries.column(nth - 1), &rows.collect::<UInt64Array>(), None)?
        }
    };
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(field, offsets, values, nulls)?))
}

/// What a missing element or key is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    Null,
    Error,
}

fn unexpected(ty: &DataType) -> QueryError {
    QueryError::user("TYPE_MISMATCH", format!("Expected an array or a map, not {}", trino_name(ty)))
}

fn value_type(types: &[DataType]) -> Result<DataType> {
    match &types[0] {
        DataType::List(item) => Ok(item.data_type().clone()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => Ok(fields[1].data_type().clone()),
            other => Err(unexpected(other).into()),
        },
        other => Err(unexpected(other).into()),
    }
}

fn look_up(call: &Call<'_>, absent: Absent) -> Result<ArrayRef> {
    match call.args[0].data_type() {
        DataType::List(_) => element(call, absent),
        DataType::Map(..) => value_of(call, absent),
        other => Err(unexpected(other).into()),
    }
}

/// Elements count from 1; `element_at` counts from the end when negative.
fn element(call: &Call<'_>, absent: Absent) -> Result<ArrayRef> {
    let list = call.args[0].as_list::<i32>();
    let indexes = cast(&call.args[1], &DataType::Int64)?;
    let indexes = indexes.as_primitive::<Int64Type>();
    let picks = call.map::<_, UInt64Array>(|row| {
        let (start, end) = (i64::from(list.value_offsets()[row]), i64::from(list.value_offsets()[row + 1]));
        let (index, length) = (indexes.value(row), end - start);
        let refuse = |sentence: String| Err(QueryError::argument(sentence).into());
        match index {
            0 => return refuse("SQL array indices start at 1".to_owned()),
            1.. if index <= length => return Ok(u64::try_from(start + index - 1).ok()),
            ..0 if absent == Absent::Null && -index <= length => return Ok(u64::try_from(end + index).ok()),
            _ => {}
        }
        match absent {
            Absent::Null => Ok(None),
            Absent::Error if index < 0 => refuse(format!("Array subscript is negative: {index}")),
            Absent::Error => refuse(format!(
                "Array subscript must be less than or equal to array length: {index} > {length}"
            )),
        }
    })?;
    Ok(take(list.values(), &picks, None)?)
}

fn value_of(call: &Call<'_>, absent: Absent) -> Result<ArrayRef> {
    let map = call.args[0].as_map();
    let wanted = cast(&call.args[1], map.keys().data_type())?;
    let compare = make_comparator(map.keys(), &wanted, SortOptions::default())?;
    let shown = Text::new(&wanted)?;
    let picks = call.map::<_, UInt64Array>(|row| {
        let offset = |idx: usize| usize::try_from(map.value_offsets()[idx]).unwrap_or(0);
        let found = (offset(row)..offset(row + 1)).find(|entry| compare(*entry, row).is_eq());
        if found.is_none() && absent == Absent::Error {
            let key = shown.at(row).unwrap_or_default();
            return Err(QueryError::argument(format!("Key not present in map: {key}")).into());
        }
        Ok(found.map(|entry| entry as u64))
    })?;
    Ok(take(map.values(), &picks, None)?)
}
