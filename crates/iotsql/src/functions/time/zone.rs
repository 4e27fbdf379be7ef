//! Time zones: by region (`America/Toronto`), by offset (`+01:00`, `UTC+1`), by the old abbreviations.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{OffsetName, Tz};

/// A region or a fixed offset.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Zone {
    Region(Tz),
    Offset(FixedOffset),
}

/// What Java takes the abbreviations of North America for.
const ABBREVIATIONS: &[(&str, Tz)] = &[
    ("PST", Tz::America__Los_Angeles),
    ("PDT", Tz::America__Los_Angeles),
    ("MST", Tz::America__Denver),
    ("MDT", Tz::America__Denver),
    ("CST", Tz::America__Chicago),
    ("CDT", Tz::America__Chicago),
    ("EST", Tz::America__New_York),
    ("EDT", Tz::America__New_York),
];

impl Zone {
    pub(super) const UTC: Zone = Zone::Region(Tz::UTC);

    pub(super) fn parse(name: &str) -> Option<Zone> {
        if name == "Z" {
            return Some(Zone::UTC);
        }
        if let Some((_, region)) = ABBREVIATIONS.iter().find(|(abbreviation, _)| *abbreviation == name) {
            return Some(Zone::Region(*region));
        }
        if let Ok(region) = name.parse() {
            return Some(Zone::Region(region));
        }
        let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        parse_offset(offset).map(Zone::Offset)
    }

    /// The clock there, the offset and the abbreviation.
    pub(super) fn local(&self, utc: DateTime<Utc>) -> (NaiveDateTime, FixedOffset, String) {
        match self {
            Zone::Region(region) => {
                let local = utc.with_timezone(region);
                let offset = local.offset().fix();
                let abbreviation = local.offset().abbreviation().filter(|name| !name.starts_with(['+', '-']));
                (local.naive_local(), offset, abbreviation.map_or_else(|| offset.to_string(), str::to_owned))
            }
            Zone::Offset(offset) => (utc.with_timezone(offset).naive_local(), *offset, offset.to_string()),
        }
    }

    /// Joda's id of the zone.
    pub(super) fn id(&self) -> String {
        match self {
            Zone::Region(region) => region.name().to_owned(),
            Zone::Offset(offset) => offset.to_string(),
        }
    }

    /// The instant at which the clock there shows `local`: the earlier of two, and moved on by the length of
    /// the gap when the clock skips it.
    pub(super) fn instant(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self {
            Zone::Offset(offset) => offset.from_local_datetime(&local).single().map(|time| time.to_utc()),
            Zone::Region(region) => match region.from_local_datetime(&local).earliest() {
                Some(time) => Some(time.to_utc()),
                None => {
                    let day_before = region
                        .from_local_datetime(&local.checked_sub_signed(TimeDelta::days(1))?)
                        .earliest()?;
                    Some(local.checked_sub_offset(day_before.offset().fix())?.and_utc())
                }
            },
        }
    }
}

/// `+1`, `+01`, `+0130`, `+01:30`, `+013015`, `+01:30:15`; up to 18 hours.
fn parse_offset(text: &str) -> Option<FixedOffset> {
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let parts: Vec<&str> = if rest.contains(':') {
        rest.split(':').collect()
    } else if rest.len() <= 2 {
        vec![rest]
    } else {
        rest.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default()).collect()
    };
    let first = parts.first()?;
    let well_formed = (1..=3).contains(&parts.len())
        && (first.len() == 2 || (first.len() == 1 && !rest.is_empty() && parts.len() == 1))
        && parts.iter().skip(1).all(|part| part.len() == 2)
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !well_formed {
        return None;
    }
    let number = |n: usize| parts.get(n).map_or(Some(0), |part| part.parse::<i32>().ok());
    let (hours, minutes, seconds) = (number(0)?, number(1)?, number(2)?);
    let offset = hours * 3600 + minutes * 60 + seconds;
    if minutes > 59 || seconds > 59 || offset > 18 * 3600 {
        return None;
    }
    FixedOffset::east_opt(sign * offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_in_every_spelling() {
        for (text, seconds) in [
            ("+1", 3600),
            ("-08", -28800),
            ("+0530", 19800),
            ("+05:30", 19800),
            ("+01:30:15", 5415),
            ("+18", 64800),
        ] {
            assert_eq!(parse_offset(text), FixedOffset::east_opt(seconds), "{text}");
        }
        for text in ["", "1", "+", "+123", "+1:00", "+01:60", "+19", "+aa", "+01:00:00:00", "+é"] {
            assert_eq!(parse_offset(text), None, "{text}");
        }
    }

    #[test]
    fn a_skipped_clock_moves_on_and_a_repeated_one_is_the_earlier() {
        let zone = Zone::parse("America/New_York").unwrap();
        let instant = |text: &str| zone.instant(text.parse().unwrap()).unwrap().to_string();
        assert_eq!(instant("2024-03-10T02:30:00"), "2024-03-10 07:30:00 UTC");
        assert_eq!(instant("2024-11-03T01:30:00"), "2024-11-03 05:30:00 UTC");
    }
}
