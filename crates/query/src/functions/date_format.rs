//! `date_format` and `date_parse`: MySQL's format codes.
//!
//! `%D %U %u %V %w %X` are refused, as Trino refuses them.
//!
//! Source: <https://trino.io/docs/current/functions/datetime.html#mysql-date-functions>

use std::sync::Arc;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::datetime::{datetime, temporal_array};
use super::{Call, Function, Kind, always};
use crate::error::QueryError;
use crate::types::TIMESTAMP;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "date_format",
        accepts: &[&[Kind::Timestamp, Kind::Text], &[Kind::TimestampZoned, Kind::Text]],
        returns: always!(DataType::Utf8),
        call: date_format,
    },
    Function {
        name: "date_parse",
        accepts: &[&[Kind::Text, Kind::Text]],
        returns: always!(TIMESTAMP),
        call: |call| {
            let (texts, formats) = (call.args[0].as_string::<i32>(), call.args[1].as_string::<i32>());
            temporal_array(call, |row| parse(texts.value(row), formats.value(row)).map(Some))
        },
    },
];

fn date_format(call: &Call<'_>) -> Result<ArrayRef> {
    let formats = call.args[1].as_string::<i32>();
    Ok(Arc::new(
        call.map::<_, StringArray>(|row| {
            format(datetime(&call.args[0], row)?, formats.value(row)).map(Some)
        })?,
    ))
}

/// Walks a format: text between codes, and codes.
fn codes(format: &str, mut visit: impl FnMut(Piece) -> Result<()>) -> Result<()> {
    let mut chars = format.chars();
    while let Some(ch) = chars.next() {
        if ch != '%' {
            visit(Piece::Text(ch))?;
            continue;
        }
        match chars.next() {
            Some(code @ ('D' | 'U' | 'u' | 'V' | 'w' | 'X')) => {
                let sentence = format!("%{code} not currently supported in date format string");
                return Err(QueryError::argument(sentence).into());
            }
            Some('%') => visit(Piece::Text('%'))?,
            Some(code) => visit(Piece::Code(code))?,
            None => visit(Piece::Text('%'))?,
        }
    }
    Ok(())
}

enum Piece {
    Text(char),
    Code(char),
}

fn format(at: NaiveDateTime, format: &str) -> Result<String> {
    let mut out = String::with_capacity(format.len() + 16);
    codes(format, |piece| {
        let code = match piece {
            Piece::Text(ch) => {
                out.push(ch);
                return Ok(());
            }
            Piece::Code(code) => code,
        };
        let hour12 = at.hour12().1;
        let text = match code {
            'a' => at.format("%a").to_string(),
            'b' => at.format("%b").to_string(),
            'c' => at.month().to_string(),
            'd' => format!("{:02}", at.day()),
            'e' => at.day().to_string(),
            'f' => format!("{:06}", at.nanosecond() / 1_000),
            'H' => format!("{:02}", at.hour()),
            'h' | 'I' => format!("{hour12:02}"),
            'i' => format!("{:02}", at.minute()),
            'j' => format!("{:03}", at.ordinal()),
            'k' => at.hour().to_string(),
            'l' => hour12.to_string(),
            'M' => at.format("%B").to_string(),
            'm' => format!("{:02}", at.month()),
            'p' => at.format("%p").to_string(),
            'r' => at.format("%I:%M:%S %p").to_string(),
            'S' | 's' => format!("{:02}", at.second()),
            'T' => at.format("%H:%M:%S").to_string(),
            'v' => format!("{:02}", at.iso_week().week()),
            'W' => at.format("%A").to_string(),
            'x' => format!("{:04}", at.iso_week().year()),
            'Y' => format!("{:04}", at.year()),
            'y' => format!("{:02}", at.year().rem_euclid(100)),
            other => other.to_string(),
        };
        out.push_str(&text);
        Ok(())
    })?;
    Ok(out)
}

