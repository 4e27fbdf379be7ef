//! A message in: which rules it reaches, what they make of it, and what of that must be durable before the publisher hears of it.
//!
//! Cost of a message, from a sketch made first: the rules are a snapshot behind two uncontended locks (~50 ns); the trie visits at
//! most two children per level, whatever the number of rules (~1 µs for eight levels); the payload is parsed at most once, and
//! only if a matching statement asks (~1 µs for 300 bytes); `SELECT *` forwards the bytes as they came, a separator costs one copy.
//! Then one PutRecords per delivery stream, all at once, so that they share a group commit; that commit is what the publisher
//! waits for, and is a hundred times all the rest. No store is read (A9). Queued actions cost a second append, in a batch.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use iotsql::{Failure as SqlFailure, Outcome, Payload};
use kernel::{Context, ErrorKind};
use mqtt::BasicIngest;
use ports::{Message, PortError};
use store::LogError;

use crate::actions::{Effect, Failure};
use crate::entry::{Entry, Work};
use crate::limits::{APPEND_BYTES, QUEUE_BYTES_MAX};
use crate::origin::{self, Origin};
use crate::rule::{Rule, RuleAction};
use crate::service::Inner;

/// What the rules make of a message.
pub(crate) struct Plan {
    timestamp_ms: i64,
    executions: Vec<Execution>,
    /// By role and delivery stream.
    puts: HashMap<(String, String), Vec<Put>>,
}

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
                self.cells.not_found.add(1);
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
        let results = join_all(puts.into_iter().map(|((_, stream), puts)| self.put(stream, puts))).await;
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
    async fn put(&self, stream: String, puts: Vec<Put>) -> Vec<(Put, Result<(), PortError>)> {
        let Some(first) = puts.first() else { return Vec::new() };
        let cx = &first.action.cx;
        let records = puts.iter().flat_map(|put| put.records.iter().cloned()).collect();
        let mut results = Vec::with_capacity(puts.len());
        match self.outside.records.put_records(cx, &stream, records).await {
            Ok(()) => results.extend(puts.into_iter().map(|put| (put, Ok(())))),
            Err(error) if is_ours(&error) || puts.len() == 1 => {
                let mut error = error;
                for put in puts {
                    let same = PortError::new(error.kind, error.code.clone(), error.message.clone());
                    results.push((put, Err(std::mem::replace(&mut error, same))));
                }
            }
            Err(_) => {
                for put in puts {
                    let records = put.records.clone();
                    let result = self.outside.records.put_records(&put.action.cx, &stream, records).await;
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
                execution.queued.push(Work { role: action.role.clone(), effect });
                continue;
            };
            match put.records(&output.bytes) {
                Ok(records) if records.is_empty() => action.tally.success.add(1),
                Ok(records) => {
                    let key = (action.role.to_string(), put.delivery_stream.clone());
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
mod tests {
    use std::sync::atomic::Ordering;

    use ports::OnMessage;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{World, context, message, rule, to_bucket, to_stream, to_topic, with_error_action};

    async fn publish(world: &World, topic: &str, payload: &str) {
        world.engine().on_message(&context(), &message(topic, payload)).await.unwrap();
    }

    #[tokio::test]
    async fn a_message_reaches_the_stream_of_the_rules_that_match_and_pass() {
        let where_hot = "SELECT beat, topic(2) AS device FROM 'hearts/+/beat' WHERE beat > 100";
        let world = World::new(vec![
            rule("hot", where_hot, vec![to_stream("s")]),
            rule("other", "SELECT * FROM 'lungs/#'", vec![to_stream("s")]),
            rule("double", "SELECT beat FROM \"hearts/#\"", vec![to_stream("s")]),
        ]);
        publish(&world, "hearts/7/beat", r#"{"beat":120}"#).await;
        let mut records = world.streams.of("s");
        records.sort();
        assert_eq!(records, [r#"{"beat":120,"device":"7"}"#, r#"{"beat":120}"#]);
        assert_eq!(world.streams.calls.load(Ordering::SeqCst), 1, "one call for each stream");
        publish(&world, "hearts/7/beat", r#"{"beat":60}"#).await;
        assert_eq!(world.streams.of("s").len(), 3);
        publish(&world, "hearts/7/beat", "not JSON").await;
        let count = |name, labels: &[&str]| world.count(name, labels);
        assert_eq!(count("iot_topic_match_total", &["hot"]), 3);
        assert_eq!(count("iot_rule_executed_total", &["hot", "success"]), 1);
        assert_eq!(count("iot_rule_action_total", &["hot", "firehose", "success"]), 1);
        assert_eq!(count("iot_topic_match_total", &["other"]), 0);
        let role = "arn:aws:sts::1234567890:assumed-role/iot.firehose/iot";
        assert_eq!(world.streams.principals()[0], role);
        assert_eq!(world.queued(), 0);
    }

    #[tokio::test]
    async fn separators_follow_records_and_batches_are_taken_apart() {
        let action = |members: Value| {
            let mut action = to_stream("s");
            action["firehose"].as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            vec![action]
        };
        let world = World::new(vec![
            rule("line", "SELECT * FROM 'line'", action(json!({"separator": "\n"}))),
            rule(
                "batch",
                "SELECT VALUE a FROM 'batch'",
                action(json!({"separator": ",", "batchMode": true})),
            ),
        ]);
        publish(&world, "line", r#"{"a":1}"#).await;
        publish(&world, "batch", r#"{"a":[1,{"b":2}]}"#).await;
        publish(&world, "batch", r#"{"a":[]}"#).await;
        assert_eq!(world.streams.of("s"), ["{\"a\":1}\n", "1,", "{\"b\":2},"]);
        publish(&world, "batch", r#"{"a":{}}"#).await;
        assert_eq!(world.count("iot_rule_action_total", &["batch", "firehose", "failure"]), 1);
        assert_eq!(world.count("iot_rule_action_total", &["batch", "firehose", "success"]), 2);
    }

    #[tokio::test]
    async fn templates_name_the_stream() {
        let world = World::new(vec![rule(
            "r",
            "SET @s = name SELECT * FROM 'a'",
            vec![to_stream("${@s}${topic(2)}")],
        )]);
        publish(&world, "a", r#"{"name":"s"}"#).await;
        assert_eq!(world.streams.of("s").len(), 1);
    }

    #[tokio::test]
    async fn a_payload_that_is_not_json_is_forwarded_as_it_came() {
        let world = World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_stream("s")])]);
        publish(&world, "a", "17 beats\n").await;
        assert_eq!(world.streams.of("s"), ["17 beats\n"]);
    }

    #[tokio::test]
    async fn disabled_rules_and_those_of_other_regions_do_nothing() {
        let mut disabled = rule("r", "SELECT * FROM 'a'", vec![to_stream("s")]);
        disabled.rule.enabled = false;
        let mut elsewhere = rule("e", "SELECT * FROM 'a'", vec![to_stream("s")]);
        elsewhere.region = "eu-west-1".parse().unwrap();
        let world = World::new(vec![disabled.clone(), elsewhere]);
        let rules = world.engine();
        rules.on_message(&context(), &message("a", "{}")).await.unwrap();
        assert_eq!(world.streams.calls.load(Ordering::SeqCst), 0);
        disabled.rule.enabled = true;
        world.set_rules(vec![disabled]);
        rules.on_message(&context(), &message("a", "{}")).await.unwrap();
        assert_eq!(world.streams.of("s"), ["{}"]);
    }

    #[tokio::test]
    async fn basic_ingest_runs_one_rule_past_its_filter() {
        let world = World::new(vec![
            rule("a", "SELECT topic() AS t FROM 'never'", vec![to_stream("s")]),
            rule("nothing_from", "SELECT topic() AS t", vec![to_stream("s")]),
            rule("all", "SELECT 'all' AS t FROM '#'", vec![to_stream("s")]),
        ]);
        publish(&world, "$aws/rules/a/x/y", "{}").await;
        publish(&world, "$aws/rules/nothing_from/z", "{}").await;
        assert_eq!(world.streams.of("s"), [r#"{"t":"x/y"}"#, r#"{"t":"z"}"#]);
        publish(&world, "$aws/rules/missing/x", "{}").await;
        assert_eq!(world.count("iot_rule_not_found_total", &[]), 1);
    }

    #[tokio::test]
    async fn a_missing_stream_fails_the_action_and_not_the_message() {
        let world = World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_stream("gone"), to_stream("s")])]);
        publish(&world, "a", "{}").await;
        assert_eq!(world.streams.of("s"), ["{}"]);
        assert_eq!(world.count("iot_rule_action_total", &["r", "firehose", "failure"]), 1);
        assert_eq!(world.queued(), 0, "nobody wants to hear of it");
    }

    #[tokio::test]
    async fn an_intake_that_cannot_append_fails_the_message() {
        let actions = vec![to_stream("s"), to_bucket("lake", "k")];
        let rules = vec![with_error_action(rule("r", "SELECT * FROM 'a'", actions), to_topic("errors"))];
        let world = World::new(rules);
        world.streams.outage.store(true, Ordering::SeqCst);
        let rules = world.engine();
        let error = rules.on_message(&context(), &message("a", "{}")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert_eq!(world.queued(), 0, "the repeated message brings the others");
        world.streams.outage.store(false, Ordering::SeqCst);
        rules.on_message(&context(), &message("a", "{}")).await.unwrap();
        assert_eq!((world.streams.of("s").len(), world.queued()), (1, 1));
    }

    #[tokio::test]
    async fn a_queue_that_cannot_append_fails_the_message() {
        let world = World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_bucket("lake", "k")])]);
        world.log.full.store(true, Ordering::SeqCst);
        let error = world.engine().on_message(&context(), &message("a", "{}")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
    }

    #[tokio::test]
    async fn a_queue_at_its_bound_takes_no_more() {
        let world = World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_bucket("lake", "k")])]);
        let rules = world.engine();
        let queue = store::LogId::new("rules", &["actions"]);
        let filler = Bytes::from(vec![0; 64 * 1024 * 1024]);
        store::CommitLog::append(&*world.log, &queue, vec![filler; 5]).await.unwrap();
        let error = rules.on_message(&context(), &message("a", "{}")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert_eq!(world.count("iot_rule_queue_full_total", &[]), 1);
    }

    #[tokio::test]
    async fn a_record_too_large_fails_its_own_action_alone() {
        let large = "SELECT replace(a, 'x', b) AS a FROM 'a'";
        let world = World::new(vec![
            rule("large", large, vec![to_stream("s")]),
            rule("small", "SELECT 1 AS a FROM 'a'", vec![to_stream("s")]),
        ]);
        let payload = json!({"a": "x".repeat(1_100), "b": "y".repeat(1_000)}).to_string();
        publish(&world, "a", &payload).await;
        assert_eq!(world.streams.of("s"), [r#"{"a":1}"#]);
        assert_eq!(world.count("iot_rule_action_total", &["large", "firehose", "failure"]), 1);
        assert_eq!(world.count("iot_rule_action_total", &["small", "firehose", "success"]), 1);
    }

    #[tokio::test]
    async fn a_statement_that_gives_up_is_counted_and_calls_no_error_action() {
        let sql = "SELECT replace(a, 'x', a) AS a FROM 'a'";
        let world =
            World::new(vec![with_error_action(rule("r", sql, vec![to_stream("s")]), to_topic("errors"))]);
        publish(&world, "a", &json!({"a": "x".repeat(4_000)}).to_string()).await;
        assert_eq!(world.count("iot_rule_executed_total", &["r", "failure"]), 1);
        assert_eq!((world.queued(), world.streams.of("s").len()), (0, 0));
    }

    #[tokio::test]
    async fn the_queue_of_one_message_is_appended_in_batches() {
        let rules = (0..300)
            .map(|n| rule(&format!("r{n}"), "SELECT * FROM 'a'", vec![to_bucket("lake", &format!("k{n}"))]));
        let world = World::new(rules.collect());
        publish(&world, "a", &"x".repeat(100_000)).await;
        assert_eq!(world.queued(), 300);
        let appends = world.log.appends.load(Ordering::SeqCst);
        assert_eq!(appends, 300_usize.div_ceil(APPEND_BYTES / 100_400));
    }

    #[tokio::test]
    async fn of_ten_thousand_rules_only_those_that_match_are_evaluated() {
        let all =
            |n: usize| (0..n).map(|n| rule(&format!("r{n}"), &format!("SELECT * FROM 'd/{n}/t'"), vec![]));
        let world = World::new(all(10_000).collect());
        let rules = world.engine();
        rules.on_message(&context(), &message("d/77/t", "{}")).await.unwrap();
        assert_eq!(world.count("iot_topic_match_total", &[]), 1);
        assert_eq!(world.count("iot_rule_executed_total", &["r77"]), 1);
        let before = rules_of(&rules);
        world.set_rules(all(10_001).collect());
        let after = rules_of(&rules);
        let cx = context();
        let find = |set: &crate::rule_set::RuleSet, n: usize| {
            set.find(&cx.account, &cx.region, &format!("r{n}")).cloned()
        };
        for n in 0..10_000 {
            assert!(Arc::ptr_eq(&find(&before, n).unwrap(), &find(&after, n).unwrap()), "r{n} compiled anew");
        }
        assert!(find(&after, 10_000).is_some());
        world.set_rules(all(9_999).collect());
        rules_of(&rules);
        let series = world.metrics.counters().into_iter();
        assert_eq!(series.filter(|s| s.metric.name == "iot_topic_match_total").count(), 9_999);
    }

    fn rules_of(rules: &crate::Rules) -> Arc<crate::rule_set::RuleSet> {
        rules.inner().rules()
    }
}
