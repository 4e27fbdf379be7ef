//! What is in memory: every series by its name, and the points that are in the log but not in chunks yet.
//!
//! ```text
//!  log ─applier─► current ─flush begins─► flushing ─written, log trimmed─► (chunks)
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::record::Addition;
use super::tier::Tier;
use crate::point::Point;
use crate::series::{MetricName, Scope};

/// A series.
#[derive(Debug)]
pub(crate) struct Series {
    /// Its place in [`Generation`].
    number: u64,
    pub(crate) scope: Arc<Scope>,
    pub(crate) metric: Arc<MetricName>,
    pub(crate) unit: &'static str,
    pub(crate) id: String,
    /// Seconds of its last point.
    last: AtomicI64,
    /// How often its chunks were rolled up, twice: odd while it happens.
    pub(crate) rolled: AtomicU64,
    /// No chunk of a tier begins before this; the least number when that is not known yet.
    oldest: [AtomicI64; 4],
}

impl Series {
    pub(crate) fn last(&self) -> i64 {
        self.last.load(Ordering::Relaxed)
    }

    /// No chunk of the tier begins before this.
    pub(crate) fn oldest(&self, tier: Tier) -> i64 {
        self.oldest[tier.number()].load(Ordering::Relaxed)
    }

    /// The tier's first chunk, as it was found.
    pub(crate) fn set_oldest(&self, tier: Tier, begin: i64) {
        self.oldest[tier.number()].store(begin, Ordering::Relaxed);
    }

    /// A chunk of the tier is written.
    pub(crate) fn wrote(&self, tier: Tier, begin: i64) {
        self.oldest[tier.number()].fetch_min(begin, Ordering::Relaxed);
    }
}

/// Points by time, of one tier's stretch of time.
pub(crate) type Points = BTreeMap<i64, Point>;

/// A series and its points that wait, by tier and beginning of their chunk.
type Waiting = (Arc<Series>, BTreeMap<(Tier, i64), Points>);

/// Points of the records before an offset and after those of the generation before.
#[derive(Debug, Default)]
pub(crate) struct Generation {
    /// Records before this offset are in, here or in chunks.
    pub(crate) through: u64,
    pub(crate) series: BTreeMap<u64, Waiting>,
}

/// Points of one chunk that a reader adds to it, unless it has taken them in: its `through` is as far.
pub(crate) struct Delta {
    pub(crate) through: u64,
    pub(crate) points: Points,
}

/// A metric's series by unit.
type Units = BTreeMap<&'static str, Arc<Series>>;