/// The fields a text gave; what it did not give is that of 1970-01-01 00:00:00.
#[derive(Default)]
struct Fields {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: Option<u32>,
    hour12: Option<u32>,
    afternoon: Option<bool>,
    minute: Option<u32>,
    second: Option<u32>,
    nanosecond: Option<u32>,
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
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn parse(text: &str, format: &str) -> Result<NaiveDateTime> {
    let mut rest = text;
    let mut fields = Fields::default();
    codes(format, |piece| {
        let taken = match piece {
            Piece::Text(ch) => rest.strip_prefix(ch),
            Piece::Code(code) => field(code, rest, &mut fields),
        };
        rest = taken.ok_or_else(|| malformed(text, rest))?;
        Ok(())
    })?;
    if !rest.is_empty() {
        return Err(malformed(text, rest).into());
    }
    fields.datetime().ok_or_else(|| {
        let sentence = format!("Cannot parse \"{text}\": a field is out of range");
        QueryError::argument(sentence).into()
    })
}

fn malformed(text: &str, rest: &str) -> QueryError {
    if rest.is_empty() {
        return QueryError::argument(format!("Invalid format: \"{text}\" is too short"));
    }
    if rest.len() == text.len() {
        return QueryError::argument(format!("Invalid format: \"{text}\""));
    }
    QueryError::argument(format!("Invalid format: \"{text}\" is malformed at \"{rest}\""))
}

/// Reads one field; answers what follows it.
fn field<'a>(code: char, rest: &'a str, fields: &mut Fields) -> Option<&'a str> {
    let mut number = |digits_max: usize, slot: fn(&mut Fields) -> &mut Option<u32>| {
        let (value, rest) = digits(rest, digits_max)?;
        *slot(fields) = Some(value);
        Some(rest)
    };
    match code {
        'Y' | 'x' => {
            let (sign, unsigned) = rest.strip_prefix('-').map_or((1, rest), |rest| (-1, rest));
            let (value, rest) = digits(unsigned, 4)?;
            fields.year = Some(sign * i32::try_from(value).ok()?);
            Some(rest)
        }
        'y' => {
            let (value, rest) = digits(rest, 2)?;
            let value = i32::try_from(value).ok()?;
            fields.year = Some(if value < 70 { 2_000 + value } else { 1_900 + value });
            Some(rest)
        }
        'c' | 'm' => number(2, |fields| &mut fields.month),
        'd' | 'e' => number(2, |fields| &mut fields.day),
        'j' => number(3, |fields| &mut fields.day_of_year),
        'H' | 'k' => number(2, |fields| &mut fields.hour),
        'h' | 'I' | 'l' => number(2, |fields| &mut fields.hour12),
        'i' => number(2, |fields| &mut fields.minute),
        'S' | 's' => number(2, |fields| &mut fields.second),
        'f' => {
            let count = rest.bytes().take_while(u8::is_ascii_digit).count().min(9);
            let (value, rest) = digits(rest, 9)?;
            fields.nanosecond = Some(value * 10u32.pow(9 - u32::try_from(count).ok()?));
            Some(rest)
        }
        'M' | 'b' => {
            let (month, rest) = name(rest, &MONTHS)?;
            fields.month = Some(month + 1);
            Some(rest)
        }
        'W' | 'a' => name(rest, &WEEKDAYS).map(|(_, rest)| rest),
        'p' => {
            let (half, rest) = rest.split_at_checked(2)?;
            fields.afternoon = Some(match half.to_ascii_uppercase().as_str() {
                "AM" => false,
                "PM" => true,
                _ => return None,
            });
            Some(rest)
        }
        'T' | 'r' => {
            let mut rest = rest;
            let hour = if code == 'T' { 'H' } else { 'h' };
            let tail = if code == 'T' { "" } else { " p" };
            for piece in [hour, ':', 'i', ':', 's'].into_iter().chain(tail.chars()) {
                rest = match piece {
                    ':' | ' ' => rest.strip_prefix(piece)?,
                    code => field(code, rest, fields)?,
                };
            }
            Some(rest)
        }
        other => rest.strip_prefix(other),
    }
}

fn digits(text: &str, max: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(count)?;
    Some((number.parse().ok()?, rest))
}

/// A name or its first three letters.
fn name<'a>(text: &'a str, names: &[&str]) -> Option<(u32, &'a str)> {
    for (idx, name) in (0u32..).zip(names) {
        for length in [name.len(), 3] {
            if let Some((word, rest)) = text.split_at_checked(length)
                && name.split_at_checked(length).is_some_and(|(prefix, _)| prefix.eq_ignore_ascii_case(word))
            {
                return Some((idx, rest));
            }
        }
    }
    None
}

impl Fields {
    fn datetime(&self) -> Option<NaiveDateTime> {
        let year = self.year.unwrap_or(1970);
        let date = match self.day_of_year {
            Some(day) => NaiveDate::from_yo_opt(year, day)?,
            None => NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?,
        };
        let hour = match (self.hour, self.hour12) {
            (Some(hour), _) => hour,
            (None, Some(hour @ 1..=12)) => hour % 12 + if self.afternoon == Some(true) { 12 } else { 0 },
            (None, Some(_)) => return None,
            (None, None) => 0,
        };
        let nanosecond = self.nanosecond.unwrap_or(0);
        let time = NaiveTime::from_hms_nano_opt(
            hour,
            self.minute.unwrap_or(0),
            self.second.unwrap_or(0),
            nanosecond,
        )?;
        Some(date.and_time(time))
    }
}
