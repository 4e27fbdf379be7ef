//! The functions of metric math.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax-functions-list>

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Timelike, Utc};

use super::evaluate::{Evaluation, map};
use super::parse::{Expression, Reason};
use super::search::Search;
use super::value::{Series, Value};

impl<'a> Evaluation<'a> {
    pub(super) fn call(&mut self, name: &str, arguments: &'a [Expression]) -> Result<Value, Reason> {
        match name {
            "IF" => return self.choose(arguments),
            "SEARCH" => return self.search(arguments),
            "METRICS" => return self.metrics(arguments),
            _ => {}
        }
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.evaluate(argument)?);
        }
        match (name, values.as_slice()) {
            ("ABS", [value]) => map(value, f64::abs),
            ("CEIL", [value]) => map(value, f64::ceil),
            ("FLOOR", [value]) => map(value, f64::floor),
            ("LOG", [value]) => map(value, f64::ln),
            ("LOG10", [value]) => map(value, f64::log10),
            ("AVG" | "SUM" | "MIN" | "MAX" | "STDDEV" | "DATAPOINT_COUNT", [value]) => gather(name, value),
            ("MIN" | "MAX" | "SUM" | "AVG", [_, _, ..]) => gather(name, &self.together(values)?),
            ("RATE" | "DIFF" | "DIFF_TIME" | "RUNNING_SUM", [value]) => {
                each(value, |series| steps(name, series))
            }
            ("MINUTE" | "HOUR" | "DAY" | "DATE" | "MONTH" | "YEAR" | "EPOCH", [value]) => {
                each(value, |series| {
                    series.computed(series.points.iter().map(|(at, _)| (*at, calendar(name, *at))))
                })
            }
            ("FIRST" | "LAST", [Value::List(list)]) => {
                let one = if name == "FIRST" { list.first() } else { list.last() };
                one.cloned().map(Value::Series).ok_or_else(|| format!("{name} of no time series"))
            }
            ("FILL", [value, filler]) => self.fill(value, filler),
            ("METRIC_COUNT", [Value::List(list)]) => Ok(Value::Scalar(list.len() as f64)),
            ("METRIC_COUNT", [Value::Series(_)]) => Ok(Value::Scalar(1.0)),
            ("PERIOD", [Value::Series(series)]) => Ok(Value::Scalar(series.period as f64)),
            ("REMOVE_EMPTY", [Value::List(list)]) => {
                Ok(Value::List(list.iter().filter(|series| !series.points.is_empty()).cloned().collect()))
            }
            ("SLICE", [Value::List(list), Value::Scalar(from), rest @ ..]) => slice(list, *from, rest),
            ("SORT", [Value::List(list), Value::Text(by), Value::Text(order), rest @ ..]) => {
                sort(list, by, order, rest)
            }
            ("TIME_SERIES", [Value::Scalar(value)]) => self.constant(*value).map(Value::Series),
            _ if FUNCTIONS.contains(&name) => Err(format!("{name} does not take these arguments")),
            _ => Err(format!("there is no function {name} here")),
        }
    }

    /// Several arguments as one list.
    fn together(&mut self, values: Vec<Value>) -> Result<Value, Reason> {
        let mut list = Vec::new();
        for value in values {
            match value {
                Value::Series(series) => list.push(series),
                Value::List(series) => list.extend(series),
                Value::Scalar(value) => list.push(self.constant(value)?),
                Value::Text(text) => return Err(format!("'{text}' is not a time series")),
            }
        }
        Ok(Value::List(list))
    }

    /// `IF(condition, then)`, `IF(condition, then, else)`: point by point where the condition is a time series.
    fn choose(&mut self, arguments: &'a [Expression]) -> Result<Value, Reason> {
        let ([condition, then] | [condition, then, _]) = arguments else {
            return Err("IF does not take these arguments".to_owned());
        };
        let condition = self.evaluate(condition)?;
        let then = self.evaluate(then)?;
        let otherwise = arguments.get(2).map(|otherwise| self.evaluate(otherwise)).transpose()?;
        match condition {
            Value::Scalar(flag) if flag != 0.0 => Ok(then),
            Value::Scalar(_) => Ok(otherwise.unwrap_or_else(|| {
                Value::Series(Series { period: self.world.span.period, ..Series::default() })
            })),
            Value::Series(condition) => {
                let of = |value: &Value, at: i64| match value {
                    Value::Scalar(value) => Some(*value),
                    Value::Series(series) => series.at(at),
                    Value::List(_) | Value::Text(_) => None,
                };
                if matches!(then, Value::List(_) | Value::Text(_))
                    || matches!(otherwise, Some(Value::List(_) | Value::Text(_)))
                {
                    return Err("IF chooses between numbers and single time series".to_owned());
                }
                let chosen = condition.points.iter().filter_map(|(at, flag)| {
                    let value = if *flag != 0.0 { of(&then, *at) } else { of(otherwise.as_ref()?, *at) };
                    Some((*at, value?))
                });
                Ok(Value::Series(condition.computed(chosen)))
            }
            Value::List(_) | Value::Text(_) => {
                Err("the condition of IF is a number or a time series".to_owned())
            }
        }
    }

    /// `METRICS()`, `METRICS("text")`: the metrics of the request whose ids have the text in them.
    fn metrics(&self, arguments: &[Expression]) -> Result<Value, Reason> {
        let text = match arguments {
            [] => "",
            [Expression::Text(text)] => text,
            _ => return Err("METRICS does not take these arguments".to_owned()),
        };
        let metrics = self.world.metrics.iter().filter(|(id, _)| id.contains(text));
        Ok(Value::List(metrics.map(|(_, series)| series.clone()).collect()))
    }

    fn search(&self, arguments: &[Expression]) -> Result<Value, Reason> {
        let search = Search::of(arguments, self.world.span.period)?;
        Ok(Value::List(self.world.searches.get(&search).cloned().unwrap_or_default()))
    }

    /// `FILL(m, 0)`, `FILL(m, REPEAT)`, `FILL(m, LINEAR)`.
    fn fill(&mut self, value: &Value, filler: &Value) -> Result<Value, Reason> {
        let mut fill = |series: &Series| -> Result<Series, Reason> {
            let grid = self.grid(if series.period > 0 { series.period } else { self.world.span.period });
            self.spend(grid.len())?;
            let mut points: BTreeMap<i64, f64> = series.points.iter().copied().collect();
            match filler {
                Value::Scalar(value) => {
                    for at in grid {
                        points.entry(at).or_insert(*value);
                    }
                }
                Value::Text(how) if how == "REPEAT" => {
                    for at in grid {
                        let before = points.range(..=at).next_back().map(|(_, value)| *value);
                        if let Some(value) = before {
                            points.entry(at).or_insert(value);
                        }
                    }
                }
                Value::Text(how) if how == "LINEAR" => {
                    let known = series.points.as_slice();
                    for at in grid {
                        if let Some(value) = between(known, at) {
                            points.entry(at).or_insert(value);
                        }
                    }
                }
                Value::Series(other) => {
                    for (at, value) in &other.points {
                        points.entry(*at).or_insert(*value);
                    }
                }
                _ => return Err("FILL takes a number, a time series, REPEAT or LINEAR".to_owned()),
            }
            Ok(series.computed(points))
        };
        match value {
            Value::Series(series) => fill(series).map(Value::Series),
            Value::List(list) => list.iter().map(fill).collect::<Result<_, _>>().map(Value::List),
            _ => Err("FILL fills time series".to_owned()),
        }
    }
}

