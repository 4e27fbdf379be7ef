//! The executions that have not ended, in memory: how far each is, and how it is stopped.
//!
//! 1. An execution is here before it is stored, and leaves after its end is stored: who finds none here finds the end in the store.
//! 2. An execution that the store says has not ended and that is not here was interrupted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use kernel::{AccountId, Context};
use ports::QueryStatistics;
use tokio::sync::watch;

use crate::execution::{Execution, State};
use crate::limits;
use crate::metrics::Meters;
use crate::turns::leaves_room;

/// One execution.
pub(crate) struct Live {
    execution: Mutex<Execution>,
    statistics: Mutex<Option<ReadStatistics>>,
    cancel: watch::Sender<bool>,
    /// Set when the end is stored.
    ended: watch::Sender<bool>,
}

type ReadStatistics = Arc<dyn Fn() -> QueryStatistics + Send + Sync>;

impl Live {
    /// The execution as it is now.
    pub(crate) fn snapshot(&self) -> Execution {
        let mut execution = self.execution.lock().expect("no holder of this lock panics").clone();
        execution.scanned_bytes = self.statistics().bytes_scanned;
        execution
    }

    pub(crate) fn statistics(&self) -> QueryStatistics {
        let read = self.statistics.lock().expect("no holder of this lock panics").clone();
        read.map(|read| read()).unwrap_or_default()
    }

    pub(crate) fn set_statistics(&self, read: ReadStatistics) {
        *self.statistics.lock().expect("no holder of this lock panics") = Some(read);
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Execution)) {
        change(&mut self.execution.lock().expect("no holder of this lock panics"));
    }

    /// Asks it to end.
    pub(crate) fn cancel(&self) {
        self.cancel.send_replace(true);
    }

    /// Completes when somebody asks it to end.
    pub(crate) async fn cancelled(&self) {
        let mut cancel = self.cancel.subscribe();
        // The sender is ours, so waiting cannot fail.
        cancel.wait_for(|cancelled| *cancelled).await.map(drop).unwrap_or(());
    }

    /// Completes when its end is stored, or it was given up.
    pub(crate) async fn ended(&self) {
        let mut ended = self.ended.subscribe();
        ended.wait_for(|ended| *ended).await.map(drop).unwrap_or(());
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Registry {
    live: Mutex<HashMap<String, Arc<Live>>>,
    /// How many each account has; locked after `live`.
    by_account: Mutex<HashMap<AccountId, usize>>,
}

impl Registry {
    /// Takes a new execution in; none when its account has too many.
    pub(crate) fn admit(&self, execution: Execution, meters: &Meters) -> Option<Arc<Live>> {
        let mut live = self.live.lock().expect("no holder of this lock panics");
        let mut by_account = self.by_account.lock().expect("no holder of this lock panics");
        let own = by_account.get(&execution.account).copied().unwrap_or_default();
        if !leaves_room(own, live.len(), 2 * limits::LIVE_MAX) {
            return None;
        }
        by_account.insert(execution.account.clone(), own + 1);
        drop(by_account);
        let id = execution.id.clone();
        let entry = Arc::new(Live {
            execution: Mutex::new(execution),
            statistics: Mutex::default(),
            cancel: watch::Sender::new(false),
            ended: watch::Sender::new(false),
        });
        live.insert(id, Arc::clone(&entry));
        meters.queued(&entry.snapshot()).add(1);
        Some(entry)
    }

    /// The caller's execution, if it has not ended.
    pub(crate) fn get(&self, cx: &Context, id: &str) -> Option<Arc<Live>> {
        let found = self.live.lock().expect("no holder of this lock panics").get(id).cloned()?;
        let own = {
            let execution = found.execution.lock().expect("no holder of this lock panics");
            execution.account == cx.account && execution.region == cx.region
        };
        own.then_some(found)
    }

    /// Marks an execution as running.
    pub(crate) fn started(&self, live: &Live, at: kernel::Timestamp, meters: &Meters) {
        live.change(|execution| {
            execution.state = State::Running;
            execution.started_at = Some(at);
        });
        let execution = live.snapshot();
        meters.queued(&execution).add(-1);
        meters.running(&execution).add(1);
    }

    /// Lets an execution go and tells who waits for its end.
    pub(crate) fn release(&self, live: &Live, meters: &Meters) {
        let execution = live.snapshot();
        if self.live.lock().expect("no holder of this lock panics").remove(&execution.id).is_some() {
            let mut by_account = self.by_account.lock().expect("no holder of this lock panics");
            let own = by_account.remove(&execution.account).unwrap_or_default();
            if own > 1 {
                by_account.insert(execution.account.clone(), own - 1);
            }
            drop(by_account);
            let gauge = if execution.state == State::Queued { Meters::queued } else { Meters::running };
            gauge(meters, &execution).add(-1);
        }
        live.ended.send_replace(true);
    }

    /// Asks every execution of a workgroup to end.
    pub(crate) fn cancel_workgroup(&self, cx: &Context, workgroup: &str) {
        let all: Vec<_> =
            self.live.lock().expect("no holder of this lock panics").values().cloned().collect();
        for live in all {
            let own = {
                let execution = live.execution.lock().expect("no holder of this lock panics");
                execution.account == cx.account
                    && execution.region == cx.region
                    && execution.workgroup == workgroup
            };
            if own {
                live.cancel();
            }
        }
    }
}
