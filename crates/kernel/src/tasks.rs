//! Background work is owned.
//!
//! [`TaskGroup::spawn`] is the only spawn in the workspace. Groups nest (node ⊃ service ⊃ connection); a group
//! is not dropped, it is shut down: cancel, then wait. A task is a *pump* (source → effect → checkpoint) or a
//! *reconciler* (makes actual equal intended).
//!
//! 1. Cancelling a group cancels its children first and itself with them.
//! 2. [`TaskGroup::shutdown`] returns only when every task of the group and its children has ended.
//! 3. A panic ends the task, is logged with its kind, and follows [`OnError`]; it never ends the process.
//! 4. A task of kind [`OnCancel::Abort`] is dropped at its next await; one of kind [`OnCancel::Finish`] sees
//!    its [`Stop`] and ends by itself.

use std::collections::HashMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::watch;

use crate::{Backoff, Clock, Entropy};

/// What a background task is, and what happens when it is cancelled or fails. A constant of its crate.
#[derive(Debug)]
pub struct TaskKind {
    /// Under which name it is logged and shown.
    pub name: &'static str,
    /// How it ends when its group is cancelled.
    pub on_cancel: OnCancel,
    /// What follows a panic or an error.
    pub on_error: OnError,
}

/// How a task ends when its group is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCancel {
    /// It watches its [`Stop`], finishes the unit of work at hand and returns.
    Finish,
    /// It may be dropped at any await.
    Abort,
}

/// What follows when a task panics or returns an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// It is logged; nothing else depends on this task.
    Log,
    /// It is logged and started again after a wait that doubles up to a minute.
    Restart,
    /// The whole node stops: going on would break a promise.
    StopNode,
}

/// Tells a task that its group is cancelled.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Completes when the group is cancelled.
    pub async fn stopped(&mut self) {
        // An error means that the group is gone, which is a stop as well.
        self.0.wait_for(|stopped| *stopped).await.map(drop).unwrap_or(());
    }

    /// Whether the group is cancelled.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

/// An error that ends a task.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;

/// Owns tasks. Clones share the group.
#[derive(Clone)]
pub struct TaskGroup {
    inner: Arc<Group>,
}

struct Group {
    name: String,
    stop: watch::Sender<bool>,
    running: watch::Sender<usize>,
    tasks: Mutex<HashMap<u64, &'static TaskKind>>,
    next_id: AtomicU64,
    children: Mutex<Vec<Weak<Group>>>,
    parent: Option<Arc<Group>>,
    clock: Arc<dyn Clock>,
    /// Set to the failure's text by a task of kind [`OnError::StopNode`]; shared by all groups of a node.
    failed: Arc<watch::Sender<Option<String>>>,
}

impl TaskGroup {
    /// The group at the root of a node.
    pub fn root(clock: Arc<dyn Clock>) -> Self {
        Self::build("node".to_owned(), None, clock, Arc::new(watch::Sender::new(None)))
    }

    fn build(
        name: String,
        parent: Option<Arc<Group>>,
        clock: Arc<dyn Clock>,
        failed: Arc<watch::Sender<Option<String>>>,
    ) -> Self {
        let inner = Group {
            name,
            stop: watch::Sender::new(false),
            running: watch::Sender::new(0),
            tasks: Mutex::default(),
            next_id: AtomicU64::new(0),
            children: Mutex::default(),
            parent,
            clock,
            failed,
        };
        Self { inner: Arc::new(inner) }
    }

    /// A group inside this one.
    pub fn child(&self, name: &str) -> Self {
        let parent = &self.inner;
        let child = Self::build(
            format!("{}/{name}", parent.name),
            Some(Arc::clone(parent)),
            Arc::clone(&parent.clock),
            Arc::clone(&parent.failed),
        );
        let mut children = parent.children.lock().expect("no holder of this lock panics");
        children.retain(|child| child.strong_count() > 0);
        children.push(Arc::downgrade(&child.inner));
        if *parent.stop.borrow() {
            child.inner.stop.send_replace(true);
        }
        drop(children);
        child
    }