const FUNCTIONS: &[&str] = &[
    "ABS",
    "AVG",
    "CEIL",
    "DATAPOINT_COUNT",
    "DATE",
    "DAY",
    "DIFF",
    "DIFF_TIME",
    "EPOCH",
    "FILL",
    "FIRST",
    "FLOOR",
    "HOUR",
    "LAST",
    "LOG",
    "LOG10",
    "MAX",
    "METRIC_COUNT",
    "MIN",
    "MINUTE",
    "MONTH",
    "PERIOD",
    "RATE",
    "REMOVE_EMPTY",
    "RUNNING_SUM",
    "SLICE",
    "SORT",
    "STDDEV",
    "SUM",
    "TIME_SERIES",
    "YEAR",
];

/// Of one series a number, of a list a series: point by point, over those of the list that have one.
fn gather(name: &str, value: &Value) -> Result<Value, Reason> {
    match value {
        Value::Scalar(value) => Ok(Value::Scalar(*value)),
        Value::Series(series) => {
            let values: Vec<f64> = series.values().collect();
            // Of no points there is nothing but their number.
            Ok(Value::Scalar(of_values(name, &values).unwrap_or(0.0)))
        }
        Value::List(list) => {
            let mut by_time: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
            for series in list {
                for (at, value) in &series.points {
                    by_time.entry(*at).or_default().push(*value);
                }
            }
            let period = list.iter().map(|series| series.period).max().unwrap_or(60);
            let whole = Series { label: name.to_owned(), period, ..Series::default() };
            let points = by_time.into_iter().filter_map(|(at, values)| Some((at, of_values(name, &values)?)));
            Ok(Value::Series(whole.computed(points)))
        }
        Value::Text(text) => Err(format!("'{text}' is not a time series")),
    }
}

