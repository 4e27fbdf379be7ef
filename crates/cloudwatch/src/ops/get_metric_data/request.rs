//! The request of GetMetricData, and what it says once everything in it is as it must be.

use chrono::FixedOffset;
use kernel::Context;
use serde::Deserialize;
use wire::EpochSeconds;

use crate::math::parse::{self, Expression};
use crate::names::{self, Dimension, required, too_many};
use crate::ops::{is_period, seconds};
use crate::series::MetricName;
use crate::statistic::Statistic;
use crate::{Error, label, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::ops) struct Request {
    metric_data_queries: Option<Vec<QueryForm>>,
    start_time: Option<EpochSeconds>,
    end_time: Option<EpochSeconds>,
    next_token: Option<String>,
    scan_by: Option<String>,
    max_datapoints: Option<i64>,
    label_options: Option<LabelOptions>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueryForm {
    id: Option<String>,
    metric_stat: Option<MetricStat>,
    expression: Option<String>,
    label: Option<String>,
    return_data: Option<bool>,
    period: Option<i64>,
    account_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: Option<MetricForm>,
    period: Option<i64>,
    stat: Option<String>,
    unit: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricForm {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LabelOptions {
    timezone: Option<String>,
}

/// A request that can be answered.
pub(super) struct Checked {
    pub(super) queries: Vec<Query>,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) next_token: Option<String>,
    pub(super) ascending: bool,
    pub(super) datapoints_max: usize,
    pub(super) zone: FixedOffset,
}

pub(super) struct Query {
    pub(super) id: String,
    pub(super) label: Option<String>,
    pub(super) returned: bool,
    pub(super) asks: Asks,
}

/// What a query asks for.
pub(super) enum Asks {
    Metric {
        metric: MetricName,
        statistic: Statistic,
        name: String,
        period: i64,
        unit: Option<&'static str>,
    },
    Expression {
        tree: Expression,
        period: Option<i64>,
    },
    /// Of an account that is not linked.
    Foreign,
}

impl Request {
    /// # Errors
    /// What is wrong, said as by the other operations; GetMetricData calls all of it `ValidationError`.
    pub(super) fn check(self, cx: &Context) -> Result<Checked, Error> {
        let forms = self.metric_data_queries.filter(|queries| !queries.is_empty());
        let forms = required("MetricDataQueries", forms)?;
        if forms.len() > limits::QUERIES_MAX {
            return Err(too_many("MetricDataQueries", limits::QUERIES_MAX));
        }
        let start = seconds(required("StartTime", self.start_time)?.0);
        let end = seconds(required("EndTime", self.end_time)?.0);
        if start == end {
            return Err(Error::value("The parameter StartTime must not equal parameter EndTime."));
        }
        if start > end {
            return Err(Error::value("The parameter StartTime must be less than the parameter EndTime."));
        }
        let ascending = match self.scan_by.as_deref() {
            None | Some("TimestampDescending") => false,
            Some("TimestampAscending") => true,
            Some(other) => return Err(Error::invalid("ScanBy", other)),
        };
        let datapoints_max = match self.max_datapoints {
            None => limits::PAGE_DATAPOINTS_MAX,
            Some(max) => usize::try_from(max)
                .ok()
                .filter(|max| (1..=limits::PAGE_DATAPOINTS_MAX).contains(max))
                .ok_or_else(|| Error::invalid("MaxDatapoints", max))?,
        };
        let zone =
            self.label_options.and_then(|options| options.timezone).unwrap_or_else(|| "+0000".to_owned());
        let zone = label::timezone(&zone).ok_or_else(|| Error::invalid("LabelOptions.Timezone", &zone))?;
        let mut queries: Vec<Query> = Vec::with_capacity(forms.len());
        for (n, form) in forms.into_iter().enumerate() {
            let query = form.check(&format!("MetricDataQueries.member.{}", n + 1), cx)?;
            if queries.iter().any(|other| other.id == query.id) {
                return Err(Error::value(format!(
                    "The values for parameter id in MetricDataQueries are not unique: {}.",
                    query.id
                )));
            }
            queries.push(query);
        }
        Ok(Checked { queries, start, end, next_token: self.next_token, ascending, datapoints_max, zone })
    }
}

impl QueryForm {
    fn check(self, prefix: &str, cx: &Context) -> Result<Query, Error> {
        let path = |member: &str| format!("{prefix}.{member}");
        let id = required(&path("Id"), self.id)?;
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(legal) || id.len() > 255 {
            return Err(Error::invalid(&path("Id"), &id));
        }
        if let Some(period) = self.period {
            check_period(&path("Period"), period)?;
        }
        let asks = match (self.metric_stat, self.expression) {
            (Some(_), Some(_)) => return Err(Error::exclusive(&path("MetricStat"), &path("Expression"))),
            (None, None) => {
                return Err(Error::combination(format!(
                    "At least one of the parameters {} and {} must be specified.",
                    path("MetricStat"),
                    path("Expression")
                )));
            }
            (Some(stat), None) => stat.check(&path("MetricStat"))?,
            (None, Some(text)) => Asks::Expression { tree: expression(&id, &text)?, period: self.period },
        };
        let foreign = self.account_id.as_deref().is_some_and(|account| account != cx.account.as_str());
        Ok(Query {
            id,
            label: self.label,
            returned: self.return_data != Some(false),
            asks: if foreign { Asks::Foreign } else { asks },
        })
    }
}

fn expression(id: &str, text: &str) -> Result<Expression, Error> {
    if text.is_empty() || text.chars().count() > limits::EXPRESSION_CHARS_MAX {
        return Err(Error::value(format!(
            "The expression of {id} must have 1 to {} characters.",
            limits::EXPRESSION_CHARS_MAX
        )));
    }
    let is_sql = text.trim_start().get(..7).is_some_and(|start| start.eq_ignore_ascii_case("SELECT "));
    if is_sql {
        return Err(in_expression(id, "Metrics Insights queries are not supported"));
    }
    parse::parse(text).map_err(|reason| in_expression(id, &reason))
}

/// The sentence of an expression that does not work.
pub(super) fn in_expression(id: &str, reason: &str) -> Error {
    Error::Validation(format!("Error in expression '{id}': {reason}."))
}

impl MetricStat {
    fn check(self, prefix: &str) -> Result<Asks, Error> {
        let path = |member: &str| format!("{prefix}.{member}");
        let form = required(&path("Metric"), self.metric)?;
        let metric = names::metric(
            &path("Metric."),
            form.namespace.as_deref(),
            form.metric_name.as_deref(),
            form.dimensions,
        )?;
        let period = required(&path("Period"), self.period)?;
        check_period(&path("Period"), period)?;
        let name = required(&path("Stat"), self.stat)?;
        let statistic = Statistic::parse(&name).ok_or_else(|| {
            Error::value(format!("The value {name} for parameter {} is not a valid statistic.", path("Stat")))
        })?;
        let unit = self.unit.as_deref().map(|unit| names::unit(&path("Unit"), unit)).transpose()?;
        Ok(Asks::Metric { metric, statistic, name, period, unit })
    }
}

fn check_period(parameter: &str, period: i64) -> Result<(), Error> {
    if !is_period(period) {
        return Err(Error::value(format!(
            "The parameter {parameter} must be 1, 5, 10, 20, 30 or a multiple of 60."
        )));
    }
    if period > limits::PERIOD_SECONDS_MAX {
        return Err(Error::value(format!(
            "The parameter {parameter} must be less than or equal to {}.",
            limits::PERIOD_SECONDS_MAX
        )));
    }
    Ok(())
}
