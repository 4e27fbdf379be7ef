//! `GetMetricStatistics`: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Entries, EpochSeconds, Operation, Resource};

use super::{has_points, is_period, rounded_start, scope, seconds};
use crate::names::{self, Dimension, required, too_many};
use crate::point::Point;
use crate::statistic::{PLAIN, Statistic};
use crate::store::Span;
use crate::{CloudWatch, Error, limits};

pub(super) struct GetMetricStatistics;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    start_time: Option<EpochSeconds>,
    end_time: Option<EpochSeconds>,
    period: Option<i64>,
    #[serde(default)]
    statistics: Vec<String>,
    #[serde(default)]
    extended_statistics: Vec<String>,
    unit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    label: String,
    datapoints: Vec<Datapoint>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Datapoint {
    timestamp: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_count: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<f64>,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_statistics: Option<Entries<f64>>,
}

impl Operation for GetMetricStatistics {
    type Service = CloudWatch;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetMetricStatistics";
    const ACTION: &'static str = "cloudwatch:GetMetricStatistics";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidParameterValueException`, `MissingRequiredParameterException`, `InvalidParameterCombinationException`.
    async fn handle(service: &CloudWatch, cx: &Context, request: Request) -> Result<Response, Error> {
        let metric = names::metric(
            "",
            request.namespace.as_deref(),
            request.metric_name.as_deref(),
            request.dimensions,
        )?;
        let start = seconds(required("StartTime", request.start_time)?.0);
        let end = seconds(required("EndTime", request.end_time)?.0);
        let period = required("Period", request.period)?;
        let statistics = statistics(&request.statistics, &request.extended_statistics)?;
        let unit = request.unit.as_deref().map(|unit| names::unit("Unit", unit)).transpose()?;
        check_span(start, end, period)?;
        let now = seconds(service.inner.clock.now());
        let span = Span { start: rounded_start(start, period, now), end, period };
        let found = match has_points(start, period, now) {
            true => service.inner.store.read(&scope(cx), &metric, unit, span).await?,
            false => Vec::new(),
        };
        let datapoints = found
            .into_iter()
            .flat_map(|(unit, points)| points.into_iter().map(move |(at, point)| (unit, at, point)))
            .filter_map(|(unit, at, point)| Datapoint::of(unit, at, &point, &statistics))
            .collect();
        Ok(Response { label: metric.name, datapoints })
    }
}

/// The statistics that are asked for, by their names.
fn statistics(plain: &[String], extended: &[String]) -> Result<Vec<(String, Statistic)>, Error> {
    match (plain, extended) {
        ([], []) => {
            return Err(Error::combination(
                "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
            ));
        }
        ([_, ..], [_, ..]) => return Err(Error::exclusive("Statistics", "ExtendedStatistics")),
        _ => {}
    }
    let lists = [
        ("Statistics", plain, limits::STATISTICS_MAX),
        ("ExtendedStatistics", extended, limits::EXTENDED_STATISTICS_MAX),
    ];
    let mut out = Vec::new();
    for (parameter, names, max) in lists {
        if names.len() > max {
            return Err(too_many(parameter, max));
        }
        for (n, name) in names.iter().enumerate() {
            let path = format!("{parameter}.member.{}", n + 1);
            let statistic = match parameter {
                "Statistics" => PLAIN.contains(&name.as_str()).then(|| Statistic::parse(name)).flatten(),
                _ => Statistic::parse_extended(name),
            };
            out.push((name.clone(), statistic.ok_or_else(|| Error::invalid(&path, name))?));
        }
    }
    Ok(out)
}

fn check_span(start: i64, end: i64, period: i64) -> Result<(), Error> {
    if start == end {
        return Err(Error::value("The parameter StartTime must not equal parameter EndTime."));
    }
    if start > end {
        return Err(Error::value("The parameter StartTime must be less than the parameter EndTime."));
    }
    if !is_period(period) {
        return Err(Error::value("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60."));
    }
    if period > limits::PERIOD_SECONDS_MAX {
        return Err(Error::value(format!(
            "The parameter Period must be less than or equal to {}.",
            limits::PERIOD_SECONDS_MAX
        )));
    }
    let datapoints = (i128::from(end) - i128::from(start)).div_euclid(i128::from(period));
    if datapoints > i128::from(limits::DATAPOINTS_MAX) {
        return Err(Error::combination(format!(
            "You have requested up to {datapoints} datapoints, which exceeds the limit of {}. You may reduce the datapoints \
             requested by increasing Period, or decreasing the time range.",
            limits::DATAPOINTS_MAX
        )));
    }
    Ok(())
}

