//! What becomes of messages: records at once, the rest in the queue, and what fails.

use std::sync::atomic::Ordering;

use ports::OnMessage;
use serde_json::{Value, json};

use super::*;
use crate::testing::{
    ROLE, World, context, message, rule, to_bucket, to_stream, to_topic, with_error_action,
};

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
        rule("batch", "SELECT VALUE a FROM 'batch'", action(json!({"separator": ",", "batchMode": true}))),
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
async fn a_batch_is_put_with_its_own_right() {
    let mut batch = to_stream("s");
    batch["firehose"]["batchMode"] = true.into();
    let world = World::new(vec![
        rule("batch", "SELECT VALUE * FROM 'a'", vec![batch]),
        rule("one", "SELECT 1 AS a FROM 'a'", vec![to_stream("s")]),
        rule("two", "SELECT 2 AS a FROM 'a'", vec![to_stream("s")]),
    ]);
    publish(&world, "a", "[1]").await;
    let mut puts = world.streams.put_as.lock().unwrap().clone();
    puts.sort_by_key(|put_as| *put_as == PutAs::Batch);
    assert_eq!(puts, [PutAs::Record, PutAs::Batch]);
}

#[tokio::test]
async fn a_role_that_is_gone_fails_its_own_actions_until_it_is_there_again() {
    let mut other = to_stream("s");
    other["firehose"]["roleArn"] = "arn:aws:iam::1234567890:role/other".into();
    let failing = rule("r", "SELECT * FROM 'a'", vec![to_stream("s"), other]);
    let world = World::new(vec![with_error_action(failing, to_bucket("lake", "k"))]);
    let rules = world.engine();
    let publish = async || rules.on_message(&context(), &message("a", "{}")).await.unwrap();
    world.roles.set_gone(ROLE, true);
    publish().await;
    assert_eq!((world.streams.of("s").len(), world.queued()), (1, 1));
    assert_eq!(world.streams.principals(), ["arn:aws:sts::1234567890:assumed-role/other/iot"]);
    world.roles.set_gone(ROLE, false);
    publish().await;
    assert_eq!((world.streams.of("s").len(), world.queued()), (3, 1));
    assert_eq!(world.count("iot_rule_action_total", &["r", "firehose", "failure"]), 1);
}

#[tokio::test]
async fn templates_name_the_stream() {
    let world =
        World::new(vec![rule("r", "SET @s = name SELECT * FROM 'a'", vec![to_stream("${@s}${topic(2)}")])]);
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
async fn rules_of_one_name_in_two_regions_are_two_series() {
    let here = rule("r", "SELECT * FROM 'a'", vec![to_stream("s")]);
    let mut there = here.clone();
    there.region = "eu-west-1".parse().unwrap();
    let world = World::new(vec![here.clone(), there]);
    publish(&world, "a", "{}").await;
    let series = || {
        let counters = world.metrics.counters().into_iter();
        let matches = counters.filter(|s| s.metric.name == "iot_topic_match_total");
        matches.map(|s| (s.labels[1].clone(), s.value)).collect::<Vec<_>>()
    };
    assert_eq!(series(), [("eu-west-1".to_owned(), 0), ("us-east-1".to_owned(), 1)]);
    let rules = world.engine();
    rules.on_message(&context(), &message("b", "{}")).await.unwrap();
    world.set_rules(vec![here]);
    rules.on_message(&context(), &message("b", "{}")).await.unwrap();
    assert_eq!(series(), [("us-east-1".to_owned(), 1)]);
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
    let world = World::new(vec![with_error_action(rule("r", sql, vec![to_stream("s")]), to_topic("errors"))]);
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
    let all = |n: usize| (0..n).map(|n| rule(&format!("r{n}"), &format!("SELECT * FROM 'd/{n}/t'"), vec![]));
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
