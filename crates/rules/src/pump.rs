//! The pump of the action queue: entries are begun in the order they were appended, some hundred at once, and trimmed in that order
//! when they are done.
//!
//! ```text
//!   entry ─► its effects, all at once ─► failures? ─no─────────────────────► done
//!              │ transient: wait, again      └─yes─► error action, if any ──► done
//!              └─ after 30 s: a failure              (fails: logged, counted)
//! ```
//!
//! 1. An entry is trimmed only after each of its effects has succeeded or been given up, and after the error action has.
//! 2. A crash or a stop repeats the entries that were under way: an object overwrites itself, a republish may come twice.
//! 3. Each attempt is made as the role that the action names, assumed anew: one that was taken away meanwhile does nothing more.
//! 4. The time an entry may take counts from when it was appended, so that one destination that is down delays what is queued behind
//!    it by no more than that once, not for each entry.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::{FutureExt, join_all};
use futures::stream::{FuturesOrdered, StreamExt};
use iotsql::{Outcome, Payload, Variables};
use kernel::{Backoff, Context, Stop, TaskGroup, Timestamp};
use ports::PortError;
use store::{LogError, Offset, Record};

use crate::acting::Acting;
use crate::actions::{Effect, Failure, Input};
use crate::entry::{Entry, Work};
use crate::error_document::error_document;
use crate::limits::{IN_FLIGHT_MAX, READ_BYTES, RETRY_FOR, RETRY_WAITS};
use crate::rule::{Rule, RuleAction};
use crate::service::Inner;
use crate::tasks::PUMP;

/// How the work on an entry ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Done,
    /// The node stops: the entry stays.
    Stopped,
}

/// Why an effect was given up.
enum GaveUp {
    Failed(PortError),
    Stopped,
}

pub(crate) fn start(inner: &Arc<Inner>, group: &TaskGroup) {
    let inner = Arc::clone(inner);
    group.supervise(&PUMP, inner.entropy.clone(), move |stop| {
        let inner = Arc::clone(&inner);
        async move { Ok(run(&inner, stop).await?) }
    });
}

async fn run(inner: &Inner, mut stop: Stop) -> Result<(), LogError> {
    let started_at = inner.outside.clock.now();
    let mut appended = inner.log.changed(&inner.queue);
    let mut next = inner.log.bounds(&inner.queue).first;
    let mut read: VecDeque<Record> = VecDeque::new();
    let mut under_way = FuturesOrdered::new();
    let mut stays = false;
    loop {
        let stopped = stop.is_stopped();
        while read.is_empty()
            && !stopped
            && under_way.len() < IN_FLIGHT_MAX
            && appended.borrow_and_update().0 > next.0
        {
            let before = next;
            read = inner.read(&mut next).await?.into();
            if next == before {
                break;
            }
            if read.is_empty() && under_way.is_empty() {
                // Only damage was read; nothing else would trim it.
                inner.log.trim(&inner.queue, next).await?;
                inner.measure_queue();
            }
        }
        while under_way.len() < IN_FLIGHT_MAX && !stopped {
            let Some(record) = read.pop_front() else { break };
            under_way.push_back(inner.work_off(record, started_at, stop.clone()));
        }
        if stopped && under_way.is_empty() {
            return Ok(());
        }
        tokio::select! {
            Some(first) = under_way.next() => {
                let mut done_before = None;
                let mut ended = Some(first);
                while let Some((offset, end)) = ended {
                    stays |= end == Ended::Stopped;
                    if !stays {
                        done_before = Some(Offset(offset.0 + 1));
                    }
                    ended = under_way.next().now_or_never().flatten();
                }
                if let Some(before) = done_before {
                    inner.log.trim(&inner.queue, before).await?;
                    inner.measure_queue();
                }
            }
            changed = appended.changed(), if read.is_empty() && under_way.len() < IN_FLIGHT_MAX && !stopped => {
                changed.map_err(|_| LogError::Failed(None))?;
            }
            () = stop.stopped(), if !stopped => {}
        }
    }
}

