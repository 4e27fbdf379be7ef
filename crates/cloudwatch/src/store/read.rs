//! Reading: points of a metric, gathered into the periods that were asked for.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Store;
use super::entity::{begin_of, chunk_key, tier_key};
use super::memory::{Delta, Points, Series, merge};
use super::tier::Tier;
use crate::Error;
use crate::series::{MetricName, Scope};

/// How often a read is begun anew because the series was rolled up meanwhile, which happens every quarter of an hour at most.
const ATTEMPTS: usize = 100;

/// Chunks that one scan asks for.
const PAGE: usize = 64;

/// A stretch of time in periods: `start..end`, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) period: i64,
}

impl Span {
    /// Where the period begins that an instant is in.
    fn bin(&self, at: i64) -> i64 {
        at - (at - self.start).rem_euclid(self.period)
    }
}

impl Store {
    /// A metric's points by period, of each unit it was said with, or of one.
    pub(crate) async fn read(
        &self,
        scope: &Scope,
        metric: &MetricName,
        unit: Option<&str>,
        span: Span,
    ) -> Result<Vec<(&'static str, Points)>, Error> {
        let found = self.memory().find(scope, metric);
        let mut out = Vec::new();
        for series in found.into_iter().filter(|series| unit.is_none_or(|unit| unit == series.unit)) {
            let points = self.read_series(&series, span).await?;
            if !points.is_empty() {
                out.push((series.unit, points));
            }
        }
        Ok(out)
    }

    async fn read_series(&self, series: &Arc<Series>, span: Span) -> Result<Points, Error> {
        for _ in 0..ATTEMPTS {
            let mut ended = pin!(self.rolled_up.notified());
            // Asked for before looking, so that an end in between is not missed.
            ended.as_mut().enable();
            let before = series.rolled.load(Ordering::SeqCst);
            if !before.is_multiple_of(2) {
                ended.await;
                continue;
            }
            let mut bins = Points::new();
            for tier in Tier::ALL {
                self.read_tier(series, tier, span, &mut bins).await?;
            }
            if series.rolled.load(Ordering::SeqCst) == before {
                return Ok(bins);
            }
        }
        Err(Error::Unavailable(None))
    }

    async fn read_tier(
        &self,
        series: &Series,
        tier: Tier,
        span: Span,
        bins: &mut Points,
    ) -> Result<(), Error> {
        let chunks = (tier.chunk(span.start), tier.chunk(span.end - 1));
        let mut deltas = self.memory().deltas(series, tier, chunks);
        // What begins with the first second has no key before it.
        let mut after = (chunks.0 > 0).then(|| chunk_key(chunks.0 - 1));
        'pages: loop {
            let parts = tier_key(&series.scope, &series.id, tier);
            let page = self.chunks.page(&parts, "", after.as_deref(), PAGE).await?;
            let full = page.len() == PAGE;
            for (key, stored) in page {
                let begin = begin_of(&key);
                if begin > chunks.1 {
                    break 'pages;
                }
                stored.entity.points(begin).for_each(|(at, point)| add(bins, span, at, &point));
                let own = deltas.remove(&begin).unwrap_or_default();
                add_deltas(own, Some(stored.entity.through), span, bins);
                after = Some(chunk_key(begin));
            }
            if !full {
                break;
            }
        }
        add_deltas(deltas.into_values().flatten(), None, span, bins);
        Ok(())
    }
}

/// Adds what is in memory and not in the chunk, which is `through` as far; none if there is no such chunk.
fn add_deltas(deltas: impl IntoIterator<Item = Delta>, through: Option<u64>, span: Span, bins: &mut Points) {
    for delta in deltas {
        if through.is_none_or(|through| through < delta.through) {
            delta.points.iter().for_each(|(at, point)| add(bins, span, *at, point));
        }
    }
}

fn add(bins: &mut Points, span: Span, at: i64, point: &crate::point::Point) {
    if (span.start..span.end).contains(&at) {
        merge(bins, span.bin(at), point);
    }
}
