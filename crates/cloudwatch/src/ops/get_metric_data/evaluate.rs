//! What the queries of a GetMetricData come to: metrics read one by one where there is no expression, everything at once where there is.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Message;
use super::request::{Asks, Checked, Query, in_expression};
use crate::math::evaluate::{Evaluation, World};
use crate::math::parse::Expression;
use crate::math::search::{Filter, Search};
use crate::math::value::Series;
use crate::ops::{has_points, rounded_start};
use crate::series::{MetricName, Scope};
use crate::statistic::Statistic;
use crate::store::Span;
use crate::{CloudWatch, Error, limits};

/// The period of what has none of its own.
const PERIOD_DEFAULT: i64 = 60;

/// What one query comes to.
pub(super) struct Outcome {
    pub(super) series: Vec<Series>,
    pub(super) status: &'static str,
    pub(super) message: Option<Message>,
}

/// A request that is being answered.
pub(super) struct Requested<'a> {
    service: &'a CloudWatch,
    scope: &'a Scope,
    request: &'a Checked,
    now: i64,
    /// Everything, where there is an expression.
    all: Option<BTreeMap<String, Vec<Series>>>,
}

impl<'a> Requested<'a> {
    /// # Errors
    /// `ValidationException` for an expression that does not work.
    pub(super) async fn new(
        service: &'a CloudWatch,
        scope: &'a Scope,
        request: &'a Checked,
        now: i64,
    ) -> Result<Self, Error> {
        let mut requested = Self { service, scope, request, now, all: None };
        if request.queries.iter().any(|query| matches!(query.asks, Asks::Expression { .. })) {
            requested.all = Some(requested.evaluate().await?);
        }
        Ok(requested)
    }

    /// What a query comes to.
    pub(super) async fn of(&mut self, query: &Query) -> Result<Outcome, Error> {
        let complete = |series| Outcome { series, status: "Complete", message: None };
        if let (Asks::Foreign, _) = (&query.asks, ()) {
            let series = Series { label: query.id.clone(), ..Series::default() };
            let value = "The account is not linked to this one.".to_owned();
            let message = Some(Message { code: "Forbidden", value });
            return Ok(Outcome { series: vec![series], status: "Forbidden", message });
        }
        if let Some(all) = &self.all {
            return Ok(complete(all.get(&query.id).cloned().unwrap_or_default()));
        }
        match &query.asks {
            Asks::Metric { metric, statistic, name, period, unit } => {
                let series = self.read(metric, (statistic, name), *period, *unit).await?;
                Ok(complete(vec![series]))
            }
            Asks::Expression { .. } | Asks::Foreign => Ok(complete(Vec::new())),
        }
    }

    /// The values of a statistic of a metric; of several units together where none is asked for.
    async fn read(
        &self,
        metric: &MetricName,
        (statistic, name): (&Statistic, &str),
        period: i64,
        unit: Option<&str>,
    ) -> Result<Series, Error> {
        let Checked { start, end, .. } = *self.request;
        let mut bins = crate::store::Points::new();
        if has_points(start, period, self.now) {
            let span = Span { start: rounded_start(start, period, self.now), end, period };
            for (_, points) in self.service.inner.store.read(self.scope, metric, unit, span).await? {
                for (at, point) in points {
                    crate::store::merge(&mut bins, at, &point);
                }
            }
        }
        Ok(Series {
            label: metric.name.clone(),
            period,
            points: bins.iter().filter_map(|(at, point)| Some((*at, statistic.of(point)?))).collect(),
            origin: Some((metric.clone(), name.to_owned())),
        })
    }

