//! Opening what a crash left: reads every segment in the order of sequence, replays its frames into an index, and finds where
//! the newest one really ends.
//!
//! Only the last group commit can be torn, since each is written when the one before it is durable. So a bad frame that a
//! later group follows is damage: its record is lost, reported, and nothing else. A bad frame in the last group is a torn
//! write of what nobody was promised: the segment ends there, and an append cut in two is dropped whole.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::OpenError;
use super::disk::Disk;
use super::file::{HEADER_BLOCK, Header, HeaderRead, Segment};
use super::frame::{Frame, Generation, HEADER_BYTES, Item, Kind, Scan, u64_at};
use super::index::{Entry, Index};
use crate::log::LogId;

/// How names of segments end.
const SUFFIX: &str = ".seg";

/// What a directory holds.
pub(super) struct Recovered {
    pub(super) index: Index,
    /// Files that may be written over.
    pub(super) spares: Vec<Spare>,
    pub(super) next_commit: u64,
    pub(super) next_log: u64,
    pub(super) next_sequence: u32,
    pub(super) next_file: u64,
    /// Where the newest segment ends.
    pub(super) end: u32,
    /// Records that are lost to damage.
    pub(super) lost: u64,
}

/// A file that is in no use.
pub(super) struct Spare {
    pub(super) name: String,
    pub(super) file: Arc<dyn super::disk::DiskFile>,
}

/// The name of the `n`th file.
pub(super) fn file_name(n: u64) -> String {
    format!("{n:010}{SUFFIX}")
}

/// Reads what is there.
pub(super) fn recover(disk: &dyn Disk, index: Index, segment_bytes: u32) -> Result<Recovered, OpenError> {
    let found = find(disk, segment_bytes)?;
    let mut replay = Replay {
        index,
        orphans: HashMap::new(),
        declared: HashSet::new(),
        next_log: 1,
        next_commit: 1,
        pending: Vec::new(),
    };
    let mut next_sequence = 1;
    let mut end = HEADER_BLOCK as u32;
    for (nth, (segment, _)) in found.segments.iter().enumerate() {
        let successor = found.segments.get(nth + 1);
        let follows = successor.filter(|(next, _)| next.sequence == segment.sequence + 1);
        let until = follows.map_or(segment.capacity, |(_, header)| header.previous_end);
        let bytes =
            segment.read_until(until).map_err(|source| OpenError::io("a segment does not read", source))?;
        replay.next_commit = replay.next_commit.max(segment.generation.first_commit);
        replay.index.add_segment(Arc::clone(segment), until);
        if successor.is_some() {
            replay.sealed(segment, &bytes);
        } else {
            // What is only in the page cache would be served now and might be gone after a power cut.
            segment.file.sync().map_err(|source| OpenError::io("a segment does not sync", source))?;
            end = replay.newest(segment, &bytes);
            replay.index.end_segment(segment.sequence, end);
            next_sequence = segment.sequence + 1;
        }
    }
    let orphans: usize = replay.orphans.values().map(Vec::len).sum();
    let lost = replay.index.lost() + orphans as u64;
    Ok(Recovered {
        index: replay.index,
        spares: found.spares,
        next_commit: replay.next_commit,
        next_log: replay.next_log,
        next_sequence,
        next_file: found.next_file,
        end,
        lost,
    })
}

struct Found {
    /// In the order of sequence.
    segments: Vec<(Arc<Segment>, Header)>,
    spares: Vec<Spare>,
    next_file: u64,
}

fn find(disk: &dyn Disk, segment_bytes: u32) -> Result<Found, OpenError> {
    let io = |source| OpenError::io("the directory does not read", source);
    let mut found = Found { segments: Vec::new(), spares: Vec::new(), next_file: 1 };
    for name in disk.list().map_err(io)? {
        let number = name.strip_suffix(SUFFIX).and_then(|number| number.parse::<u64>().ok());
        let Some(number) = number.filter(|number| file_name(*number) == name) else { continue };
        found.next_file = found.next_file.max(number + 1);
        let file = disk.open(&name).map_err(io)?;
        let size = file.size().map_err(io)?;
        let mut block = vec![0; HEADER_BLOCK.min(usize::try_from(size).unwrap_or(HEADER_BLOCK))];
        file.read_at(&mut block, 0).map_err(io)?;
        match Header::decode(&block) {
            HeaderRead::Valid(header) => {
                let capacity = u32::try_from(size).unwrap_or(u32::MAX);
                let generation = Generation::new(header.generation, header.first_commit);
                let segment = Segment { sequence: header.sequence, generation, name, file, capacity };
                found.segments.push((Arc::new(segment), header));
            }
            HeaderRead::Blank if size == u64::from(segment_bytes) => found.spares.push(Spare { name, file }),
            // A preallocation that did not come to its end, or of another configuration.
            HeaderRead::Blank => disk.remove(&name).map_err(io)?,
            HeaderRead::Newer(version) => return Err(OpenError::Newer { name, version }),
            HeaderRead::Damaged => {
                tracing::error!(name, "a segment's header is damaged; the file is left alone")
            }
        }
    }
    found.segments.sort_by_key(|(segment, header)| (segment.sequence, header.first_commit));
    // Of two with one sequence, which no crash makes, the later one counts.
    found.segments.reverse();
    found.segments.dedup_by_key(|(segment, _)| segment.sequence);
    found.segments.reverse();
    Ok(found)
}

struct Replay {
    index: Index,
    /// Records of logs that no whole frame has declared so far, by number.
    orphans: HashMap<u64, Vec<(u64, Entry)>>,
    /// Logs declared in the segment at hand.
    declared: HashSet<u64>,
    next_log: u64,
    next_commit: u64,
    /// Records of an append in the last group whose end has not been seen.
    pending: Vec<(Frame, Entry)>,
}

