//! A message in: which rules it reaches, what they make of it, and what of that must be durable before the publisher hears of it.
//!
//! Cost of a message, from a sketch made first: the rules are a snapshot behind two uncontended locks (~50 ns); the trie visits at
//! most two children per level, whatever the number of rules (~1 µs for eight levels); the payload is parsed at most once, and
//! only if a matching statement asks (~1 µs for 300 bytes); `SELECT *` forwards the bytes as they came, a separator costs one copy.
//! The role of each action is assumed, mostly by finding that nothing has changed since the last time (~50 ns).
//! Then one PutRecords per delivery stream, all at once, so that they share a group commit; that commit is what the publisher
//! waits for, and is a hundred times all the rest. No store is read (A9). Queued actions cost a second append, in a batch.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use iotsql::{Failure as SqlFailure, Outcome, Payload};
use kernel::{Context, ErrorKind};
use mqtt::BasicIngest;
use ports::{Message, PortError, PutAs};
use store::LogError;

use crate::actions::{Effect, Failure};
use crate::entry::{Entry, Work};
use crate::limits::{APPEND_BYTES, QUEUE_BYTES_MAX};
use crate::metrics;
use crate::origin::{self, Origin};
use crate::rule::{Rule, RuleAction};
use crate::service::Inner;

/// What the rules make of a message.
pub(crate) struct Plan {
    timestamp_ms: i64,
    executions: Vec<Execution>,
    puts: HashMap<Destination, Vec<Put>>,
}

/// What is put together: by one role, with one right, into one delivery stream.
type Destination = (String, PutAs, String);

/// One rule that has something to do.
struct Execution {
    rule: Arc<Rule>,
    output: Bytes,
    queued: Vec<Work>,
    failures: Vec<Failure>,
}

/// Records that one action puts.
struct Put {
    execution: usize,
    action: Arc<RuleAction>,
    effect: Effect,
    records: Vec<Bytes>,
}

impl Plan {
    pub(crate) fn is_empty(&self) -> bool {
        self.executions.is_empty()
    }
}

impl Inner {
    /// Evaluates every rule the message reaches. Waits for nothing.
    pub(crate) fn plan(&self, cx: &Context, message: &Message) -> Plan {
        let rules = self.rules();
        let timestamp_ms = self.outside.clock.now().as_millis();
        let mut plan = Plan { timestamp_ms, executions: Vec::new(), puts: HashMap::new() };
        let payload = Payload::new(message.payload.clone());
        let random = || self.random();
        let sql = origin::to_sql(cx, message, &payload, timestamp_ms, &random);
        let Some(basic_ingest) = BasicIngest::parse(&message.topic) else {
            rules
                .matches(&cx.account, &cx.region, &message.topic, |rule| plan.add(self, rule, message, &sql));
            return plan;
        };
        match rules.find(&cx.account, &cx.region, basic_ingest.rule) {
            Some(rule) if rule.source.rule.enabled => plan.add(self, rule, message, &sql),
            _ => {
                metrics::not_found(&self.metrics, &cx.account, &cx.region);
                if let Some(unsaid) = self.not_found_limit.permits(self.outside.clock.now()) {
                    let rule = basic_ingest.rule;
                    tracing::warn!(rule, unsaid, "a message was published to a rule that is not there");
                }
            }
        }
        plan
    }

    /// Makes durable what the rules decided.
    ///
    /// # Errors
    /// `Unavailable` or `Internal` when an append failed; the message may be published again.
    pub(crate) async fn carry_out(
        &self,
        cx: &Context,
        message: &Message,
        mut plan: Plan,
    ) -> Result<(), PortError> {
        let puts = std::mem::take(&mut plan.puts);
        let puts = puts.into_iter().map(|((_, put_as, stream), puts)| self.put(put_as, stream, puts));
        let results = join_all(puts).await;
        let mut unavailable = None;
        for (put, result) in results.into_iter().flatten() {
            put.action.tally.count(&result);
            match result {
                Ok(()) => {}
                Err(error) if is_ours(&error) => {
                    unavailable.get_or_insert(error);
                }
                Err(error) => {
                    let failure = put.effect.failure(&message.topic, &error);
                    if let Some(execution) = plan.executions.get_mut(put.execution) {
                        execution.failures.push(failure);
                    }
                }
            }
        }
        if let Some(error) = unavailable {
            let kind =
                if error.kind == ErrorKind::Internal { ErrorKind::Internal } else { ErrorKind::Unavailable };
            return Err(PortError { kind, ..error });
        }
        self.queue(cx, message, plan).await
    }

    /// One append for all records of a delivery stream. If one of them is refused and others share the append, each action
    /// tries alone, so that none fails for another's record.
    async fn put(&self, put_as: PutAs, stream: String, puts: Vec<Put>) -> Vec<(Put, Result<(), PortError>)> {
        let now = self.outside.clock.now();
        let mut results = Vec::with_capacity(puts.len());
        let mut acting = Vec::with_capacity(puts.len());
        for put in puts {
            match put.action.acting.cx(&*self.outside.roles, now) {
                Ok(cx) => acting.push((put, cx)),
                Err(error) => results.push((put, Err(error))),
            }
        }
        let Some((_, cx)) = acting.first() else { return results };
        let cx = Arc::clone(cx);
        let records = acting.iter().flat_map(|(put, _)| put.records.iter().cloned()).collect();
        match self.outside.records.put_records(&cx, put_as, &stream, records).await {
            Ok(()) => results.extend(acting.into_iter().map(|(put, _)| (put, Ok(())))),
            Err(error) if is_ours(&error) || acting.len() == 1 => {
                let mut error = error;
                for (put, _) in acting {
                    let same = PortError::new(error.kind, error.code.clone(), error.message.clone());
                    results.push((put, Err(std::mem::replace(&mut error, same))));
                }
            }
            Err(_) => {
                for (put, cx) in acting {
                    let records = put.records.clone();
                    let result = self.outside.records.put_records(&cx, put_as, &stream, records).await;
                    results.push((put, result));
                }
            }
        }
        results
    }

