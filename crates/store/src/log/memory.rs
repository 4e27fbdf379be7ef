//! `CommitLog` in memory: for tests, and the model the other forms are compared with.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::future::{self, BoxFuture, FutureExt};
use kernel::{Clock, Timestamp};
use tokio::sync::watch;

use super::{Bounds, CommitLog, LogError, LogId, Offset, Record};

/// A queue per log, behind a lock.
pub struct MemoryCommitLog {
    clock: Arc<dyn Clock>,
    logs: Mutex<BTreeMap<LogId, Log>>,
}

struct Log {
    first: u64,
    records: VecDeque<(Timestamp, Bytes)>,
    bytes: u64,
    next: watch::Sender<Offset>,
}

impl Default for Log {
    fn default() -> Self {
        Self { first: 0, records: VecDeque::new(), bytes: 0, next: watch::Sender::new(Offset(0)) }
    }
}

impl Log {
    fn next(&self) -> u64 {
        self.first + self.records.len() as u64
    }
}

impl MemoryCommitLog {
    /// No logs yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, logs: Mutex::default() }
    }

    fn with<T>(&self, f: impl FnOnce(&mut BTreeMap<LogId, Log>) -> T) -> T {
        f(&mut self.logs.lock().expect("no holder of this lock panics"))
    }
}

impl CommitLog for MemoryCommitLog {
    fn append(&self, log: &LogId, records: Vec<Bytes>) -> BoxFuture<'static, Result<Offset, LogError>> {
        let now = self.clock.now();
        let first = self.with(|logs| {
            let log = logs.entry(log.clone()).or_default();
            let first = log.next();
            for record in records {
                log.bytes += record.len() as u64;
                log.records.push_back((now, record));
            }
            log.next.send_replace(Offset(log.next()));
            first
        });
        future::ready(Ok(Offset(first))).boxed()
    }

    fn read(
        &self,
        log: &LogId,
        from: Offset,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, LogError>> {
        let mut out: Vec<Record> = Vec::new();
        self.with(|logs| {
            let Some(log) = logs.get(log) else { return };
            let skip = from.0.saturating_sub(log.first);
            let mut bytes = 0;
            for (index, (appended_at, payload)) in log.records.iter().enumerate().skip(skip as usize) {
                bytes += payload.len();
                if bytes > bytes_max && !out.is_empty() {
                    break;
                }
                let offset = Offset(log.first + index as u64);
                out.push(Record { offset, appended_at: *appended_at, payload: payload.clone() });
            }
        });
        future::ready(Ok(out)).boxed()
    }

    fn trim(&self, log: &LogId, before: Offset) -> BoxFuture<'static, Result<(), LogError>> {
        self.with(|logs| {
            let Some(log) = logs.get_mut(log) else { return };
            while log.first < before.0 {
                let Some((_, payload)) = log.records.pop_front() else { break };
                log.bytes -= payload.len() as u64;
                log.first += 1;
            }
        });
        future::ready(Ok(())).boxed()
    }

    fn delete(&self, log: &LogId) -> BoxFuture<'static, Result<(), LogError>> {
        self.with(|logs| logs.remove(log));
        future::ready(Ok(())).boxed()
    }

    fn bounds(&self, log: &LogId) -> Bounds {
        self.with(|logs| {
            logs.get(log).map_or_else(Bounds::default, |log| Bounds {
                first: Offset(log.first),
                next: Offset(log.next()),
                bytes: log.bytes,
            })
        })
    }

    fn oldest(&self, log: &LogId) -> Option<Timestamp> {
        self.with(|logs| logs.get(log).and_then(|log| log.records.front().map(|(at, _)| *at)))
    }

    fn logs(&self, prefix: &str) -> Vec<LogId> {
        self.with(|logs| {
            // One that is only listened to does not exist yet.
            let exists = |(name, log): &(&LogId, &Log)| log.next() > 0 && name.as_str().starts_with(prefix);
            logs.iter().filter(exists).map(|(name, _)| name.clone()).collect()
        })
    }

    fn changed(&self, log: &LogId) -> watch::Receiver<Offset> {
        self.with(|logs| logs.entry(log.clone()).or_default().next.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use futures::future;
    use kernel::SystemClock;

    use super::*;
    use crate::conformance::log::{Harness, failures};

    struct Memory(MemoryCommitLog);

    impl Harness for Memory {
        fn log(&self) -> &dyn CommitLog {
            &self.0
        }

        fn reopen(&mut self) -> BoxFuture<'_, ()> {
            future::ready(()).boxed()
        }
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let make = || Memory(MemoryCommitLog::new(Arc::new(SystemClock)));
        assert_eq!(failures(make).await, [""; 0]);
    }
}
