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
//! 3. The time an entry may take counts from when it was appended, so that one destination that is down delays what is queued behind
//!    it by no more than that once, not for each entry.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::future::{FutureExt, join_all};
use futures::stream::{FuturesOrdered, StreamExt};
use iotsql::{Outcome, Payload, Variables};
use kernel::{Backoff, Context, Stop, TaskGroup, Timestamp};
use ports::PortError;
use store::{LogError, Offset, Record};

use crate::actions::{Effect, Failure, Input};
use crate::entry::{Entry, Work};
use crate::error_document::error_document;
use crate::limits::{IN_FLIGHT_MAX, READ_BYTES, RETRY_FOR, RETRY_WAITS};
use crate::rule::{Rule, RuleAction, acting_as};
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
        let results = join_all(entry.work.iter().map(|Work { role, effect }| {
            let cx = acting_as(&entry.account, &entry.region, role, self.request_id(entry));
            let stop = stop.clone();
            let hops = entry.origin.hops;
            async move {
                self.persist(effect, &Input { cx: &cx, body: &entry.output, hops }, deadline, stop).await
            }
        }))
        .await;
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
        let cx = Context { request_id: self.request_id(entry), ..action.cx.clone() };
        let deadline = self.outside.clock.now() + RETRY_FOR;
        let input = Input { cx: &cx, body: &document, hops: entry.origin.hops };
        match self.persist(&effect, &input, deadline, stop).await {
            Ok(()) => {
                action.tally.success.add(1);
                Ended::Done
            }
            Err(GaveUp::Failed(error)) => failed(effect.failure(topic, &error)),
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
        effect: &Effect,
        input: &Input<'_>,
        deadline: Timestamp,
        mut stop: Stop,
    ) -> Result<(), GaveUp> {
        let clock = &self.outside.clock;
        let (first_wait, longest_wait) = RETRY_WAITS;
        let mut backoff = Backoff::new(first_wait, longest_wait);
        loop {
            match effect.as_perform().perform(&self.outside, input).await {
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
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use bytes::Bytes;
    use ports::OnMessage;
    use serde_json::{Value, json};
    use store::CommitLog;

    use super::*;
    use crate::limits::HOPS_MAX;
    use crate::testing::{
        ROLE, World, advance_until, context, message, now_ms, rule, text, to_bucket, to_stream, to_topic,
        with_error_action,
    };

    #[tokio::test]
    async fn an_object_is_put_under_the_key_its_template_gives() {
        let key = "${topic(1)}/${timestamp()}-${clientid()}.json";
        let world = World::new(vec![rule("r", "SELECT beat FROM 'a/#'", vec![to_bucket("lake", key)])]);
        let (rules, group) = world.start();
        rules.on_message(&context(), &message("a/b", r#"{"beat":1,"more":2}"#)).await.unwrap();
        world.wait_for(|| world.queued() == 0).await;
        let expected = (format!("a/{}-heart-1.json", now_ms(&world)), r#"{"beat":1}"#.to_owned());
        assert_eq!(world.buckets.objects(), [expected]);
        assert_eq!(world.count("iot_rule_action_total", &["r", "s3", "success"]), 1);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn a_message_is_republished_with_its_headers() {
        let action = json!({"republish": {"roleArn": ROLE, "topic": "copies/${topic(2)}", "qos": "${q}", "headers": {
            "contentType": "${t}", "responseTopic": "${nothing}", "correlationData": "AAE=", "messageExpiry": "99999999",
            "payloadFormatIndicator": "UTF8_DATA", "userProperties": [{"key": "from", "value": "${clientid()}"}],
        }}});
        let world = World::new(vec![rule("r", "SELECT * FROM 'a/+'", vec![action, to_topic("$$aws/x")])]);
        let (rules, group) = world.start();
        rules.on_message(&context(), &message("a/b", r#"{"q":1,"t":"x/y"}"#)).await.unwrap();
        world.wait_for(|| world.queued() == 0).await;
        assert_eq!(world.broker.topics(), ["copies/b", "$aws/x"]);
        let copy = world.broker.published().remove(0);
        assert_eq!((copy.qos, copy.hops, copy.retain, copy.client_id), (1, 1, false, None));
        let properties = copy.properties;
        assert_eq!(properties.content_type.as_deref(), Some("x/y"));
        assert_eq!((properties.response_topic, properties.message_expiry_s), (None, Some(604_800)));
        assert_eq!(properties.correlation_data.as_deref(), Some(&[0, 1][..]));
        assert!(properties.payload_is_utf8);
        assert_eq!(properties.user_properties, [("from".to_owned(), "heart-1".to_owned())]);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn republished_messages_keep_their_order() {
        let world = World::new(vec![rule("r", "SELECT * FROM 'a/+'", vec![to_topic("b/${topic(2)}")])]);
        let (rules, group) = world.start();
        let count = IN_FLIGHT_MAX * 3;
        for n in 0..count {
            rules.on_message(&context(), &message(&format!("a/{n}"), "{}")).await.unwrap();
        }
        world.wait_for(|| world.queued() == 0).await;
        assert_eq!(world.broker.topics(), (0..count).map(|n| format!("b/{n}")).collect::<Vec<_>>());
        group.shutdown().await;
    }

    #[tokio::test]
    async fn one_error_document_tells_of_all_actions_that_failed() {
        let actions = vec![to_stream("gone"), to_bucket("nowhere", "k/${topic()}"), to_stream("s")];
        let failing = rule("r", "SET @t = 'errors' SELECT beat FROM 'a'", actions);
        let world = World::new(vec![with_error_action(failing, to_topic("${@t}/${topic()}/${beat}"))]);
        let (rules, group) = world.start();
        rules.on_message(&context(), &message("a", r#"{"beat": 7}"#)).await.unwrap();
        world.wait_for(|| world.queued() == 0).await;
        assert_eq!(world.streams.of("s"), [r#"{"beat":7}"#]);
        assert_eq!(world.broker.topics(), ["errors/a/7"]);
        let document: Value = serde_json::from_slice(&world.broker.published()[0].payload).unwrap();
        assert_eq!(
            document,
            json!({
                "ruleName": "r",
                "topic": "a",
                "cloudwatchTraceId": "00000000-0000-4000-8000-000000000000",
                "clientId": "heart-1",
                "sourceIp": "10.0.0.7",
                "base64OriginalPayload": "eyJiZWF0IjogN30=",
                "failures": [
                    {
                        "failedAction": "FirehoseAction",
                        "failedResource": "gone",
                        "errorMessage": "Failed to put records to Firehose. The error received was Firehose gone under account 000000000000 not found. (Status Code: 404; Error Code: ResourceNotFoundException). Message arrived on: a, Action: firehose, Delivery stream: gone",
                    },
                    {
                        "failedAction": "S3Action",
                        "failedResource": "nowhere",
                        "errorMessage": "Failed to put S3 object. The error received was The specified bucket does not exist (Status Code: 404; Error Code: NoSuchBucket). Message arrived on: a, Action: s3, Bucket: nowhere, Key: \"k/a\"",
                    },
                ],
            })
        );
        let count = |labels: &[&str]| world.count("iot_rule_action_total", labels);
        assert_eq!((count(&["r", "s3", "failure"]), count(&["r", "firehose", "failure"])), (1, 1));
        assert_eq!(world.count("iot_rule_error_action_total", &["r", "republish", "success"]), 1);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn a_template_that_gives_nothing_usable_is_a_failure() {
        let action = json!({"republish": {"roleArn": ROLE, "topic": "b", "qos": "${q}"}});
        let failing = rule("r", "SELECT * FROM 'a'", vec![action, to_bucket("lake", "${k}")]);
        let world = World::new(vec![with_error_action(failing, to_stream("s"))]);
        let (rules, group) = world.start();
        rules.on_message(&context(), &message("a", r#"{"q":2}"#)).await.unwrap();
        world.wait_for(|| world.queued() == 0).await;
        let document: Value = serde_json::from_str(&world.streams.of("s")[0]).unwrap();
        assert_eq!(document["failures"][0]["failedAction"], "RepublishAction");
        assert_eq!(document["failures"][1]["failedResource"], "lake");
        assert!(world.broker.topics().is_empty() && world.buckets.objects().is_empty());
        group.shutdown().await;
    }

    #[tokio::test]
    async fn an_outage_is_waited_out() {
        let world =
            World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_bucket("lake", "k"), to_topic("b")])]);
        world.buckets.outage.store(true, Ordering::SeqCst);
        let (rules, group) = world.start();
        rules.on_message(&context(), &message("a", "{}")).await.unwrap();
        advance_until(&world, || world.buckets.puts.load(Ordering::SeqCst) > 3).await;
        assert_eq!(world.queued(), 1);
        world.buckets.outage.store(false, Ordering::SeqCst);
        advance_until(&world, || world.queued() == 0).await;
        assert_eq!((world.buckets.objects().len(), world.broker.topics().len()), (1, 1));
        assert_eq!(world.count("iot_rule_action_total", &["r", "s3", "failure"]), 0);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn after_half_a_minute_of_failing_the_error_action_runs() {
        let failing = rule("r", "SELECT * FROM 'a'", vec![to_bucket("lake", "k")]);
        let world = World::new(vec![with_error_action(failing, to_stream("s"))]);
        world.buckets.outage.store(true, Ordering::SeqCst);
        let (rules, group) = world.start();
        let began_ms = now_ms(&world);
        rules.on_message(&context(), &message("a", "{}")).await.unwrap();
        advance_until(&world, || world.queued() == 0).await;
        let took = Duration::from_millis((now_ms(&world) - began_ms) as u64);
        assert!((RETRY_FOR..RETRY_FOR + RETRY_WAITS.1 * 2).contains(&took), "{took:?}");
        assert_eq!(world.streams.of("s").len(), 1);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn an_outage_of_one_destination_delays_the_others_once() {
        let world = World::new(vec![
            rule("bad", "SELECT * FROM 'bad'", vec![to_bucket("lake", "k")]),
            rule("good", "SELECT * FROM 'good'", vec![to_topic("b")]),
        ]);
        world.buckets.outage.store(true, Ordering::SeqCst);
        let (rules, group) = world.start();
        for _ in 0..IN_FLIGHT_MAX * 4 {
            rules.on_message(&context(), &message("bad", "{}")).await.unwrap();
        }
        rules.on_message(&context(), &message("good", "{}")).await.unwrap();
        let began_ms = now_ms(&world);
        advance_until(&world, || !world.broker.topics().is_empty()).await;
        let took = Duration::from_millis((now_ms(&world) - began_ms) as u64);
        assert!(took < RETRY_FOR * 2, "{took:?}");
        group.shutdown().await;
    }

    #[tokio::test]
    async fn an_error_action_that_fails_is_the_end() {
        let failing = rule("r", "SELECT * FROM 'a'", vec![to_bucket("nowhere", "k")]);
        let world = World::new(vec![with_error_action(failing, to_stream("gone"))]);
        let (rules, group) = world.start();
        rules.on_message(&context(), &message("a", "{}")).await.unwrap();
        world.wait_for(|| world.queued() == 0).await;
        assert_eq!(world.count("iot_rule_error_action_total", &["r", "firehose", "failure"]), 1);
        assert_eq!(world.streams.calls.load(Ordering::SeqCst), 1);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn a_rule_that_feeds_itself_stops() {
        let looping = rule("r", "SELECT * FROM 'loop/#'", vec![to_topic("loop/again")]);
        let world = World::new(vec![with_error_action(looping, to_topic("loop/error"))]);
        let (rules, group) = world.start();
        world.broker.rules.set(Arc::downgrade(&rules)).unwrap();
        rules.on_message(&context(), &message("loop/begin", "{}")).await.unwrap();
        world.wait_for(|| world.queued() == 0).await;
        assert_eq!(world.broker.topics(), vec!["loop/again"; usize::from(HOPS_MAX)]);
        assert_eq!(world.count("iot_rule_action_total", &["r", "republish", "failure"]), 1);
        assert_eq!(world.count("iot_rule_error_action_total", &["r", "republish", "failure"]), 1);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn what_was_queued_before_a_crash_is_done_after_it() {
        let failing = rule("r", "SELECT beat FROM 'a'", vec![to_bucket("lake", "k"), to_stream("gone")]);
        let world = World::new(vec![with_error_action(failing, to_topic("errors"))]);
        world.engine().on_message(&context(), &message("a", r#"{"beat":1,"x":2}"#)).await.unwrap();
        assert_eq!((world.queued(), world.buckets.objects().len()), (1, 0));
        world.clock.advance(Duration::from_secs(86_400));
        let (_rules, group) = world.start();
        world.wait_for(|| world.queued() == 0).await;
        assert_eq!(world.buckets.objects(), [("k".to_owned(), r#"{"beat":1}"#.to_owned())]);
        let document: Value = serde_json::from_slice(&world.broker.published()[0].payload).unwrap();
        assert_eq!(document["base64OriginalPayload"], "eyJiZWF0IjoxLCJ4IjoyfQ==");
        group.shutdown().await;
    }

    #[tokio::test]
    async fn an_old_entry_is_tried_for_as_long_as_a_new_one_after_a_restart() {
        let world = World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_topic("b")])]);
        world.engine().on_message(&context(), &message("a", "{}")).await.unwrap();
        world.clock.advance(Duration::from_secs(86_400));
        world.broker.outage.store(true, Ordering::SeqCst);
        let (_rules, group) = world.start();
        world.settle().await;
        assert_eq!(world.queued(), 1, "the gateway may be slower to start");
        world.broker.outage.store(false, Ordering::SeqCst);
        advance_until(&world, || world.queued() == 0).await;
        assert_eq!(world.broker.topics(), ["b"]);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn stopping_leaves_what_is_not_done() {
        let world = World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_bucket("lake", "${n}")])]);
        world.buckets.outage.store(true, Ordering::SeqCst);
        let (rules, group) = world.start();
        for n in 0..3 {
            rules.on_message(&context(), &message("a", format!(r#"{{"n":{n}}}"#))).await.unwrap();
        }
        world.wait_for(|| world.buckets.puts.load(Ordering::SeqCst) >= 3).await;
        group.shutdown().await;
        assert_eq!(world.queued(), 3);
        world.buckets.outage.store(false, Ordering::SeqCst);
        let (_rules, group) = world.start();
        world.wait_for(|| world.queued() == 0).await;
        assert_eq!(world.buckets.objects().len(), 3);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn a_deleted_rule_still_does_what_it_had_queued() {
        let world = World::new(vec![rule(
            "r",
            "SELECT * FROM 'a'",
            vec![to_bucket("lake", "k"), to_bucket("no", "k")],
        )]);
        let rules = world.engine();
        rules.on_message(&context(), &message("a", "{}")).await.unwrap();
        world.set_rules(vec![]);
        let (_rules, group) = world.start();
        world.wait_for(|| world.queued() == 0).await;
        assert_eq!(world.buckets.objects().len(), 1);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn an_entry_of_an_unknown_form_does_not_stop_the_queue() {
        let world = World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_topic("b")])]);
        let (rules, group) = world.start();
        let queue = &rules.inner().queue;
        world.log.append(queue, vec![Bytes::from_static(b"\xff?"), Bytes::new()]).await.unwrap();
        rules.on_message(&context(), &message("a", "{}")).await.unwrap();
        world.wait_for(|| world.queued() == 0).await;
        assert_eq!(world.broker.topics(), ["b"]);
        assert_eq!(world.count("iot_rule_queue_lost_total", &[]), 2);
        assert_eq!(text(&world.broker.published()[0].payload), "{}");
        group.shutdown().await;
    }

    #[tokio::test]
    async fn a_damaged_entry_is_lost_alone() {
        for damaged in 0..3 {
            let world = World::new(vec![rule("r", "SELECT * FROM 'a/+'", vec![to_topic("${topic(2)}")])]);
            for n in 0..3 {
                world.engine().on_message(&context(), &message(&format!("a/{n}"), "{}")).await.unwrap();
            }
            *world.log.damaged.lock().unwrap() = Some(Offset(damaged));
            let (_rules, group) = world.start();
            world.wait_for(|| world.queued() == 0).await;
            let others: Vec<_> = (0..3).filter(|n| *n != damaged).map(|n| n.to_string()).collect();
            assert_eq!(world.broker.topics(), others);
            assert_eq!(world.count("iot_rule_queue_lost_total", &[]), 1);
            group.shutdown().await;
        }
    }

    #[tokio::test]
    async fn a_gateway_that_is_gone_fails_nothing() {
        let world = World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_topic("b")])]);
        let unconnected = crate::Rules::new(crate::Parts {
            records: world.streams.clone(),
            objects: world.buckets.clone(),
            log: world.log.clone(),
            clock: Arc::new(world.clock.clone()),
            entropy: kernel::Entropy::seeded(2),
            metrics: world.metrics.clone(),
        });
        world.engine().on_message(&context(), &message("a", "{}")).await.unwrap();
        let group = TaskGroup::root(Arc::new(world.clock.clone()));
        unconnected.start(&group);
        world.settle().await;
        group.shutdown().await;
        assert_eq!(world.queued(), 1);
    }
}
