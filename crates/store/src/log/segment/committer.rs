//! The committer: the one thread that writes. It takes whatever requests have gathered, encodes them into one buffer, writes
//! it, syncs it, applies it to the index and answers; then it looks again. Between groups it begins new segments, recycles dead
//! ones and copies what is live out of old ones.

mod copy;
mod group;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kernel::metrics::{Counter, Gauge, Histogram, Metrics};
use kernel::{Clock, Entropy, Timestamp};
use tokio::sync::oneshot;

use self::copy::Copying;
use self::group::{Answer, Effect, Group};
use super::allocator::Allocator;
use super::disk::Disk;
use super::file::{HEADER_BLOCK, Header, Segment};
use super::frame::{self, Generation, Kind};
use super::recovery::{Recovered, Spare};
use super::{Config, Shared};
use crate::log::{LogError, LogId, Offset};
use crate::metrics;

/// Bytes copied out of an old segment before requests are looked at again.
const COPY_BYTES: usize = 1 << 20;

/// Unused files kept for new segments; more are removed.
const SPARES_MAX: usize = 4;

/// How long a full disk is believed to be full.
const FULL_FOR: Duration = Duration::from_secs(1);

/// What callers ask for.
pub(super) enum Request {
    Append { log: LogId, records: Vec<Bytes>, reply: oneshot::Sender<Result<Offset, LogError>> },
    Trim { log: LogId, before: Offset, reply: oneshot::Sender<Result<(), LogError>> },
    Delete { log: LogId, reply: oneshot::Sender<Result<(), LogError>> },
}

impl Request {
    fn log(&self) -> &LogId {
        match self {
            Self::Append { log, .. } | Self::Trim { log, .. } | Self::Delete { log, .. } => log,
        }
    }

    /// Its share of the queue.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Append { records, .. } => records.iter().map(|record| frame::size(record.len())).sum(),
            Self::Trim { .. } | Self::Delete { .. } => frame::size(0),
        }
    }

    fn refuse(self) {
        // Who no longer waits is not told.
        match self {
            Self::Append { reply, .. } => drop(reply.send(Err(LogError::Full))),
            Self::Trim { reply, .. } | Self::Delete { reply, .. } => drop(reply.send(Err(LogError::Full))),
        }
    }
}

/// Why a new segment is begun.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// For records: leaves one segment of the configured size to upkeep.
    Append,
    /// For trims, deletes and copies, which are how a full log empties.
    Upkeep,
    /// For the first commit after recovery.
    Open,
}

/// The log has failed; the cause is in [`Shared`].
pub(super) struct Stopped;

struct Counters {
    commits: Counter,
    records: Counter,
    bytes: Counter,
    micros: Counter,
    duration: Histogram,
    refused: Counter,
    copied: Counter,
    damaged: Counter,
    segments: Gauge,
}

/// Owns the files.
pub(super) struct Committer {
    shared: Arc<Shared>,
    config: Config,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    counters: Counters,
    allocator: Allocator,
    spares: VecDeque<Spare>,
    full_until: Option<Timestamp>,
    active: Option<Arc<Segment>>,
    tail: u32,
    /// Whether something written after the last group proves that it was durable.
    sealed: bool,
    next_commit: u64,
    next_log: u64,
    next_sequence: u32,
    /// Bytes of one declaration of every log.
    declarations: usize,
    copying: Option<Copying>,
    copy_stalled: bool,
    copy_blocked: bool,
}

impl Committer {
    /// A committer that goes on where recovery ended. The index of `recovered` is in `shared` already.
    pub(super) fn new(
        shared: Arc<Shared>,
        config: Config,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
        (recovered, metrics): (Recovered, &Metrics),
    ) -> io::Result<Self> {
        let counter = |metric| metrics.counter(metric, &[]);
        let counters = Counters {
            commits: counter(&metrics::LOG_COMMITS),
            records: counter(&metrics::LOG_RECORDS),
            bytes: counter(&metrics::LOG_BYTES),
            micros: counter(&metrics::LOG_COMMIT_MICROS),
            duration: metrics.histogram(&metrics::LOG_COMMIT_DURATION, &[]),
            refused: counter(&metrics::LOG_REFUSED),
            copied: counter(&metrics::LOG_COPIED_BYTES),
            damaged: counter(&metrics::LOG_DAMAGED),
            segments: metrics.gauge(&metrics::LOG_SEGMENTS, &[]),
        };
        counters.damaged.add(recovered.lost);
        let declarations = shared.index().logs().map(|(name, _)| declaration_bytes(name)).sum();
        let allocator =
            Allocator::start(Arc::clone(&disk), u64::from(config.segment_bytes), recovered.next_file)?;
        Ok(Self {
            shared,
            disk,
            clock,
            entropy,
            counters,
            allocator,
            spares: recovered.spares.into(),
            full_until: None,
            active: None,
            tail: recovered.end,
            sealed: true,
            next_commit: recovered.next_commit,
            next_log: recovered.next_log,
            next_sequence: recovered.next_sequence,
            declarations,
            copying: None,
            copy_stalled: false,
            copy_blocked: false,
            config,
        })
    }