    /// Appends what cannot be done at once, and failures that an error action wants to hear of.
    async fn queue(&self, cx: &Context, message: &Message, plan: Plan) -> Result<(), PortError> {
        let mut batches: Vec<Vec<Bytes>> = Vec::new();
        let mut batch_bytes = usize::MAX;
        for Execution { rule, output, queued, failures } in plan.executions {
            if queued.is_empty() && (failures.is_empty() || rule.error_action.is_none()) {
                self.log_failures(&rule, &failures);
                continue;
            }
            let original = rule.error_action.as_ref().map(|_| message.payload.clone()).unwrap_or_default();
            let entry = Entry {
                account: cx.account.clone(),
                region: cx.region.clone(),
                rule: rule.name().to_owned(),
                origin: Origin::new(cx, message, plan.timestamp_ms),
                output: if queued.is_empty() { Bytes::new() } else { output },
                work: queued,
                failures,
                original,
            };
            let entry = entry.encode().map_err(PortError::internal)?;
            batch_bytes = batch_bytes.saturating_add(entry.len());
            match batches.last_mut().filter(|_| batch_bytes <= APPEND_BYTES) {
                Some(batch) => batch.push(entry),
                None => {
                    batch_bytes = entry.len();
                    batches.push(vec![entry]);
                }
            }
        }
        if batches.is_empty() {
            return Ok(());
        }
        if self.log.bounds(&self.queue).bytes > QUEUE_BYTES_MAX {
            self.cells.queue_full.add(1);
            return Err(queue_full());
        }
        for appended in join_all(batches.into_iter().map(|batch| self.log.append(&self.queue, batch))).await {
            appended.map_err(|error| match error {
                LogError::Full => queue_full(),
                error => PortError::internal(error),
            })?;
        }
        self.measure_queue();
        Ok(())
    }
}

impl Plan {
    fn add(&mut self, inner: &Inner, rule: &Arc<Rule>, message: &Message, sql: &iotsql::Message<'_>) {
        rule.cells.topic_match.add(1);
        let output = match rule.statement.evaluate(sql) {
            Outcome::NoMatch => return,
            Outcome::Failed(failure) => {
                rule.cells.gave_up.add(1);
                inner.log_gave_up(rule, failure);
                return;
            }
            Outcome::Output(output) => output,
        };
        rule.cells.executed.add(1);
        if rule.actions.is_empty() {
            return;
        }
        let place = self.executions.len();
        let mut execution = Execution {
            rule: Arc::clone(rule),
            output: output.bytes.clone(),
            queued: Vec::new(),
            failures: Vec::new(),
        };
        for action in &rule.actions {
            let effect = match action.action.effect(sql, &output.variables) {
                Ok(effect) => effect,
                Err(why) => {
                    execution.failures.push(action.no_effect(&message.topic, &why));
                    action.tally.failure.add(1);
                    continue;
                }
            };
            let Effect::Firehose(put) = &effect else {
                execution.queued.push(Work { role: action.acting.role.clone(), effect });
                continue;
            };
            match put.records(&output.bytes) {
                Ok(records) if records.is_empty() => action.tally.success.add(1),
                Ok(records) => {
                    let role = action.acting.role.to_string();
                    let key = (role, put.put_as(), put.delivery_stream.clone());
                    let action = Arc::clone(action);
                    self.puts.entry(key).or_default().push(Put { execution: place, action, effect, records });
                }
                Err(error) => {
                    execution.failures.push(effect.failure(&message.topic, &error));
                    action.tally.failure.add(1);
                }
            }
        }
        self.executions.push(execution);
    }
}

impl RuleAction {
    /// A failure before it was known what to do.
    pub(crate) fn no_effect(&self, topic: &str, why: &str) -> Failure {
        Failure {
            failed_action: self.kind.failed_action.into(),
            failed_resource: self.action.resource().to_owned(),
            error_message: format!(
                "Failed to evaluate a substitution template. The error received was {why}. \
                 Message arrived on: {topic}, Action: {}",
                self.kind.name
            ),
        }
    }
}

impl Inner {
    pub(crate) fn log_failures(&self, rule: &Rule, failures: &[Failure]) {
        let Some(first) = failures.first() else { return };
        if let Some(unsaid) = rule.log_limit.permits(self.outside.clock.now()) {
            let (rule, error) = (&rule.source.rule.arn, &first.error_message);
            tracing::warn!(rule, error, failures = failures.len(), unsaid, "actions of a rule failed");
        }
    }

    fn log_gave_up(&self, rule: &Rule, failure: SqlFailure) {
        if let Some(unsaid) = rule.log_limit.permits(self.outside.clock.now()) {
            let rule = &rule.source.rule.arn;
            tracing::warn!(rule, %failure, unsaid, "a rule's statement gave up on a message");
        }
    }
}

/// Whether the failure is the node's and not the action's: the message must come again.
fn is_ours(error: &PortError) -> bool {
    error.kind.is_transient() || error.kind == ErrorKind::Internal
}

fn queue_full() -> PortError {
    let sentence = "The queue of rule actions is full.";
    PortError::new(ErrorKind::Unavailable, "ServiceUnavailableException", sentence)
}

#[cfg(test)]
mod tests;
