//! How long to wait before trying again.

use std::time::Duration;

use crate::Entropy;

/// Doubling waits between `first` and `cap`, each shortened by up to a quarter at random so that many
/// retriers do not march in step.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    attempt: u32,
}

impl Backoff {
    /// Waits of `first`, twice that, four times that, …, never more than `cap`.
    pub fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, attempt: 0 }
    }

    /// The next wait.
    pub fn next_wait(&mut self, entropy: &Entropy) -> Duration {
        let full = self.first.saturating_mul(1 << self.attempt.min(20)).min(self.cap);
        self.attempt = self.attempt.saturating_add(1);
        let quarter_ms = u64::try_from(full.as_millis()).unwrap_or(u64::MAX) / 4;
        full - Duration::from_millis(entropy.below(quarter_ms + 1))
    }

    /// Begins again with the shortest wait.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let entropy = Entropy::seeded(3);
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(500));
        for full in [100, 200, 400, 500, 500] {
            let wait = backoff.next_wait(&entropy).as_millis();
            assert!((full * 3 / 4..=full).contains(&wait), "{wait} of {full}");
        }
    }
}
