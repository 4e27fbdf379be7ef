//! Dynamic labels: `[max: ${MAX}] ${PROP('Dim.Host')}`.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html>
//!
//! Differs from AWS: times relative to the present (`${LAST_TIME_RELATIVE}`) are not there; what is not there stays as it is written.

use chrono::{DateTime, FixedOffset, Utc};

use crate::math::value::Series;
use crate::series::Scope;

/// `+0130`, `-0800`.
pub(crate) fn timezone(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    FixedOffset::east_opt(sign * (hours * 3_600 + minutes * 60))
}

/// The label with what it says in `${…}`; `own` is what `${LABEL}` stands for.
pub(crate) fn render(label: &str, own: &str, series: &Series, scope: &Scope, zone: FixedOffset) -> String {
    let mut out = String::with_capacity(label.len());
    let mut rest = label;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push_str("${");
            rest = after;
            continue;
        };
        match value(name.trim(), own, series, scope, zone) {
            Some(text) => out.push_str(&text),
            None => {
                out.push_str("${");
                out.push_str(name);
                out.push('}');
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn value(name: &str, own: &str, series: &Series, scope: &Scope, zone: FixedOffset) -> Option<String> {
    if let Some(property) = name.strip_prefix("PROP(") {
        let property = property.strip_suffix(')')?.trim().trim_matches(['\'', '"']);
        return property_of(property, series, scope);
    }
    let points = &series.points;
    let by = |better: fn(f64, f64) -> bool| {
        points.iter().copied().reduce(|best, one| if better(one.1, best.1) { one } else { best })
    };
    let least = by(|one, best| one < best);
    let greatest = by(|one, best| one > best);
    let (first, last) = (points.first().copied(), points.last().copied());
    let number = |value: Option<f64>| Some(value.map_or_else(|| "--".to_owned(), show));
    let time = |point: Option<(i64, f64)>| {
        let format = |(at, _): (i64, f64)| {
            let at: DateTime<Utc> = DateTime::from_timestamp(at, 0).unwrap_or_default();
            at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
        };
        Some(point.map_or_else(|| "--".to_owned(), format))
    };
    let range = |one: Option<(i64, f64)>, other: Option<(i64, f64)>| {
        Some(match (one, other) {
            (Some(one), Some(other)) => format!("{} - {}", show(one.1), show(other.1)),
            _ => "--".to_owned(),
        })
    };
    let sum: f64 = series.values().sum();
    let some = !points.is_empty();
    match name {
        "LABEL" => Some(own.to_owned()),
        "AVG" => number(some.then(|| sum / points.len() as f64)),
        "SUM" => number(some.then_some(sum)),
        "DATAPOINT_COUNT" => Some(points.len().to_string()),
        "FIRST" => number(first.map(|point| point.1)),
        "LAST" => number(last.map(|point| point.1)),
        "MIN" => number(least.map(|point| point.1)),
        "MAX" => number(greatest.map(|point| point.1)),
        "FIRST_TIME" => time(first),
        "LAST_TIME" => time(last),
        "MIN_TIME" => time(least),
        "MAX_TIME" => time(greatest),
        "FIRST_LAST_RANGE" => range(first, last),
        "MIN_MAX_RANGE" => range(least, greatest),
        "FIRST_LAST_TIME_RANGE" => Some(format!("{} - {}", time(first)?, time(last)?)),
        "MIN_MAX_TIME_RANGE" => Some(format!("{} - {}", time(least)?, time(greatest)?)),
        _ => None,
    }
}

fn property_of(property: &str, series: &Series, scope: &Scope) -> Option<String> {
    let (metric, statistic) = series.origin.as_ref()?;
    match property {
        "AccountId" => Some(scope.0.clone()),
        "Region" => Some(scope.1.clone()),
        "MetricName" => Some(metric.name.clone()),
        "Namespace" => Some(metric.namespace.clone()),
        "Period" => Some(series.period.to_string()),
        "Stat" => Some(statistic.clone()),
        _ => {
            let name = property.strip_prefix("Dim.")?;
            metric.dimensions.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone())
        }
    }
}

/// At most three decimal places.
fn show(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::MetricName;

    #[test]
    fn a_label_says_what_the_series_says() {
        let metric = MetricName::new("App", "Latency", vec![("Host".to_owned(), "a".to_owned())]);
        let series = Series {
            label: "Latency".to_owned(),
            period: 60,
            points: vec![(0, 1.0), (60, 3.5), (120, 2.0)],
            origin: Some((metric, "Average".to_owned())),
        };
        let scope = ("000000000000".to_owned(), "us-east-1".to_owned());
        let zone = timezone("+0130").unwrap();
        for (label, expect) in [
            ("plain", "plain"),
            ("${LABEL}: ${MAX}", "Latency: 3.5"),
            ("${AVG} ${SUM} ${MIN} ${FIRST} ${LAST} ${DATAPOINT_COUNT}", "2.167 6.5 1 1 2 3"),
            ("${MAX_TIME}", "1970-01-01 01:31:00"),
            ("${MIN_MAX_RANGE}", "1 - 3.5"),
            ("${PROP('Dim.Host')}/${PROP('Stat')}/${PROP('Region')}", "a/Average/us-east-1"),
            ("${PROP('Dim.No')} ${NOPE} ${", "${PROP('Dim.No')} ${NOPE} ${"),
        ] {
            assert_eq!(render(label, "Latency", &series, &scope, zone), expect);
        }
        let empty = Series { points: Vec::new(), ..series };
        assert_eq!(render("${MAX} ${AVG} ${SUM}", "", &empty, &scope, zone), "-- -- --");
    }

    #[test]
    fn time_zones_are_signed_hours_and_minutes() {
        assert!(timezone("-0800").is_some());
        for text in ["", "0800", "+8", "+2500", "+0860", "+08:0", "é000"] {
            assert!(timezone(text).is_none(), "{text}");
        }
    }
}
