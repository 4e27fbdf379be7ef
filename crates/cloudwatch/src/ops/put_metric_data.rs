//! `PutMetricData`: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
//!
//! Differs from AWS: data points are seen at once, however old they are.
//! Differs from AWS: EntityMetricData is not supported; a request that has it is refused.
//! Differs from AWS: an account has at most 10,000 active metrics in a region, units counted apart; a metric more is refused with LimitExceeded.

use kernel::Context;
use serde::Deserialize;
use serde::de::IgnoredAny;
use wire::{EpochSeconds, Operation, Resource};

use crate::names::{self, Dimension, required, too_many};
use crate::point::Point;
use crate::scalar::Double;
use crate::series::MetricName;
use crate::store::record::Addition;
use crate::store::tier::Tier;
use crate::{CloudWatch, Error, limits};

pub(super) struct PutMetricData;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    namespace: Option<String>,
    metric_data: Option<Vec<Datum>>,
    entity_metric_data: Option<IgnoredAny>,
    // Says what to do with what EntityMetricData gets wrong.
    #[serde(rename = "StrictEntityValidation")]
    _strict_entity_validation: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datum {
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    timestamp: Option<EpochSeconds>,
    value: Option<Double>,
    statistic_values: Option<StatisticSet>,
    values: Option<Vec<Double>>,
    counts: Option<Vec<Double>>,
    unit: Option<String>,
    storage_resolution: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatisticSet {
    sample_count: Option<Double>,
    sum: Option<Double>,
    minimum: Option<Double>,
    maximum: Option<Double>,
}

impl Operation for PutMetricData {
    type Service = CloudWatch;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "PutMetricData";
    const ACTION: &'static str = "cloudwatch:PutMetricData";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    fn condition_keys(request: &Request) -> Vec<(&'static str, Vec<String>)> {
        request.namespace.iter().map(|namespace| ("cloudwatch:namespace", vec![namespace.clone()])).collect()
    }

    /// # Errors
    /// `InvalidParameterValueException`, `MissingRequiredParameterException`, `InvalidParameterCombinationException`,
    /// `LimitExceededFault`.
    async fn handle(service: &CloudWatch, cx: &Context, request: Request) -> Result<(), Error> {
        if request.entity_metric_data.is_some() {
            return Err(Error::value("The parameter EntityMetricData is not supported."));
        }
        let namespace = required("Namespace", request.namespace)?;
        names::namespace("Namespace", &namespace)?;
        if namespace.starts_with("AWS/") {
            return Err(Error::invalid("Namespace", &namespace));
        }
        let data = request.metric_data.filter(|data| !data.is_empty());
        let data = required("MetricData", data)?;
        if data.len() > limits::DATUMS_MAX {
            return Err(too_many("MetricData", limits::DATUMS_MAX));
        }
        if data.iter().map(Datum::bytes).sum::<usize>() > limits::PUT_BYTES_MAX {
            return Err(Error::TooLarge(limits::PUT_BYTES_MAX));
        }
        let now_ms = service.inner.clock.now().as_millis();
        let additions: Result<Vec<Addition>, Error> = data
            .into_iter()
            .enumerate()
            .map(|(n, datum)| datum.addition(&namespace, &format!("MetricData.member.{}", n + 1), now_ms))
            .collect();
        service.inner.put(super::scope(cx), additions?).await
    }
}

impl Datum {
    /// The bytes it takes at least, whatever the protocol.
    fn bytes(&self) -> usize {
        let numbers = self.values.as_ref().map_or(1, Vec::len) + self.counts.as_ref().map_or(0, Vec::len);
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let dimensions = self.dimensions.iter().map(|one| text(&one.name) + text(&one.value)).sum::<usize>();
        text(&self.metric_name) + dimensions + text(&self.unit) + numbers
    }