impl Replay {
    /// Replays a segment that a later one follows.
    fn sealed(&mut self, segment: &Segment, bytes: &[u8]) {
        self.declared.clear();
        for item in Scan::new(bytes, segment.generation, HEADER_BLOCK) {
            self.item(segment, &item);
        }
    }

    /// Replays the newest segment and answers where it ends.
    fn newest(&mut self, segment: &Segment, bytes: &[u8]) -> u32 {
        self.declared.clear();
        let (cut, last_commit) = last_group(bytes, segment.generation);
        let bytes = cut.map_or(bytes, |cut| &bytes[..cut]);
        let mut scan = Scan::new(bytes, segment.generation, HEADER_BLOCK.min(bytes.len()));
        let mut begun = 0;
        for item in scan.by_ref() {
            match item {
                Item::Whole { position, frame, body }
                    if frame.kind == Kind::Record && Some(frame.commit) == last_commit =>
                {
                    if self.pending.is_empty() {
                        begun = position;
                    }
                    self.pending.push((frame, entry(segment, position, &frame, body.len())));
                    if frame.closes_batch {
                        for (frame, entry) in std::mem::take(&mut self.pending) {
                            self.record(&frame, entry);
                        }
                    }
                }
                item => self.item(segment, &item),
            }
        }
        let end = if self.pending.is_empty() { scan.position() } else { begun };
        self.pending.clear();
        if let Some(last) = last_commit {
            self.next_commit = self.next_commit.max(last + 1);
        }
        u32::try_from(end.max(HEADER_BLOCK)).expect("a segment is smaller than 4 GiB")
    }

    fn item(&mut self, segment: &Segment, item: &Item<'_>) {
        match *item {
            Item::Damaged { .. } => {}
            Item::BodyDamaged { frame, .. } => {
                self.next_commit = self.next_commit.max(frame.commit + 1);
                if frame.kind == Kind::Record {
                    self.index.advance(frame.log, 0, frame.offset + 1);
                }
            }
            Item::Whole { position, frame, body } => {
                self.next_commit = self.next_commit.max(frame.commit + 1);
                self.frame(segment, position, &frame, body);
            }
        }
    }

    fn frame(&mut self, segment: &Segment, position: usize, frame: &Frame, body: &[u8]) {
        match frame.kind {
            Kind::Record => self.record(frame, entry(segment, position, frame, body.len())),
            Kind::Trim => self.index.advance(frame.log, frame.offset, frame.offset),
            Kind::Delete => {
                self.index.remove(frame.log);
                self.orphans.remove(&frame.log);
            }
            Kind::Log => self.log(frame, body),
            Kind::Checkpoint => {
                self.next_log = self.next_log.max(frame.log);
                if self.declared.len() as u64 == frame.offset {
                    let declared = std::mem::take(&mut self.declared);
                    self.index.retain(|number| declared.contains(&number));
                    self.orphans.retain(|number, _| declared.contains(number));
                }
            }
            Kind::Commit => {
                for log in body.chunks_exact(24) {
                    self.index.advance(u64_at(log, 0), u64_at(log, 8), u64_at(log, 16));
                }
            }
        }
    }

    fn record(&mut self, frame: &Frame, entry: Entry) {
        if self.index.assigned(frame.log).is_some() {
            self.index.place(frame.log, frame.offset, entry);
        } else {
            self.orphans.entry(frame.log).or_default().push((frame.offset, entry));
        }
    }

    fn log(&mut self, frame: &Frame, body: &[u8]) {
        self.next_log = self.next_log.max(frame.log + 1);
        let (Some(bounds), Some(name)) = (body.get(..16), body.get(16..)) else { return };
        let Ok(name) = str::from_utf8(name) else { return };
        if !(1..=255).contains(&name.len()) {
            return;
        }
        self.declared.insert(frame.log);
        self.index.declare(frame.log, &LogId::from_name(name), u64_at(bounds, 0), u64_at(bounds, 8));
        for (offset, entry) in self.orphans.remove(&frame.log).unwrap_or_default() {
            self.index.place(frame.log, offset, entry);
        }
    }
}

fn entry(segment: &Segment, position: usize, frame: &Frame, length: usize) -> Entry {
    let small = |n: usize| u32::try_from(n).expect("a segment is smaller than 4 GiB");
    let (position, length) = (small(position), small(length));
    Entry { segment: segment.sequence, position, length, time_ms: frame.time_ms }
}

/// Of the newest segment: where its last group is torn, if it is, and the number of that group.
fn last_group(bytes: &[u8], generation: Generation) -> (Option<usize>, Option<u64>) {
    let mut torn: Option<(u64, usize)> = None;
    let mut gap = None;
    let mut last = None;
    if bytes.len() < HEADER_BLOCK + HEADER_BYTES {
        return (None, None);
    }
    for item in Scan::new(bytes, generation, HEADER_BLOCK) {
        let (frame, bad_body) = match item {
            Item::Damaged { position } => {
                gap = Some(position);
                continue;
            }
            Item::Whole { frame, .. } => (frame, None),
            Item::BodyDamaged { frame, position } => (frame, Some(position)),
        };
        // What is missing before the first frame of a group belongs to groups that were durable.
        let missing = gap.take().filter(|_| !frame.opens_group).or(bad_body);
        if let Some(at) = missing.filter(|_| torn.is_none_or(|(commit, _)| commit < frame.commit)) {
            torn = Some((frame.commit, at));
        }
        last = Some(frame.commit);
    }
    (torn.filter(|(commit, _)| Some(*commit) == last).map(|(_, at)| at), last)
}
