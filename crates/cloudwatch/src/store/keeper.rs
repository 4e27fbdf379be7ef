//! The keeper: writes what is in memory into chunks, trims the log, rolls chunks up. One task, so that none of it meets another.

use std::sync::Arc;

use ::store::{Batch, Offset};
use kernel::Stop;

use super::Store;
use super::entity::{Chunk, StoredSeries, chunk_key, tier_key};
use super::memory::{Generation, Points, Series, merge};
use super::tier::Tier;
use crate::{Error, limits};

impl Store {
    /// Flushes when it is time or the log is long, until it is stopped.
    pub(crate) async fn keep(&self, mut stop: Stop) -> Result<(), Error> {
        loop {
            tokio::select! {
                () = self.clock.sleep(limits::FLUSH_EVERY) => {}
                () = self.long.notified() => {}
                () = stop.stopped() => return Ok(()),
            }
            self.flush().await?;
            self.roll_up().await?;
            let since = self.now() - Tier::Minute.retention().as_secs().cast_signed();
            self.memory().count_active(since);
        }
    }

    /// Writes what the applier has taken in into chunks, then trims the log.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        let generation = self.memory().begin_flush();
        self.write(&generation).await?;
        if self.log.bounds(&self.id).first < Offset(generation.through) {
            self.log.trim(&self.id, Offset(generation.through)).await?;
        }
        self.memory().end_flush();
        Ok(())
    }

    async fn write(&self, generation: &Generation) -> Result<(), Error> {
        let mut batch = Batch::default();
        for (series, chunks) in generation.series.values() {
            batch = self.with_series(batch, series);
            for ((tier, begin), points) in chunks {
                batch = self.with_chunk(batch, (series, *tier, *begin), points, generation.through).await?;
                if batch.changes.len() >= limits::CHUNKS_AT_ONCE {
                    self.chunks.commit(std::mem::take(&mut batch)).await?;
                }
            }
        }
        if !batch.changes.is_empty() {
            self.chunks.commit(batch).await?;
        }
        Ok(())
    }

    /// A flush that ends after some chunks, as a crash ends it.
    #[cfg(test)]
    pub(crate) async fn flush_only(&self, chunks_max: usize) {
        let generation = self.memory().begin_flush();
        let mut written = 0;
        for (series, chunks) in generation.series.values() {
            for ((tier, begin), points) in chunks {
                written += 1;
                if written > chunks_max {
                    return;
                }
                let batch = self.with_series(Batch::default(), series);
                let chunk = (series, *tier, *begin);
                let batch = self.with_chunk(batch, chunk, points, generation.through).await.unwrap();
                self.chunks.commit(batch).await.unwrap();
            }
        }
    }

    fn with_series(&self, batch: Batch, series: &Series) -> Batch {
        let stored = StoredSeries {
            metric: (*series.metric).clone(),
            unit: series.unit.to_owned(),
            last: series.last(),
        };
        self.series.with_put(batch, &[&series.scope.0, &series.scope.1, &series.id], &stored)
    }

    /// Adds the chunk with the points in it, unless it has taken them in already.
    async fn with_chunk(
        &self,
        batch: Batch,
        (series, tier, begin): (&Arc<Series>, Tier, i64),
        new: &Points,
        through: u64,
    ) -> Result<Batch, Error> {
        series.wrote(tier, begin);
        let [account, region, id, tier] = tier_key(&series.scope, &series.id, tier);
        let begin_part = chunk_key(begin);
        let key = [account, region, id, tier, &begin_part];
        let mut points = Points::new();
        if let Some(stored) = self.chunks.get(&key).await? {
            if stored.entity.through >= through {
                return Ok(batch);
            }
            points.extend(stored.entity.points(begin));
        }
        for (at, point) in new {
            merge(&mut points, *at, point);
        }
        Ok(self.chunks.with_put(batch, &key, &Chunk::new(through, begin, &points)))
    }
}
