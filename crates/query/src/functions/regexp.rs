//! Regular expressions.
//!
//! Differs from AWS: the syntax is that of Rust's `regex`, which has no look-around and no back-references; such a
//! pattern is an error. Matching takes time linear in the text.
//!
//! Source: <https://trino.io/docs/current/functions/regexp.html>

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::Result;
use regex::Regex;

use super::{Call, Function, Kind, always};
use crate::error::QueryError;

const TEXT_PATTERN: &[&[Kind]] = &[&[Kind::Text, Kind::Text]];
const TEXT_PATTERN_GROUP: &[&[Kind]] = &[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Bigint]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "regexp_like",
        accepts: TEXT_PATTERN,
        returns: always!(DataType::Boolean),
        call: |call| {
            let mut patterns = Patterns::default();
            Ok(Arc::new(call.map::<_, BooleanArray>(|row| {
                let (text, pattern) = patterns.at(call, row)?;
                Ok(Some(pattern.is_match(text)))
            })?))
        },
    },
    Function {
        name: "regexp_extract",
        accepts: TEXT_PATTERN_GROUP,
        returns: always!(DataType::Utf8),
        call: |call| {
            let mut patterns = Patterns::default();
            Ok(Arc::new(call.map::<_, StringArray>(|row| {
                let group = group(call, row)?;
                let (text, pattern) = patterns.at(call, row)?;
                check_group(pattern, group)?;
                let captures = pattern.captures(text);
                Ok(captures.and_then(|captures| captures.get(group).map(|part| part.as_str().to_owned())))
            })?))
        },
    },
    Function {
        name: "regexp_extract_all",
        accepts: TEXT_PATTERN_GROUP,
        returns: always!(DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))),
        call: |call| {
            let mut patterns = Patterns::default();
            call.text_lists(|row, list| {
                let group = group(call, row)?;
                let (text, pattern) = patterns.at(call, row)?;
                check_group(pattern, group)?;
                for captures in pattern.captures_iter(text) {
                    list.append_option(captures.get(group).map(|part| part.as_str()));
                }
                Ok(())
            })
        },
    },
    Function {
        name: "regexp_count",
        accepts: TEXT_PATTERN,
        returns: always!(DataType::Int64),
        call: |call| {
            let mut patterns = Patterns::default();
            Ok(Arc::new(call.map::<_, Int64Array>(|row| {
                let (text, pattern) = patterns.at(call, row)?;
                Ok(i64::try_from(pattern.find_iter(text).count()).ok())
            })?))
        },
    },
    Function {
        name: "regexp_replace",
        accepts: &[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Text]],
        returns: always!(DataType::Utf8),
        call: |call| {
            let mut patterns = Patterns::default();
            let replacements = call.args.get(2).map(|array| array.as_string::<i32>());
            Ok(Arc::new(call.map::<_, StringArray>(|row| {
                let replacement = braced(replacements.map_or("", |array| array.value(row)));
                let (text, pattern) = patterns.at(call, row)?;
                Ok(Some(pattern.replace_all(text, replacement.as_str()).into_owned()))
            })?))
        },
    },
    Function {
        name: "regexp_split",
        accepts: TEXT_PATTERN,
        returns: always!(DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))),
        call: |call| {
            let mut patterns = Patterns::default();
            call.text_lists(|row, list| {
                let (text, pattern) = patterns.at(call, row)?;
                pattern.split(text).for_each(|part| list.append_value(part));
                Ok(())
            })
        },
    },
];

/// Compiled patterns of one call; nearly always there is one.
#[derive(Default)]
struct Patterns(HashMap<String, Regex>);

/// Patterns kept at once, when a column holds them.
const PATTERNS_MAX: usize = 64;

impl Patterns {
    fn at<'a>(&mut self, call: &'a Call<'_>, row: usize) -> Result<(&'a str, &Regex)> {
        let text = call.args[0].as_string::<i32>().value(row);
        let pattern = call.args[1].as_string::<i32>().value(row);
        if !self.0.contains_key(pattern) {
            if self.0.len() >= PATTERNS_MAX {
                self.0.clear();
            }
            let compiled = Regex::new(pattern)
                .map_err(|_| QueryError::argument(format!("Invalid regular expression: {pattern}")))?;
            self.0.insert(pattern.to_owned(), compiled);
        }
        Ok((text, &self.0[pattern]))
    }
}

fn group(call: &Call<'_>, row: usize) -> Result<usize> {
    let group = call.args.get(2).map_or(0, |array: &ArrayRef| array.as_primitive::<Int64Type>().value(row));
    usize::try_from(group).map_err(|_| QueryError::argument("Group cannot be negative").into())
}

fn check_group(pattern: &Regex, group: usize) -> Result<()> {
    let last = pattern.captures_len() - 1;
    if group > last {
        return Err(
            QueryError::argument(format!("Pattern has {last} groups. Cannot access group {group}")).into()
        );
    }
    Ok(())
}

/// Java reads `$1a` as group 1 and `a`; Rust wants `${1}a`. A backslash makes the next character plain.
fn braced(replacement: &str) -> String {
    let mut out = String::with_capacity(replacement.len() + 2);
    let mut chars = replacement.chars().peekable();
    while let Some(ch) = chars.next() {
        match ch {
            '\\' => match chars.next() {
                Some('$') => out.push_str("$$"),
                Some(other) => out.push(other),
                None => {}
            },
            '$' if chars.peek().is_some_and(char::is_ascii_digit) => {
                out.push_str("${");
                out.extend(chars.next());
                out.push('}');
            }
            other => out.push(other),
        }
    }
    out
}
