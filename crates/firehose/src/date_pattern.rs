//! Patterns of Java's `DateTimeFormatter`, as `!{timestamp:…}` has them.
//! <https://docs.oracle.com/javase/8/docs/api/java/time/format/DateTimeFormatter.html>
//!
//! Whole: `G u y Y M L w d D Q q E a h K k H m s S A n N X x Z` (offsets up to three letters), quoted text and every
//! character that is no letter. Texts are English, and weeks begin on Sunday with the week of 1 January being the
//! first, as in the locale en-US.
//!
//! Differs from AWS: `F W e c V z O p` and optional sections are refused when the stream is created.

use chrono::{DateTime, Datelike, Offset, TimeZone, Timelike};
use chrono_tz::Tz;

/// A pattern that can be formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatePattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A letter and how often it is repeated.
    Field(char, usize),
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
const QUARTERS: [&str; 4] = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];

impl DatePattern {
    /// # Errors
    /// What is wrong with the pattern, as a clause.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts: Vec<Part> = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\'' => push_text(&mut parts, &quoted(&mut chars)?),
                'a'..='z' | 'A'..='Z' => {
                    let mut count = 1;
                    while chars.next_if_eq(&c).is_some() {
                        count += 1;
                    }
                    if !is_field(c, count) {
                        let letters = c.to_string().repeat(count);
                        return Err(format!("the pattern letters {letters} are not supported"));
                    }
                    parts.push(Part::Field(c, count));
                }
                '[' | ']' | '{' | '}' | '#' => return Err(format!("the character {c} is reserved")),
                c => push_text(&mut parts, &c.to_string()),
            }
        }
        Ok(Self(parts))
    }

    /// The text of an instant.
    pub(crate) fn format(&self, at: &DateTime<Tz>) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(letter, count) => out.push_str(&field(*letter, *count, at)),
            }
        }
        out
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        Some(Part::Text(last)) => last.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

/// The rest of a quoted text; two quotes are one, inside and by themselves.
fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    loop {
        match chars.next() {
            None => return Err("a quote is not closed".to_owned()),
            Some('\'') if chars.next_if_eq(&'\'').is_some() => text.push('\''),
            Some('\'') if text.is_empty() => return Ok("'".to_owned()),
            Some('\'') => return Ok(text),
            Some(c) => text.push(c),
        }
    }
}

fn is_field(letter: char, count: usize) -> bool {
    match letter {
        'u' | 'y' | 'Y' | 'A' | 'n' | 'N' => count <= 19,
        'G' | 'M' | 'L' | 'Q' | 'q' | 'E' => count <= 5,
        'D' | 'X' | 'x' | 'Z' => count <= 3,
        'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' | 'w' => count <= 2,
        'S' => count <= 9,
        'a' => count == 1,
        _ => false,
    }
}

fn field(letter: char, count: usize, at: &DateTime<Tz>) -> String {
    let number = |value: u64| format!("{value:0count$}");
    let small = |value: u32| number(u64::from(value));
    let nano_of_day = u64::from(at.num_seconds_from_midnight()) * 1_000_000_000 + u64::from(at.nanosecond());
    match letter {
        'G' => match count {
            4 => "Anno Domini".to_owned(),
            5 => "A".to_owned(),
            _ => "AD".to_owned(),
        },
        'u' | 'y' => year(at.year(), count),
        'Y' => year(week(at).0, count),
        'w' => small(week(at).1),
        'M' | 'L' => named(MONTHS[at.month0() as usize], at.month(), count),
        'Q' | 'q' => quarter(at.month0() / 3, count),
        'E' => match DAYS[at.weekday().num_days_from_monday() as usize] {
            day if count == 4 => day.to_owned(),
            day => day.chars().take(if count == 5 { 1 } else { 3 }).collect(),
        },
        'd' => small(at.day()),
        'D' => small(at.ordinal()),
        'a' => if at.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        'h' => small((at.hour() + 11) % 12 + 1),
        'K' => small(at.hour() % 12),
        'k' => small((at.hour() + 23) % 24 + 1),
        'H' => small(at.hour()),
        'm' => small(at.minute()),
        's' => small(at.second()),
        'S' => format!("{:09}", at.nanosecond()).chars().take(count).collect(),
        'A' => number(nano_of_day / 1_000_000),
        'n' => number(u64::from(at.nanosecond())),
        'N' => number(nano_of_day),
        'X' | 'x' | 'Z' => offset(letter, count, at),
        _ => unreachable!("parse admits no other letter"),
    }
}

/// Two letters are the last two digits; otherwise at least as many digits as letters.
fn year(year: i32, count: usize) -> String {
    if count == 2 { format!("{:02}", year.rem_euclid(100)) } else { format!("{year:0count$}") }
}

fn named(name: &str, number: u32, count: usize) -> String {
    match count {
        1 | 2 => format!("{number:0count$}"),
        4 => name.to_owned(),
        5 => name.chars().take(1).collect(),
        _ => name.chars().take(3).collect(),
    }
}

fn quarter(index: u32, count: usize) -> String {
    match count {
        1 | 2 => format!("{:0count$}", index + 1),
        3 => format!("Q{}", index + 1),
        4 => QUARTERS[index as usize].to_owned(),
        _ => (index + 1).to_string(),
    }
}

