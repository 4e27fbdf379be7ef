//! The metric store: what is acknowledged is in the log, what is older is in chunks, and both together are what is read.
//!
//! ```text
//!  PutMetricData ─► log ─applier─► memory ─┐ every quarter of an hour, or when the log is long
//!  sampler ───────┘                        └─keeper─► chunks of seconds ─3 h─► minutes ─15 d─► 5 minutes ─63 d─► hours ─455 d─► gone
//! ```
//!
//! 1. A point is acknowledged when its record is durable in the log (A6), and seen at once: who appended waits for the applier.
//! 2. Each record counts exactly once. A chunk says how far in the log it has taken its points from; a flush that broke off is done
//!    again, and skips the chunks that are as far. After a start, records are taken in again for those chunks only that are not.
//! 3. The log is trimmed when every chunk of the flush is durable. Chunks are rolled up after that and never before.
//! 4. A reader takes what is in memory first and chunks second, and leaves out of memory what a chunk has taken in meanwhile. If the
//!    series was rolled up meanwhile it reads again.
//! 5. Memory is bounded by the log, which takes nothing new beyond [`limits::LOG_BYTES_MAX`].
//!
//! What it costs, sketched for ten thousand series of one value a minute: 1.5 MB of log per minute; each flush rewrites ten thousand
//! rows of 3 KB in 80 commits; fifteen days take 2.5 GB. A read of fifteen days of one series is 60 rows, in the order of their keys.

pub(crate) mod entity;
mod keeper;
mod memory;
mod read;
pub(crate) mod record;
mod rollup;
#[cfg(test)]
mod tests;
pub(crate) mod tier;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use ::store::{CommitLog, LogError, LogId, MetaStore, Offset, Table};
use kernel::{Clock, Stop};
use tokio::sync::{Notify, watch};

use self::entity::{Chunk, StoredSeries, chunk_key, tier_key};
use self::memory::Memory;
pub(crate) use self::memory::{Points, merge};
pub(crate) use self::read::Span;
use self::record::Addition;
use crate::series::{MetricName, Scope, UNITS};
use crate::{Error, limits};

/// The log of all accounts and regions.
const LOG: &str = "cloudwatch";

/// The metric store of a node.
pub(crate) struct Store {
    log: Arc<dyn CommitLog>,
    id: LogId,
    series: Table<StoredSeries>,
    chunks: Table<Chunk>,
    clock: Arc<dyn Clock>,
    memory: Mutex<Memory>,
    /// Records before this offset are in memory or in chunks.
    applied: watch::Sender<u64>,
    /// Wakes the keeper before its time.
    long: Notify,
    /// Wakes readers when a series has been rolled up.
    rolled_up: Notify,
}

/// How far each chunk was that the last run wrote.
type Throughs = HashMap<(String, usize, i64), u64>;

