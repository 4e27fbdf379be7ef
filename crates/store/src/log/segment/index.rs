//! What the log holds, in memory: for each log its bounds and where each record lies, for each segment how much of it is live,
//! and the bytes written last.
//!
//! An entry takes 24 bytes per live record. Recovery builds the same index by replaying frames.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use kernel::Timestamp;
use tokio::sync::watch;

use super::file::Segment;
use super::frame;
use crate::log::{Bounds, LogId, Offset, Record};

/// Where a record lies. Segment 0 means that it is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) segment: u32,
    pub(super) position: u32,
    pub(super) length: u32,
    pub(super) time_ms: i64,
}

impl Entry {
    fn is_lost(&self) -> bool {
        self.segment == 0
    }

    fn frame_bytes(&self) -> u64 {
        frame::size(self.length as usize) as u64
    }
}

/// One log. The entries are those of `first..next`.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) number: u64,
    pub(super) first: u64,
    /// The offset after those given to records that are being written.
    pub(super) assigned: u64,
    bytes: u64,
    entries: VecDeque<Entry>,
}

impl Log {
    pub(super) fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds { first: Offset(self.first), next: Offset(self.next()), bytes: self.bytes }
    }

    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let entry = self.entries.iter().find(|entry| !entry.is_lost())?;
        Some(Timestamp::from_millis(entry.time_ms))
    }
}

/// A segment in use and how much of it is live.
pub(super) struct Slot {
    pub(super) segment: Arc<Segment>,
    /// Where its frames end; of the active segment, where they ended when it was begun.
    pub(super) end: u32,
    live_records: u64,
    live_bytes: u64,
}

/// The index.
#[derive(Default)]
pub(super) struct Index {
    logs: BTreeMap<LogId, Log>,
    names: HashMap<u64, LogId>,
    watches: HashMap<LogId, watch::Sender<Offset>>,
    slots: BTreeMap<u32, Slot>,
    live_bytes: u64,
    capacity: u64,
    tail: Tail,
}

/// Where a record is to be had.
pub(super) enum Source {
    /// In memory.
    Cached(Bytes),
    /// On disk.
    Disk(Arc<Segment>),
}

/// One record to be read.
pub(super) struct Piece {
    pub(super) offset: u64,
    pub(super) entry: Entry,
    pub(super) source: Source,
}

/// What a read will fetch.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) number: u64,
    pub(super) pieces: Vec<Piece>,
    /// The record after the pieces is lost.
    pub(super) lost: Option<u64>,
}

impl Plan {
    /// The records, if all are in memory.
    pub(super) fn cached(&self) -> Option<Vec<Record>> {
        let record = |piece: &Piece| match &piece.source {
            Source::Cached(payload) => Some(piece.record(payload.clone())),
            Source::Disk(_) => None,
        };
        self.pieces.iter().map(record).collect()
    }
}

impl Piece {
    /// The record with this payload.
    pub(super) fn record(&self, payload: Bytes) -> Record {
        let appended_at = Timestamp::from_millis(self.entry.time_ms);
        Record { offset: Offset(self.offset), appended_at, payload }
    }
}

impl Index {
    /// An index whose tail cache keeps this many bytes.
    pub(super) fn new(cache_bytes_max: usize) -> Self {
        Self { tail: Tail { bytes_max: cache_bytes_max, ..Tail::default() }, ..Self::default() }
    }

    /// The log of this name.
    pub(super) fn log(&self, name: &LogId) -> Option<&Log> {
        self.logs.get(name)
    }

    /// Every log in the order of names.
    pub(super) fn logs(&self) -> impl Iterator<Item = (&LogId, &Log)> {
        self.logs.iter()
    }

    fn log_of(&mut self, number: u64) -> Option<&mut Log> {
        self.logs.get_mut(self.names.get(&number)?).filter(|log| log.number == number)
    }

    /// The bounds of the log with this number: first, and the next offset to be assigned.
    pub(super) fn assigned(&self, number: u64) -> Option<(u64, u64)> {
        let log = self.logs.get(self.names.get(&number)?)?;
        (log.number == number).then_some((log.first, log.assigned))
    }