fn of_values(name: &str, values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    let sum: f64 = values.iter().sum();
    match name {
        "DATAPOINT_COUNT" => Some(count),
        "SUM" => Some(sum),
        _ if values.is_empty() => None,
        "AVG" => Some(sum / count),
        "MIN" => values.iter().copied().reduce(f64::min),
        "MAX" => values.iter().copied().reduce(f64::max),
        // STDDEV: of the values as a whole population.
        _ => Some((values.iter().map(|value| (value - sum / count).powi(2)).sum::<f64>() / count).sqrt()),
    }
}

/// One series or each of a list.
fn each(value: &Value, f: impl Fn(&Series) -> Series) -> Result<Value, Reason> {
    match value {
        Value::Series(series) => Ok(Value::Series(f(series))),
        Value::List(list) => Ok(Value::List(list.iter().map(f).collect())),
        Value::Scalar(_) | Value::Text(_) => Err("it works on time series".to_owned()),
    }
}

/// What a point says in the light of the one before.
fn steps(name: &str, series: &Series) -> Series {
    if name == "RUNNING_SUM" {
        let mut sum = 0.0;
        let sums = series.points.iter().map(|(at, value)| {
            sum += value;
            (*at, sum)
        });
        return series.computed(sums.collect::<Vec<_>>());
    }
    series.computed(series.points.windows(2).map(|pair| {
        let ((before, old), (at, new)) = (pair[0], pair[1]);
        let seconds = (at - before) as f64;
        let value = match name {
            "RATE" => (new - old) / seconds,
            "DIFF" => new - old,
            _ => seconds,
        };
        (at, value)
    }))
}

/// A part of a time in UTC; weeks begin on Monday, which is 1.
fn calendar(name: &str, at: i64) -> f64 {
    let time: DateTime<Utc> = DateTime::from_timestamp(at, 0).unwrap_or_default();
    match name {
        "MINUTE" => f64::from(time.minute()),
        "HOUR" => f64::from(time.hour()),
        "DAY" => f64::from(time.weekday().number_from_monday()),
        "DATE" => f64::from(time.day()),
        "MONTH" => f64::from(time.month()),
        "YEAR" => f64::from(time.year()),
        _ => at as f64,
    }
}

/// The value on the line between the points before and after; none outside of all of them.
fn between(points: &[(i64, f64)], at: i64) -> Option<f64> {
    let after = points.partition_point(|(time, _)| *time < at);
    let (end, high) = *points.get(after)?;
    let (begin, low) = *points.get(after.checked_sub(1)?)?;
    Some(low + (high - low) * (at - begin) as f64 / (end - begin) as f64)
}

fn slice(list: &[Series], from: f64, rest: &[Value]) -> Result<Value, Reason> {
    let end = match rest {
        [] => from + 1.0,
        [Value::Scalar(end)] => *end,
        _ => return Err("SLICE does not take these arguments".to_owned()),
    };
    // `as` saturates: what is beyond the list is its end.
    let (from, end) = (from.max(0.0) as usize, (end.max(0.0) as usize).min(list.len()));
    Ok(Value::List(list.get(from.min(end)..end).unwrap_or_default().to_vec()))
}

fn sort(list: &[Series], by: &str, order: &str, rest: &[Value]) -> Result<Value, Reason> {
    if !["AVG", "MIN", "MAX", "SUM"].contains(&by) || !["ASC", "DESC"].contains(&order) {
        return Err("SORT sorts by AVG, MIN, MAX or SUM, ASC or DESC".to_owned());
    }
    let limit = match rest {
        [] => list.len(),
        [Value::Scalar(limit)] => limit.max(0.0) as usize,
        _ => return Err("SORT does not take these arguments".to_owned()),
    };
    let key = |series: &Series| of_values(by, &series.values().collect::<Vec<_>>());
    let mut keyed: Vec<(Option<f64>, &Series)> = list.iter().map(|series| (key(series), series)).collect();
    // Those without points come last, whatever the order.
    keyed.sort_by(|(one, _), (other, _)| match (one, other) {
        (Some(one), Some(other)) if order == "ASC" => one.total_cmp(other),
        (Some(one), Some(other)) => other.total_cmp(one),
        (one, other) => other.is_some().cmp(&one.is_some()),
    });
    Ok(Value::List(keyed.into_iter().take(limit).map(|(_, series)| series.clone()).collect()))
}
