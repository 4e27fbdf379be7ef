//! `MetaStore` in memory: for tests, and the model the other forms are compared with.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Mutex;

use bytes::Bytes;
use futures::future::{self, BoxFuture, FutureExt};
use futures::stream;
use tokio::sync::broadcast;

use super::{Batch, CommitError, Event, Expect, MetaStore, Page, Revision, StoreError, Versioned, Watch};

/// How many events are kept for watchers that start at an earlier revision or lag behind.
const EVENTS_MAX: usize = 4096;

/// A map behind a lock.
pub struct MemoryMetaStore {
    state: Mutex<State>,
    feed: Feed,
}

#[derive(Default)]
struct State {
    keys: BTreeMap<Vec<u8>, Versioned>,
    revision: Revision,
}

impl MemoryMetaStore {
    /// An empty store.
    pub fn new() -> Self {
        Self { state: Mutex::default(), feed: Feed::new(Revision::default()) }
    }

    fn apply(&self, batch: Batch) -> Result<Revision, CommitError> {
        let mut state = self.state.lock().expect("no holder of this lock panics");
        for (key, expect) in batch.checks {
            let holds = match (state.keys.get(&key), expect) {
                (None, Expect::Absent) => true,
                (Some(found), Expect::At(revision)) => found.revision == revision,
                _ => false,
            };
            if !holds {
                return Err(CommitError::Conflict { key });
            }
        }
        let revision = Revision(state.revision.0 + 1);
        state.revision = revision;
        for (key, value) in &batch.changes {
            match value {
                Some(value) => {
                    state.keys.insert(key.clone(), Versioned { value: value.clone(), revision });
                }
                None => {
                    state.keys.remove(key);
                }
            }
        }
        // Still under the lock, so that watchers see commits in their order.
        self.feed.publish(batch.changes, revision);
        Ok(revision)
    }
}

impl Default for MemoryMetaStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MetaStore for MemoryMetaStore {
    fn get(&self, key: &[u8]) -> BoxFuture<'_, Result<Option<Versioned>, StoreError>> {
        let state = self.state.lock().expect("no holder of this lock panics");
        future::ready(Ok(state.keys.get(key).cloned())).boxed()
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page, StoreError>> {
        let state = self.state.lock().expect("no holder of this lock panics");
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let page = state
            .keys
            .range::<[u8], _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        future::ready(Ok(page)).boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>> {
        future::ready(self.apply(batch)).boxed()
    }

    fn revision(&self) -> Revision {
        self.state.lock().expect("no holder of this lock panics").revision
    }

    fn watch(&self, prefix: &[u8], after: Revision) -> Watch {
        self.feed.watch(prefix, after)
    }
}

/// Fans commits out to watchers: a bounded history for those who start late, a broadcast for those who listen.
pub(super) struct Feed {
    history: Mutex<History>,
    live: broadcast::Sender<Event>,
}

struct History {
    events: VecDeque<Event>,
    /// Every event after this revision is in `events`.
    complete_after: Revision,
}

impl Feed {
    /// A feed of a store whose last commit was `start`.
    pub(super) fn new(start: Revision) -> Self {
        let history = History { events: VecDeque::new(), complete_after: start };
        Self { history: Mutex::new(history), live: broadcast::Sender::new(EVENTS_MAX) }
    }

    /// Announces a commit. Callers announce commits in their order.
    pub(super) fn publish(&self, changes: Vec<(Vec<u8>, Option<Bytes>)>, revision: Revision) {
        let mut history = self.history.lock().expect("no holder of this lock panics");
        for (key, value) in changes {
            let event = Event::Changed { key, value, revision };
            history.events.push_back(event.clone());
            // Nobody listening is no error.
            self.live.send(event).ok();
        }
        while history.events.len() > EVENTS_MAX {
            if let Some(Event::Changed { revision, .. }) = history.events.pop_front() {
                history.complete_after = revision;
            }
        }
    }