    /// Takes `count` offsets of a log that is there.
    pub(super) fn assign(&mut self, number: u64, count: u64) -> u64 {
        let log = self.log_of(number).expect("the committer assigns to logs it has declared");
        log.assigned += count;
        log.assigned - count
    }

    /// Makes a log known, or its bounds: nothing before `first`, and every offset before `next` taken.
    pub(super) fn declare(&mut self, number: u64, name: &LogId, first: u64, next: u64) {
        let known = self.logs.get(name).map(|log| log.number);
        if known.is_some_and(|known| known > number) {
            return;
        }
        if let Some(older) = known.filter(|known| *known < number) {
            self.remove(older);
        }
        if known != Some(number) {
            self.names.insert(number, name.clone());
            let log = Log { number, first, assigned: first, ..Log::default() };
            self.logs.insert(name.clone(), log);
        }
        self.advance(number, first, next);
    }

    /// As `declare`, of a log that may be unknown.
    pub(super) fn advance(&mut self, number: u64, first: u64, next: u64) {
        if let Some(log) = self.log_of(number) {
            let taken = usize::try_from(next.saturating_sub(log.first)).unwrap_or(usize::MAX);
            if log.entries.len() < taken && log.first <= next {
                log.entries.resize(taken, Entry::default());
            }
            log.assigned = log.assigned.max(next);
        }
        self.trim(number, first);
    }

    /// Notes where a record lies. Those between the log's end and it are lost unless they are placed as well.
    pub(super) fn place(&mut self, number: u64, offset: u64, entry: Entry) {
        let Some(log) = self.log_of(number) else { return };
        let Some(nth) = offset.checked_sub(log.first) else { return };
        let nth = usize::try_from(nth).expect("offsets of live records are close to each other");
        if nth >= log.entries.len() {
            log.entries.resize(nth + 1, Entry::default());
        }
        let old = std::mem::replace(&mut log.entries[nth], entry);
        log.bytes = log.bytes - u64::from(old.length) + u64::from(entry.length);
        log.assigned = log.assigned.max(offset + 1);
        self.bury(old.segment, u64::from(!old.is_lost()), old.frame_bytes());
        self.revive(entry.segment, u64::from(!entry.is_lost()), entry.frame_bytes());
    }

    /// Appends the entries of one append, which lie in one segment.
    pub(super) fn extend(&mut self, number: u64, entries: &[Entry]) {
        let (Some(log), Some(last)) = (self.log_of(number), entries.last()) else { return };
        log.entries.extend(entries);
        log.bytes += entries.iter().map(|entry| u64::from(entry.length)).sum::<u64>();
        let frames = entries.iter().map(Entry::frame_bytes).sum();
        self.revive(last.segment, entries.len() as u64, frames);
    }

    /// Forgets the records of a log before `first`.
    pub(super) fn trim(&mut self, number: u64, first: u64) {
        let Some(log) = self.log_of(number) else { return };
        let mut dead: Vec<(u32, u64, u64)> = Vec::new();
        while log.first < first {
            let Some(entry) = log.entries.pop_front() else {
                log.first = first;
                break;
            };
            log.first += 1;
            log.bytes -= u64::from(entry.length);
            match dead.last_mut() {
                Some((segment, records, bytes)) if *segment == entry.segment => {
                    *records += 1;
                    *bytes += entry.frame_bytes();
                }
                _ => dead.push((entry.segment, 1, entry.frame_bytes())),
            }
        }
        log.assigned = log.assigned.max(log.first);
        for (segment, records, bytes) in dead {
            self.bury(segment, records, bytes);
        }
    }

    /// Forgets a log.
    pub(super) fn remove(&mut self, number: u64) {
        let Some((_, next)) = self.log_of(number).map(|log| (log.first, log.next())) else { return };
        self.trim(number, next);
        let name = self.names.remove(&number).expect("a log that was found by its number has a name");
        self.logs.remove(&name);
        self.watches.remove(&name);
    }