    fn addition(self, namespace: &str, prefix: &str, now_ms: i64) -> Result<Addition, Error> {
        let path = |member: &str| format!("{prefix}.{member}");
        let name = required(&path("MetricName"), self.metric_name)?;
        names::metric_name(&path("MetricName"), &name)?;
        let dimensions = names::dimensions(&path("Dimensions"), self.dimensions)?;
        let unit = self.unit.as_deref().map_or(Ok("None"), |unit| names::unit(&path("Unit"), unit))?;
        let tier = match self.storage_resolution {
            None | Some(60) => Tier::Minute,
            Some(1) => Tier::Second,
            Some(other) => return Err(Error::invalid(&path("StorageResolution"), other)),
        };
        let at_ms = self.timestamp.map_or(now_ms, |at| at.0.as_millis());
        let (past, future) = (limits::PAST_MAX.as_millis(), limits::FUTURE_MAX.as_millis());
        if i128::from(now_ms) - i128::from(at_ms) > past.cast_signed() {
            let sentence = "must specify a time no more than two weeks in the past.";
            return Err(Error::value(format!("The parameter {} {sentence}", path("Timestamp"))));
        }
        if i128::from(at_ms) - i128::from(now_ms) > future.cast_signed() {
            let sentence = "must specify a time no more than two hours in the future.";
            return Err(Error::value(format!("The parameter {} {sentence}", path("Timestamp"))));
        }
        let point = point(&path, (self.value, self.statistic_values), (self.values, self.counts))?;
        let at = tier.align(at_ms.div_euclid(1000).max(0));
        Ok(Addition { metric: MetricName::new(namespace, &name, dimensions), unit, tier, at, point })
    }
}

/// What the three ways of saying values come to, of which exactly one is taken.
fn point(
    path: &impl Fn(&str) -> String,
    (value, set): (Option<Double>, Option<StatisticSet>),
    (values, counts): (Option<Vec<Double>>, Option<Vec<Double>>),
) -> Result<Point, Error> {
    match (value, set, values) {
        (Some(_), Some(_), _) => Err(Error::exclusive(&path("Value"), &path("StatisticValues"))),
        (Some(_), _, Some(_)) => Err(Error::exclusive(&path("Value"), &path("Values"))),
        (_, Some(_), Some(_)) => Err(Error::exclusive(&path("StatisticValues"), &path("Values"))),
        (None, None, None) => Err(Error::combination(format!(
            "At least one of the parameters {}, {} and {} must be specified.",
            path("Value"),
            path("Values"),
            path("StatisticValues"),
        ))),
        (Some(value), None, None) => Ok(Point::equal(number(&path("Value"), value)?, 1.0)),
        (None, Some(set), None) => set.point(|member| path(&format!("StatisticValues.{member}"))),
        (None, None, Some(values)) => of_values(path, &values, counts),
    }
}

fn of_values(
    path: &impl Fn(&str) -> String,
    values: &[Double],
    counts: Option<Vec<Double>>,
) -> Result<Point, Error> {
    if values.is_empty() {
        return Err(Error::MissingParameter(path("Values")));
    }
    if values.len() > limits::VALUES_MAX {
        return Err(too_many(&path("Values"), limits::VALUES_MAX));
    }
    let counts = counts.unwrap_or_else(|| vec![Double(1.0); values.len()]);
    if counts.len() != values.len() {
        return Err(Error::value(format!(
            "The parameters {} and {} must be of the same size.",
            path("Values"),
            path("Counts")
        )));
    }
    let mut pairs = Vec::with_capacity(values.len());
    for (n, (value, count)) in values.iter().zip(counts).enumerate() {
        let value = number(&path(&format!("Values.member.{}", n + 1)), *value)?;
        let parameter = path(&format!("Counts.member.{}", n + 1));
        let count = number(&parameter, count)?;
        if count < 0.0 {
            return Err(Error::invalid(&parameter, count));
        }
        pairs.push((value, count));
    }
    // Values of which there are none make no point.
    Point::of_values(pairs)
        .ok_or_else(|| Error::value(format!("The parameter {} must not be zero only.", path("Counts"))))
}

impl StatisticSet {
    fn point(self, path: impl Fn(&str) -> String) -> Result<Point, Error> {
        let of = |member: &str, value: Option<Double>| {
            let parameter = path(member);
            number(&parameter, required(&parameter, value)?)
        };
        let count = of("SampleCount", self.sample_count)?;
        let sum = of("Sum", self.sum)?;
        let min = of("Minimum", self.minimum)?;
        let max = of("Maximum", self.maximum)?;
        if count <= 0.0 {
            return Err(Error::invalid(&path("SampleCount"), count));
        }
        if min > max {
            return Err(Error::combination(format!(
                "The parameter {} must be less than or equal to {}.",
                path("Minimum"),
                path("Maximum")
            )));
        }
        Ok(Point::set(sum, count, min, max))
    }
}