impl Datapoint {
    /// What a period says; none if it can say nothing of what is asked.
    fn of(unit: &'static str, at: i64, point: &Point, statistics: &[(String, Statistic)]) -> Option<Self> {
        let timestamp = Some(kernel::Timestamp::from_millis(at.saturating_mul(1000)).into());
        let mut datapoint = Self { timestamp, unit, ..Self::default() };
        let mut says = false;
        for (name, statistic) in statistics {
            let value = statistic.of(point);
            says |= value.is_some();
            let member = match statistic {
                Statistic::SampleCount => &mut datapoint.sample_count,
                Statistic::Average => &mut datapoint.average,
                Statistic::Sum => &mut datapoint.sum,
                Statistic::Minimum => &mut datapoint.minimum,
                Statistic::Maximum => &mut datapoint.maximum,
                _ => {
                    let entries = datapoint.extended_statistics.get_or_insert_default();
                    entries.0.extend(value.map(|value| (name.clone(), value)));
                    continue;
                }
            };
            *member = value;
        }
        says.then_some(datapoint)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::*;

    fn input(more: &Value) -> Value {
        let mut input = json!({
            "Namespace": "App", "MetricName": "m", "StartTime": NOW - 600.0, "EndTime": NOW + 60.0, "Period": 60,
            "Statistics": ["Sum"],
        });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    }

    #[tokio::test]
    async fn every_statistic_by_period_and_unit() {
        let node = node().await;
        node.put("App", json!({"MetricName": "m", "Values": [1, 2, 3, 4], "Counts": [1, 1, 1, 7], "Timestamp": NOW - 120.0})).await;
        node.put("App", json!({"MetricName": "m", "Value": 9, "Unit": "Bytes", "Timestamp": NOW - 120.0}))
            .await;
        node.put("App", json!({"MetricName": "m", "Value": 5, "Timestamp": NOW - 60.0})).await;
        node.put("App", json!({"MetricName": "m", "Value": 5, "Dimensions": [{"Name": "a", "Value": "b"}]}))
            .await;
        let all = json!({"Statistics": ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]});
        let said = node.ok("GetMetricStatistics", input(&all)).await;
        let expect = json!({"Label": "m", "Datapoints": [
            {"Timestamp": NOW - 120.0, "SampleCount": 1.0, "Average": 9.0, "Sum": 9.0, "Minimum": 9.0, "Maximum": 9.0, "Unit": "Bytes"},
            {"Timestamp": NOW - 120.0, "SampleCount": 10.0, "Average": 3.4, "Sum": 34.0, "Minimum": 1.0, "Maximum": 4.0, "Unit": "None"},
            {"Timestamp": NOW - 60.0, "SampleCount": 1.0, "Average": 5.0, "Sum": 5.0, "Minimum": 5.0, "Maximum": 5.0, "Unit": "None"},
        ]});
        assert_eq!(said, expect);
        let bytes = node.ok("GetMetricStatistics", input(&json!({"Unit": "Bytes"}))).await;
        assert_eq!(bytes["Datapoints"].as_array().unwrap().len(), 1);
        let five = json!({"Period": 300, "StartTime": NOW - 300.0, "EndTime": NOW, "Unit": "None"});
        let five = node.ok("GetMetricStatistics", input(&five)).await;
        assert_eq!(five["Datapoints"], json!([{"Timestamp": NOW - 300.0, "Sum": 39.0, "Unit": "None"}]));
    }

