//! Statistics: what a point says when asked for `Average`, `p99` or `TM(10%:90%)`.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html>
//!
//! Percentiles are by nearest rank. Ranges take in their upper bound and leave out their lower one, as AWS's do.
//!
//! Differs from AWS: percentiles of services' own metrics come from the buckets of a histogram and may be off by an eighth; of
//! PutMetricData's values they are exact up to 150 different ones, and off by at most one in 128 usually beyond that.

use crate::point::Point;

/// One statistic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// The value that this many percent of the samples do not exceed.
    Percentile(f64),
    /// Of the samples between two bounds: what.
    Ranged(Ranged, Range),
    /// Percent of the samples between two values.
    PercentileRank(Range),
}

/// What is asked of the samples in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ranged {
    TrimmedMean,
    /// What is outside counts as the bound it is beyond.
    WinsorizedMean,
    TrimmedCount,
    TrimmedSum,
}

/// Bounds, each of which may be open.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Range {
    /// In percent of the samples.
    Percent(f64, f64),
    /// In values; lower exclusive, upper inclusive.
    Values(f64, f64),
}

/// The five plain ones, as the model lists them.
pub(crate) const PLAIN: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

impl Statistic {
    /// The statistic of this name; none if there is none.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "SampleCount" => return Some(Self::SampleCount),
            "Average" => return Some(Self::Average),
            "Sum" => return Some(Self::Sum),
            "Minimum" => return Some(Self::Minimum),
            "Maximum" => return Some(Self::Maximum),
            _ => {}
        }
        Self::parse_extended(name)
    }

    /// A percentile, a trimmed or winsorised statistic or a rank.
    pub(crate) fn parse_extended(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        if upper == "IQM" {
            return Some(Self::Ranged(Ranged::TrimmedMean, Range::Percent(25.0, 75.0)));
        }
        if let Some(rest) = upper.strip_prefix("PR") {
            return match Range::parse(rest)? {
                range @ Range::Values(..) => Some(Self::PercentileRank(range)),
                Range::Percent(..) => None,
            };
        }
        if let Some(rest) = upper.strip_prefix('P') {
            return percent(rest).map(Self::Percentile);
        }
        let (what, rest) = [
            ("TM", Ranged::TrimmedMean),
            ("WM", Ranged::WinsorizedMean),
            ("TC", Ranged::TrimmedCount),
            ("TS", Ranged::TrimmedSum),
        ]
        .into_iter()
        .find_map(|(prefix, what)| Some((what, upper.strip_prefix(prefix)?)))?;
        let range =
            if rest.starts_with('(') { Range::parse(rest)? } else { Range::Percent(0.0, percent(rest)?) };
        Some(Self::Ranged(what, range))
    }

    /// What the point says; none where it takes the values to tell and they are not known.
    pub(crate) fn of(&self, point: &Point) -> Option<f64> {
        match self {
            Self::SampleCount => Some(point.count),
            Self::Average => (point.count > 0.0).then(|| point.sum / point.count),
            Self::Sum => Some(point.sum),
            Self::Minimum => Some(point.min),
            Self::Maximum => Some(point.max),
            Self::Percentile(percent) => Some(rank(&point.distribution()?, *percent)),
            Self::Ranged(what, range) => range.ask(*what, &point.distribution()?),
            Self::PercentileRank(range) => {
                let counts = point.distribution()?;
                let within: f64 = range.of_values(&counts).iter().map(|(_, count)| count).sum();
                Some(within / point.count * 100.0)
            }
        }
    }
}

/// A number of percent: at most two digits and ten decimal places, or a hundred.
fn percent(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = !whole.is_empty() && whole.len() <= 3 && fraction.len() <= 10;
    if !shaped || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        return None;
    }
    text.parse().ok().filter(|percent| *percent <= 100.0)
}

impl Range {
    /// `(10%:90%)`, `(:95%)`, `(150:1000)`, `(150:)`.
    fn parse(text: &str) -> Option<Self> {
        let (low, high) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(':')?;
        let (low, high) = (low.trim(), high.trim());
        if low.is_empty() && high.is_empty() {
            return None;
        }
        if low.ends_with('%') || high.ends_with('%') {
            let bound = |text: &str, open| match text {
                "" => Some(open),
                _ => percent(text.strip_suffix('%')?),
            };
            let (low, high) = (bound(low, 0.0)?, bound(high, 100.0)?);
            return (low < high).then_some(Self::Percent(low, high));
        }
        let bound = |text: &str, open| match text {
            "" => Some(open),
            _ => text.parse().ok().filter(|value: &f64| value.is_finite()),
        };
        let (low, high) = (bound(low, f64::NEG_INFINITY)?, bound(high, f64::INFINITY)?);
        (low < high).then_some(Self::Values(low, high))
    }

