//! The pattern language of `java.time` (JDK 11), for reading.
//!
//! <https://docs.oracle.com/en/java/javase/11/docs/api/java.base/java/time/format/DateTimeFormatter.html>,
//! in English, with its *smart* resolution: the 31st of a short month is its last day. What the text does
//! not say is the start of the day, and UTC.
//!
//! Differs from AWS: no optional sections, localized, narrow and week-based fields and long zone names; a
//! pattern with them is invalid. The offset letters `X`, `x`, `Z` and `O` each take every spelling of an offset.

use super::zone::Zone;
use super::{DAYS, MONTHS, Pattern, Piece, short};
use chrono::{Datelike, NaiveDate, NaiveTime};

/// The milliseconds since 1970, or `None` if `text` is not as `pattern` says or no such time exists.
pub(super) fn parse(pattern: &Pattern, text: &str) -> Option<i64> {
    let mut reader = Reader { rest: text, fields: Fields::default() };
    let mut pieces = pattern.0.iter();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Text(literal) => reader.rest = reader.rest.strip_prefix(literal.as_str())?,
            Piece::Field(letter, count) => {
                reader.field(*letter, *count, fixed_width_ahead(pieces.as_slice()))?
            }
        }
    }
    if reader.rest.is_empty() { reader.fields.resolve() } else { None }
}

pub(super) fn supports(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' | 'E' => count <= 4,
        'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'V' => count <= 2 && (letter != 'V' || count == 2),
        'D' | 'z' => count <= 3,
        'S' | 'n' => count <= 9,
        'X' | 'x' | 'Z' => count <= 5,
        'y' | 'u' => true,
        'a' => count == 1,
        'G' => count <= 4,
        'O' => count == 1 || count == 4,
        _ => false,
    }
}

/// Digits that the numbers right after a number claim for themselves, as in `yyyyMMdd`.
fn fixed_width_ahead(pieces: &[Piece]) -> usize {
    let widths = pieces.iter().map_while(|piece| match piece {
        Piece::Field('M' | 'L' | 'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'y' | 'u', 2) => Some(2),
        Piece::Field('D', 3) => Some(3),
        Piece::Field('S', count) => Some(*count),
        _ => None,
    });
    widths.sum()
}

struct Reader<'t> {
    rest: &'t str,
    fields: Fields,
}

/// What was read.
#[derive(Default)]
struct Fields {
    year: Option<i64>,
    year_of_era: Option<i64>,
    before_christ: bool,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    weekday: Option<i64>,
    hour: Option<i64>,
    /// From 0 to 11.
    hour_of_half: Option<i64>,
    afternoon: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    nano: Option<i64>,
    zone: Option<Zone>,
}