    #[tokio::test]
    async fn percentiles_where_values_are_known() {
        let node = node().await;
        let set = json!({"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 5});
        node.put("App", json!({"MetricName": "m", "StatisticValues": set, "Timestamp": NOW - 120.0})).await;
        node.put(
            "App",
            json!({"MetricName": "m", "Values": (1..=100).collect::<Vec<_>>(), "Timestamp": NOW - 60.0}),
        )
        .await;
        let mut input = input(&json!({"ExtendedStatistics": ["p50", "TM(10%:90%)", "PR(:30)"]}));
        input.as_object_mut().unwrap().remove("Statistics");
        let said = node.ok("GetMetricStatistics", input).await;
        let expect = json!([{
            "Timestamp": NOW - 60.0, "Unit": "None", "ExtendedStatistics": {"PR(:30)": 30.0, "TM(10%:90%)": 50.5, "p50": 50.0},
        }]);
        assert_eq!(said["Datapoints"], expect);
    }

    #[tokio::test]
    async fn seconds_are_seen_for_three_hours() {
        let node = node().await;
        for at in [NOW - 10_790.0, NOW - 7.0, NOW - 6.0] {
            node.put("App", json!({"MetricName": "m", "Value": 1, "Timestamp": at, "StorageResolution": 1}))
                .await;
        }
        let sums = |said: Value| -> Vec<(f64, f64)> {
            let points = said["Datapoints"].as_array().unwrap().clone();
            let of = |point: &Value| (point["Timestamp"].as_f64().unwrap(), point["Sum"].as_f64().unwrap());
            points.iter().map(of).collect()
        };
        let recent = json!({"Period": 5, "StartTime": NOW - 12.0});
        assert_eq!(sums(node.ok("GetMetricStatistics", input(&recent)).await), [(NOW - 10.0, 2.0)]);
        let each = json!({"Period": 1, "StartTime": NOW - 12.0});
        assert_eq!(
            sums(node.ok("GetMetricStatistics", input(&each)).await),
            [(NOW - 7.0, 1.0), (NOW - 6.0, 1.0)]
        );
        let far = json!({"Period": 10, "StartTime": NOW - 10_801.0, "EndTime": NOW - 10_000.0});
        assert_eq!(sums(node.ok("GetMetricStatistics", input(&far)).await), []);
        let far = json!({"Period": 60, "StartTime": NOW - 10_801.0, "EndTime": NOW - 10_000.0});
        assert_eq!(sums(node.ok("GetMetricStatistics", input(&far)).await).len(), 1);
    }

    #[tokio::test]
    async fn every_wrong_request_is_told() {
        let node = node().await;
        let value = "InvalidParameterValueException";
        let combination = "InvalidParameterCombinationException";
        let missing = "MissingRequiredParameterException: The parameter";
        let cases = [
            (json!({"Namespace": null}), format!("{missing} Namespace is required.")),
            (json!({"MetricName": null}), format!("{missing} MetricName is required.")),
            (json!({"StartTime": null}), format!("{missing} StartTime is required.")),
            (json!({"EndTime": null}), format!("{missing} EndTime is required.")),
            (json!({"Period": null}), format!("{missing} Period is required.")),
            (
                json!({"Statistics": []}),
                format!(
                    "{combination}: At least one of the parameters Statistics and ExtendedStatistics must be specified."
                ),
            ),
            (
                json!({"ExtendedStatistics": ["p1"]}),
                format!(
                    "{combination}: The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both."
                ),
            ),
            (
                json!({"Statistics": ["p50"]}),
                format!("{value}: The value p50 for parameter Statistics.member.1 is invalid."),
            ),
            (
                json!({"Statistics": [], "ExtendedStatistics": ["p1", "Sum"]}),
                format!("{value}: The value Sum for parameter ExtendedStatistics.member.2 is invalid."),
            ),
            (
                json!({"Statistics": vec!["Sum"; 6]}),
                format!("{value}: The collection Statistics must not have a size greater than 5."),
            ),
            (
                json!({"Unit": "Parsecs"}),
                format!("{value}: The value Parsecs for parameter Unit is invalid."),
            ),
            (
                json!({"StartTime": NOW, "EndTime": NOW}),
                format!("{value}: The parameter StartTime must not equal parameter EndTime."),
            ),
            (
                json!({"StartTime": NOW + 60.0, "EndTime": NOW}),
                format!("{value}: The parameter StartTime must be less than the parameter EndTime."),
            ),
            (
                json!({"Period": 61}),
                format!("{value}: The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60."),
            ),
            (
                json!({"Period": 0}),
                format!("{value}: The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60."),
            ),
            (
                json!({"Period": 86_460}),
                format!("{value}: The parameter Period must be less than or equal to 86400."),
            ),
            (
                json!({"StartTime": NOW - 86_460.0, "EndTime": NOW}),
                format!(
                    "{combination}: You have requested up to 1441 datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range."
                ),
            ),
        ];
        for (more, expect) in cases {
            assert_eq!(node.said("GetMetricStatistics", input(&more)).await, expect);
        }
    }
}
