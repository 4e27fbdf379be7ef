//! Copying forward: moves the live records of the oldest segment into the active one, so that it can be recycled.

use std::sync::Arc;

use kernel::Timestamp;

use super::group::Effect;
use super::{Committer, Purpose, Stopped};
use crate::log::segment::file::HEADER_BLOCK;
use crate::log::segment::frame::{self, Generation, Item, Kind, Scan};

/// A segment whose live records are being copied.
pub(super) struct Copying {
    pub(super) sequence: u32,
    generation: Generation,
    bytes: Vec<u8>,
    position: usize,
}

impl Committer {
    /// Whether old segments hold so little that copying it pays: under a quarter.
    pub(super) fn wants_copy(&self) -> bool {
        if self.copy_stalled || self.copy_blocked {
            return false;
        }
        let index = self.shared.index();
        let (capacity, live) = index.sealed_bytes();
        index.segments() > 2 && live * 4 < capacity
    }

    /// Copies out of old segments while the configured size is used up and an eighth of it or more is dead.
    pub(super) fn reclaim(&mut self) -> Result<(), Stopped> {
        for _ in 0..self.config.segments_max() {
            let (used, (capacity, live)) = {
                let index = self.shared.index();
                (index.segments(), index.sealed_bytes())
            };
            let worth = (capacity / 8).max(2 * u64::from(self.config.segment_bytes));
            if used + 1 < self.config.segments_max() || capacity - live < worth || self.copy_blocked {
                return Ok(());
            }
            self.copy(usize::MAX)?;
            if self.copy_stalled {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Copies about `bytes_max` bytes of live records out of the oldest segment.
    pub(super) fn copy(&mut self, bytes_max: usize) -> Result<(), Stopped> {
        let Some(copying) = self.copying.take().or_else(|| self.begin_copy()) else { return Ok(()) };
        let Copying { sequence, generation, bytes, mut position } = copying;
        let mut group = self.group();
        let mut copied = 0;
        let mut scan = Scan::new(&bytes, generation, position);
        while copied < bytes_max {
            position = scan.position();
            let Some(item) = scan.next() else { break };
            let Item::Whole { position: at, frame, body } = item else { continue };
            let at = u32::try_from(at).expect("a segment is smaller than 4 GiB");
            if frame.kind != Kind::Record
                || !self.shared.index().lies_at(frame.log, frame.offset, sequence, at)
            {
                continue;
            }
            let needs = frame::size(body.len());
            if group.room() < needs {
                self.commit(group)?;
                group = self.group();
            }
            if group.room() < needs {
                let begun = self.begin_segment(Purpose::Upkeep)?.filter(|begun| begun.room() >= needs);
                let Some(begun) = begun else {
                    self.copy_stalled = true;
                    self.copying = Some(Copying { sequence, generation, bytes, position });
                    return Ok(());
                };
                group = begun;
            }
            let (first, _) =
                self.shared.index().assigned(frame.log).expect("a log with a live record is known");
            group.touched.entry(frame.log).or_insert(first);
            let time = Timestamp::from_millis(frame.time_ms);
            let entry = group.record(self.next_commit, (frame.log, frame.offset), true, time, body);
            group.effects.push(Effect::Move { number: frame.log, offset: frame.offset, entry });
            copied += needs;
        }
        let done = copied < bytes_max;
        self.counters.copied.add(copied as u64);
        self.commit(group)?;
        if done {
            self.end_copy(sequence);
        } else {
            self.copying = Some(Copying { sequence, generation, bytes, position });
        }
        Ok(())
    }

    fn begin_copy(&mut self) -> Option<Copying> {
        let (segment, end) = {
            let index = self.shared.index();
            let slot = index.oldest_segment()?;
            (Arc::clone(&slot.segment), slot.end)
        };
        match segment.read_until(end) {
            Ok(bytes) => Some(Copying {
                sequence: segment.sequence,
                generation: segment.generation,
                bytes,
                position: HEADER_BLOCK,
            }),
            Err(error) => {
                tracing::error!(name = segment.name, %error, "an old segment does not read and stays");
                self.copy_blocked = true;
                None
            }
        }
    }

    /// Gives up what could not be copied because it is damaged.
    fn end_copy(&mut self, sequence: u32) {
        let (lost, dead) = {
            let mut index = self.shared.index();
            let is_oldest = index.oldest_segment().is_some_and(|slot| slot.segment.sequence == sequence);
            let lost = if is_oldest { index.lose(sequence) } else { 0 };
            (lost, index.take_dead())
        };
        if lost > 0 {
            tracing::error!(lost, "records of an old segment are damaged");
            self.counters.damaged.add(lost);
        }
        self.recycle(dead);
    }
}
