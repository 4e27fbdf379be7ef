//! Dates and timestamps as text: reading what stands in objects and literals, writing what Athena shows.
//!
//! A timestamp is milliseconds since 1970 without a zone; a date is days. Digits after the third of a fraction are
//! cut. The calendar is proleptic Gregorian.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// `yyyy-MM-dd` as days since 1970.
pub(crate) fn parse_date(text: &[u8]) -> Option<i32> {
    let mut reader = Reader { text, at: 0 };
    let date = reader.date()?;
    reader.ended().then(|| days(date))
}

/// `yyyy-MM-dd`, `yyyy-MM-dd HH:mm[:ss[.fraction]]`, with `T` for the space, and with a zone `Z`, `UTC` or `+hh:mm`
/// that is taken into account.
pub(crate) fn parse_timestamp(text: &[u8]) -> Option<i64> {
    parse_zoned(text).map(|(millis, _)| millis)
}

/// The same, and whether the text named a zone.
pub(crate) fn parse_zoned(text: &[u8]) -> Option<(i64, bool)> {
    let mut reader = Reader { text, at: 0 };
    let date = reader.date()?;
    let mut millis_of_day = 0i64;
    if reader.eat(b' ') || reader.eat(b'T') {
        let hour = reader.digits(1, 2)?;
        if !reader.eat(b':') {
            return None;
        }
        let minute = reader.digits(2, 2)?;
        let mut second = 0;
        let mut milli = 0;
        if reader.eat(b':') {
            second = reader.digits(2, 2)?;
            if reader.eat(b'.') {
                milli = reader.fraction()?;
            }
        }
        let time = NaiveTime::from_hms_milli_opt(hour, minute, second, milli)?;
        millis_of_day = i64::from(time.num_seconds_from_midnight()) * 1_000 + i64::from(milli);
    }
    let (offset_minutes, zoned) = reader.zone()?;
    if !reader.ended() {
        return None;
    }
    let millis = i64::from(days(date)) * 86_400_000 + millis_of_day - i64::from(offset_minutes) * 60_000;
    Some((millis, zoned))
}

/// `2017-01-01 00:00:00.000`.
pub(crate) fn format_timestamp(millis: i64) -> String {
    match DateTime::from_timestamp_millis(millis) {
        Some(time) => time.naive_utc().format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        None => millis.to_string(),
    }
}

/// `2017-01-01`.
pub(crate) fn format_date(days: i32) -> String {
    match date_of(days) {
        Some(date) => date.format("%Y-%m-%d").to_string(),
        None => days.to_string(),
    }
}

/// The civil date of a day number.
pub(crate) fn date_of(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(719_163)?)
}

/// The day number of a civil date.
pub(crate) fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// The civil date and time of a timestamp.
pub(crate) fn datetime_of(millis: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_millis(millis).map(|time| time.naive_utc())
}

/// The timestamp of a civil date and time.
pub(crate) fn millis(datetime: NaiveDateTime) -> i64 {
    datetime.and_utc().timestamp_millis()
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }

    fn ended(&self) -> bool {
        self.at == self.text.len()
    }

    fn digits(&mut self, min: usize, max: usize) -> Option<u32> {
        let mut value = 0;
        let mut count = 0;
        while count < max
            && let Some(digit) = self.peek().filter(u8::is_ascii_digit)
        {
            value = value * 10 + u32::from(digit - b'0');
            self.at += 1;
            count += 1;
        }
        (count >= min).then_some(value)
    }

    fn fraction(&mut self) -> Option<u32> {
        let mut value = 0;
        let mut count = 0;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            if count < 3 {
                value = value * 10 + u32::from(digit - b'0');
            }
            self.at += 1;
            count += 1;
        }
        (1..=12).contains(&count).then(|| value * 10u32.pow(3u32.saturating_sub(count)))
    }

    fn date(&mut self) -> Option<NaiveDate> {
        let year = self.digits(4, 4)?;
        let month = self.eat(b'-').then(|| self.digits(1, 2)).flatten()?;
        let day = self.eat(b'-').then(|| self.digits(1, 2)).flatten()?;
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
    }

    /// Minutes east of UTC, and whether a zone was there at all.
    fn zone(&mut self) -> Option<(i32, bool)> {
        if self.ended() {
            return Some((0, false));
        }
        self.eat(b' ');
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest == b"Z" || rest == b"UTC" {
            self.at = self.text.len();
            return Some((0, true));
        }
        let sign = match self.peek()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.at += 1;
        let hours = self.digits(2, 2)?;
        self.eat(b':');
        let minutes = if self.ended() { 0 } else { self.digits(2, 2)? };
        if hours > 14 || minutes > 59 {
            return None;
        }
        Some((sign * i32::try_from(hours * 60 + minutes).ok()?, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, shown: Option<&str>) {
        let parsed = parse_timestamp(text.as_bytes()).map(format_timestamp);
        assert_eq!(parsed.as_deref(), shown, "{text}");
    }

    #[test]
    fn timestamps_in_hives_and_iso_form() {
        check("2017-08-26 07:47:12.345", Some("2017-08-26 07:47:12.345"));
        check("2017-08-26 07:47:12", Some("2017-08-26 07:47:12.000"));
        check("2017-08-26T07:47:12.3456789Z", Some("2017-08-26 07:47:12.345"));
        check("2017-08-26T07:47:12.5+02:00", Some("2017-08-26 05:47:12.500"));
        check("2017-08-26 07:47:12 UTC", Some("2017-08-26 07:47:12.000"));
        check("2017-08-26", Some("2017-08-26 00:00:00.000"));
        check("1600-02-29 00:00:00", Some("1600-02-29 00:00:00.000"));
        check("2017-02-29 00:00:00", None);
        check("2017-08-26 24:00:00", None);
        check("2017-08-26 07:47:12.", None);
        check("yesterday", None);
        check("", None);
    }

    #[test]
    fn dates_are_days_since_1970() {
        assert_eq!(parse_date(b"1970-01-02"), Some(1));
        assert_eq!(parse_date(b"1969-12-31"), Some(-1));
        assert_eq!(parse_date(b"2017-08-26 00:00"), None);
        assert_eq!(format_date(17_404), "2017-08-26");
        assert_eq!(date_of(17_404).map(days), Some(17_404));
    }
}
