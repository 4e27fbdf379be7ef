//! Deliveries, whole and broken off; each record is in one object.

use std::io::Read;

use ports::Buffered;
use serde_json::json;
use store::Entity;

use super::*;
use crate::service::Firehose;
use crate::testing::World;

/// How far a delivery comes before the node is killed.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Kill {
    BeforeIntent,
    AfterIntent,
    AfterPut,
    AfterTrim,
}

async fn deliver_until(firehose: &Firehose, kill: Kill) {
    let inner = &firehose.inner;
    let stream = inner.registry.all().remove(0);
    if kill == Kill::BeforeIntent {
        return;
    }
    let intent = inner.intend(&stream).await.unwrap().unwrap();
    if kill >= Kill::AfterPut {
        inner.put_object(&stream, &intent).await.unwrap();
    }
    if kill >= Kill::AfterTrim {
        inner.log.trim(&stream.log, Offset(intent.records.next)).await.unwrap();
    }
}

#[tokio::test]
async fn killed_anywhere_each_record_is_in_one_object() {
    for kill in [Kill::BeforeIntent, Kill::AfterIntent, Kill::AfterPut, Kill::AfterTrim] {
        let world = World::new();
        world.lake.add_bucket("other");
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({"Prefix": "p/"})).await;
        world.put(&firehose, "a", &["1", "2"]).await;
        deliver_until(&firehose, kill).await;
        drop(firehose);

        let firehose = world.start().await;
        world.put(&firehose, "a", &["3"]).await;
        world.update(&firehose, "a", json!({"BucketARN": "arn:aws:s3:::other", "Prefix": "q/"})).await;
        world.deliver_all(&firehose).await;
        let keys = world.lake.keys();
        if kill == Kill::BeforeIntent {
            assert_eq!(world.lake.contents(), ["123"]);
            assert!(keys[0].starts_with("other/q/2017/08/26/07/a-2-2017-08-26-07-47-12-"), "{keys:?}");
        } else {
            assert_eq!(world.lake.contents(), ["12", "3"], "{kill:?}");
            assert!(keys[0].starts_with("lake/p/2017/08/26/07/a-1-2017-08-26-07-47-12-"), "{keys:?}");
            assert!(keys[1].starts_with("other/q/2017/08/26/07/a-2-2017-08-26-07-47-12-"), "{keys:?}");
        }
        let left = world.meta.scan(DeliveryIntent::TABLE.as_bytes(), None, 10).await.unwrap();
        assert!(left.is_empty(), "{kill:?}");
    }
}

#[tokio::test]
async fn an_object_is_the_concatenation_of_its_records_and_tells_which() {
    let world = World::new();
    let firehose = world.start().await;
    world.create(&firehose, "a", json!({})).await;
    world.put(&firehose, "a", &["abc"; 3]).await;
    world.deliver_all(&firehose).await;
    world.put(&firehose, "a", &["d"]).await;
    world.deliver_all(&firehose).await;
    let objects = world.lake.objects();
    let mut found: Vec<_> = objects.iter().map(|o| (&o.body[..], o.records.clone().unwrap())).collect();
    found.sort_by_key(|(_, range)| range.first);
    let log = firehose.inner.registry.all()[0].log.to_string();
    let range = |first, next| RecordRange { log: log.clone(), first, next };
    assert_eq!(found, [(&b"abcabcabc"[..], range(0, 3)), (&b"d"[..], range(3, 4))]);
    assert_eq!(objects[0].content_type.as_deref(), Some("application/octet-stream"));
    assert_eq!(objects[0].content_encoding, None);
}

#[tokio::test]
async fn a_delivery_acts_as_the_role_of_now_and_where_that_may_not_as_the_one_it_was_decided_by() {
    let (old, new) = ("arn:aws:iam::1234567890:role/firehose_delivery_role", "arn:aws:iam::1:role/new");
    for (old_is_gone, new_may_not) in [(true, false), (false, true), (true, true)] {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        world.put(&firehose, "a", &["1"]).await;
        deliver_until(&firehose, Kill::AfterIntent).await;
        world.update(&firehose, "a", json!({"RoleARN": new})).await;
        world.roles.set_gone(old, old_is_gone);
        if new_may_not {
            world.lake.refuse(new);
        }
        let stream = firehose.inner.registry.all().remove(0);
        let delivered = firehose.inner.deliver(&stream, &world.group().stop()).await;
        if old_is_gone && new_may_not {
            let reason = delivered.unwrap_err().reason();
            assert_eq!(reason, "the object could not be put: arn:aws:iam::1:role/new may not");
            world.roles.set_gone(new, true);
            let failed = firehose.inner.deliver(&stream, &world.group().stop()).await;
            assert_eq!(
                failed.unwrap_err().reason(),
                "the role could not be assumed: firehose.amazonaws.com is unable to perform: sts:AssumeRole on \
                 resource: arn:aws:iam::1:role/new"
            );
            assert_eq!(world.buffered(&firehose, "").await, ["1"]);
        } else {
            delivered.unwrap();
            assert_eq!(world.lake.contents(), ["1"]);
        }
    }
}