#[derive(Debug, Default)]
struct Directory {
    metrics: BTreeMap<Arc<MetricName>, Units>,
    /// Series that had points lately, counted when points were written last, and those that came since.
    active: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Memory {
    scopes: BTreeMap<Arc<Scope>, Directory>,
    total: usize,
    next_number: u64,
    current: Generation,
    flushing: Option<Arc<Generation>>,
}

impl Memory {
    /// The series of this name and unit, which is made if there is none.
    pub(crate) fn series(&mut self, scope: &Scope, metric: &MetricName, unit: &'static str) -> Arc<Series> {
        let scope = match self.scopes.get_key_value(scope) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::new(scope.clone()),
        };
        let directory = self.scopes.entry(Arc::clone(&scope)).or_default();
        let metric = match directory.metrics.get_key_value(metric) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::new(metric.clone()),
        };
        let units = directory.metrics.entry(Arc::clone(&metric)).or_default();
        if let Some(series) = units.get(unit) {
            return Arc::clone(series);
        }
        self.total += 1;
        self.next_number += 1;
        directory.active += 1;
        let series = Arc::new(Series {
            number: self.next_number,
            id: metric.id(unit),
            scope,
            metric,
            unit,
            last: AtomicI64::new(i64::MIN),
            rolled: AtomicU64::new(0),
            oldest: std::array::from_fn(|_| AtomicI64::new(i64::MIN)),
        });
        units.insert(unit, Arc::clone(&series));
        series
    }

    /// Makes a series known that the store has.
    pub(crate) fn restore(&mut self, scope: &Scope, metric: &MetricName, unit: &'static str, last: i64) {
        self.series(scope, metric, unit).last.fetch_max(last, Ordering::Relaxed);
    }

    /// Takes one point in.
    pub(crate) fn add(&mut self, scope: &Scope, addition: &Addition) {
        let series = self.series(scope, &addition.metric, addition.unit);
        series.last.fetch_max(addition.at, Ordering::Relaxed);
        let chunk = (addition.tier, addition.tier.chunk(addition.at));
        let (_, chunks) =
            self.current.series.entry(series.number).or_insert_with(|| (series, BTreeMap::new()));
        merge(chunks.entry(chunk).or_default(), addition.at, &addition.point);
    }

    /// Every record before this offset has been taken in.
    pub(crate) fn applied(&mut self, through: u64) {
        self.current.through = through;
    }

    /// How many series there are: of all accounts, and lately active ones of this.
    pub(crate) fn counts(&self, scope: &Scope) -> (usize, usize) {
        (self.total, self.scopes.get(scope).map_or(0, |directory| directory.active))
    }

    /// How many of these are not there yet.
    pub(crate) fn unknown<'a>(
        &self,
        scope: &Scope,
        names: impl Iterator<Item = (&'a MetricName, &'a str)>,
    ) -> usize {
        let metrics = self.scopes.get(scope).map(|directory| &directory.metrics);
        let known = |(metric, unit): &(&MetricName, &str)| {
            metrics.and_then(|metrics| metrics.get(*metric)).is_some_and(|units| units.contains_key(unit))
        };
        names.filter(|name| !known(name)).count()
    }

    /// Counts the series anew that had points after `since`.
    pub(crate) fn count_active(&mut self, since: i64) {
        for directory in self.scopes.values_mut() {
            let series = directory.metrics.values().flat_map(BTreeMap::values);
            directory.active = series.filter(|series| series.last() >= since).count();
        }
    }

    /// The series of a metric, by unit.
    pub(crate) fn find(&self, scope: &Scope, metric: &MetricName) -> Vec<Arc<Series>> {
        let units = self.scopes.get(scope).and_then(|directory| directory.metrics.get(metric));
        units.into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// Metrics of an account and region after one of them, in order, each with the seconds of its last point.
    pub(crate) fn metrics(
        &self,
        scope: &Scope,
        after: Option<&MetricName>,
    ) -> impl Iterator<Item = (&Arc<MetricName>, i64)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, |after| Excluded(after.clone()));
        let range = self
            .scopes
            .get(scope)
            .map(|directory| directory.metrics.range::<MetricName, _>((from, Unbounded)));
        range.into_iter().flatten().map(|(metric, units)| {
            (metric, units.values().map(|series| series.last()).max().unwrap_or(i64::MIN))
        })
    }

    /// Every series.
    pub(crate) fn all(&self) -> Vec<Arc<Series>> {
        let metrics = self.scopes.values().flat_map(|directory| directory.metrics.values());
        metrics.flat_map(BTreeMap::values).cloned().collect()
    }

    /// Forgets a series, of which nothing is kept any more, unless it has points again.
    pub(crate) fn forget(&mut self, series: &Series, before: i64) {
        let waiting = |generation: &Generation| generation.series.contains_key(&series.number);
        let busy = waiting(&self.current) || self.flushing.as_deref().is_some_and(waiting);
        if busy || series.last() >= before {
            return;
        }
        let Some(directory) = self.scopes.get_mut(&*series.scope) else { return };
        if let Some(units) = directory.metrics.get_mut(&*series.metric) {
            self.total -= usize::from(units.remove(series.unit).is_some());
            if units.is_empty() {
                directory.metrics.remove(&*series.metric);
            }
        }
    }

    /// The points of a series' chunk that are not in it for sure, older generation first.
    pub(crate) fn deltas(
        &self,
        series: &Series,
        tier: Tier,
        chunks: (i64, i64),
    ) -> BTreeMap<i64, Vec<Delta>> {
        let mut deltas: BTreeMap<i64, Vec<Delta>> = BTreeMap::new();
        for generation in self.flushing.as_deref().into_iter().chain([&self.current]) {
            let Some((_, own)) = generation.series.get(&series.number) else { continue };
            for ((_, begin), points) in own.range((tier, chunks.0)..=(tier, chunks.1)) {
                let delta = Delta { through: generation.through, points: points.clone() };
                deltas.entry(*begin).or_default().push(delta);
            }
        }
        deltas
    }

    /// What is to be written: what the last attempt did not finish, or everything taken in since.
    pub(crate) fn begin_flush(&mut self) -> Arc<Generation> {
        if let Some(unfinished) = &self.flushing {
            return Arc::clone(unfinished);
        }
        let through = self.current.through;
        let flushing = std::mem::replace(&mut self.current, Generation { through, ..Generation::default() });
        let flushing = Arc::new(flushing);
        self.flushing = Some(Arc::clone(&flushing));
        flushing
    }

    /// It was written, all of it.
    pub(crate) fn end_flush(&mut self) {
        self.flushing = None;
    }
}

/// Adds a point to those of its time.
pub(crate) fn merge(points: &mut Points, at: i64, point: &Point) {
    match points.entry(at) {
        std::collections::btree_map::Entry::Occupied(mut entry) => entry.get_mut().merge(point),
        std::collections::btree_map::Entry::Vacant(entry) => {
            entry.insert(point.clone());
        }
    }
}