    /// Whether a checkpoint of what recovery found fits into a segment.
    pub(super) fn fits(&self) -> bool {
        self.declarations <= self.config.checkpoint_bytes_max()
    }

    /// Begins a segment with a checkpoint of what recovery found. False if there is no room for one.
    pub(super) fn open(&mut self) -> Result<bool, Stopped> {
        let dead = self.shared.index().take_dead();
        self.recycle(dead);
        let Some(group) = self.begin_segment(Purpose::Open)? else { return Ok(false) };
        self.commit(group)?;
        Ok(true)
    }

    /// Serves requests until the log is closed or fails.
    pub(super) fn run(mut self) {
        self.serve_all().unwrap_or(());
    }

    fn serve_all(&mut self) -> Result<(), Stopped> {
        while let Some(requests) = self.wait()? {
            self.copy_stalled &= requests.is_empty();
            self.serve(requests)?;
            if self.wants_copy() {
                self.copy(COPY_BYTES)?;
            }
            self.order_spare();
        }
        self.seal()
    }

    /// Waits for requests. An empty answer means that there is something to copy, none that the log is closed.
    fn wait(&mut self) -> Result<Option<Vec<Request>>, Stopped> {
        let wants_copy = self.wants_copy();
        let shared = Arc::clone(&self.shared);
        let mut queue = shared.queue();
        loop {
            if queue.requests.is_empty() && queue.closed {
                return Ok(None);
            }
            if !queue.requests.is_empty() || wants_copy {
                return Ok(Some(std::mem::take(&mut queue.requests)));
            }
            if !self.sealed {
                drop(queue);
                self.seal()?;
                queue = shared.queue();
                continue;
            }
            queue = shared.wake.wait(queue).expect("no holder of this lock panics");
        }
    }

    /// Tells a later recovery that the last group was durable. Not synced: it costs nobody a wait.
    fn seal(&mut self) -> Result<(), Stopped> {
        let Some(active) = self.active.clone().filter(|_| !self.sealed) else { return Ok(()) };
        self.sealed = true;
        if active.capacity - self.tail < frame::HEADER_BYTES as u32 {
            return Ok(());
        }
        let mut group = self.group();
        group.push(self.next_commit, Kind::Commit, [0; 3], &[]);
        active.file.write_at(&group.buffer, u64::from(self.tail)).map_err(|error| self.stop(error))?;
        self.next_commit += 1;
        self.tail += frame::HEADER_BYTES as u32;
        Ok(())
    }

    fn stop(&self, error: io::Error) -> Stopped {
        tracing::error!(%error, "the log has failed and takes no more appends");
        self.shared.fail(error);
        Stopped
    }

    fn group(&self) -> Group {
        let segment = Arc::clone(self.active.as_ref().expect("a segment is begun when the log is opened"));
        Group::new(segment, self.tail)
    }

    fn serve(&mut self, requests: Vec<Request>) -> Result<(), Stopped> {
        if requests.is_empty() {
            return Ok(());
        }
        let bytes = requests.iter().map(Request::bytes).sum();
        let now = self.clock.now();
        let mut group = self.group();
        for request in requests {
            if group.deleted.contains(request.log()) {
                self.commit(group)?;
                group = self.group();
            }
            let purpose = match request {
                Request::Append { .. } => Purpose::Append,
                Request::Trim { .. } | Request::Delete { .. } => Purpose::Upkeep,
            };
            let Some(bytes) = self.needs(&request) else {
                self.counters.refused.add(1);
                request.refuse();
                continue;
            };
            if group.room() < bytes {
                self.commit(group)?;
                if purpose == Purpose::Append {
                    self.reclaim()?;
                }
                group = self.group();
            }
            if group.room() < bytes {
                match self.begin_segment(purpose)? {
                    Some(begun) => group = begun,
                    None => {
                        self.counters.refused.add(1);
                        request.refuse();
                        continue;
                    }
                }
            }
            self.put(&mut group, request, now);
        }
        self.commit(group)?;
        self.shared.queue().release(bytes);
        Ok(())
    }