    /// The samples within.
    fn of_values(&self, counts: &[(f64, f64)]) -> Vec<(f64, f64)> {
        match *self {
            Self::Values(low, high) => {
                let within = |(value, _): &&(f64, f64)| *value > low && *value <= high;
                counts.iter().filter(within).copied().collect()
            }
            Self::Percent(low, high) => {
                let total: f64 = counts.iter().map(|(_, count)| count).sum();
                let (from, to) = (total * low / 100.0, total * high / 100.0);
                let mut seen = 0.0;
                let mut within = Vec::new();
                for (value, count) in counts {
                    let part = (seen + count).min(to) - f64::max(seen, from);
                    if part > 0.0 {
                        within.push((*value, part));
                    }
                    seen += count;
                }
                within
            }
        }
    }

    fn ask(&self, what: Ranged, counts: &[(f64, f64)]) -> Option<f64> {
        let within = self.of_values(counts);
        let count: f64 = within.iter().map(|(_, count)| count).sum();
        let sum: f64 = within.iter().map(|(value, count)| value * count).sum();
        match what {
            Ranged::TrimmedCount => Some(count),
            Ranged::TrimmedSum => Some(sum),
            Ranged::TrimmedMean => (count > 0.0).then(|| sum / count),
            Ranged::WinsorizedMean => {
                let (low, high) = match *self {
                    Self::Values(low, high) => (low, high),
                    Self::Percent(..) => (within.first()?.0, within.last()?.0),
                };
                let total: f64 = counts.iter().map(|(_, count)| count).sum();
                let bound = |value: f64| value.max(low).min(high);
                let sum: f64 = counts.iter().map(|(value, count)| bound(*value) * count).sum();
                (total > 0.0).then(|| sum / total)
            }
        }
    }
}

/// The value at this rank of percent.
fn rank(counts: &[(f64, f64)], percent: f64) -> f64 {
    let total: f64 = counts.iter().map(|(_, count)| count).sum();
    // A hair less, so that 99 % of a hundred samples is the 99th whatever the division leaves behind.
    let wanted = total * percent / 100.0 * (1.0 - 1e-12);
    let mut seen = 0.0;
    for (value, count) in counts {
        seen += count;
        if seen >= wanted {
            return *value;
        }
    }
    counts.last().map_or(0.0, |(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundred() -> Point {
        Point::of_values((1..=100).map(|value| (f64::from(value), 1.0))).unwrap()
    }

    #[track_caller]
    fn check(name: &str, expect: f64) {
        let said = Statistic::parse(name).unwrap().of(&hundred()).unwrap();
        assert!((said - expect).abs() < 1e-9, "{name}: {said}");
    }

    #[test]
    fn every_statistic_of_the_numbers_to_a_hundred() {
        check("SampleCount", 100.0);
        check("Average", 50.5);
        check("Sum", 5050.0);
        check("Minimum", 1.0);
        check("Maximum", 100.0);
        check("p0", 1.0);
        check("p50", 50.0);
        check("p99", 99.0);
        check("p99.9", 100.0);
        check("p100", 100.0);
        check("tm90", (1..=90).sum::<i32>() as f64 / 90.0);
        check("TM(10%:90%)", 50.5);
        check("IQM", 50.5);
        check("TM(:10)", 5.5);
        check("TM(10:20)", 15.5);
        check("tc90", 90.0);
        check("TC(10:20)", 10.0);
        check("TC(:0.5%)", 0.5);
        check("ts10", 55.0);
        check("TS(90:)", (91..=100).sum::<i32>() as f64);
        check("wm90", ((1..=90).sum::<i32>() + 900) as f64 / 100.0);
        check("WM(10:90)", ((11..=90).sum::<i32>() + 100 + 900) as f64 / 100.0);
        check("PR(:30)", 30.0);
        check("PR(10:20)", 10.0);
        check("PR(90:)", 10.0);
    }

    #[test]
    fn what_is_no_statistic_is_none() {
        for name in [
            "",
            "average",
            "p",
            "p101",
            "p1e1",
            "p-1",
            "p99.",
            "p5.12345678901",
            "tm",
            "TM()",
            "TM(:)",
            "TM(5:1)",
            "TM(10%:5)",
            "PR(10%:20%)",
            "PR",
            "x90",
            "TM(10%:10%)",
            "p1000",
            "TM(a:b)",
            "TM(0:inf)",
        ] {
            assert_eq!(Statistic::parse(name), None, "{name}");
        }
        assert_eq!(Statistic::parse_extended("Average"), None);
    }

    #[test]
    fn percentiles_take_values_and_not_only_a_set() {
        let set = Point::set(10.0, 4.0, 1.0, 5.0);
        assert_eq!(Statistic::parse("p50").unwrap().of(&set), None);
        assert_eq!(Statistic::parse("Average").unwrap().of(&set), Some(2.5));
        let one = Point::set(5.0, 1.0, 5.0, 5.0);
        assert_eq!(Statistic::parse("p50").unwrap().of(&one), Some(5.0));
        // Nothing is in the range, so that there is no mean of it.
        assert_eq!(Statistic::parse("TM(5:9)").unwrap().of(&one), None);
    }
}