impl Store {
    pub(crate) fn new(meta: &Arc<dyn MetaStore>, log: Arc<dyn CommitLog>, clock: Arc<dyn Clock>) -> Self {
        Self {
            log,
            id: LogId::new(LOG, &[]),
            series: Table::new(Arc::clone(meta)),
            chunks: Table::new(Arc::clone(meta)),
            clock,
            memory: Mutex::default(),
            applied: watch::Sender::new(0),
            long: Notify::new(),
            rolled_up: Notify::new(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no holder of this lock panics")
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millis().div_euclid(1000)
    }

    /// Fills memory from the store and the log.
    pub(crate) async fn recover(&self) -> Result<(), Error> {
        for (parts, stored) in self.series.list(&[]).await? {
            let [account, region, _] = parts.as_slice() else { continue };
            let Some(unit) = UNITS.iter().find(|unit| **unit == stored.entity.unit) else { continue };
            let scope = (account.clone(), region.clone());
            self.memory().restore(&scope, &stored.entity.metric, unit, stored.entity.last);
        }
        let mut next = self.log.bounds(&self.id).first;
        let mut throughs = Throughs::new();
        loop {
            let (after, records) = self.read_log(next).await?;
            if records.is_empty() && after == next {
                break;
            }
            for (offset, scope, additions) in records {
                let mut fresh = Vec::with_capacity(additions.len());
                for addition in additions {
                    if offset >= self.through(&mut throughs, &scope, &addition).await? {
                        fresh.push(addition);
                    }
                }
                self.take_in(&scope, fresh);
            }
            next = after;
            self.memory().applied(next.0);
        }
        self.memory().applied(next.0);
        self.applied.send_replace(next.0);
        self.memory().count_active(self.now() - limits::RETENTION[1].as_secs().cast_signed());
        Ok(())
    }

    /// How far the chunk of an addition was.
    async fn through(
        &self,
        throughs: &mut Throughs,
        scope: &Scope,
        addition: &Addition,
    ) -> Result<u64, Error> {
        let id = addition.metric.id(addition.unit);
        let begin = addition.tier.chunk(addition.at);
        let [account, region, id_part, tier] = tier_key(scope, &id, addition.tier);
        let whole = (format!("{account}/{region}/{id_part}"), addition.tier.number(), begin);
        if let Some(through) = throughs.get(&whole) {
            return Ok(*through);
        }
        let stored = self.chunks.get(&[account, region, id_part, tier, &chunk_key(begin)]).await?;
        let through = stored.map_or(0, |stored| stored.entity.through);
        throughs.insert(whole, through);
        Ok(through)
    }

    /// The next records, and the offset after them. One that is damaged is skipped: it was acknowledged, so it is told of loudly.
    async fn read_log(&self, from: Offset) -> Result<(Offset, Vec<(u64, Scope, Vec<Addition>)>), Error> {
        let records = match self.log.read(&self.id, from, limits::READ_BYTES).await {
            Ok(records) => records,
            Err(LogError::Damaged { offset, .. }) => {
                tracing::error!(offset = offset.0, "a record of metrics is damaged and was skipped");
                return Ok((Offset(offset.0 + 1), Vec::new()));
            }
            Err(error) => return Err(error.into()),
        };
        let next = records.last().map_or(from, |record| Offset(record.offset.0 + 1));
        let decoded = records.into_iter().filter_map(|record| {
            let found = record::decode(&record.payload);
            if found.is_none() {
                tracing::error!(offset = record.offset.0, "a record of metrics is of an unknown form");
            }
            found.map(|(scope, additions)| (record.offset.0, scope, additions))
        });
        Ok((next, decoded.collect()))
    }

    fn take_in(&self, scope: &Scope, additions: Vec<Addition>) {
        let mut memory = self.memory();
        for addition in additions {
            memory.add(scope, &addition);
        }
    }

    /// The applier: takes what was appended into memory, in its order, until it is stopped.
    pub(crate) async fn apply(&self, mut stop: Stop) -> Result<(), Error> {
        let mut changed = self.log.changed(&self.id);
        loop {
            let next = Offset(*self.applied.borrow());
            let (after, records) = self.read_log(next).await?;
            if after == next {
                tokio::select! {
                    // An error means that the log is closed, and the node with it.
                    seen = changed.wait_for(|offset| *offset > next) => if seen.is_err() { return Ok(()) },
                    () = stop.stopped() => return Ok(()),
                }
                continue;
            }
            let mut memory = self.memory();
            for (_, scope, additions) in records {
                for addition in additions {
                    memory.add(&scope, &addition);
                }
            }
            memory.applied(after.0);
            drop(memory);
            self.applied.send_replace(after.0);
            if self.log.bounds(&self.id).bytes > limits::LOG_BYTES_FLUSH {
                self.long.notify_one();
            }
        }
    }

    /// Whether an account's own points may be added.
    ///
    /// # Errors
    /// `LimitExceededFault` when there are too many series, `InternalServiceFault` when the log is full.
    pub(crate) fn admit(&self, scope: &Scope, additions: &[Addition]) -> Result<(), Error> {
        if self.log.bounds(&self.id).bytes > limits::LOG_BYTES_MAX {
            return Err(Error::Unavailable(None));
        }
        let names: std::collections::BTreeSet<_> =
            additions.iter().map(|addition| (&addition.metric, addition.unit)).collect();
        let memory = self.memory();
        let (total, active) = memory.counts(scope);
        let new = memory.unknown(scope, names.into_iter());
        if new > 0 && (active + new > limits::SERIES_MAX || total + new > limits::SERIES_OF_NODE_MAX) {
            return Err(Error::LimitExceeded(format!(
                "The account has reached its limit of {} metrics in this region.",
                limits::SERIES_MAX
            )));
        }
        Ok(())
    }

    /// Adds points, all or none; resolves when they are durable, and seen unless the node is stopping.
    ///
    /// # Errors
    /// `InternalServiceFault` when the log cannot.
    pub(crate) async fn append(
        &self,
        additions: &[(Scope, Vec<Addition>)],
        mut stop: Option<Stop>,
    ) -> Result<(), Error> {
        let records: Vec<_> =
            additions.iter().map(|(scope, additions)| record::encode(scope, additions)).collect();
        let after = records.len() as u64;
        let first = self.log.append(&self.id, records).await?;
        let mut applied = self.applied.subscribe();
        let seen = applied.wait_for(|applied| *applied >= first.0 + after);
        match &mut stop {
            Some(stop) => tokio::select! {
                _ = seen => {}
                () = stop.stopped() => {}
            },
            None => drop(seen.await),
        }
        Ok(())
    }

    /// How far the log was taken in.
    #[cfg(test)]
    pub(crate) fn applied(&self) -> watch::Receiver<u64> {
        self.applied.subscribe()
    }

    /// Metrics after one of them, in order, with the seconds of their last points, as long as `take` says so.
    pub(crate) fn metrics(
        &self,
        scope: &Scope,
        after: Option<&MetricName>,
        mut take: impl FnMut(&Arc<MetricName>, i64) -> std::ops::ControlFlow<()>,
    ) {
        for (metric, last) in self.memory().metrics(scope, after) {
            if take(metric, last).is_break() {
                return;
            }
        }
    }
}