    /// The events of a prefix after a revision.
    pub(super) fn watch(&self, prefix: &[u8], after: Revision) -> Watch {
        let prefix = prefix.to_vec();
        let history = self.history.lock().expect("no holder of this lock panics");
        let concerns = move |event: &Event| match event {
            Event::Changed { key, revision, .. } => *revision > after && key.starts_with(&prefix),
            Event::Resync => true,
        };
        let mut past: Vec<Event> = Vec::new();
        if after < history.complete_after {
            past.push(Event::Resync);
        }
        past.extend(history.events.iter().filter(|event| concerns(event)).cloned());
        // Subscribed under the lock that `publish` takes: no event is missed or seen twice.
        let live = self.live.subscribe();
        drop(history);
        let live = stream::unfold(live, move |mut live| {
            let concerns = concerns.clone();
            async move {
                loop {
                    match live.recv().await {
                        Ok(event) if concerns(&event) => return Some((event, live)),
                        Ok(_) => {}
                        Err(broadcast::error::RecvError::Lagged(_)) => return Some((Event::Resync, live)),
                        Err(broadcast::error::RecvError::Closed) => return None,
                    }
                }
            }
        });
        Box::pin(futures::StreamExt::chain(stream::iter(past), live))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::StreamExt;

    use super::*;
    use crate::conformance::meta::{Harness, failures};

    struct Memory(MemoryMetaStore);

    impl Harness for Memory {
        fn store(&self) -> &dyn MetaStore {
            &self.0
        }

        fn reopen(&mut self) -> BoxFuture<'_, ()> {
            future::ready(()).boxed()
        }
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        assert_eq!(failures(|| Memory(MemoryMetaStore::new())).await, [""; 0]);
    }

    #[tokio::test]
    async fn a_watcher_that_lags_is_told_to_scan_again() {
        let store = Arc::new(MemoryMetaStore::new());
        let mut watch = store.watch(b"a", Revision(0));
        for _ in 0..=EVENTS_MAX {
            store.commit(Batch::default().put("a", "x")).await.unwrap();
        }
        assert_eq!(watch.next().await, Some(Event::Resync));
        assert_eq!(store.watch(b"a", Revision(0)).next().await, Some(Event::Resync));
    }

    /// A store that is broken in one way.
    struct Broken {
        inner: MemoryMetaStore,
        how: How,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum How {
        ForgetsAtCrash,
        ChecksNothing,
        AppliesDespiteConflict,
        WatchesFromTheStart,
        ListsTooMuch,
    }

    impl MetaStore for Broken {
        fn get(&self, key: &[u8]) -> BoxFuture<'_, Result<Option<Versioned>, StoreError>> {
            self.inner.get(key)
        }

        fn scan(
            &self,
            prefix: &[u8],
            after: Option<&[u8]>,
            limit: usize,
        ) -> BoxFuture<'_, Result<Page, StoreError>> {
            match self.how {
                How::ListsTooMuch => {
                    self.inner.scan(prefix.split_last().map_or(prefix, |(_, rest)| rest), after, limit)
                }
                _ => self.inner.scan(prefix, after, limit),
            }
        }

        fn commit(&self, mut batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>> {
            match self.how {
                How::ChecksNothing => batch.checks.clear(),
                How::AppliesDespiteConflict => {
                    let changes = Batch { checks: Vec::new(), ..batch.clone() };
                    let result = self.inner.apply(batch);
                    if result.is_err() {
                        self.inner.apply(changes).unwrap();
                    }
                    return future::ready(result).boxed();
                }
                _ => {}
            }
            self.inner.commit(batch)
        }

        fn revision(&self) -> Revision {
            self.inner.revision()
        }

        fn watch(&self, prefix: &[u8], after: Revision) -> Watch {
            let from = if self.how == How::WatchesFromTheStart { Revision(0) } else { after };
            self.inner.watch(prefix, from)
        }
    }

    impl Harness for Broken {
        fn store(&self) -> &dyn MetaStore {
            self
        }

        fn reopen(&mut self) -> BoxFuture<'_, ()> {
            if self.how == How::ForgetsAtCrash {
                self.inner = MemoryMetaStore::new();
            }
            future::ready(()).boxed()
        }
    }

    #[tokio::test]
    async fn the_contract_notices_a_broken_store() {
        for (how, expected) in [
            (How::ForgetsAtCrash, "what was committed is read at once and after a crash"),
            (How::ChecksNothing, "checks hold against absence and revision"),
            (How::AppliesDespiteConflict, "a batch whose check fails changes nothing"),
            (How::WatchesFromTheStart, "a watch sees every later event once, in order"),
            (How::ListsTooMuch, "a scan is in order, within its prefix and limit"),
        ] {
            let failed = failures(|| Broken { inner: MemoryMetaStore::new(), how }).await;
            assert!(failed.contains(&expected), "{how:?}: {failed:?}");
        }
    }
}
