//! Times as text: `parse_time` writes one, `time_to_epoch` reads one.
//!
//! The two follow different Java libraries with pattern languages that look alike and differ: `joda` is that
//! of `parse_time`, `java_time` that of `time_to_epoch`. Here is what they share: patterns taken apart, names
//! of months and days, and time zones. A pattern with a letter we do not have is invalid and gives Undefined;
//! the letters we have are whole.

mod java_time;
mod joda;
mod zone;

use super::{Arguments, Prepared};
use crate::Value;
use crate::ast::Expr;
use crate::convert::to_int_down;
use std::borrow::Cow;
use zone::Zone;

/// A pattern taken apart, with every letter known to its language.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    /// A letter and how often it stands in a row.
    Field(char, usize),
    Text(String),
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// Letters of a short name.
const SHORT: usize = 3;

/// `parse_time(pattern, milliseconds [, zone])`.
pub(super) fn parse_time(arguments: &Arguments<'_, '_>) -> Value {
    let pattern = pattern(arguments, 0, joda::supports);
    let timestamp_ms = to_int_down(arguments.value(1)).and_then(|ms| i64::try_from(ms).ok());
    let zone = if arguments.len() == 3 {
        arguments.text(2).and_then(|name| Zone::parse(&name))
    } else {
        Some(Zone::UTC)
    };
    match (pattern, timestamp_ms, zone) {
        (Some(pattern), Some(timestamp_ms), Some(zone)) => {
            joda::print(&pattern, timestamp_ms, &zone).map_or(Value::Undefined, Value::String)
        }
        _ => Value::Undefined,
    }
}

/// `time_to_epoch(text, pattern)`, in milliseconds; UTC unless the text says otherwise.
pub(super) fn time_to_epoch(arguments: &Arguments<'_, '_>) -> Value {
    match (arguments.text(0), pattern(arguments, 1, java_time::supports)) {
        (Some(text), Some(pattern)) => {
            java_time::parse(&pattern, &text).map_or(Value::Undefined, |ms| Value::Int(ms.into()))
        }
        _ => Value::Undefined,
    }
}

pub(super) fn prepare_parse_time(arguments: &[Expr]) -> Prepared {
    prepare(arguments.first(), joda::supports)
}

pub(super) fn prepare_time_to_epoch(arguments: &[Expr]) -> Prepared {
    prepare(arguments.get(1), java_time::supports)
}

type Supports = fn(char, usize) -> bool;

fn prepare(argument: Option<&Expr>, supports: Supports) -> Prepared {
    match argument.and_then(Expr::literal_text) {
        Some(text) => Prepared::TimePattern(Pattern::parse(text, supports)),
        None => Prepared::Nothing,
    }
}

fn pattern<'c>(arguments: &'c Arguments<'_, '_>, n: usize, supports: Supports) -> Option<Cow<'c, Pattern>> {
    match arguments.prepared {
        Prepared::TimePattern(pattern) => pattern.as_ref().map(Cow::Borrowed),
        _ => Pattern::parse(&arguments.text(n)?, supports).map(Cow::Owned),
    }
}

impl Pattern {
    /// Letters are fields; text stands in `'`, or is no letter; `''` is a quote in and out of text.
    fn parse(text: &str, supports: Supports) -> Option<Pattern> {
        let mut pieces = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c.is_ascii_alphabetic() {
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                if !supports(c, count) {
                    return None;
                }
                pieces.push(Piece::Field(c, count));
            } else if c != '\'' {
                if matches!(c, '[' | ']' | '{' | '}' | '#') && !supports(c, 1) {
                    return None;
                }
                push_text(&mut pieces, c);
            } else if chars.next_if_eq(&'\'').is_some() {
                push_text(&mut pieces, '\'');
            } else {
                loop {
                    match chars.next()? {
                        '\'' if chars.next_if_eq(&'\'').is_some() => push_text(&mut pieces, '\''),
                        '\'' => break,
                        c => push_text(&mut pieces, c),
                    }
                }
            }
        }
        Some(Pattern(pieces))
    }
}

fn push_text(pieces: &mut Vec<Piece>, c: char) {
    match pieces.last_mut() {
        Some(Piece::Text(text)) => text.push(c),
        _ => pieces.push(Piece::Text(c.to_string())),
    }
}

fn short(name: &str) -> &str {
    name.get(..SHORT).unwrap_or(name)
}