    async fn evaluate(&self) -> Result<BTreeMap<String, Vec<Series>>, Error> {
        let mut expressions = BTreeMap::new();
        let mut metrics = Vec::new();
        let mut budget = limits::EXPRESSION_DATAPOINTS_MAX;
        let mut period = None;
        for query in &self.request.queries {
            match &query.asks {
                Asks::Metric { metric, statistic, name, period: own, unit } => {
                    let series = self.read(metric, (statistic, name), *own, *unit).await?;
                    spend(&mut budget, &series)?;
                    period = Some(period.map_or(*own, |period: i64| period.min(*own)));
                    metrics.push((query.id.clone(), series));
                }
                Asks::Expression { tree, period: own } => {
                    expressions.insert(query.id.clone(), tree.clone());
                    period = own.map_or(period, |own| Some(period.map_or(own, |period| period.min(own))));
                }
                Asks::Foreign => {}
            }
        }
        let period = period.unwrap_or(PERIOD_DEFAULT);
        let span = Span { start: self.request.start, end: self.request.end, period };
        let grid = usize::try_from((span.end - span.start) / period).unwrap_or(usize::MAX);
        if grid > limits::EXPRESSION_DATAPOINTS_MAX {
            return Err(too_many_points());
        }
        let mut searches = BTreeMap::new();
        for (id, tree) in &expressions {
            for search in searches_in(id, tree, period)? {
                if searches.len() == limits::SEARCHES_MAX && !searches.contains_key(&search) {
                    let sentence = format!("A request can have at most {} searches.", limits::SEARCHES_MAX);
                    return Err(Error::Validation(sentence));
                }
                if let Entry::Vacant(new) = searches.entry(search) {
                    let found = self.search(id, new.key(), &mut budget).await?;
                    new.insert(found);
                }
            }
        }
        let turn = self.service.inner.evaluations.acquire().await;
        let _turn = turn.expect("the semaphore is never closed");
        let world = World { span, now: self.now, metrics, expressions, searches };
        // Arithmetic on a million points would hold up everybody else on this thread.
        kernel::blocking(move || all(world)).await
    }

    async fn search(&self, id: &str, search: &Search, budget: &mut usize) -> Result<Vec<Series>, Error> {
        let filter = Filter::parse(&search.text).map_err(|reason| in_expression(id, &reason))?;
        let statistic = Statistic::parse(&search.statistic).expect("a search has a valid statistic");
        let since = self.now - limits::LISTED_FOR.as_secs().cast_signed();
        let mut listed = Vec::new();
        self.service.inner.store.metrics(self.scope, None, |metric, last| {
            if last >= since {
                listed.push(Arc::clone(metric));
            }
            std::ops::ControlFlow::Continue(())
        });
        // Looking at ten thousand names takes its time, and not under the store's lock.
        let found: Vec<_> = kernel::blocking(move || {
            let matching = listed.into_iter().filter(|metric| filter.matches(metric));
            matching.take(limits::SEARCH_SERIES_MAX).collect()
        })
        .await;
        let mut series = Vec::with_capacity(found.len());
        for metric in found {
            let mut one = self.read(&metric, (&statistic, &search.statistic), search.period, None).await?;
            let values: Vec<_> = metric.dimensions.iter().map(|(_, value)| value.as_str()).collect();
            // What tells those that were found apart.
            one.label = if values.is_empty() {
                metric.name.clone()
            } else {
                format!("{} {}", values.join(" "), metric.name)
            };
            spend(budget, &one)?;
            series.push(one);
        }
        Ok(series)
    }
}

fn all(world: World) -> Result<BTreeMap<String, Vec<Series>>, Error> {
    let mut evaluation = Evaluation::new(&world);
    let mut all = BTreeMap::new();
    for id in world.expressions.keys() {
        let series = evaluation.series(id).map_err(|reason| in_expression(id, &reason))?;
        all.insert(id.clone(), series);
    }
    all.extend(world.metrics.into_iter().map(|(id, series)| (id, vec![series])));
    Ok(all)
}

fn searches_in(id: &str, tree: &Expression, period: i64) -> Result<BTreeSet<Search>, Error> {
    let mut searches = BTreeSet::new();
    let mut failed = None;
    tree.calls(&mut |name, arguments| {
        if name == "SEARCH" {
            match Search::of(arguments, period) {
                Ok(search) => drop(searches.insert(search)),
                Err(reason) => failed = Some(in_expression(id, &reason)),
            }
        }
    });
    failed.map_or(Ok(searches), Err)
}

fn spend(budget: &mut usize, series: &Series) -> Result<(), Error> {
    *budget = budget.checked_sub(series.points.len()).ok_or_else(too_many_points)?;
    Ok(())
}

fn too_many_points() -> Error {
    Error::Validation(format!(
        "The expressions of one request can work on at most {} data points.",
        limits::EXPRESSION_DATAPOINTS_MAX
    ))
}
