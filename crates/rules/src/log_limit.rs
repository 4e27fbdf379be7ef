//! Says something at most once in a while, and how often it was left unsaid.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use kernel::Timestamp;

use crate::limits::LOG_PERIOD;

/// One place in the log.
pub(crate) struct LogLimit {
    said_ms: AtomicI64,
    unsaid: AtomicU64,
}

impl Default for LogLimit {
    fn default() -> Self {
        Self { said_ms: AtomicI64::new(i64::MIN), unsaid: AtomicU64::new(0) }
    }
}

impl LogLimit {
    /// How often it was left unsaid since it was said last, if it may be said now.
    pub(crate) fn permits(&self, now: Timestamp) -> Option<u64> {
        let said_ms = self.said_ms.load(Ordering::Relaxed);
        let due = said_ms == i64::MIN || now.since(Timestamp::from_millis(said_ms)) >= LOG_PERIOD;
        let mine = due
            && self
                .said_ms
                .compare_exchange(said_ms, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if mine {
            return Some(self.unsaid.swap(0, Ordering::Relaxed));
        }
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_too_often_is_counted_instead() {
        let limit = LogLimit::default();
        let now = Timestamp::from_millis(5);
        assert_eq!(limit.permits(now), Some(0));
        assert_eq!((limit.permits(now), limit.permits(now)), (None, None));
        assert_eq!(limit.permits(now + LOG_PERIOD), Some(2));
    }
}
