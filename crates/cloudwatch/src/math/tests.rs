//! The language by example, against two small metrics.

use std::collections::BTreeMap;

use super::evaluate::{Evaluation, World};
use super::parse;
use super::search::Filter;
use super::value::Series;
use crate::series::MetricName;
use crate::store::Span;

fn series(values: &[(i64, f64)]) -> Series {
    Series { label: "m".to_owned(), period: 60, points: values.to_vec(), origin: None }
}

/// Two metrics: `m1` at every minute of five, `m2` without the third.
fn world(expressions: &[(&str, &str)]) -> World {
    let parsed = |(id, text): &(&str, &str)| ((*id).to_owned(), parse::parse(text).unwrap());
    World {
        span: Span { start: 0, end: 300, period: 60 },
        now: 300,
        metrics: vec![
            ("m1".to_owned(), series(&[(0, 1.0), (60, 2.0), (120, 3.0), (180, 4.0), (240, 5.0)])),
            ("m2".to_owned(), series(&[(0, 10.0), (60, 20.0), (180, 0.0), (240, 50.0)])),
        ],
        expressions: expressions.iter().map(parsed).collect::<BTreeMap<_, _>>(),
        searches: BTreeMap::new(),
    }
}

fn evaluate(text: &str) -> Result<Vec<Vec<(i64, f64)>>, String> {
    let tree = parse::parse(text)?;
    let mut world = world(&[]);
    world.expressions.insert("e".to_owned(), tree);
    let series = Evaluation::new(&world).series("e")?;
    Ok(series.into_iter().map(|series| series.points).collect())
}