    /// How much room a request takes at most; none if it declares a log that no checkpoint has room for.
    fn needs(&self, request: &Request) -> Option<usize> {
        let Request::Append { log, records, .. } = request else { return Some(2 * frame::size(0)) };
        let records: usize = records.iter().map(|record| frame::size(record.len())).sum();
        let margin = self.config.margin();
        if self.shared.index().log(log).is_some() {
            return Some(records + margin);
        }
        let declaration = declaration_bytes(log);
        let fits = self.declarations + declaration <= self.config.checkpoint_bytes_max();
        fits.then_some(records + 2 * declaration + margin)
    }

    fn put(&mut self, group: &mut Group, request: Request, now: Timestamp) {
        let commit = self.next_commit;
        let number = self.shared.index().log(request.log()).map(|log| log.number);
        match (request, number) {
            (Request::Append { log, records, reply }, known) => {
                let number = known.unwrap_or_else(|| self.declare(&log));
                if known.is_none() {
                    group.declare(commit, number, &log, 0, 0);
                }
                let (from, first) = {
                    let mut index = self.shared.index();
                    let (from, _) = index.assigned(number).expect("the log was just found or declared");
                    (from, index.assign(number, records.len() as u64))
                };
                group.touched.entry(number).or_insert(from);
                let last = records.len() - 1;
                for (nth, record) in records.iter().enumerate() {
                    let entry = group.record(commit, (number, first + nth as u64), nth == last, now, record);
                    group.entries.push(entry);
                }
                group.records += records.len() as u64;
                group.effects.push(Effect::Append { number, entries: records.len() });
                if known.is_none() {
                    group.declare(commit, number, &log, 0, first + records.len() as u64);
                }
                group.answers.push(Answer::Appended(reply, Offset(first)));
            }
            (Request::Trim { before, reply, .. }, Some(number)) => {
                let (first, next) = self.shared.index().assigned(number).expect("the log was just found");
                let first = *group.touched.get(&number).unwrap_or(&first);
                let before = before.0.min(next);
                if before > first {
                    group.push(commit, Kind::Trim, [number, before, 0], &[]);
                    group.touched.insert(number, before);
                    group.effects.push(Effect::Trim { number, first: before });
                }
                group.answers.push(Answer::Done(reply));
            }
            (Request::Delete { log, reply }, Some(number)) => {
                self.declarations -= declaration_bytes(&log);
                group.push(commit, Kind::Delete, [number, 0, 0], &[]);
                group.push(commit, Kind::Delete, [number, 0, 0], &[]);
                group.touched.remove(&number);
                group.effects.push(Effect::Delete { number });
                group.deleted.insert(log);
                group.answers.push(Answer::Done(reply));
            }
            (Request::Trim { reply, .. } | Request::Delete { reply, .. }, None) => {
                group.answers.push(Answer::Done(reply));
            }
        }
    }

    fn declare(&mut self, log: &LogId) -> u64 {
        let number = self.next_log;
        self.next_log += 1;
        self.declarations += declaration_bytes(log);
        self.shared.index().declare(number, log, 0, 0);
        number
    }

    /// Writes, syncs, applies and answers.
    fn commit(&mut self, mut group: Group) -> Result<(), Stopped> {
        if !group.buffer.is_empty() {
            self.write(&mut group)?;
            let dead = self.apply(&mut group);
            self.recycle(dead);
        }
        for answer in group.answers {
            // Who no longer waits is not told.
            match answer {
                Answer::Appended(reply, first) => drop(reply.send(Ok(first))),
                Answer::Done(reply) => drop(reply.send(Ok(()))),
            }
        }
        Ok(())
    }

    fn write(&mut self, group: &mut Group) -> Result<(), Stopped> {
        let mut body = Vec::with_capacity(group.touched.len() * 24);
        {
            let index = self.shared.index();
            for (number, first) in &group.touched {
                let (_, next) =
                    index.assigned(*number).expect("a log lives on until its deletion is applied");
                for n in [*number, *first, next] {
                    body.extend_from_slice(&n.to_le_bytes());
                }
            }
        }
        group.push(self.next_commit, Kind::Commit, [0; 3], &body);
        let begun = Instant::now();
        let file = &group.segment.file;
        file.write_at(&group.buffer, u64::from(group.position))
            .and_then(|()| file.sync())
            .map_err(|error| self.stop(error))?;
        self.counters.commits.add(1);
        self.counters.records.add(group.records);
        self.counters.bytes.add(group.buffer.len() as u64);
        let took = begun.elapsed();
        self.counters.micros.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        self.counters.duration.record_micros(took);
        Ok(())
    }