    /// Forgets every log whose number does not satisfy `stays`.
    pub(super) fn retain(&mut self, stays: impl Fn(u64) -> bool) {
        let gone: Vec<_> = self.names.keys().copied().filter(|number| !stays(*number)).collect();
        for number in gone {
            self.remove(number);
        }
    }

    fn revive(&mut self, segment: u32, records: u64, bytes: u64) {
        if let Some(slot) = self.slots.get_mut(&segment) {
            slot.live_records += records;
            slot.live_bytes += bytes;
            self.live_bytes += bytes;
        }
    }

    fn bury(&mut self, segment: u32, records: u64, bytes: u64) {
        if let Some(slot) = self.slots.get_mut(&segment) {
            slot.live_records -= records;
            slot.live_bytes -= bytes;
            self.live_bytes -= bytes;
        }
    }

    /// Begins to use a segment; it is the newest.
    pub(super) fn add_segment(&mut self, segment: Arc<Segment>, end: u32) {
        self.capacity += u64::from(segment.capacity);
        let sequence = segment.sequence;
        self.slots.insert(sequence, Slot { segment, end, live_records: 0, live_bytes: 0 });
    }

    /// Notes where the frames of a segment end.
    pub(super) fn end_segment(&mut self, sequence: u32, end: u32) {
        if let Some(slot) = self.slots.get_mut(&sequence) {
            slot.end = end;
        }
    }

    /// How many segments are in use.
    pub(super) fn segments(&self) -> usize {
        self.slots.len()
    }

    /// The oldest segment, unless it is the newest as well.
    pub(super) fn oldest_segment(&self) -> Option<&Slot> {
        self.slots.values().next().filter(|_| self.slots.len() > 1)
    }

    /// Of the segments before the newest: what they can hold, and how much of that is live.
    pub(super) fn sealed_bytes(&self) -> (u64, u64) {
        let (capacity, live) = self
            .slots
            .values()
            .next_back()
            .map_or((0, 0), |slot| (u64::from(slot.segment.capacity), slot.live_bytes));
        (self.capacity - capacity, self.live_bytes - live)
    }

    /// Ends the use of the oldest segments as far as nothing in them is live.
    pub(super) fn take_dead(&mut self) -> Vec<Arc<Segment>> {
        let mut dead = Vec::new();
        while let Some(sequence) =
            self.oldest_segment().filter(|slot| slot.live_records == 0).map(|slot| slot.segment.sequence)
        {
            let slot = self.slots.remove(&sequence).expect("it was just found");
            self.capacity -= u64::from(slot.segment.capacity);
            self.tail.forget(sequence);
            dead.push(slot.segment);
        }
        dead
    }

    /// Gives up the records that still lie in a segment and answers how many.
    pub(super) fn lose(&mut self, sequence: u32) -> u64 {
        let mut lost = 0;
        for log in self.logs.values_mut() {
            for entry in log.entries.iter_mut().filter(|entry| entry.segment == sequence) {
                log.bytes -= u64::from(entry.length);
                *entry = Entry::default();
                lost += 1;
            }
        }
        if let Some(slot) = self.slots.get_mut(&sequence) {
            self.live_bytes -= std::mem::take(&mut slot.live_bytes);
            slot.live_records = 0;
        }
        lost
    }

    /// How many records between the bounds of logs are lost.
    pub(super) fn lost(&self) -> u64 {
        let lost = |log: &Log| log.entries.iter().filter(|entry| entry.is_lost()).count() as u64;
        self.logs.values().map(lost).sum()
    }

    /// Whether the record of this number and offset lies just there.
    pub(super) fn lies_at(&self, number: u64, offset: u64, segment: u32, position: u32) -> bool {
        let entry = || {
            let log = self.logs.get(self.names.get(&number)?).filter(|log| log.number == number)?;
            log.entries.get(usize::try_from(offset.checked_sub(log.first)?).ok()?)
        };
        entry().is_some_and(|entry| entry.segment == segment && entry.position == position)
    }