/// The values of one series, minute by minute from 0; `-` where there is none.
#[track_caller]
fn check(text: &str, expect: &str) {
    let series = evaluate(text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
    let show = |points: &Vec<(i64, f64)>| {
        let at = |at: i64| {
            points.iter().find(|(time, _)| *time == at).map_or("-".to_owned(), |(_, v)| v.to_string())
        };
        (0..5).map(|n| at(n * 60)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(series.iter().map(show).collect::<Vec<_>>().join("; "), expect, "{text}");
}

#[track_caller]
fn refused(text: &str, reason: &str) {
    assert_eq!(evaluate(text).unwrap_err(), reason, "{text}");
}

#[test]
fn arithmetic_has_the_usual_precedence() {
    check("m1 + 2 * 3 - 1", "6 7 8 9 10");
    check("(m1 + 2) * 3", "9 12 15 18 21");
    check("-m1 ^ 2", "-1 -4 -9 -16 -25");
    check("2 ^ m1 / 2", "1 2 4 8 16");
    check("m1 - -1", "2 3 4 5 6");
    check("1.5e1 * m1", "15 30 45 60 75");
    check("m1 + m2", "11 22 - 4 55");
    check("m1 / m2", "0.1 0.1 - - 0.1");
    check("m1 > 2 AND m1 < 5", "0 0 1 1 0");
    check("m1 == 1 || m1 >= 5", "1 0 0 0 1");
    check("m1 != 3", "1 1 0 1 1");
    check("m1 <= 2", "1 1 0 0 0");
}

#[test]
fn every_function_does_what_it_says() {
    check("ABS(-m1)", "1 2 3 4 5");
    check("CEIL(m1 / 2)", "1 1 2 2 3");
    check("FLOOR(m1 / 2)", "0 1 1 2 2");
    check("FLOOR(LOG10(m2 * 10 + 1))", "2 2 - 0 2");
    check("LOG(m1) * 0", "0 0 0 0 0");
    check("m1 - AVG(m1)", "-2 -1 0 1 2");
    check("m1 / SUM(m1) * 15", "1 2 3 4 5");
    check("m1 + MIN(m1) + MAX(m1)", "7 8 9 10 11");
    check("m1 * 0 + STDDEV([m1, m1])", "0 0 0 0 0");
    check("TIME_SERIES(DATAPOINT_COUNT(m2))", "4 4 4 4 4");
    check("AVG([m1, m2])", "5.5 11 3 2 27.5");
    check("SUM(METRICS())", "11 22 3 4 55");
    check("MAX([m1, m2])", "10 20 3 4 50");
    check("MAX(m1, m2)", "10 20 3 4 50");
    check("MIN([m1, 3])", "1 2 3 3 3");
    check("DATAPOINT_COUNT(METRICS('m'))", "2 2 1 2 2");
    check("METRICS('2')", "10 20 - 0 50");
    check("METRICS() * 2", "2 4 6 8 10; 20 40 - 0 100");
    check("RATE(m2) * 60", "- 10 - -20 50".replace("-20", "-10").as_str());
    check("DIFF(m2)", "- 10 - -20 50");
    check("DIFF_TIME(m2)", "- 60 - 120 60");
    check("RUNNING_SUM(m1)", "1 3 6 10 15");
    check("FILL(m2, 7)", "10 20 7 0 50");
    check("FILL(m2, REPEAT)", "10 20 20 0 50");
    check("FILL(m2, LINEAR)", "10 20 10 0 50");
    check("FILL(m2, m1)", "10 20 3 0 50");
    check("FILL(METRICS(), 0)", "1 2 3 4 5; 10 20 0 0 50");
    check("FIRST(METRICS())", "1 2 3 4 5");
    check("LAST([m1, m2])", "10 20 - 0 50");
    check("TIME_SERIES(METRIC_COUNT(METRICS()))", "2 2 2 2 2");
    check("m1 * PERIOD(m1)", "60 120 180 240 300");
    check("SLICE(METRICS(), 1)", "10 20 - 0 50");
    check("SLICE(METRICS(), 0, 9)", "1 2 3 4 5; 10 20 - 0 50");
    check("SORT(METRICS(), SUM, DESC)", "10 20 - 0 50; 1 2 3 4 5");
    check("SORT(METRICS(), MIN, ASC, 1)", "10 20 - 0 50");
    check("REMOVE_EMPTY([m1, m2 / 0])", "1 2 3 4 5");
    check("IF(m1 > 2, m1, 0)", "0 0 3 4 5");
    check("IF(m1 > 2, 1)", "- - 1 1 1");
    check("IF(m1 > 2, m2, m1)", "1 2 - 0 50");
    check("IF(1, m1, m2)", "1 2 3 4 5");
    check("IF(0, m1)", "- - - - -");
    check("MINUTE(m1)", "0 1 2 3 4");
    check("HOUR(m1) + DAY(m1) * 10 + DATE(m1) * 100 + MONTH(m1) * 1000", "1140 1140 1140 1140 1140");
    check("YEAR(m1)", "1970 1970 1970 1970 1970");
    check("EPOCH(m1)", "0 60 120 180 240");
    check("if(m1 > 2, m1, 0)", "0 0 3 4 5");
}

#[test]
fn expressions_use_each_other_and_never_in_a_circle() {
    let world = world(&[("e1", "m1 * 2"), ("e2", "e1 + e1"), ("a", "b"), ("b", "a + 1"), ("s", "AVG(m1)")]);
    let mut evaluation = Evaluation::new(&world);
    let e2 = evaluation.series("e2").unwrap().remove(0);
    assert_eq!((e2.label.as_str(), e2.points[4]), ("e2", (240, 20.0)));
    assert_eq!(evaluation.series("a").unwrap_err(), "a refers to itself");
    assert_eq!(evaluation.series("s").unwrap_err(), "it does not return a time series");
}

#[test]
fn what_is_no_expression_is_told() {
    refused("m1 +", "it ends too early");
    refused("m1 m2", "unexpected m2");
    refused("(m1", ") is missing");
    refused("[m1 m2]", ", expected at m2");
    refused("m1 % 2", "unexpected %");
    refused("'a", "a text does not end");
    refused("1.2.3 + m1", "unexpected 0.3");
    refused("m3", "there is no metric or expression m3");
    refused("NOPE(m1)", "there is no function NOPE here");
    refused("ANOMALY_DETECTION_BAND(m1)", "there is no function ANOMALY_DETECTION_BAND here");
    refused("RATE()", "RATE does not take these arguments");
    refused("m1 + 'a'", "'a' is not a number");
    refused("IF(m1)", "IF does not take these arguments");
    refused("SORT(METRICS(), m1, ASC)", "SORT does not take these arguments");
    refused("FILL(m1, 'x')", "FILL takes a number, a time series, REPEAT or LINEAR");
    refused("[m1, m2] + [m1, m2, m1]", "lists of 2 and 3 time series do not go together");
    refused("SEARCH('x', 'Nope')", "Nope is not a valid statistic");
    refused("SEARCH('x', 'Sum', 61)", "61 is not a valid period");
    refused(&"(".repeat(2_000), "it nests too deep");
    refused(&format!("m1{}", "^2".repeat(900)), "it nests too deep");
    refused(&format!("m1{}", "+1".repeat(1_000)), "it is too long");
}

#[test]
fn work_is_bounded() {
    let points: Vec<_> = (0..100_000).map(|n| (n, 1.0)).collect();
    let sum = vec!["m1"; 200].join("+");
    let mut world = world(&[("e", &sum)]);
    world.metrics = vec![("m1".to_owned(), series(&points))];
    assert_eq!(Evaluation::new(&world).series("e").unwrap_err(), "it takes too many data points");
    // What is made of nothing counts before it is made.
    for text in
        [format!("[{}1]", "1,".repeat(900)), "FILL(m2, 0)".to_owned(), "MAX(1, TIME_SERIES(2))".to_owned()]
    {
        let mut world = self::world(&[("e", &text)]);
        world.span = Span { start: 0, end: 60_000_000_000, period: 60 };
        world.now = world.span.end;
        assert_eq!(
            Evaluation::new(&world).series("e").unwrap_err(),
            "it takes too many data points",
            "{text}"
        );
    }
}

#[test]
fn a_search_finds_by_schema_words_and_whole_properties() {
    let dimensions = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let metrics = [
        MetricName::new("App", "RequestLatency", dimensions(&[("Host", "web-1")])),
        MetricName::new("App", "RequestCount", dimensions(&[("Host", "web-2"), ("Zone", "eu")])),
        MetricName::new("AWS/IoT", "Connect.Success", dimensions(&[("Protocol", "MQTT")])),
    ];
    for (text, expect) in [
        ("", &[0, 1, 2][..]),
        ("{App,Host}", &[0]),
        ("{App,Zone,Host}", &[1]),
        ("{App} ", &[]),
        ("latency", &[0]),
        ("request", &[0, 1]),
        ("requestlatency", &[0]),
        ("request web", &[0, 1]),
        ("request AND web-2", &[1]),
        ("latency OR success", &[0, 2]),
        ("NOT request", &[2]),
        ("request -latency", &[1]),
        ("request NOT (latency OR eu)", &[]),
        ("MetricName=\"RequestCount\"", &[1]),
        ("MetricName=Count", &[1]),
        ("MetricName=\"Count\"", &[]),
        ("Host:=web", &[0, 1]),
        ("Host=(\"web-1\" OR \"web-3\")", &[0]),
        ("Namespace=\"AWS/IoT\"", &[2]),
        ("{AWS/IoT,Protocol} MetricName=\"Connect.Success\" mqtt", &[2]),
    ] {
        let filter = Filter::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        let found: Vec<_> = (0..3).filter(|n| filter.matches(&metrics[*n])).collect();
        assert_eq!(found, expect, "{text}");
    }
    for text in ["{App", "{}", "(a", "a)", "=", "a=", "\"a", "NOT", &"(".repeat(100)] {
        assert!(Filter::parse(text).is_err(), "{text}");
    }
}
