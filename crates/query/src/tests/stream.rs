//! A delivery stream in small, with what makes the hot read hard: a record's key, and so its partition, is settled
//! only when its delivery begins; an object is there before its records are trimmed.

use bytes::Bytes;
use ports::{BufferedRecords, RecordRange};

/// Records `..trimmed` are in objects alone, those of a delivery that is `put` in an object and in the buffer.
#[derive(Default)]
pub(super) struct Stream {
    hour: usize,
    /// The hour each record arrived in.
    records: Vec<usize>,
    trimmed: usize,
    /// Where the delivery under way ends.
    delivering: Option<usize>,
    put: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Append,
    /// The next hour begins.
    Hour,
    /// A delivery of the oldest so many records begins.
    Begin(usize),
    Put,
    Trim,
}

impl Stream {
    /// Records acknowledged so far.
    pub(super) fn acknowledged(&self) -> usize {
        self.records.len()
    }

    /// What is put, if anything is.
    pub(super) fn step(&mut self, step: Step) -> Option<(String, String, RecordRange)> {
        match (step, self.delivering) {
            (Step::Append, _) => self.records.push(self.hour),
            (Step::Hour, _) => self.hour = (self.hour + 1).min(2),
            (Step::Begin(count), None) if count > 0 && self.trimmed < self.records.len() => {
                self.delivering = Some(self.records.len().min(self.trimmed + count));
            }
            (Step::Put, Some(end)) if !self.put => {
                self.put = true;
                let body = (self.trimmed..end).map(line).collect();
                return Some((self.key(self.trimmed), body, range(self.trimmed, end)));
            }
            (Step::Trim, Some(end)) if self.put => {
                (self.trimmed, self.delivering, self.put) = (end, None, false);
            }
            _ => {}
        }
        None
    }

    pub(super) fn buffered(&self, prefix: &str) -> Vec<BufferedRecords> {
        let (start, end) = (self.trimmed, self.records.len());
        let middle = self.delivering.unwrap_or(start);
        let run = |(first, next): (usize, usize)| BufferedRecords {
            range: range(first, next),
            records: (first..next).map(|n| Bytes::from(line(n))).collect(),
            key: self.key(first),
        };
        let runs = [(start, middle), (middle, end)].into_iter().filter(|(first, next)| first < next);
        runs.map(run).filter(|run| run.key.starts_with(prefix)).collect()
    }

    /// By the oldest record of the object, as Firehose names it.
    fn key(&self, first: usize) -> String {
        format!("hot/hour={}/{first:05}", self.records[first])
    }
}

fn line(n: usize) -> String {
    format!("{{\"n\":{n}}}\n")
}

fn range(first: usize, next: usize) -> RecordRange {
    RecordRange { log: "l".to_owned(), first: first as u64, next: next as u64 }
}
