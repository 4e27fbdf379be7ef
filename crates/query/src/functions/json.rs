//! JSON in strings: `json_extract_scalar`, `json_extract`, `json_array_length`, `json_size`, `json_parse`, `json_format`.
//!
//! Differs from AWS: there is no type JSON; what has it there is its text as varchar here, and so a string in quotes. A
//! CAST around `json_extract` means what it means there; one of the same value by way of a subquery does not.
//!
//! Source: <https://trino.io/docs/current/functions/json.html>

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use serde_json::Value;

use super::{Call, Function, Kind, always};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "json_extract_scalar",
        accepts: &[&[Kind::Text, Kind::Text]],
        returns: always!(DataType::Utf8),
        call: |call| extract(call, scalar),
    },
    Function {
        name: "json_extract",
        accepts: &[&[Kind::Text, Kind::Text]],
        returns: always!(DataType::Utf8),
        call: |call| extract(call, |value| Some(value.to_string())),
    },
    Function {
        name: "json_size",
        accepts: &[&[Kind::Text, Kind::Text]],
        returns: always!(DataType::Int64),
        call: |call| {
            let sizes = extract(call, |value| {
                let size = value.as_object().map(serde_json::Map::len).or(value.as_array().map(Vec::len));
                Some(size.unwrap_or(0).to_string())
            })?;
            Ok(cast(&sizes, &DataType::Int64)?)
        },
    },
    Function {
        name: "json_parse",
        accepts: &[&[Kind::Text]],
        returns: always!(DataType::Utf8),
        call: |call| {
            let texts = call.args[0].as_string::<i32>();
            Ok(Arc::new(call.map::<_, StringArray>(|row| {
                let text = texts.value(row);
                match serde_json::from_str::<Value>(text) {
                    Ok(value) => Ok(Some(value.to_string())),
                    Err(_) => {
                        Err(QueryError::argument(format!("Cannot convert value to JSON: '{text}'")).into())
                    }
                }
            })?))
        },
    },
    Function {
        name: "json_format",
        accepts: &[&[Kind::Text]],
        returns: always!(DataType::Utf8),
        call: |call| Ok(Arc::clone(&call.args[0])),
    },
    Function {
        name: "json_array_length",
        accepts: &[&[Kind::Text]],
        returns: always!(DataType::Int64),
        call: |call| {
            let texts = call.args[0].as_string::<i32>();
            Ok(Arc::new(call.map::<_, Int64Array>(|row| {
                let json = serde_json::from_str::<Value>(texts.value(row)).ok();
                let length = json.as_ref().and_then(Value::as_array).map(Vec::len);
                Ok(length.and_then(|length| i64::try_from(length).ok()))
            })?))
        },
    },
];

/// What a path leads to in each text; NULL where the text is no JSON or has nothing there.
fn extract(call: &Call<'_>, show: fn(&Value) -> Option<String>) -> Result<ArrayRef> {
    let (texts, paths) = (call.args[0].as_string::<i32>(), call.args[1].as_string::<i32>());
    let mut last: Option<(String, Vec<Step>)> = None;
    Ok(Arc::new(call.map::<_, StringArray>(|row| {
        let path = paths.value(row);
        let steps = match &last {
            Some((known, steps)) if known == path => steps,
            _ => &last.insert((path.to_owned(), parse_path(path)?)).1,
        };
        let Ok(json) = serde_json::from_str::<Value>(texts.value(row)) else { return Ok(None) };
        Ok(walk(&json, steps).and_then(show))
    })?))
}

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

/// `$.a.b[0]["c d"]`.
fn parse_path(path: &str) -> Result<Vec<Step>> {
    let bad = || QueryError::argument(format!("Invalid JSON path: '{path}'"));
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    if rest.len() == path.len() && !rest.is_empty() {
        // Trino also takes `a.b` for `$.a.b`.
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return Err(bad().into());
        }
        let mut steps = vec![Step::Member(name.to_owned())];
        steps.extend(parse_path(&format!("${after}"))?);
        return Ok(steps);
    }
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if name.is_empty() {
                return Err(bad().into());
            }
            steps.push(Step::Member(name.to_owned()));
            rest = after;
            continue;
        }
        let after = rest.strip_prefix('[').ok_or_else(bad)?;
        let (step, after) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let (name, after) =
                    after.strip_prefix(quote).and_then(|rest| rest.split_once(quote)).ok_or_else(bad)?;
                (Step::Member(name.to_owned()), after)
            }
            _ => {
                let end = after.find(']').ok_or_else(bad)?;
                let (index, after) = after.split_at(end);
                (index.parse().map_or_else(|_| Step::Member(index.to_owned()), Step::Element), after)
            }
        };
        steps.push(step);
        rest = after.strip_prefix(']').ok_or_else(bad)?;
    }
    Ok(steps)
}

fn walk<'a>(json: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(json, |json, step| match step {
        Step::Member(name) => json.get(name),
        Step::Element(idx) => json.get(idx),
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let member = |name: &str| Step::Member(name.to_owned());
        assert_eq!(parse_path("$.a.b[0]").unwrap(), [member("a"), member("b"), Step::Element(0)]);
        assert_eq!(parse_path("$['a b'][\"c\"]").unwrap(), [member("a b"), member("c")]);
        assert_eq!(parse_path("a.b").unwrap(), [member("a"), member("b")]);
        assert_eq!(parse_path("$").unwrap(), []);
        for bad in ["$.", "$[", "$x", "$[0", ""] {
            assert!(bad.is_empty() || parse_path(bad).is_err(), "{bad}");
        }
    }
}
