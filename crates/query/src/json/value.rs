//! A JSON scalar as a value of a Hive type: numbers may be written as strings.

use super::cursor::Scalar;
use crate::temporal;

pub(super) fn boolean(scalar: &Scalar<'_>) -> Result<bool, &'static str> {
    match scalar {
        Scalar::Bool(value) => Ok(*value),
        Scalar::Text(raw) if raw.eq_ignore_ascii_case(b"true") => Ok(true),
        Scalar::Text(raw) if raw.eq_ignore_ascii_case(b"false") => Ok(false),
        _ => Err("expected true or false"),
    }
}

pub(super) fn integer<T: TryFrom<i64>>(scalar: &Scalar<'_>) -> Result<T, &'static str> {
    const BAD: &str = "expected an integer within the type's range";
    let value = match scalar {
        Scalar::Number(raw) => whole(raw),
        Scalar::Text(raw) => whole(raw.trim_ascii()),
        Scalar::Bool(_) => None,
    };
    value.and_then(|value| T::try_from(value).ok()).ok_or(BAD)
}

/// `72`, `-5`, and numbers whose fraction is nothing: `72.0`, `7.2e1`.
fn whole(raw: &[u8]) -> Option<i64> {
    let (negative, digits) = match raw {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            let (unscaled, scale) = decimal_parts(std::str::from_utf8(raw).ok()?)?;
            return rescale(unscaled, scale, 0)
                .filter(|_| exact(unscaled, scale))
                .and_then(|v| i64::try_from(v).ok());
        }
        let digit = i64::from(byte - b'0');
        value = value.checked_mul(10)?.checked_sub(digit)?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

pub(super) fn float<T: std::str::FromStr>(scalar: &Scalar<'_>) -> Result<T, &'static str> {
    const BAD: &str = "expected a number";
    let raw = match scalar {
        Scalar::Number(raw) => raw,
        Scalar::Text(raw) => raw.trim_ascii(),
        Scalar::Bool(_) => return Err(BAD),
    };
    let text = std::str::from_utf8(raw).map_err(|_| BAD)?;
    let text = match text {
        "NaN" => "nan",
        "Infinity" | "+Infinity" => "inf",
        "-Infinity" => "-inf",
        text if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => text,
        _ => return Err(BAD),
    };
    text.parse().map_err(|_| BAD)
}

pub(super) fn decimal(scalar: &Scalar<'_>, precision: u8, scale: u8) -> Result<i128, &'static str> {
    const BAD: &str = "expected a number within the decimal's range";
    let raw = match scalar {
        Scalar::Number(raw) => raw,
        Scalar::Text(raw) => raw.trim_ascii(),
        Scalar::Bool(_) => return Err(BAD),
    };
    let (unscaled, from) = std::str::from_utf8(raw).ok().and_then(decimal_parts).ok_or(BAD)?;
    let value = rescale(unscaled, from, i32::from(scale)).ok_or(BAD)?;
    let bound = 10i128.pow(u32::from(precision));
    if value.abs() < bound { Ok(value) } else { Err(BAD) }
}

/// Unscaled value and scale of a number's text. None if it is none, or has more digits than an `i128`.
fn decimal_parts(text: &str) -> Option<(i128, i32)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0i128;
    let mut dropped = 0i32;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        // Beyond 38 digits only the magnitude matters: no decimal type shows the rest.
        match value.checked_mul(10).and_then(|value| value.checked_add(i128::from(byte - b'0'))) {
            Some(next) if dropped == 0 => value = next,
            _ => dropped = dropped.checked_add(1)?,
        }
    }
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?.checked_sub(dropped)?;
    Some((if negative { -value } else { value }, scale))
}

/// The value at another scale, rounded half away from zero.
fn rescale(unscaled: i128, from: i32, to: i32) -> Option<i128> {
    if unscaled == 0 {
        return Some(0);
    }
    let shift = to.checked_sub(from)?;
    if shift >= 0 {
        return 10i128
            .checked_pow(u32::try_from(shift).ok()?)
            .and_then(|factor| unscaled.checked_mul(factor));
    }
    match 10i128.checked_pow(shift.unsigned_abs()) {
        Some(factor) => {
            let (quotient, rest) = (unscaled / factor, unscaled % factor);
            Some(if rest.abs() >= factor - rest.abs() { quotient + unscaled.signum() } else { quotient })
        }
        None => Some(0),
    }
}

fn exact(unscaled: i128, scale: i32) -> bool {
    scale <= 0
        || unscaled == 0
        || 10i128.checked_pow(scale.unsigned_abs()).is_some_and(|factor| unscaled % factor == 0)
}

pub(super) fn date(scalar: &Scalar<'_>) -> Result<i32, &'static str> {
    match scalar {
        Scalar::Text(raw) => temporal::parse_date(raw.trim_ascii()).ok_or("expected a date: yyyy-MM-dd"),
        _ => Err("expected a date: yyyy-MM-dd"),
    }
}

/// Text, or a number: milliseconds since 1970 with 13 digits or more, seconds with fewer or with a fraction.
pub(super) fn timestamp(scalar: &Scalar<'_>) -> Result<i64, &'static str> {
    const BAD: &str = "expected a timestamp: yyyy-MM-dd HH:mm:ss[.fraction]";
    let raw = match scalar {
        Scalar::Text(raw) => {
            let text = raw.trim_ascii();
            if let Some(millis) = temporal::parse_timestamp(text) {
                return Ok(millis);
            }
            text
        }
        Scalar::Number(raw) => raw,
        Scalar::Bool(_) => return Err(BAD),
    };
    let (unscaled, scale) = std::str::from_utf8(raw).ok().and_then(decimal_parts).ok_or(BAD)?;
    let is_millis = scale == 0 && raw.iter().filter(|byte| byte.is_ascii_digit()).count() >= 13;
    let value = rescale(unscaled, scale, if is_millis { 0 } else { 3 });
    value.and_then(|millis| i64::try_from(millis).ok()).ok_or(BAD)
}
