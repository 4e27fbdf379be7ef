//! Resolutions in which points are kept, and for how long.

use std::time::Duration;

use crate::limits::RETENTION;

/// A resolution. Points of one go into the next when their time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Tier {
    Second,
    Minute,
    FiveMinutes,
    Hour,
}

impl Tier {
    pub(crate) const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::FiveMinutes, Self::Hour];

    /// Its number, in keys and records: never changed.
    pub(crate) const fn number(self) -> usize {
        self as usize
    }

    pub(crate) fn of_number(number: usize) -> Option<Self> {
        Self::ALL.get(number).copied()
    }

    /// Its number as a key's part.
    pub(crate) const fn part(self) -> &'static str {
        ["0", "1", "2", "3"][self as usize]
    }

    /// Seconds between points.
    pub(crate) const fn seconds(self) -> i64 {
        [1, 60, 300, 3_600][self as usize]
    }

    /// Seconds of a chunk: up to 900, 360, 288 and 240 points. Each is a multiple of the next resolution, so that a chunk goes
    /// into as few of the next as can be.
    const fn chunk_seconds(self) -> i64 {
        [900, 21_600, 86_400, 864_000][self as usize]
    }

    /// How long points are kept.
    pub(crate) const fn retention(self) -> Duration {
        RETENTION[self as usize]
    }

    /// Where its points go afterwards; none of the last, whose points are forgotten.
    pub(crate) fn next(self) -> Option<Self> {
        Self::of_number(self.number() + 1)
    }

    /// The point that an instant belongs to.
    pub(crate) const fn align(self, seconds: i64) -> i64 {
        seconds - seconds.rem_euclid(self.seconds())
    }

    /// Where the chunk begins that an instant belongs to.
    pub(crate) const fn chunk(self, seconds: i64) -> i64 {
        seconds - seconds.rem_euclid(self.chunk_seconds())
    }

    /// Where a chunk ends.
    pub(crate) const fn end(self, chunk: i64) -> i64 {
        chunk + self.chunk_seconds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_holds_whole_points_of_its_own_resolution_and_of_the_next() {
        for tier in Tier::ALL {
            assert_eq!(tier.chunk_seconds() % tier.seconds(), 0);
            assert_eq!(Tier::of_number(tier.number()), Some(tier));
            assert_eq!(tier.part(), tier.number().to_string());
            if let Some(next) = tier.next() {
                assert_eq!(tier.chunk_seconds() % next.seconds(), 0);
            }
        }
        assert_eq!(
            (Tier::Minute.align(119), Tier::Minute.chunk(21_601), Tier::Minute.end(0)),
            (60, 21_600, 21_600)
        );
    }
}
