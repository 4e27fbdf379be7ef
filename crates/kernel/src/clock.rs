//! Time: the instant every crate speaks of, and the clock it is asked from.
//!
//! Nothing else in the workspace reads the system clock (clippy's disallowed methods), so a test owns all time
//! with a [`ManualClock`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The instant `ms` milliseconds after the epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch with a fraction: how AWS JSON protocols write a timestamp.
    pub fn as_epoch_seconds(self) -> f64 {
        // Millisecond instants stay exact in an f64 until the year 287396.
        self.0 as f64 / 1000.0
    }

    /// The calendar date and time in UTC. Instants outside chrono's range become the epoch.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// `2017-08-26T07:47:12.345Z`.
    pub fn to_iso8601(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// How long after `earlier` this instant is; zero if it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_iso8601())
    }
}

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The present instant. May step backwards when the operator sets the machine's clock.
    fn now(&self) -> Timestamp;

    /// Completes when `now() >= at`. Dropping the future forgets the wait.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;

    /// Completes `duration` from now.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep_until(self.now() + duration)
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system clock")]
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that sleeps on the system clock")]
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(at.since(self.now())))
    }
}

type Waiters = BTreeMap<(Timestamp, u64), tokio::sync::oneshot::Sender<()>>;

/// A clock that moves only when told to. Clones share the same time.
#[derive(Clone)]
pub struct ManualClock {
    inner: Arc<ManualInner>,
}

struct ManualInner {
    now_ms: AtomicI64,
    next_id: AtomicU64,
    waiters: Mutex<Waiters>,
}

impl ManualClock {
    /// A clock standing at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self {
            inner: Arc::new(ManualInner {
                now_ms: AtomicI64::new(start.0),
                next_id: AtomicU64::new(0),
                waiters: Mutex::new(BTreeMap::new()),
            }),
        }
    }

    /// Moves time forward and wakes every sleeper whose instant has come.
    pub fn advance(&self, by: Duration) {
        let now = self.now() + by;
        self.inner.now_ms.store(now.0, Ordering::SeqCst);
        let mut waiters = self.inner.waiters.lock().expect("no holder of this lock panics");
        let later = waiters.split_off(&(Timestamp(now.0.saturating_add(1)), 0));
        for (_, wake) in std::mem::replace(&mut *waiters, later) {
            // A sleeper that was dropped no longer listens.
            wake.send(()).ok();
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.inner.now_ms.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut waiters = self.inner.waiters.lock().expect("no holder of this lock panics");
        if at <= self.now() {
            return Box::pin(std::future::ready(()));
        }
        waiters.retain(|_, wake| !wake.is_closed());
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        let (wake, woken) = tokio::sync::oneshot::channel();
        waiters.insert((at, id), wake);
        Box::pin(async move {
            if woken.await.is_err() {
                // The clock is gone, and with it the instant waited for.
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso8601_has_milliseconds_and_a_z() {
        assert_eq!(Timestamp::from_millis(1_503_733_632_345).to_iso8601(), "2017-08-26T07:47:12.345Z");
    }

    #[test]
    fn since_never_goes_below_zero() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(Timestamp(9).since(Timestamp(5)), Duration::from_millis(4));
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_exactly_those_whose_time_has_come() {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let soon = clock.sleep(Duration::from_secs(1));
        let mut late = clock.sleep(Duration::from_secs(3));
        clock.advance(Duration::from_secs(2));
        soon.await;
        assert!(futures::poll!(&mut late).is_pending());
        clock.advance(Duration::from_secs(1));
        late.await;
    }
}
