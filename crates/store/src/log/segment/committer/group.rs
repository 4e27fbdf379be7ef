//! A group commit in the making: the bytes to be written, and what follows when they are durable.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use kernel::Timestamp;
use tokio::sync::oneshot;

use crate::log::segment::file::Segment;
use crate::log::segment::frame::{self, Frame, Kind};
use crate::log::segment::index::Entry;
use crate::log::{LogError, LogId, Offset};

/// What will be written and synced at once.
pub(super) struct Group {
    pub(super) segment: Arc<Segment>,
    pub(super) position: u32,
    pub(super) buffer: Vec<u8>,
    /// Where the segment before this one ended, if the group begins a segment.
    pub(super) begins_after: Option<u32>,
    opened: bool,
    /// Logs touched and the first offset each will have.
    pub(super) touched: BTreeMap<u64, u64>,
    pub(super) deleted: HashSet<LogId>,
    pub(super) effects: Vec<Effect>,
    pub(super) entries: Vec<Entry>,
    pub(super) answers: Vec<Answer>,
    pub(super) records: u64,
}

pub(super) enum Effect {
    Append { number: u64, entries: usize },
    Trim { number: u64, first: u64 },
    Delete { number: u64 },
    Move { number: u64, offset: u64, entry: Entry },
}

pub(super) enum Answer {
    Appended(oneshot::Sender<Result<Offset, LogError>>, Offset),
    Done(oneshot::Sender<Result<(), LogError>>),
}

impl Group {
    /// An empty group that will be written to a segment at a position.
    pub(super) fn new(segment: Arc<Segment>, position: u32) -> Self {
        Self {
            segment,
            position,
            buffer: Vec::new(),
            begins_after: None,
            opened: false,
            touched: BTreeMap::new(),
            deleted: HashSet::new(),
            effects: Vec::new(),
            entries: Vec::new(),
            answers: Vec::new(),
            records: 0,
        }
    }

    /// What is left of the segment once the group is closed, were it to touch one log more.
    pub(super) fn room(&self) -> usize {
        let used = self.position as usize + self.buffer.len() + frame::size(24 * (self.touched.len() + 1));
        (self.segment.capacity as usize).saturating_sub(used)
    }

    /// Appends a frame that is no record; log, offset and time are as its kind has them.
    pub(super) fn push(&mut self, commit: u64, kind: Kind, [log, offset, time_ms]: [u64; 3], body: &[u8]) {
        let time_ms = time_ms.cast_signed();
        let opens_group = !std::mem::replace(&mut self.opened, true);
        let frame = Frame { kind, opens_group, closes_batch: false, commit, log, offset, time_ms };
        frame::encode(&frame, self.segment.generation, body, &mut self.buffer);
    }

    /// Appends the declaration of a log.
    pub(super) fn declare(&mut self, commit: u64, number: u64, name: &LogId, first: u64, next: u64) {
        let mut body = Vec::with_capacity(16 + name.as_str().len());
        body.extend_from_slice(&first.to_le_bytes());
        body.extend_from_slice(&next.to_le_bytes());
        body.extend_from_slice(name.as_str().as_bytes());
        self.push(commit, Kind::Log, [number, 0, 0], &body);
    }

    /// Appends a record and answers where it will lie.
    pub(super) fn record(
        &mut self,
        commit: u64,
        (log, offset): (u64, u64),
        closes_batch: bool,
        at: Timestamp,
        body: &[u8],
    ) -> Entry {
        let small = |n: usize| u32::try_from(n).expect("a segment is smaller than 4 GiB");
        let position = self.position + small(self.buffer.len());
        let opens_group = !std::mem::replace(&mut self.opened, true);
        let time_ms = at.as_millis();
        let frame = Frame { kind: Kind::Record, opens_group, closes_batch, commit, log, offset, time_ms };
        frame::encode(&frame, self.segment.generation, body, &mut self.buffer);
        Entry { segment: self.segment.sequence, position, length: small(body.len()), time_ms }
    }
}