/// A number that CloudWatch keeps: between -2^360 and 2^360.
fn number(parameter: &str, value: Double) -> Result<f64, Error> {
    let said = match value.0 {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        value if value.abs() > limits::VALUE_MAX => value.to_string(),
        value => return Ok(value),
    };
    Err(Error::invalid(parameter, said))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::*;

    async fn refused(datum: Value, expect: &str) {
        let node = node().await;
        let input = json!({"Namespace": "App", "MetricData": [datum]});
        assert_eq!(node.said("PutMetricData", input).await, expect);
    }

    #[tokio::test]
    async fn every_wrong_datum_is_told_by_its_parameter() {
        let value = "InvalidParameterValueException";
        let cases = [
            (json!({"Value": 1}), "MissingRequiredParameterException: The parameter MetricData.member.1.MetricName is required.".to_owned()),
            (json!({"MetricName": "m", "Value": "NaN"}), format!("{value}: The value NaN for parameter MetricData.member.1.Value is invalid.")),
            (json!({"MetricName": "m", "Value": "Infinity"}), format!("{value}: The value Infinity for parameter MetricData.member.1.Value is invalid.")),
            (json!({"MetricName": "m", "Value": -1e200}), format!("{value}: The value {} for parameter MetricData.member.1.Value is invalid.", -1e200_f64)),
            (json!({"MetricName": "m"}), "InvalidParameterCombinationException: At least one of the parameters MetricData.member.1.Value, MetricData.member.1.Values and MetricData.member.1.StatisticValues must be specified.".to_owned()),
            (json!({"MetricName": "m", "Value": 1, "StatisticValues": {}}), "InvalidParameterCombinationException: The parameters MetricData.member.1.Value and MetricData.member.1.StatisticValues are mutually exclusive and you have specified both.".to_owned()),
            (json!({"MetricName": "m", "Value": 1, "Values": [1]}), "InvalidParameterCombinationException: The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both.".to_owned()),
            (json!({"MetricName": "m", "StatisticValues": {"Sum": 1}}), "MissingRequiredParameterException: The parameter MetricData.member.1.StatisticValues.SampleCount is required.".to_owned()),
            (json!({"MetricName": "m", "StatisticValues": {"Sum": 1, "SampleCount": 0, "Minimum": 1, "Maximum": 1}}), format!("{value}: The value 0 for parameter MetricData.member.1.StatisticValues.SampleCount is invalid.")),
            (json!({"MetricName": "m", "StatisticValues": {"Sum": 1, "SampleCount": 1, "Minimum": 2, "Maximum": 1}}), "InvalidParameterCombinationException: The parameter MetricData.member.1.StatisticValues.Minimum must be less than or equal to MetricData.member.1.StatisticValues.Maximum.".to_owned()),
            (json!({"MetricName": "m", "Values": []}), "MissingRequiredParameterException: The parameter MetricData.member.1.Values is required.".to_owned()),
            (json!({"MetricName": "m", "Values": [1, 2], "Counts": [1]}), format!("{value}: The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.")),
            (json!({"MetricName": "m", "Values": [1, "NaN"]}), format!("{value}: The value NaN for parameter MetricData.member.1.Values.member.2 is invalid.")),
            (json!({"MetricName": "m", "Values": [1], "Counts": [-1]}), format!("{value}: The value -1 for parameter MetricData.member.1.Counts.member.1 is invalid.")),
            (json!({"MetricName": "m", "Values": [1], "Counts": [0]}), format!("{value}: The parameter MetricData.member.1.Counts must not be zero only.")),
            (json!({"MetricName": "m", "Values": vec![1; 151]}), format!("{value}: The collection MetricData.member.1.Values must not have a size greater than 150.")),
            (json!({"MetricName": "m", "Value": 1, "Unit": "Parsecs"}), format!("{value}: The value Parsecs for parameter MetricData.member.1.Unit is invalid.")),
            (json!({"MetricName": "m", "Value": 1, "StorageResolution": 5}), format!("{value}: The value 5 for parameter MetricData.member.1.StorageResolution is invalid.")),
            (json!({"MetricName": "", "Value": 1}), format!("{value}: The parameter MetricData.member.1.MetricName must be longer than 0 characters.")),
            (json!({"MetricName": "m".repeat(256), "Value": 1}), format!("{value}: The parameter MetricData.member.1.MetricName must be shorter than 256 characters.")),
            (json!({"MetricName": "m", "Value": 1, "Dimensions": [{"Name": "a"}]}), "MissingRequiredParameterException: The parameter MetricData.member.1.Dimensions.member.1.Value is required.".to_owned()),
            (json!({"MetricName": "m", "Value": 1, "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]}), format!("{value}: The parameter MetricData.member.1.Dimensions must not contain the dimension a more than once.")),
            (json!({"MetricName": "m", "Value": 1, "Dimensions": [{"Name": ":a", "Value": "1"}]}), format!("{value}: The value :a for parameter MetricData.member.1.Dimensions.member.1.Name is invalid.")),
            (json!({"MetricName": "m", "Value": 1, "Dimensions": vec![json!({"Name": "a", "Value": "1"}); 31]}), format!("{value}: The collection MetricData.member.1.Dimensions must not have a size greater than 30.")),
            (json!({"MetricName": "m", "Value": 1, "Timestamp": NOW - 14.0 * 86_400.0 - 1.0}), format!("{value}: The parameter MetricData.member.1.Timestamp must specify a time no more than two weeks in the past.")),
            (json!({"MetricName": "m", "Value": 1, "Timestamp": NOW + 7_201.0}), format!("{value}: The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in the future.")),
            (json!({"MetricName": "m", "Value": 1, "Timestamp": 1e300}), format!("{value}: The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in the future.")),
        ];
        for (datum, expect) in cases {
            refused(datum, &expect).await;
        }
    }

    #[tokio::test]
    async fn every_wrong_request_is_told() {
        let node = node().await;
        let datum = json!({"MetricName": "m", "Value": 1});
        let long = json!({"MetricName": "m".repeat(255), "Value": 1, "Dimensions": [{"Name": "a", "Value": "v".repeat(1_024)}]});
        let value = "InvalidParameterValueException";
        let cases = [
            (
                json!({"MetricData": [datum]}),
                "MissingRequiredParameterException: The parameter Namespace is required.".to_owned(),
            ),
            (
                json!({"Namespace": "App"}),
                "MissingRequiredParameterException: The parameter MetricData is required.".to_owned(),
            ),
            (
                json!({"Namespace": "App", "MetricData": []}),
                "MissingRequiredParameterException: The parameter MetricData is required.".to_owned(),
            ),
            (
                json!({"Namespace": "AWS/IoT", "MetricData": [datum]}),
                format!("{value}: The value AWS/IoT for parameter Namespace is invalid."),
            ),
            (
                json!({"Namespace": ":a", "MetricData": [datum]}),
                format!("{value}: The value :a for parameter Namespace is invalid."),
            ),
            (
                json!({"Namespace": "App", "MetricData": vec![datum.clone(); 1_001]}),
                format!("{value}: The collection MetricData must not have a size greater than 1000."),
            ),
            (
                json!({"Namespace": "App", "MetricData": vec![long; 1_000]}),
                "RequestEntityTooLarge: The request is larger than 1048576 bytes.".to_owned(),
            ),
            (
                json!({"Namespace": "App", "MetricData": [datum], "EntityMetricData": []}),
                format!("{value}: The parameter EntityMetricData is not supported."),
            ),
        ];
        for (input, expect) in cases {
            assert_eq!(node.said("PutMetricData", input).await, expect);
        }
        assert_eq!(node.list(json!({})).await, Vec::<Value>::new());
    }

    #[tokio::test]
    async fn the_oldest_and_the_newest_time_stamp_are_taken() {
        let node = node().await;
        for at in [NOW - 14.0 * 86_400.0, NOW + 7_200.0] {
            let datum = json!({"MetricName": "m", "Value": 1, "Timestamp": at});
            node.ok("PutMetricData", json!({"Namespace": "App", "MetricData": [datum]})).await;
            let input = json!({
                "Namespace": "App", "MetricName": "m", "StartTime": at, "EndTime": at + 60.0, "Period": 60,
                "Statistics": ["SampleCount"],
            });
            let datapoints = node.ok("GetMetricStatistics", input).await["Datapoints"].clone();
            assert_eq!(datapoints[0]["SampleCount"], 1.0, "{datapoints}");
        }
    }
}