    /// Starts a task that cannot fail.
    pub fn spawn<F, Fut>(&self, kind: &'static TaskKind, work: F)
    where
        F: FnOnce(Stop) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let future = work(self.stop());
        self.start(kind, future);
    }

    /// Starts a task that may fail and, if its kind says so, is begun anew by calling `work` again.
    pub fn supervise<F, Fut>(&self, kind: &'static TaskKind, entropy: Entropy, work: F)
    where
        F: Fn(Stop) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        let group = Arc::downgrade(&self.inner);
        let clock = Arc::clone(&self.inner.clock);
        let failed = Arc::clone(&self.inner.failed);
        let mut stop = self.stop();
        self.start(kind, async move {
            let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(60));
            loop {
                let ended = AssertUnwindSafe(work(stop.clone())).catch_unwind().await;
                let error = match ended {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => chain(error.as_ref()),
                    Err(panic) => panic_text(panic.as_ref()),
                };
                tracing::error!(task = kind.name, error, "task failed");
                match kind.on_error {
                    OnError::Log => return,
                    OnError::StopNode => {
                        failed.send_replace(Some(format!("{}: {error}", kind.name)));
                        return;
                    }
                    OnError::Restart => {}
                }
                if stop.is_stopped() || group.strong_count() == 0 {
                    return;
                }
                let wait = clock.sleep(backoff.next_wait(&entropy));
                tokio::select! {
                    () = wait => {}
                    () = stop.stopped() => return,
                }
            }
        });
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that spawns")]
    fn start(&self, kind: &'static TaskKind, future: impl Future<Output = ()> + Send + 'static) {
        let group = Arc::clone(&self.inner);
        let id = group.next_id.fetch_add(1, Ordering::Relaxed);
        group.tasks.lock().expect("no holder of this lock panics").insert(id, kind);
        group.running.send_modify(|n| *n += 1);
        let mut stop = self.stop();
        tokio::spawn(async move {
            let guarded = AssertUnwindSafe(future).catch_unwind();
            let ended = match kind.on_cancel {
                OnCancel::Finish => guarded.await,
                OnCancel::Abort => tokio::select! {
                    ended = guarded => ended,
                    () = stop.stopped() => Ok(()),
                },
            };
            if let Err(panic) = ended {
                let text = panic_text(panic.as_ref());
                tracing::error!(task = kind.name, error = text, "task panicked");
                if kind.on_error == OnError::StopNode {
                    group.failed.send_replace(Some(format!("{}: {text}", kind.name)));
                }
            }
            group.tasks.lock().expect("no holder of this lock panics").remove(&id);
            group.running.send_modify(|n| *n -= 1);
        });
    }

    /// The signal that tasks of this group watch.
    pub fn stop(&self) -> Stop {
        Stop(self.inner.stop.subscribe())
    }

    /// Tells every task of the group and its children to end. Does not wait.
    pub fn cancel(&self) {
        cancel(&self.inner);
    }

    /// Cancels, then waits until every task has ended.
    pub async fn shutdown(&self) {
        self.cancel();
        wait_idle(&self.inner).await;
    }

