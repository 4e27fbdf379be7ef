//! Reading: what was written last comes out of memory, the rest off the disk, on a thread that may block.
//!
//! A plan is made under the lock and carried out without it, so a segment may have been recycled by the time it is read. Then
//! the checksum, seeded by the generation, does not match, and what is left of the plan is made anew. A record that fails twice
//! at one place is damaged.

use std::sync::Arc;

use bytes::Bytes;

use super::Shared;
use super::file::Segment;
use super::frame::{self, Kind};
use super::index::{Piece, Plan, Source};
use crate::log::{LogError, LogId, Offset, Record};

/// The longest run of bytes read at once, unless one record is longer.
const RUN_BYTES_MAX: usize = 4 << 20;

/// Bytes of other logs' frames that are read along rather than skipped.
const SKIP_BYTES_MAX: usize = 64 << 10;

/// Reads as `CommitLog::read`.
pub(super) async fn read(
    shared: Arc<Shared>,
    log: LogId,
    from: Offset,
    bytes_max: usize,
) -> Result<Vec<Record>, LogError> {
    let mut records: Vec<Record> = Vec::new();
    let mut failed_at = None;
    loop {
        let next = records.last().map_or(from.0, |record| record.offset.0 + 1);
        let bytes: usize = records.iter().map(|record| record.payload.len()).sum();
        let plan = shared.index().plan(&log, next, bytes_max.saturating_sub(bytes));
        let Some(first) = plan.pieces.first().map(|piece| (piece.offset, piece.entry)) else {
            return match plan.lost.filter(|_| records.is_empty()) {
                Some(offset) => Err(LogError::Damaged { log, offset: Offset(offset) }),
                None => Ok(records),
            };
        };
        if first.0 != next && !records.is_empty() {
            // The log was trimmed meanwhile: what follows is no continuation.
            return Ok(records);
        }
        if let Some(cached) = plan.cached() {
            records.extend(cached);
            return Ok(records);
        }
        let (planned, found) = kernel::blocking(move || (plan.pieces.len(), fetch(&plan))).await;
        if found.is_empty() && failed_at == Some(first) {
            return match records.is_empty() {
                true => Err(LogError::Damaged { log, offset: Offset(first.0) }),
                false => Ok(records),
            };
        }
        failed_at = found.is_empty().then_some(first);
        let is_whole = found.len() == planned;
        records.extend(found);
        if is_whole {
            return Ok(records);
        }
    }
}

/// The records of the plan up to the first that cannot be read.
fn fetch(plan: &Plan) -> Vec<Record> {
    let mut records = Vec::with_capacity(plan.pieces.len());
    let mut pieces = plan.pieces.as_slice();
    while let Some(piece) = pieces.first() {
        let segment = match &piece.source {
            Source::Cached(payload) => {
                records.push(piece.record(payload.clone()));
                pieces = &pieces[1..];
                continue;
            }
            Source::Disk(segment) => segment,
        };
        let (run, rest) = pieces.split_at(run_length(pieces, segment));
        pieces = rest;
        if !fetch_run(plan.number, segment, run, &mut records) {
            return records;
        }
    }
    records
}

fn end(piece: &Piece) -> usize {
    piece.entry.position as usize + frame::size(piece.entry.length as usize)
}

/// How many pieces lie so close to each other that they are read at once.
fn run_length(pieces: &[Piece], segment: &Segment) -> usize {
    let start = pieces[0].entry.position as usize;
    let joins = |pair: &[Piece]| {
        let from = pair[1].entry.position as usize;
        matches!(&pair[1].source, Source::Disk(_))
            && pair[1].entry.segment == segment.sequence
            && (end(&pair[0])..=end(&pair[0]) + SKIP_BYTES_MAX).contains(&from)
            && end(&pair[1]) - start <= RUN_BYTES_MAX
    };
    1 + pieces.windows(2).take_while(|pair| joins(pair)).count()
}

/// Reads a run and appends its records; false if one of them is not what was written.
fn fetch_run(number: u64, segment: &Segment, run: &[Piece], records: &mut Vec<Record>) -> bool {
    let start = run[0].entry.position as usize;
    let stop = run.last().map_or(start, end);
    let mut bytes = vec![0; stop - start];
    if let Err(error) = segment.file.read_at(&mut bytes, start as u64) {
        tracing::warn!(name = segment.name, %error, "a segment does not read");
        // One record at a time, so that those which do read are not lost with it.
        return run.len() > 1
            && run.iter().all(|piece| fetch_run(number, segment, std::slice::from_ref(piece), records));
    }
    let bytes = Bytes::from(bytes);
    for piece in run {
        let at = piece.entry.position as usize - start;
        let Some((frame, body)) = frame::verified(&bytes, at, segment.generation) else { return false };
        if frame.kind != Kind::Record || frame.log != number || frame.offset != piece.offset {
            return false;
        }
        records.push(piece.record(bytes.slice_ref(body)));
    }
    true
}