/// Week-based year and week.
fn week(at: &DateTime<Tz>) -> (i32, u32) {
    let weekday_of_first = |year| {
        chrono::NaiveDate::from_ymd_opt(year, 1, 1).map_or(0, |day| day.weekday().num_days_from_sunday())
    };
    let days = if at.date_naive().leap_year() { 366 } else { 365 };
    let days_of_last_week = weekday_of_first(at.year() + 1);
    if days_of_last_week > 0 && at.ordinal0() + days_of_last_week >= days {
        return (at.year() + 1, 1);
    }
    (at.year(), (at.ordinal0() + weekday_of_first(at.year())) / 7 + 1)
}

fn offset(letter: char, count: usize, at: &DateTime<Tz>) -> String {
    let seconds = at.timezone().offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
    if letter == 'X' && seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    match (letter, count) {
        ('X' | 'x', 1) if minutes == 0 => format!("{sign}{hours:02}"),
        ('X' | 'x', 3) => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pattern: &str, zone: Tz, at: &str, expect: &str) {
        let at = DateTime::parse_from_rfc3339(at).unwrap().with_timezone(&zone);
        assert_eq!(DatePattern::parse(pattern).unwrap().format(&at), expect, "{pattern}");
    }

    #[test]
    fn fields() {
        for (pattern, expect) in [
            ("yyyy/MM/dd/HH/", "2017/08/06/17/"),
            ("y yy yyy yyyyy u", "2017 17 2017 02017 2017"),
            ("M MM MMM MMMM MMMMM", "8 08 Aug August A"),
            ("L LL LLL LLLL", "8 08 Aug August"),
            ("d dd D DD DDD", "6 06 218 218 218"),
            ("E EEEE EEEEE", "Sun Sunday S"),
            ("Q QQ QQQ QQQQ QQQQQ", "3 03 Q3 3rd quarter 3"),
            ("H HH h hh K k a", "17 17 5 05 5 17 PM"),
            ("m mm s ss S SSS SSSSSS", "4 04 5 05 3 345 345000"),
            ("A n", "61445345 345000000"),
            ("N", "61445345000000"),
            ("G GGGG GGGGG", "AD Anno Domini A"),
            ("X XX XXX x xx xxx Z", "Z Z Z +00 +0000 +00:00 +0000"),
            ("'year='yyyy'/month='MM", "year=2017/month=08"),
            ("yyyy''MM 'o''clock'", "2017'08 o'clock"),
            ("ä-_/.", "ä-_/."),
        ] {
            check(pattern, Tz::UTC, "2017-08-06T17:04:05.345Z", expect);
        }
    }

    #[test]
    fn midnight_is_twelve_and_twenty_four() {
        check("h K k H a", Tz::UTC, "2017-01-01T00:00:00Z", "12 0 24 0 AM");
        check("h K k H a", Tz::UTC, "2017-01-01T12:00:00Z", "12 0 12 12 PM");
        check("D DD DDD", Tz::UTC, "2017-01-07T12:00:00Z", "7 07 007");
    }

    #[test]
    fn zones_move_date_and_offset() {
        check(
            "yyyy-MM-dd HH X XX XXX",
            Tz::Asia__Tokyo,
            "2017-12-31T20:00:00Z",
            "2018-01-01 05 +09 +0900 +09:00",
        );
        check("X x Z", Tz::Asia__Kolkata, "2017-12-31T20:00:00Z", "+0530 +0530 +0530");
        check("xxx", Tz::America__New_York, "2017-08-06T20:00:00Z", "-04:00");
    }

    #[test]
    fn the_week_of_the_first_of_january_is_the_first() {
        for (at, expect) in [
            ("2020-12-26", "2020 52"),
            ("2020-12-27", "2021 1"),
            ("2021-01-01", "2021 1"),
            ("2021-01-03", "2021 2"),
            ("2022-12-31", "2022 53"),
            ("2023-01-01", "2023 1"),
            ("2023-12-31", "2024 1"),
        ] {
            check("YYYY w", Tz::UTC, &format!("{at}T12:00:00Z"), expect);
        }
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for (pattern, expect) in [
            ("ddd", "the pattern letters ddd are not supported"),
            ("VV", "the pattern letters VV are not supported"),
            ("b", "the pattern letters b are not supported"),
            ("'open", "a quote is not closed"),
            ("[yyyy]", "the character [ is reserved"),
        ] {
            assert_eq!(DatePattern::parse(pattern).unwrap_err(), expect, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_formats(pattern in "[GuyYMLwdDQqEahKkHmsSAnNXxZ'/ -]{0,12}|[ -~é]{0,12}", ms in -62_135_596_800_000_i64..253_402_300_800_000) {
            if let Ok(parsed) = DatePattern::parse(&pattern) {
                for zone in [Tz::UTC, Tz::Asia__Kolkata, Tz::America__New_York] {
                    parsed.format(&DateTime::from_timestamp_millis(ms).unwrap().with_timezone(&zone));
                }
            }
        }

        #[test]
        fn numbers_are_what_chrono_says(ms in 0_i64..4_102_444_800_000) {
            let at = DateTime::from_timestamp_millis(ms).unwrap().with_timezone(&Tz::America__New_York);
            let ours = DatePattern::parse("yyyy/MM/dd/HH-mm-ss-SSS hh a DDD MMM MMMM EEE EEEE xx xxx").unwrap().format(&at);
            let theirs = at.format("%Y/%m/%d/%H-%M-%S-%3f %I %p %j %b %B %a %A %z %:z").to_string();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn quoted_text_is_itself(text in "[ -&(-~é]{1,20}") {
            check(&format!("'{text}'"), Tz::UTC, "2017-08-06T17:04:05.345Z", &text);
        }
    }
}
