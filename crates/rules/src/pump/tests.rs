//! The queue worked off: effects, retries, error actions, crashes.

use std::sync::atomic::Ordering;
use std::time::Duration;

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
async fn an_action_whose_role_is_taken_away_while_it_waits_goes_to_the_error_action() {
    let mut error_action = to_topic("errors");
    error_action["republish"]["roleArn"] = "arn:aws:iam::1234567890:role/errors".into();
    let rule = rule("r", "SELECT * FROM 'a'", vec![to_bucket("lake", "k")]);
    let world = World::new(vec![with_error_action(rule, error_action)]);
    world.buckets.outage.store(true, Ordering::SeqCst);
    let (rules, group) = world.start();
    rules.on_message(&context(), &message("a", "{}")).await.unwrap();
    advance_until(&world, || world.buckets.puts.load(Ordering::SeqCst) > 1).await;
    world.roles.set_gone(ROLE, true);
    world.buckets.outage.store(false, Ordering::SeqCst);
    advance_until(&world, || world.queued() == 0).await;
    assert!(world.buckets.objects().is_empty());
    let document: Value = serde_json::from_slice(&world.broker.published()[0].payload).unwrap();
    assert_eq!(
        document["failures"][0]["errorMessage"],
        "Failed to put S3 object. The error received was iot.amazonaws.com is unable to perform: sts:AssumeRole on \
         resource: arn:aws:iam::1234567890:role/service-role/iot.firehose (Status Code: 403; Error Code: AccessDenied). \
         Message arrived on: a, Action: s3, Bucket: lake, Key: \"k\""
    );
    group.shutdown().await;
}

#[tokio::test]
async fn an_outage_is_waited_out() {
    let world = World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_bucket("lake", "k"), to_topic("b")])]);
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
    let world =
        World::new(vec![rule("r", "SELECT * FROM 'a'", vec![to_bucket("lake", "k"), to_bucket("no", "k")])]);
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
        roles: world.roles.clone(),
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