    fn apply(&mut self, group: &mut Group) -> Vec<Arc<Segment>> {
        let buffer = std::mem::take(&mut group.buffer);
        self.next_commit += 1;
        self.sealed = false;
        self.tail = group.position + u32::try_from(buffer.len()).expect("a group fits into a segment");
        let shared = Arc::clone(&self.shared);
        let mut index = shared.index();
        if let Some(end) = group.begins_after {
            if let Some(previous) = self.active.replace(Arc::clone(&group.segment)) {
                index.end_segment(previous.sequence, end);
            }
            index.add_segment(Arc::clone(&group.segment), HEADER_BLOCK as u32);
        }
        index.cache(group.segment.sequence, group.position, Bytes::from(buffer));
        let mut entries = group.entries.as_slice();
        for effect in &group.effects {
            match *effect {
                Effect::Append { number, entries: count } => {
                    let (these, rest) = entries.split_at(count);
                    entries = rest;
                    index.extend(number, these);
                    index.announce(number);
                }
                Effect::Trim { number, first } => index.trim(number, first),
                Effect::Delete { number } => index.remove(number),
                Effect::Move { number, offset, entry } => index.place(number, offset, entry),
            }
        }
        let dead = index.take_dead();
        self.counters.segments.set(i64::try_from(index.segments()).unwrap_or(i64::MAX));
        dead
    }

    fn recycle(&mut self, dead: Vec<Arc<Segment>>) {
        for segment in dead {
            if self.copying.as_ref().is_some_and(|copying| copying.sequence == segment.sequence) {
                self.copying = None;
            }
            if segment.capacity == self.config.segment_bytes && self.spares.len() < SPARES_MAX {
                self.spares.push_back(Spare { name: segment.name.clone(), file: Arc::clone(&segment.file) });
            } else if let Err(error) = self.disk.remove(&segment.name) {
                tracing::warn!(name = segment.name, %error, "a dead segment was not removed");
            }
        }
    }

    /// A group that begins with a header block and a checkpoint. None if the log is full.
    fn begin_segment(&mut self, purpose: Purpose) -> Result<Option<Group>, Stopped> {
        let Some(spare) = self.take_spare(purpose)? else { return Ok(None) };
        let random = self.entropy.next_u64();
        let header = Header {
            sequence: self.next_sequence,
            generation: random,
            first_commit: self.next_commit,
            previous_end: self.tail,
        };
        self.next_sequence += 1;
        let segment = Arc::new(Segment {
            sequence: header.sequence,
            generation: Generation::new(random, header.first_commit),
            name: spare.name,
            file: spare.file,
            capacity: self.config.segment_bytes,
        });
        let mut group = Group::new(segment, 0);
        group.buffer = header.encode();
        group.begins_after = Some(self.tail);
        let shared = Arc::clone(&self.shared);
        let index = shared.index();
        // Twice while it is small: a damaged declaration would take a whole log with it.
        let copies = if self.declarations <= self.config.segment_bytes as usize / 64 { 2 } else { 1 };
        for _ in 0..copies {
            let mut count = 0;
            for (name, log) in index.logs() {
                group.declare(self.next_commit, log.number, name, log.first, log.assigned);
                count += 1;
            }
            group.push(self.next_commit, Kind::Checkpoint, [self.next_log, count, 0], &[]);
        }
        Ok(Some(group))
    }

    fn take_spare(&mut self, purpose: Purpose) -> Result<Option<Spare>, Stopped> {
        let used = self.shared.index().segments();
        let segments_max = self.config.segments_max();
        let bound = match purpose {
            Purpose::Append => segments_max - 1,
            Purpose::Upkeep => segments_max,
            Purpose::Open => usize::MAX,
        };
        if used >= bound || (self.spares.is_empty() && self.believed_full()) {
            return Ok(None);
        }
        while self.spares.is_empty() {
            match self.allocator.wait() {
                Ok(spare) => self.spares.push_back(spare),
                Err(error) if is_full(&error) => {
                    tracing::warn!(%error, "no room for another segment of the log");
                    self.full_until = Some(self.clock.now() + FULL_FOR);
                    return Ok(None);
                }
                Err(error) => return Err(self.stop(error)),
            }
        }
        Ok(self.spares.pop_front())
    }

    fn believed_full(&self) -> bool {
        self.full_until.is_some_and(|until| self.clock.now() < until)
    }

    /// Has a file made ready before it is needed.
    fn order_spare(&mut self) {
        let used = self.shared.index().segments();
        if self.spares.is_empty() && used < self.config.segments_max() && !self.believed_full() {
            self.allocator.order();
        }
    }
}

impl Drop for Committer {
    /// However the thread ends, nobody waits for it any longer.
    fn drop(&mut self) {
        self.shared.queue().end();
    }
}

fn declaration_bytes(name: &LogId) -> usize {
    frame::size(16 + name.as_str().len())
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
