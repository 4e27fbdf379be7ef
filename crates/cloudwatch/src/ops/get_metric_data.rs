//! `GetMetricData`: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
//!
//! Differs from AWS: Metrics Insights queries (`SELECT …`) and some functions of metric math are refused with ValidationError; `math` lists them.
//! Differs from AWS: the Period of a query itself is that of its SEARCH and TIME_SERIES; beside MetricStat it means nothing.
//! Differs from AWS: results of expressions come in pages too, each page computed anew.
//! Differs from AWS: no account is linked to another: a query with another's AccountId has the status Forbidden.

mod evaluate;
mod request;
#[cfg(test)]
mod tests;

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use wire::{EpochSeconds, Operation, Resource};

use self::evaluate::Outcome;
use self::request::{Checked, Query, Request};
use super::scope;
use crate::label;
use crate::math::value::Series;
use crate::{CloudWatch, Error};

pub(super) struct GetMetricData;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    metric_data_results: Vec<Output>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    messages: Vec<Message>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    id: String,
    label: String,
    timestamps: Vec<EpochSeconds>,
    values: Vec<f64>,
    status_code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    code: &'static str,
    value: String,
}

/// Where a page begins: query, series of it, data point of that.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Position {
    q: usize,
    s: usize,
    p: usize,
}

impl Operation for GetMetricData {
    type Service = CloudWatch;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetMetricData";
    const ACTION: &'static str = "cloudwatch:GetMetricData";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `ValidationException`, `InvalidNextToken`.
    async fn handle(service: &CloudWatch, cx: &Context, request: Request) -> Result<Response, Error> {
        let now = super::seconds(service.inner.clock.now());
        let request = request.check(cx).map_err(Error::into_validation)?;
        let begin = request.next_token.as_deref().map_or(Ok(Position::default()), position)?;
        let scope = scope(cx);
        let mut evaluation = evaluate::Requested::new(service, &scope, &request, now).await?;
        let mut page = Page { left: request.datapoints_max, outputs: Vec::new(), next: None };
        for (q, query) in request.queries.iter().enumerate().skip(begin.q) {
            if !query.returned || page.next.is_some() {
                continue;
            }
            if page.left == 0 {
                page.next = Some(Position { q, ..Position::default() });
                break;
            }
            let first = if q == begin.q { begin } else { Position { q, ..Position::default() } };
            let Outcome { series, status, message } = evaluation.of(query).await?;
            for (s, series) in series.iter().enumerate().skip(first.s) {
                let skip = if s == first.s { first.p } else { 0 };
                let own = (query, series, status, message.clone());
                page.add(&request, &scope, own, Position { q, s, p: skip });
                if page.next.is_some() {
                    break;
                }
            }
        }
        Ok(Response {
            metric_data_results: page.outputs,
            next_token: page.next.map(token),
            messages: Vec::new(),
        })
    }
}

struct Page {
    left: usize,
    outputs: Vec<Output>,
    next: Option<Position>,
}

impl Page {
    fn add(
        &mut self,
        request: &Checked,
        scope: &crate::series::Scope,
        (query, series, status, message): (&Query, &Series, &'static str, Option<Message>),
        at: Position,
    ) {
        if self.left == 0 && !series.points.is_empty() {
            self.next = Some(at);
            return;
        }
        let mut points = series.points.clone();
        if !request.ascending {
            points.reverse();
        }
        let rest = points.get(at.p..).unwrap_or_default();
        let (taken, more) = rest.split_at(rest.len().min(self.left));
        self.left -= taken.len();
        if !more.is_empty() {
            self.next = Some(Position { p: at.p + taken.len(), ..at });
        }
        let own = &series.label;
        let label = match &query.label {
            Some(label) => label::render(label, own, series, scope, request.zone),
            None => own.clone(),
        };
        let instant = |at: i64| EpochSeconds(Timestamp::from_millis(at.saturating_mul(1000)));
        self.outputs.push(Output {
            id: query.id.clone(),
            label,
            timestamps: taken.iter().map(|(at, _)| instant(*at)).collect(),
            values: taken.iter().map(|(_, value)| *value).collect(),
            status_code: if more.is_empty() { status } else { "PartialData" },
            messages: message.into_iter().collect(),
        });
    }
}

fn token(position: Position) -> String {
    wire::page::token(&serde_json::to_string(&position).expect("numbers are JSON"))
}

fn position(token: &str) -> Result<Position, Error> {
    let text = wire::page::position(token).ok_or(Error::InvalidNextToken)?;
    serde_json::from_str(&text).map_err(|_| Error::InvalidNextToken)
}
