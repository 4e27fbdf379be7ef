//! A warning that many devices can cause is logged now and then, with how many it stands for.

use std::sync::Mutex;

use kernel::Timestamp;

use crate::limits::LOG_INTERVAL;

/// See the file's header.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    state: Mutex<(Option<Timestamp>, u64)>,
}

impl Quiet {
    /// Whether to log now, and how many were not logged since the last time.
    pub(crate) fn permit(&self, now: Timestamp) -> Option<u64> {
        let mut state = self.state.lock().expect("no holder of this lock panics");
        if state.0.is_some_and(|last| now.since(last) < LOG_INTERVAL) {
            state.1 += 1;
            return None;
        }
        state.0 = Some(now);
        Some(std::mem::take(&mut state.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_and_a_number() {
        let quiet = Quiet::default();
        assert_eq!(quiet.permit(Timestamp::EPOCH), Some(0));
        for _ in 0..3 {
            assert_eq!(quiet.permit(Timestamp::from_millis(9_999)), None);
        }
        assert_eq!(quiet.permit(Timestamp::from_millis(10_000)), Some(3));
    }
}