    /// Keeps bytes just written to a segment for readers.
    pub(super) fn cache(&mut self, sequence: u32, position: u32, bytes: Bytes) {
        self.tail.push(sequence, position, bytes);
    }

    /// What a read of this log from `from` on will fetch.
    pub(super) fn plan(&self, name: &LogId, from: u64, bytes_max: usize) -> Plan {
        let Some(log) = self.logs.get(name) else { return Plan::default() };
        let start = from.clamp(log.first, log.next());
        let skip = usize::try_from(start - log.first).unwrap_or(usize::MAX);
        let mut plan = Plan { number: log.number, ..Plan::default() };
        let mut bytes = 0;
        let mut range = None;
        for (offset, entry) in (start..).zip(log.entries.iter().skip(skip)) {
            bytes += entry.length as usize;
            if bytes > bytes_max && !plan.pieces.is_empty() {
                break;
            }
            if entry.is_lost() {
                plan.lost = Some(offset);
                break;
            }
            let source = match self.tail.find(entry, &mut range) {
                Some(payload) => Source::Cached(payload),
                None => match self.slots.get(&entry.segment) {
                    Some(slot) => Source::Disk(Arc::clone(&slot.segment)),
                    None => {
                        plan.lost = Some(offset);
                        break;
                    }
                },
            };
            plan.pieces.push(Piece { offset, entry: *entry, source });
        }
        plan
    }

    /// The channel that tells of the log's growth.
    pub(super) fn changed(&mut self, name: &LogId) -> watch::Receiver<Offset> {
        let next = Offset(self.logs.get(name).map_or(0, Log::next));
        let watch = self.watches.entry(name.clone()).or_insert_with(|| watch::Sender::new(next));
        watch.subscribe()
    }

    /// Tells those who wait for the log that it has grown.
    pub(super) fn announce(&mut self, number: u64) {
        let Some(name) = self.names.get(&number) else { return };
        let Some(watch) = self.watches.get(name) else { return };
        if watch.receiver_count() == 0 {
            self.watches.remove(name);
        } else if let Some(log) = self.logs.get(name) {
            watch.send_replace(Offset(log.next()));
        }
    }
}

/// The bytes written last, by segment and position: what a reader close behind the head asks for.
#[derive(Default)]
struct Tail {
    /// In the order written, which is the order of (segment, position).
    ranges: VecDeque<Range>,
    bytes: usize,
    bytes_max: usize,
}

struct Range {
    segment: u32,
    position: u32,
    bytes: Bytes,
}

impl Tail {
    fn push(&mut self, segment: u32, position: u32, bytes: Bytes) {
        self.bytes += bytes.len() + size_of::<Range>();
        self.ranges.push_back(Range { segment, position, bytes });
        while self.bytes > self.bytes_max {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(range) = self.ranges.pop_front() {
            self.bytes -= range.bytes.len() + size_of::<Range>();
        }
    }

    /// Drops what was written to a segment and before.
    fn forget(&mut self, segment: u32) {
        while self.ranges.front().is_some_and(|range| range.segment <= segment) {
            self.pop();
        }
    }

    /// The payload of an entry. `hint` is the range found last: the next entry is mostly in it.
    fn find<'a>(&'a self, entry: &Entry, hint: &mut Option<&'a Range>) -> Option<Bytes> {
        let start = entry.position as usize + frame::HEADER_BYTES;
        let cut = |range: &Range| {
            let from =
                start.checked_sub(range.position as usize).filter(|_| range.segment == entry.segment)?;
            let to = from + entry.length as usize;
            (to <= range.bytes.len()).then(|| range.bytes.slice(from..to))
        };
        if let Some(payload) = hint.and_then(cut) {
            return Some(payload);
        }
        let after = self
            .ranges
            .partition_point(|range| (range.segment, range.position) <= (entry.segment, entry.position));
        let range = self.ranges.get(after.checked_sub(1)?)?;
        let payload = cut(range)?;
        *hint = Some(range);
        Some(payload)
    }
}
