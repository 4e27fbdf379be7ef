//! Strings, counted in characters.
//!
//! Source: <https://trino.io/docs/current/functions/string.html>

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::Result;

use super::{Call, Function, Kind, always};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "length",
        accepts: &[&[Kind::Text]],
        returns: always!(DataType::Int64),
        call: |call| {
            let texts = call.args[0].as_string::<i32>();
            Ok(Arc::new(call.map::<_, Int64Array>(|row| Ok(Some(count(texts.value(row).chars().count()))))?))
        },
    },
    Function {
        name: "substr",
        accepts: &[&[Kind::Text, Kind::Bigint], &[Kind::Text, Kind::Bigint, Kind::Bigint]],
        returns: always!(DataType::Utf8),
        call: substr,
    },
    Function {
        name: "substring",
        accepts: &[&[Kind::Text, Kind::Bigint], &[Kind::Text, Kind::Bigint, Kind::Bigint]],
        returns: always!(DataType::Utf8),
        call: substr,
    },
    Function {
        name: "replace",
        accepts: &[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Text]],
        returns: always!(DataType::Utf8),
        call: |call| {
            let (texts, from) = (call.args[0].as_string::<i32>(), call.args[1].as_string::<i32>());
            let to = call.args.get(2).map(|array| array.as_string::<i32>());
            Ok(Arc::new(call.map::<_, StringArray>(|row| {
                Ok(Some(texts.value(row).replace(from.value(row), to.map_or("", |to| to.value(row)))))
            })?))
        },
    },
    Function {
        name: "split",
        accepts: &[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Bigint]],
        returns: always!(DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))),
        call: split,
    },
    Function {
        name: "split_part",
        accepts: &[&[Kind::Text, Kind::Text, Kind::Bigint]],
        returns: always!(DataType::Utf8),
        call: |call| {
            let (texts, delimiters) = (call.args[0].as_string::<i32>(), call.args[1].as_string::<i32>());
            let indexes = call.args[2].as_primitive::<Int64Type>();
            Ok(Arc::new(call.map::<_, StringArray>(|row| {
                let index = usize::try_from(indexes.value(row)).unwrap_or(0);
                if index == 0 {
                    return Err(QueryError::argument("Index must be greater than zero").into());
                }
                let (text, delimiter) = (texts.value(row), delimiters.value(row));
                if delimiter.is_empty() {
                    return Ok(text.chars().nth(index - 1).map(String::from));
                }
                Ok(text.split(delimiter).nth(index - 1).map(str::to_owned))
            })?))
        },
    },
    Function {
        name: "$strpos",
        accepts: &[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Bigint]],
        returns: always!(DataType::Int64),
        call: |call| {
            let (texts, parts) = (call.args[0].as_string::<i32>(), call.args[1].as_string::<i32>());
            let nth = call.args.get(2).map(|array| array.as_primitive::<Int64Type>());
            Ok(Arc::new(call.map::<_, Int64Array>(|row| {
                let nth = nth.map_or(1, |nth| nth.value(row));
                let nth = usize::try_from(nth).unwrap_or(0);
                if nth == 0 {
                    return Err(QueryError::argument("'instance' must be a positive number").into());
                }
                let text = texts.value(row);
                let found = text.match_indices(parts.value(row)).nth(nth - 1);
                Ok(Some(found.map_or(0, |(at, _)| count(text.split_at(at).0.chars().count()) + 1)))
            })?))
        },
    },
    Function {
        name: "codepoint",
        accepts: &[&[Kind::Text]],
        returns: always!(DataType::Int64),
        call: |call| {
            let texts = call.args[0].as_string::<i32>();
            Ok(Arc::new(call.map::<_, Int64Array>(|row| {
                let mut chars = texts.value(row).chars();
                match (chars.next(), chars.next()) {
                    (Some(ch), None) => Ok(Some(i64::from(u32::from(ch)))),
                    _ => Err(QueryError::argument("Input string must be a single character string").into()),
                }
            })?))
        },
    },
];

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Positions count from 1, from the end when negative; 0 is nowhere.
fn substr(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.args[0].as_string::<i32>();
    let starts = call.args[1].as_primitive::<Int64Type>();
    let lengths = call.args.get(2).map(|array| array.as_primitive::<Int64Type>());
    Ok(Arc::new(call.map::<_, StringArray>(|row| {
        let (text, start) = (texts.value(row), starts.value(row));
        let length = lengths.map_or(i64::MAX, |lengths| lengths.value(row));
        let chars = count(text.chars().count());
        let skip = if start > 0 { start - 1 } else { chars.saturating_add(start) };
        if start == 0 || length <= 0 || skip < 0 || skip >= chars {
            return Ok(Some(String::new()));
        }
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let take = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(Some(text.chars().skip(skip).take(take).collect()))
    })?))
}

fn split(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, delimiters) = (call.args[0].as_string::<i32>(), call.args[1].as_string::<i32>());
    let limits = call.args.get(2).map(|array| array.as_primitive::<Int64Type>());
    call.text_lists(|row, list| {
        let (text, delimiter) = (texts.value(row), delimiters.value(row));
        if delimiter.is_empty() {
            return Err(QueryError::argument("The delimiter may not be the empty string").into());
        }
        let limit = limits.map_or(i64::MAX, |limits| limits.value(row));
        if limit <= 0 {
            return Err(QueryError::argument("Limit must be positive").into());
        }
        let parts = text.splitn(usize::try_from(limit).unwrap_or(usize::MAX), delimiter);
        parts.for_each(|part| list.append_value(part));
        Ok(())
    })
}
