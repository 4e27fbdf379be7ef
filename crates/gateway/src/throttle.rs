//! Rates: how much a certificate's connection, and an account in a region as a whole, may send in a second.
//!
//! 1. What is above its rate waits: its connection is not read, and TCP pushes back. Nothing that was sent is lost, and nobody else
//!    waits. Only a CONNECT and a publish over HTTP are refused, since both have an answer that says so.
//! 2. A rate allows a second's worth at once (the generic cell rate algorithm, ITU-T I.371 annex A).
//! 3. The root of the account, which connects over loopback, has no rates.
//!
//! Differs from AWS: AWS ends connections, or does not acknowledge, where this waits.

use std::sync::atomic::{AtomicI64, Ordering};

use kernel::Timestamp;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

const NANOS_PER_MILLI: i64 = 1_000_000;

/// How much may be sent in a second; 0 for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// CONNECTs of an account in one region.
    pub connects: u32,
    /// Publishes of an account in one region.
    pub publishes: u32,
    /// Publishes of one connection.
    pub connection_publishes: u32,
    /// Bytes of topic and payload of one connection.
    pub connection_bytes: u32,
}

impl Quotas {
    /// Nothing is bounded: for tests and for measurements.
    pub const UNBOUNDED: Self =
        Self { connects: 0, publishes: 0, connection_publishes: 0, connection_bytes: 0 };
}

impl Default for Quotas {
    /// AWS's.
    fn default() -> Self {
        Self {
            connects: crate::limits::CONNECTS_PER_SECOND,
            publishes: crate::limits::PUBLISHES_PER_SECOND,
            connection_publishes: crate::limits::CONNECTION_PUBLISHES_PER_SECOND,
            connection_bytes: crate::limits::CONNECTION_BYTES_PER_SECOND,
        }
    }
}

/// One rate, and how much of it is used.
#[derive(Debug)]
pub(crate) struct Rate {
    /// Nanoseconds that one unit takes; 0 for no time at all.
    interval: i64,
    /// When everything that was taken would have been sent at exactly the rate: nanoseconds since the epoch.
    spent_until: AtomicI64,
}

impl Rate {
    pub(crate) fn per_second(units: u32) -> Self {
        let interval = if units == 0 { 0 } else { NANOS_PER_SECOND / i64::from(units) };
        Self { interval, spent_until: AtomicI64::new(0) }
    }

    /// Takes so much, although it may be more than is there.
    pub(crate) fn take(&self, units: usize, now: Timestamp) {
        if self.interval == 0 {
            return;
        }
        let cost = i64::try_from(units).unwrap_or(i64::MAX).saturating_mul(self.interval);
        let now = nanos(now);
        let spend = |spent: i64| Some(spent.max(now).saturating_add(cost));
        // It always gives a value.
        self.spent_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).ok();
    }

    /// When something may be taken again; none if it may now.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        if self.interval == 0 {
            return None;
        }
        let from = self.spent_until.load(Ordering::Relaxed) - NANOS_PER_SECOND;
        (from > nanos(now)).then(|| Timestamp::from_millis(from.div_euclid(NANOS_PER_MILLI) + 1))
    }

    /// Takes one if one is there.
    pub(crate) fn try_take(&self, now: Timestamp) -> bool {
        if self.next(now).is_some() {
            return false;
        }
        self.take(1, now);
        true
    }
}

fn nanos(at: Timestamp) -> i64 {
    at.as_millis().saturating_mul(NANOS_PER_MILLI)
}

/// The rates of one connection.
#[derive(Debug)]
pub(crate) struct ConnectionRates {
    publishes: Rate,
    bytes: Rate,
}

impl ConnectionRates {
    pub(crate) fn new(quotas: &Quotas) -> Self {
        Self {
            publishes: Rate::per_second(quotas.connection_publishes),
            bytes: Rate::per_second(quotas.connection_bytes),
        }
    }

    pub(crate) fn take(&self, bytes: usize, now: Timestamp) {
        self.publishes.take(1, now);
        self.bytes.take(bytes, now);
    }

    pub(crate) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.publishes.next(now).max(self.bytes.next(now))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn a_second_s_worth_at_once_and_then_the_rate() {
        let rate = Rate::per_second(100);
        let taken =
            |at: Timestamp| std::iter::repeat_with(|| rate.try_take(at)).take(1000).filter(|&t| t).count();
        // One more, since the last may go into debt.
        assert_eq!(taken(NOW), 101);
        assert_eq!(rate.next(NOW), Some(Timestamp::from_millis(NOW.as_millis() + 11)));
        assert_eq!(taken(NOW + Duration::from_millis(500)), 50);
        assert_eq!(taken(NOW + Duration::from_secs(3600)), 101);
    }

    #[test]
    fn what_was_taken_beyond_the_rate_is_waited_for() {
        let rates = ConnectionRates::new(&Quotas { connection_bytes: 1000, ..Quotas::UNBOUNDED });
        rates.take(5000, NOW);
        let next = rates.next(NOW).unwrap();
        assert_eq!(next.since(NOW), Duration::from_millis(4001));
        assert_eq!(rates.next(next), None);
        let unbounded = ConnectionRates::new(&Quotas::UNBOUNDED);
        unbounded.take(usize::MAX, NOW);
        assert_eq!(unbounded.next(NOW), None);
    }
}