impl Reader<'_> {
    fn field(&mut self, letter: char, count: usize, reserved: usize) -> Option<()> {
        match letter {
            'G' => {
                let names = if count == 4 { ["Anno Domini", "Before Christ"] } else { ["AD", "BC"] };
                self.fields.before_christ = self.name(&names)? == 1;
            }
            'y' => self.fields.year_of_era = Some(self.year(count, reserved)?),
            'u' => self.fields.year = Some(self.year(count, reserved)?),
            'M' | 'L' if count == 3 => self.fields.month = Some(self.name(&MONTHS.map(short))? + 1),
            'M' | 'L' if count == 4 => self.fields.month = Some(self.name(&MONTHS)? + 1),
            'M' | 'L' => self.fields.month = Some(self.number(count, reserved, 1..=12)?),
            'E' if count == 4 => self.fields.weekday = Some(self.name(&DAYS)?),
            'E' => self.fields.weekday = Some(self.name(&DAYS.map(short))?),
            'd' => self.fields.day = Some(self.number(count, reserved, 1..=31)?),
            'D' => {
                let widest = if count == 2 { 3 } else { count };
                self.fields.day_of_year = Some(self.digits_between(count, widest, reserved, 1..=366)?);
            }
            'a' => self.fields.afternoon = Some(self.name(&["AM", "PM"])? == 1),
            'H' => self.fields.hour = Some(self.number(count, reserved, 0..=23)?),
            'k' => self.fields.hour = Some(self.number(count, reserved, 1..=24)? % 24),
            'K' => self.fields.hour_of_half = Some(self.number(count, reserved, 0..=11)?),
            'h' => self.fields.hour_of_half = Some(self.number(count, reserved, 1..=12)? % 12),
            'm' => self.fields.minute = Some(self.number(count, reserved, 0..=59)?),
            's' => self.fields.second = Some(self.number(count, reserved, 0..=59)?),
            'S' => {
                let scale = 10_i64.pow(9_u32.saturating_sub(u32::try_from(count).ok()?));
                self.fields.nano = Some(self.digits(count, count)? * scale);
            }
            'n' => self.fields.nano = Some(self.digits_between(count, 19, reserved, 0..=999_999_999)?),
            _ => self.fields.zone = Some(self.zone()?),
        }
        Some(())
    }

    /// Two letters are a year from 2000 to 2099, more are at least so many digits.
    fn year(&mut self, count: usize, reserved: usize) -> Option<i64> {
        if count == 2 {
            return Some(2000 + self.digits(2, 2)?);
        }
        let negative = self.eat_minus();
        let year = self.digits_between(count, 19, reserved, 0..=999_999_999)?;
        Some(if negative { -year } else { year })
    }

    /// One letter takes as many digits as there are, two take two.
    fn number(&mut self, count: usize, reserved: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let most = if count == 1 { 19 } else { count };
        self.digits_between(count, most, if count == 1 { reserved } else { 0 }, range)
    }

    fn digits_between(
        &mut self,
        least: usize,
        most: usize,
        reserved: usize,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let available = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let most = most.min(available.saturating_sub(reserved)).max(least);
        self.digits(least, most).filter(|number| range.contains(number))
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let available = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if available < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at_checked(available)?;
        self.rest = rest;
        digits.parse().ok()
    }

    fn eat_minus(&mut self) -> bool {
        let rest = self.rest.strip_prefix('-');
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Which of `names` comes next; no name is the start of another.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        let (n, rest) =
            names.iter().enumerate().find_map(|(n, name)| Some((n, self.rest.strip_prefix(name)?)))?;
        self.rest = rest;
        i64::try_from(n).ok()
    }

    /// The longest zone that comes next.
    fn zone(&mut self) -> Option<Zone> {
        let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || b"_/+-:".contains(byte);
        let longest = self.rest.bytes().take(64).take_while(belongs).count();
        let (length, zone) =
            (1..=longest).rev().find_map(|length| Some((length, Zone::parse(self.rest.get(..length)?)?)))?;
        self.rest = self.rest.get(length..)?;
        Some(zone)
    }
}

impl Fields {
    fn resolve(self) -> Option<i64> {
        let time = self.time()?;
        let date = self.date()?;
        if self.weekday.is_some_and(|weekday| weekday != i64::from(date.weekday().num_days_from_monday())) {
            return None;
        }
        Some(self.zone.unwrap_or(Zone::UTC).instant(date.and_time(time))?.timestamp_millis())
    }

    fn date(&self) -> Option<NaiveDate> {
        let year = match (self.year, self.year_of_era) {
            (Some(year), _) => year,
            (None, Some(year)) if self.before_christ => 1 - year,
            (None, year) => year?,
        };
        let year = i32::try_from(year).ok()?;
        if let Some(day) = self.day_of_year {
            return NaiveDate::from_yo_opt(year, u32::try_from(day).ok()?);
        }
        let month = u32::try_from(self.month.unwrap_or(1)).ok()?;
        let day = u32::try_from(self.day.unwrap_or(1)).ok()?;
        // 29, 30 and 31 of a month that has no such day are its last one.
        (28..=day.max(28))
            .rev()
            .map(|last| last.min(day))
            .find_map(|day| NaiveDate::from_ymd_opt(year, month, day))
    }

    fn time(&self) -> Option<NaiveTime> {
        let hour = match (self.hour, self.hour_of_half, self.afternoon) {
            (Some(hour), _, _) => hour,
            (None, Some(hour), Some(afternoon)) => hour + if afternoon { 12 } else { 0 },
            (None, None, None) => 0,
            // Half of a time on a twelve-hour clock.
            (None, Some(_), None) | (None, None, Some(_)) => return None,
        };
        let part = |value: Option<i64>| u32::try_from(value.unwrap_or(0)).ok();
        NaiveTime::from_hms_nano_opt(
            u32::try_from(hour).ok()?,
            part(self.minute)?,
            part(self.second)?,
            part(self.nano)?,
        )
    }
}