#[tokio::test]
async fn a_gzip_object_decodes() {
    let world = World::new();
    let firehose = world.start().await;
    world.create(&firehose, "a", json!({"CompressionFormat": "GZIP"})).await;
    world.put(&firehose, "a", &["abc\n"; 100]).await;
    world.deliver_all(&firehose).await;
    let object = world.lake.objects().remove(0);
    assert!(object.key.ends_with(".gz"), "{}", object.key);
    assert_eq!(object.content_encoding.as_deref(), Some("gzip"));
    let mut decoded = String::new();
    flate2::read::GzDecoder::new(&object.body[..]).read_to_string(&mut decoded).unwrap();
    assert_eq!(decoded, "abc\n".repeat(100));
}

#[tokio::test]
async fn an_update_between_decision_and_intent_is_seen() {
    let world = World::new();
    let firehose = world.start().await;
    world.create(&firehose, "a", json!({"Prefix": "p/"})).await;
    world.put(&firehose, "a", &["1"]).await;
    // Another view of the same stream, which has not heard of the update.
    let stale = world.start().await;
    world.update(&firehose, "a", json!({"Prefix": "q/"})).await;
    let stream = stale.inner.registry.all().remove(0);
    assert_eq!(stale.inner.intend(&stream).await.unwrap(), None);
    let intent = stale.inner.intend(&stream).await.unwrap().unwrap();
    assert!(intent.key.starts_with("q/"), "{}", intent.key);
    // And now one that has not heard of the intent.
    let stream = firehose.inner.registry.all().remove(0);
    assert_eq!(firehose.inner.intend(&stream).await.unwrap(), None);
    assert_eq!(stream.delivering(), Some(intent));
}

#[tokio::test]
async fn catching_up_is_bounded() {
    let world = World::new();
    let firehose = world.start().await;
    world.create(&firehose, "a", json!({})).await;
    let record = Bytes::from(vec![b'x'; limits::RECORD_BYTES_MAX]);
    let stream = firehose.inner.registry.all().remove(0);
    firehose.inner.append(&stream, vec![record; 132]).await.unwrap();
    let intent = firehose.inner.intend(&stream).await.unwrap().unwrap();
    // 131 records of 1,000 KiB are the most that 128 MiB hold.
    assert_eq!((intent.records.first, intent.records.next), (0, 131));
}

#[tokio::test]
async fn a_backlog_is_cut_by_the_hour() {
    let world = World::new();
    let firehose = world.start().await;
    world.create(&firehose, "a", json!({})).await;
    for n in ["1", "2", "3", "4"] {
        world.put(&firehose, "a", &[n]).await;
        world.clock.advance(limits::OBJECT_SPAN.mul_f64(0.6));
    }
    let foretold: Vec<_> = firehose.buffered(&wire::testing::context(), "lake", "").await.unwrap();
    world.deliver_all(&firehose).await;
    assert_eq!(world.lake.contents(), ["12", "34"]);
    let delivered: Vec<_> = world.lake.objects().into_iter().map(|o| (o.key, o.records.unwrap())).collect();
    assert_eq!(foretold.into_iter().map(|run| (run.key, run.range)).collect::<Vec<_>>(), delivered);
}

#[tokio::test]
async fn a_record_that_the_disk_has_lost_holds_up_no_other() {
    // A small log is measured by its bounds, a backlog record by record.
    for backlog in [false, true] {
        for damaged in 0..3 {
            let world = World::new();
            let firehose = world.start().await;
            world
                .create(&firehose, "a", json!({"Prefix": "p/!{timestamp:HH}/", "ErrorOutputPrefix": "e/"}))
                .await;
            world.put(&firehose, "a", &["0", "1", "2"]).await;
            if backlog {
                world.clock.advance(limits::OBJECT_SPAN * 2);
            }
            world.log.damage(Offset(damaged));
            let others: Vec<_> = ["0", "1", "2"].into_iter().filter(|n| *n != damaged.to_string()).collect();
            assert_eq!(world.buffered(&firehose, "p/07/").await, others);
            world.deliver_all(&firehose).await;
            assert_eq!(world.lake.contents(), [others.concat()]);
            let cells = &firehose.inner.registry.all().remove(0).cells;
            assert_eq!((cells.delivered_records.value(), cells.lost_records.value()), (2, 1));
            assert_eq!(world.lake.objects()[0].records.as_ref().unwrap().next, 3);
        }
    }
}

#[tokio::test]
async fn of_lost_records_alone_there_is_no_object() {
    let world = World::new();
    let firehose = world.start().await;
    world.create(&firehose, "a", json!({})).await;
    world.put(&firehose, "a", &["0"]).await;
    world.log.damage(Offset(0));
    assert!(firehose.buffered(&wire::testing::context(), "lake", "").await.unwrap().is_empty());
    world.deliver_all(&firehose).await;
    assert!(world.lake.keys().is_empty());
    let cells = &firehose.inner.registry.all().remove(0).cells;
    assert_eq!((cells.delivered_objects.value(), cells.lost_records.value()), (0, 1));
}

#[tokio::test]
async fn a_stream_deleted_while_a_backlog_is_measured_delivers_nothing() {
    let world = World::new();
    let firehose = world.start().await;
    world.create(&firehose, "a", json!({})).await;
    world.put(&firehose, "a", &["1"]).await;
    world.clock.advance(limits::OBJECT_SPAN * 2);
    let stream = firehose.inner.registry.all().remove(0);
    world.log.trim_before_page(Offset(1));
    assert_eq!(firehose.inner.intend(&stream).await.unwrap(), None);
}