    /// Completes when a task whose failure must stop the node has failed, with what it said.
    pub async fn failed(&self) -> String {
        let mut failed = self.inner.failed.subscribe();
        match failed.wait_for(Option::is_some).await {
            Ok(text) => text.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Names of the tasks running in this group and its children: what the debug page shows.
    pub fn running(&self) -> Vec<String> {
        let mut out = Vec::new();
        list(&self.inner, &mut out);
        out.sort();
        out
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup").field("name", &self.inner.name).finish_non_exhaustive()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(parent) = self.parent.take() {
            parent
                .children
                .lock()
                .expect("no holder of this lock panics")
                .retain(|child| child.strong_count() > 0);
        }
    }
}

fn children(group: &Group) -> Vec<Arc<Group>> {
    group.children.lock().expect("no holder of this lock panics").iter().filter_map(Weak::upgrade).collect()
}

fn cancel(group: &Group) {
    group.stop.send_replace(true);
    for child in children(group) {
        cancel(&child);
    }
}

fn list(group: &Group, out: &mut Vec<String>) {
    let tasks = group.tasks.lock().expect("no holder of this lock panics");
    out.extend(tasks.values().map(|kind| format!("{}/{}", group.name, kind.name)));
    drop(tasks);
    for child in children(group) {
        list(&child, out);
    }
}

fn wait_idle(group: &Arc<Group>) -> futures::future::BoxFuture<'_, ()> {
    Box::pin(async move {
        loop {
            for child in children(group) {
                wait_idle(&child).await;
            }
            let mut running = group.running.subscribe();
            // The sender lives in the group we hold, so waiting cannot fail.
            running.wait_for(|n| *n == 0).await.map(drop).unwrap_or(());
            if children(group).iter().all(|child| *child.running.borrow() == 0) {
                return;
            }
        }
    })
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".to_owned())
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Runs work that blocks (a file, a database) off the async threads and waits for it. Tokio bounds the number
/// of such threads; callers bound how much they ask for.
///
/// # Panics
/// If the work panics: the panic is passed on to the caller's task.
#[expect(clippy::disallowed_methods, reason = "this is the one place that spawns blocking work")]
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Starts a named thread for work that owns a file for the life of the node.
pub fn thread(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::{ManualClock, SystemClock, Timestamp};

    static FINISH: TaskKind =
        TaskKind { name: "finish", on_cancel: OnCancel::Finish, on_error: OnError::Log };
    static ABORT: TaskKind = TaskKind { name: "abort", on_cancel: OnCancel::Abort, on_error: OnError::Log };
    static RESTART: TaskKind =
        TaskKind { name: "restart", on_cancel: OnCancel::Finish, on_error: OnError::Restart };
    static VITAL: TaskKind =
        TaskKind { name: "vital", on_cancel: OnCancel::Abort, on_error: OnError::StopNode };

    #[tokio::test]
    async fn shutdown_waits_for_grandchildren() {
        let root = TaskGroup::root(Arc::new(SystemClock));
        let done = Arc::new(AtomicUsize::new(0));
        let leaf = root.child("a").child("b");
        let seen = Arc::clone(&done);
        leaf.spawn(&FINISH, |mut stop| async move {
            stop.stopped().await;
            seen.fetch_add(1, Ordering::SeqCst);
        });
        root.spawn(&ABORT, |_| std::future::pending());
        assert_eq!(root.running(), ["node/a/b/finish", "node/abort"]);
        root.shutdown().await;
        assert_eq!(done.load(Ordering::SeqCst), 1);
        assert!(root.running().is_empty());
    }

    #[tokio::test]
    async fn a_group_born_into_a_cancelled_parent_is_cancelled() {
        let root = TaskGroup::root(Arc::new(SystemClock));
        root.cancel();
        assert!(root.child("late").stop().is_stopped());
    }

    #[tokio::test]
    async fn a_failing_task_is_started_again_after_a_wait() {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let root = TaskGroup::root(Arc::new(clock.clone()));
        let (attempts, mut seen) = watch::channel(0);
        root.supervise(&RESTART, Entropy::seeded(1), move |_| {
            attempts.send_modify(|n| *n += 1);
            let n = *attempts.borrow();
            async move { if n < 3 { Err("not yet".into()) } else { Ok(()) } }
        });
        for n in 1..=3 {
            while *seen.borrow_and_update() < n {
                clock.advance(Duration::from_secs(60));
                tokio::task::yield_now().await;
            }
        }
        root.shutdown().await;
    }

    #[tokio::test]
    async fn a_panic_in_a_vital_task_is_reported_to_the_node() {
        let root = TaskGroup::root(Arc::new(SystemClock));
        root.child("log").spawn(&VITAL, |_| async { panic!("disk gone") });
        assert_eq!(root.failed().await, "vital: disk gone");
    }
}
