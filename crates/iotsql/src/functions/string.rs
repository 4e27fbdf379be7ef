//! Text. Arguments convert to String, arrays and objects to their JSON; Null and Undefined give Undefined.
//!
//! Differs from AWS: regular expressions are those of the `regex` crate, without look-around and
//! back-references; a pattern with them is invalid and gives Undefined. `\d`, `\w` and `\s` know all of
//! Unicode. In exchange no pattern takes longer than linear time. Patterns look for a match anywhere (*find*),
//! and replacements are Java's: `$1`, `${name}`, `\$`.

use super::{Arguments, Prepared};
use crate::ast::Expr;
use crate::convert::{to_index, to_int_down};
use crate::limits::{PAD_SPACES_MAX, REGEX_BYTES_MAX};
use crate::{Value, open_questions};
use regex::{Captures, Regex, RegexBuilder};
use std::borrow::Cow;

pub(super) fn chr(arguments: &Arguments<'_, '_>) -> Value {
    let code = to_int_down(arguments.value(0)).and_then(|code| u8::try_from(code).ok());
    code.filter(u8::is_ascii).map_or(Value::Undefined, |code| Value::text(char::from(code)))
}

/// One argument comes back as it is; with an array among them the result is an array, otherwise a text.
pub(super) fn concat(arguments: &Arguments<'_, '_>) -> Value {
    if !arguments.affords(arguments.values.iter().map(|value| value.weight()).sum()) {
        return Value::Undefined;
    }
    if let [only] = arguments.values {
        return Value::clone(only);
    }
    let values = || arguments.values.iter().map(|value| &**value);
    if values().any(|value| matches!(value, Value::Array(_))) {
        let mut all = Vec::new();
        for value in values() {
            match value {
                Value::Array(elements) => all.extend_from_slice(elements),
                value => all.push(value.clone()),
            }
        }
        all.retain(open_questions::keeps_array_element);
        return Value::Array(all);
    }
    if !values().any(|value| matches!(value, Value::String(_))) {
        return Value::Undefined;
    }
    let texts: Option<String> = (0..arguments.len()).map(|n| arguments.text(n)).collect();
    texts.map_or(Value::Undefined, Value::String)
}

pub(super) fn endswith(arguments: &Arguments<'_, '_>) -> Value {
    two_texts(arguments, |text, end| Value::Bool(text.ends_with(end)))
}

pub(super) fn startswith(arguments: &Arguments<'_, '_>) -> Value {
    two_texts(arguments, |text, start| Value::Bool(text.starts_with(start)))
}

pub(super) fn indexof(arguments: &Arguments<'_, '_>) -> Value {
    two_texts(arguments, |text, part| Value::Int(open_questions::index_of(text, part)))
}

pub(super) fn length(arguments: &Arguments<'_, '_>) -> Value {
    text(arguments, |text| Value::Int(open_questions::length(text) as i128))
}

pub(super) fn numbytes(arguments: &Arguments<'_, '_>) -> Value {
    text(arguments, |text| Value::Int(text.len() as i128))
}

pub(super) fn lower(arguments: &Arguments<'_, '_>) -> Value {
    text(arguments, |text| Value::String(text.to_lowercase()))
}

pub(super) fn upper(arguments: &Arguments<'_, '_>) -> Value {
    text(arguments, |text| Value::String(text.to_uppercase()))
}

pub(super) fn trim(arguments: &Arguments<'_, '_>) -> Value {
    text(arguments, |text| Value::text(text.trim_matches(SPACE)))
}

pub(super) fn ltrim(arguments: &Arguments<'_, '_>) -> Value {
    text(arguments, |text| Value::text(text.trim_start_matches(SPACE)))
}

pub(super) fn rtrim(arguments: &Arguments<'_, '_>) -> Value {
    text(arguments, |text| Value::text(text.trim_end_matches(SPACE)))
}

/// Adds that many spaces, unlike the function of this name elsewhere.
pub(super) fn lpad(arguments: &Arguments<'_, '_>) -> Value {
    pad(arguments, |text, spaces| spaces + text)
}

/// Adds that many spaces, unlike the function of this name elsewhere.
pub(super) fn rpad(arguments: &Arguments<'_, '_>) -> Value {
    pad(arguments, |text, spaces| text.to_owned() + &spaces)
}

pub(super) fn replace(arguments: &Arguments<'_, '_>) -> Value {
    let (Some(text), Some(from), Some(to)) = (arguments.text(0), arguments.text(1), arguments.text(2)) else {
        return Value::Undefined;
    };
    let growth = text.matches(&*from).count().saturating_mul(to.len());
    if !arguments.affords(text.len().saturating_add(growth)) {
        return Value::Undefined;
    }
    Value::String(text.replace(&*from, &to))
}