impl Inner {
    /// What follows in the queue, from `next` on, which moves behind it. A damaged entry is left out.
    async fn read(&self, next: &mut Offset) -> Result<Vec<Record>, LogError> {
        let records = match self.log.read(&self.queue, *next, READ_BYTES).await {
            // One at a time, for what stands before the damage.
            Err(LogError::Damaged { .. }) => self.log.read(&self.queue, *next, 0).await,
            read => read,
        };
        match records {
            Ok(records) => {
                if let Some(last) = records.last() {
                    *next = Offset(last.offset.0 + 1);
                }
                Ok(records)
            }
            Err(LogError::Damaged { log, offset }) => {
                tracing::error!(%log, offset = offset.0, "a queued action is damaged and lost");
                self.cells.queue_lost.add(1);
                *next = Offset(offset.0 + 1);
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    async fn work_off(&self, record: Record, started_at: Timestamp, stop: Stop) -> (Offset, Ended) {
        let offset = record.offset;
        let entry = match Entry::decode(&record.payload) {
            Ok(entry) => entry,
            Err(error) => {
                tracing::error!(offset = offset.0, %error, "a queued action cannot be read and is lost");
                self.cells.queue_lost.add(1);
                return (offset, Ended::Done);
            }
        };
        let deadline = record.appended_at.max(started_at) + RETRY_FOR;
        (offset, self.carry_out_entry(&entry, deadline, stop).await)
    }

    async fn carry_out_entry(&self, entry: &Entry, deadline: Timestamp, stop: Stop) -> Ended {
        let work = entry.work.iter();
        let results =
            join_all(work.map(|work| self.persist(entry, work, &entry.output, deadline, stop.clone()))).await;
        let rules = self.rules();
        let rule = rules.find(&entry.account, &entry.region, &entry.rule);
        if results.iter().any(|result| matches!(result, Err(GaveUp::Stopped))) {
            return Ended::Stopped;
        }
        let mut failures = entry.failures.clone();
        for (work, result) in entry.work.iter().zip(&results) {
            let kind = work.effect.as_perform().kind();
            let action = rule.and_then(|rule| rule.actions.iter().find(|a| a.kind.name == kind.name));
            if let Some(action) = action {
                action.tally.count(result);
            }
            if let Err(GaveUp::Failed(error)) = result {
                failures.push(work.effect.failure(&entry.origin.topic, error));
            }
        }
        let Some(first) = failures.first() else { return Ended::Done };
        let Some(rule) = rule else {
            let (rule, error) = (&entry.rule, &first.error_message);
            tracing::warn!(rule, error, "an action of a deleted rule failed");
            return Ended::Done;
        };
        self.log_failures(rule, &failures);
        match &rule.error_action {
            None => Ended::Done,
            Some(error_action) => self.run_error_action(rule, error_action, entry, &failures, stop).await,
        }
    }

    /// Runs once per rule and message. If it fails too, that is the end: it is counted and logged.
    async fn run_error_action(
        &self,
        rule: &Rule,
        action: &RuleAction,
        entry: &Entry,
        failures: &[Failure],
        stop: Stop,
    ) -> Ended {
        let topic = &entry.origin.topic;
        let failed = |failure: Failure| {
            action.tally.failure.add(1);
            self.log_failures(rule, &[failure]);
            Ended::Done
        };
        let effect = match self.effect_of_error_action(rule, action, entry) {
            Ok(effect) => effect,
            Err(why) => return failed(action.no_effect(topic, &why)),
        };
        let document = match error_document(entry, failures) {
            Ok(document) => document,
            Err(error) => return failed(effect.failure(topic, &PortError::internal(error))),
        };
        let deadline = self.outside.clock.now() + RETRY_FOR;
        let work = Work { role: action.acting.role.clone(), effect };
        match self.persist(entry, &work, &document, deadline, stop).await {
            Ok(()) => {
                action.tally.success.add(1);
                Ended::Done
            }
            Err(GaveUp::Failed(error)) => failed(work.effect.failure(topic, &error)),
            Err(GaveUp::Stopped) => Ended::Stopped,
        }
    }

    /// Its templates see the original message, and the variables that the statement makes of it.
    fn effect_of_error_action(
        &self,
        rule: &Rule,
        action: &RuleAction,
        entry: &Entry,
    ) -> Result<Effect, String> {
        let payload = Payload::new(entry.original.clone());
        let random = || self.random();
        let message = entry.origin.to_sql(&entry.account, &payload, &random);
        let variables = match rule.statement.evaluate(&message) {
            Outcome::Output(output) => output.variables,
            // The rule was changed since.
            Outcome::NoMatch | Outcome::Failed(_) => Variables::default(),
        };
        action.action.effect(&message, &variables)
    }

    /// Tries until it succeeds, fails for good, or the deadline has passed; at least once.
    async fn persist(
        &self,
        entry: &Entry,
        work: &Work,
        body: &Bytes,
        deadline: Timestamp,
        mut stop: Stop,
    ) -> Result<(), GaveUp> {
        let Work { role, effect } = work;
        let acting = Acting::new(&entry.account, &entry.region, &entry.rule, role.clone());
        let request_id = self.request_id(entry);
        let attempt = async || {
            let cx = acting.assume(&*self.outside.roles)?;
            let cx = Context { request_id: request_id.clone(), ..cx };
            let input = Input { cx: &cx, body, hops: entry.origin.hops };
            effect.as_perform().perform(&self.outside, &input).await
        };
        let clock = &self.outside.clock;
        let (first_wait, longest_wait) = RETRY_WAITS;
        let mut backoff = Backoff::new(first_wait, longest_wait);
        loop {
            match attempt().await {
                Ok(()) => return Ok(()),
                Err(error) if !error.kind.is_transient() || clock.now() >= deadline => {
                    return Err(GaveUp::Failed(error));
                }
                Err(_) => {}
            }
            tokio::select! {
                () = clock.sleep(backoff.next_wait(&self.entropy)) => {}
                () = stop.stopped() => return Err(GaveUp::Stopped),
            }
        }
    }

    /// The trace of the message, so that what follows from it can be found by it.
    fn request_id(&self, entry: &Entry) -> String {
        if entry.origin.trace_id.is_empty() { self.entropy.uuid() } else { entry.origin.trace_id.clone() }
    }
}

#[cfg(test)]
mod tests;
