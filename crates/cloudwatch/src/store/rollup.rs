//! Rolling up: chunks whose time is over go into the next resolution, and those of the last are forgotten.
//!
//! One commit per series takes old chunks away and puts their points into coarser ones, so that each point is in exactly one of
//! them; readers are told by [`Series::rolled`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::store::Batch;
use tokio::sync::Notify;

use super::Store;
use super::entity::{Chunk, begin_of, chunk_key, tier_key};
use super::memory::{Points, Series, merge};
use super::tier::Tier;
use crate::Error;

/// Chunks of a series that one commit rolls up.
const AT_ONCE: usize = 64;

impl Store {
    /// Rolls up every chunk whose time is over, and forgets the series of which nothing is left.
    pub(crate) async fn roll_up(&self) -> Result<(), Error> {
        let series = self.memory().all();
        let now = self.now();
        let gone = now - Tier::Hour.retention().as_secs().cast_signed();
        for series in series {
            for tier in Tier::ALL {
                while self.roll_up_tier(&series, tier, now).await? {}
            }
            // A chunk goes when the last of its points is over, which is later than the series' last.
            if series.last() < gone && !self.has_chunks(&series).await? {
                self.series.delete(&[&series.scope.0, &series.scope.1, &series.id]).await?;
                self.memory().forget(&series, gone);
            }
        }
        Ok(())
    }

    async fn has_chunks(&self, series: &Series) -> Result<bool, Error> {
        let parts = [series.scope.0.as_str(), &series.scope.1, &series.id];
        Ok(!self.chunks.page(&parts, "", None, 1).await?.is_empty())
    }

    /// Rolls up some chunks of one tier; whether there may be more.
    async fn roll_up_tier(&self, series: &Arc<Series>, tier: Tier, now: i64) -> Result<bool, Error> {
        let over = now - tier.retention().as_secs().cast_signed();
        let is_over = |begin: i64| tier.end(begin) <= over;
        let hint = series.oldest(tier);
        if hint != i64::MIN && (hint == i64::MAX || !is_over(hint)) {
            return Ok(false);
        }
        let parts = tier_key(&series.scope, &series.id, tier);
        let page = self.chunks.page(&parts, "", None, AT_ONCE + 1).await?;
        let found = page.into_iter().map(|(key, stored)| (begin_of(&key), stored.entity));
        let (mut old, kept): (Vec<_>, Vec<_>) = found.partition(|(begin, _)| is_over(*begin));
        // One more than is rolled up, so that the first of those that stay is known.
        let next = if old.len() > AT_ONCE { old.pop() } else { kept.into_iter().next() };
        let next = next.map(|(begin, _)| begin);
        let mut batch = Batch::default();
        for (begin, _) in &old {
            batch = self.chunks.with_delete(batch, &[&parts[..], &[&chunk_key(*begin)]].concat());
        }
        if let Some(tier) = tier.next() {
            batch = self.with_coarser(batch, series, tier, &old).await?;
        }
        if !old.is_empty() {
            let rolling = Rolling::begin(series, &self.rolled_up);
            self.chunks.commit(batch).await?;
            drop(rolling);
        }
        series.set_oldest(tier, next.unwrap_or(i64::MAX));
        Ok(next.is_some_and(is_over))
    }

    async fn with_coarser(
        &self,
        mut batch: Batch,
        series: &Series,
        tier: Tier,
        old: &[(i64, Chunk)],
    ) -> Result<Batch, Error> {
        let mut chunks: BTreeMap<i64, Points> = BTreeMap::new();
        for (begin, chunk) in old {
            for (at, point) in chunk.points(*begin) {
                let at = tier.align(at);
                merge(chunks.entry(tier.chunk(at)).or_default(), at, &point);
            }
        }
        let parts = tier_key(&series.scope, &series.id, tier);
        for (begin, coarse) in chunks {
            let begin_part = chunk_key(begin);
            let key = [&parts[..], &[&begin_part]].concat();
            let stored = self.chunks.get(&key).await?.map(|stored| stored.entity).unwrap_or_default();
            let mut points: Points = stored.points(begin).collect();
            for (at, point) in &coarse {
                merge(&mut points, *at, point);
            }
            series.wrote(tier, begin);
            batch = self.chunks.with_put(batch, &key, &Chunk::new(stored.through, begin, &points));
        }
        Ok(batch)
    }
}

/// While it is there, readers of the series wait.
struct Rolling<'a> {
    series: &'a Series,
    ended: &'a Notify,
}

impl<'a> Rolling<'a> {
    fn begin(series: &'a Series, ended: &'a Notify) -> Self {
        series.rolled.fetch_add(1, Ordering::SeqCst);
        Self { series, ended }
    }
}

impl Drop for Rolling<'_> {
    fn drop(&mut self) {
        self.series.rolled.fetch_add(1, Ordering::SeqCst);
        self.ended.notify_waiters();
    }
}