/// Positions count characters from 0; the second is exclusive; both are moved into the text.
pub(super) fn substring(arguments: &Arguments<'_, '_>) -> Value {
    let to = if arguments.len() == 3 { to_index(arguments.value(2)) } else { Some(i128::MAX) };
    let (Some(text), Some(from), Some(to)) = (arguments.text(0), to_index(arguments.value(1)), to) else {
        return Value::Undefined;
    };
    let from = usize::try_from(from.max(0)).unwrap_or(usize::MAX);
    let to = usize::try_from(to.max(0)).unwrap_or(usize::MAX);
    Value::String(text.chars().skip(from).take(to.saturating_sub(from)).collect())
}

pub(super) fn regexp_matches(arguments: &Arguments<'_, '_>) -> Value {
    match (arguments.text(0), regex(arguments)) {
        (Some(text), Some(regex)) => Value::Bool(regex.is_match(&text)),
        _ => Value::Undefined,
    }
}

/// The first match; Undefined if there is none.
pub(super) fn regexp_substr(arguments: &Arguments<'_, '_>) -> Value {
    match (arguments.text(0), regex(arguments)) {
        (Some(text), Some(regex)) => Value::text_or_undefined(regex.find(&text).map(|found| found.as_str())),
        _ => Value::Undefined,
    }
}

pub(super) fn regexp_replace(arguments: &Arguments<'_, '_>) -> Value {
    let (Some(text), Some(regex), Some(replacement)) =
        (arguments.text(0), regex(arguments), arguments.text(2))
    else {
        return Value::Undefined;
    };
    let mut replaced = String::new();
    let mut rest = 0;
    for captures in regex.captures_iter(&text) {
        let Some(whole) = captures.get(0) else { continue };
        let before = replaced.len();
        replaced.push_str(text.get(rest..whole.start()).unwrap_or_default());
        rest = whole.end();
        if expand(&replacement, &regex, &captures, &mut replaced).is_none()
            || !arguments.affords(replaced.len() - before + 1)
        {
            return Value::Undefined;
        }
    }
    replaced.push_str(text.get(rest..).unwrap_or_default());
    Value::String(replaced)
}

pub(super) fn prepare_regex(arguments: &[Expr]) -> Prepared {
    match arguments.get(1).and_then(Expr::literal_text) {
        Some(pattern) => Prepared::Regex(compile(pattern)),
        None => Prepared::Nothing,
    }
}

const SPACE: [char; 2] = [' ', '\t'];

fn text(arguments: &Arguments<'_, '_>, function: fn(&str) -> Value) -> Value {
    arguments.text(0).map_or(Value::Undefined, |text| function(&text))
}

fn two_texts(arguments: &Arguments<'_, '_>, function: fn(&str, &str) -> Value) -> Value {
    match (arguments.text(0), arguments.text(1)) {
        (Some(first), Some(second)) => function(&first, &second),
        _ => Value::Undefined,
    }
}

fn pad(arguments: &Arguments<'_, '_>, join: fn(&str, String) -> String) -> Value {
    match (arguments.text(0), to_index(arguments.value(1))) {
        (Some(text), Some(spaces)) => {
            Value::String(join(&text, " ".repeat(spaces.clamp(0, PAD_SPACES_MAX) as usize)))
        }
        _ => Value::Undefined,
    }
}

fn regex<'c>(arguments: &'c Arguments<'_, '_>) -> Option<Cow<'c, Regex>> {
    match arguments.prepared {
        Prepared::Regex(regex) => regex.as_ref().map(Cow::Borrowed),
        _ => compile(&arguments.text(1)?).map(Cow::Owned),
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build().ok()
}

/// Java's replacement text: `$` and as many digits as name a group, `${name}`, and `\` before a character
/// that stands for itself. `None` if it is not valid.
fn expand(replacement: &str, regex: &Regex, captures: &Captures<'_>, out: &mut String) -> Option<()> {
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next()?),
            '$' if chars.next_if_eq(&'{').is_some() => {
                let name: String = std::iter::from_fn(|| chars.next_if(|c| *c != '}')).collect();
                chars.next()?;
                if !regex.capture_names().flatten().any(|group| group == name) {
                    return None;
                }
                out.push_str(captures.name(&name).map_or("", |group| group.as_str()));
            }
            '$' => {
                let mut group = chars.next()?.to_digit(10)? as usize;
                if group >= captures.len() {
                    return None;
                }
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer >= captures.len() {
                        break;
                    }
                    group = longer;
                    chars.next();
                }
                out.push_str(captures.get(group).map_or("", |group| group.as_str()));
            }
            c => out.push(c),
        }
    }
    Some(())
}
