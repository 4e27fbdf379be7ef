//! How often each size of a value occurred: for latencies, of which an average tells little.
//!
//! 1. Buckets are the same for every histogram: one per value below four, then four per power of two, so that a bucket's bounds are
//!    never further apart than a quarter of the value. Values over [`VALUE_MAX`] count as that.
//! 2. Recording is two additions to atomics: no lock, no allocation. Two readings may be apart by an event that is counted in
//!    one sum and not yet in the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Sub-buckets of each power of two, as a power of two itself.
const SPLIT_BITS: u32 = 2;
const SPLIT: usize = 1 << SPLIT_BITS;

/// Powers of two that are told apart: in microseconds, 2^40 is twelve days.
const POWERS: u32 = 40;

/// The largest value told apart from larger ones.
pub(super) const VALUE_MAX: u64 = (1 << POWERS) - 1;

const BUCKETS: usize = SPLIT + (POWERS - SPLIT_BITS) as usize * SPLIT;

/// Counts values by their size. The unit is the metric's: `…_micros` in its name.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Cells>);

#[derive(Debug)]
struct Cells {
    sum: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self(Arc::new(Cells { sum: AtomicU64::new(0), buckets: std::array::from_fn(|_| AtomicU64::new(0)) }))
    }
}

impl Histogram {
    /// Counts one value.
    pub fn record(&self, value: u64) {
        let value = value.min(VALUE_MAX);
        self.0.sum.fetch_add(value, Ordering::Relaxed);
        self.0.buckets[bucket(value)].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one duration in microseconds, for a metric with `_micros` in its name.
    pub fn record_micros(&self, duration: Duration) {
        self.record(u64::try_from(duration.as_micros()).unwrap_or(VALUE_MAX));
    }

    /// What was recorded so far.
    pub fn read(&self) -> Distribution {
        Distribution {
            sum: self.0.sum.load(Ordering::Relaxed),
            buckets: self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect(),
        }
    }
}

/// What a histogram has recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// The sum of all values.
    pub sum: u64,
    buckets: Vec<u64>,
}

impl Distribution {
    /// How many values.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// What was recorded after `earlier`, which the same histogram said; all of it if that was another's.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let older = earlier.buckets.iter().zip(&self.buckets).all(|(before, now)| before <= now);
        if !older || earlier.sum > self.sum {
            return self.clone();
        }
        let before = earlier.buckets.iter().chain(std::iter::repeat(&0));
        Self {
            sum: self.sum - earlier.sum,
            buckets: self.buckets.iter().zip(before).map(|(now, before)| now - before).collect(),
        }
    }

    /// The buckets in which something is, by size: least and largest value that falls into it, and how many did.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let filled = self.buckets.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(index, count)| (least(index), least(index + 1) - 1, *count))
    }

    /// How many values are at most each power of two less one, up to [`VALUE_MAX`]: the bounds are the same for every histogram.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        (0..=POWERS).map(|power| {
            let bound = (1_u64 << power) - 1;
            let within = |index: &usize| least(index + 1) - 1 <= bound;
            let count = (0..self.buckets.len()).take_while(within).map(|index| self.buckets[index]).sum();
            (bound, count)
        })
    }
}

/// The bucket of a value of at most [`VALUE_MAX`].
fn bucket(value: u64) -> usize {
    if value < SPLIT as u64 {
        return value as usize;
    }
    let power = value.ilog2();
    let within = (value >> (power - SPLIT_BITS)) as usize & (SPLIT - 1);
    SPLIT + (power - SPLIT_BITS) as usize * SPLIT + within
}

/// The least value of a bucket.
fn least(index: usize) -> u64 {
    if index < SPLIT {
        return index as u64;
    }
    let power = ((index - SPLIT) / SPLIT) as u32 + SPLIT_BITS;
    (1 << power) + ((((index - SPLIT) % SPLIT) as u64) << (power - SPLIT_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_within_its_bucket_and_buckets_are_narrow() {
        let values = (0..5000).chain((0..POWERS).flat_map(|power| {
            let value = 1_u64 << power;
            [value - 1, value, value + 1]
        }));
        for value in values.filter(|value| *value <= VALUE_MAX) {
            let histogram = Histogram::default();
            histogram.record(value);
            let (least, most, count) = histogram.read().buckets().next().unwrap();
            assert!(least <= value && value <= most && count == 1, "{value} in {least}..={most}");
            assert!(most - least <= value / 4, "{value} in {least}..={most}");
        }
    }

    #[test]
    fn a_difference_is_what_came_in_between() {
        let histogram = Histogram::default();
        histogram.record(7);
        let before = histogram.read();
        histogram.record(100);
        histogram.record(u64::MAX);
        let now = histogram.read();
        let since = now.since(&before);
        assert_eq!((since.count(), since.sum), (2, 100 + VALUE_MAX));
        assert_eq!(now.since(&Distribution::default()), now);
        // A histogram that was forgotten and began anew.
        assert_eq!(before.since(&now), before);
    }

    #[test]
    fn cumulative_counts_grow_to_the_whole() {
        let histogram = Histogram::default();
        [0, 1, 2, 3, 4, 1000, VALUE_MAX].iter().for_each(|value| histogram.record(*value));
        let counts: Vec<_> = histogram.read().cumulative().collect();
        assert_eq!(counts[..4], [(0, 1), (1, 2), (3, 4), (7, 5)]);
        assert_eq!(*counts.last().unwrap(), (VALUE_MAX, 7));
        assert!(counts.is_sorted());
        assert!(Distribution::default().cumulative().all(|(_, count)| count == 0));
    }
}
