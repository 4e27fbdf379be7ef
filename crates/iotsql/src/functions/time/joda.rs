//! The pattern language of Joda-Time, for writing.
//!
//! <https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html>, in English.
//!
//! Differs from AWS: the long names of time zones (`zzzz`) are not there; a pattern with them is invalid.

use super::zone::Zone;
use super::{DAYS, MONTHS, Pattern, Piece, short};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, Timelike};

/// `None` if the time is beyond the calendar.
pub(super) fn print(pattern: &Pattern, timestamp_ms: i64, zone: &Zone) -> Option<String> {
    let (local, offset, abbreviation) = zone.local(DateTime::from_timestamp_millis(timestamp_ms)?);
    let mut out = String::new();
    for piece in &pattern.0 {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Field('z', _) => out.push_str(&abbreviation),
            Piece::Field('Z', 1) => out.push_str(&offset_text(offset, "")),
            Piece::Field('Z', 2) => out.push_str(&offset_text(offset, ":")),
            Piece::Field('Z', _) => out.push_str(&zone.id()),
            Piece::Field(letter, count) => out.push_str(&field(*letter, *count, local)),
        }
    }
    Some(out)
}

pub(super) fn supports(letter: char, count: usize) -> bool {
    match letter {
        'z' => count < 4,
        letter if letter.is_ascii_alphabetic() => "GCYxweEyDMdaKhHkmsSZ".contains(letter),
        _ => true,
    }
}

fn field(letter: char, count: usize, local: NaiveDateTime) -> String {
    let (_, year_of_era) = local.year_ce();
    let hour = i64::from(local.hour());
    let number = match letter {
        'G' => return if local.year() > 0 { "AD" } else { "BC" }.to_owned(),
        'E' => return name(&DAYS, local.weekday().num_days_from_monday(), count >= 4),
        'M' if count >= 3 => return name(&MONTHS, local.month0(), count >= 4),
        'a' => return if hour < 12 { "AM" } else { "PM" }.to_owned(),
        'S' => return fraction(local.and_utc().timestamp_subsec_millis(), count),
        'Y' | 'y' | 'x' if count == 2 => {
            let year = if letter == 'x' { local.iso_week().year() } else { local.year() };
            i64::from(year.rem_euclid(100))
        }
        'C' => i64::from(year_of_era / 100),
        'Y' => i64::from(year_of_era),
        'y' => i64::from(local.year()),
        'x' => i64::from(local.iso_week().year()),
        'w' => i64::from(local.iso_week().week()),
        'e' => i64::from(local.weekday().number_from_monday()),
        'D' => i64::from(local.ordinal()),
        'M' => i64::from(local.month()),
        'd' => i64::from(local.day()),
        'K' => hour % 12,
        'h' => (hour + 11) % 12 + 1,
        'H' => hour,
        'k' => (hour + 23) % 24 + 1,
        'm' => i64::from(local.minute()),
        _ => i64::from(local.second()),
    };
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{:0count$}", number.unsigned_abs())
}

fn name(names: &[&str], n: u32, long: bool) -> String {
    let name = names.get(n as usize).copied().unwrap_or_default();
    if long { name } else { short(name) }.to_owned()
}

/// So many places of the second; there is nothing beyond milliseconds.
fn fraction(millis: u32, places: usize) -> String {
    let digits = format!("{millis:03}");
    digits.chars().chain(std::iter::repeat('0')).take(places).collect()
}

fn offset_text(offset: FixedOffset, between: &str) -> String {
    let seconds = offset.local_minus_utc();
    let minutes = seconds.abs() / 60;
    format!("{}{:02}{between}{:02}", if seconds < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
}
