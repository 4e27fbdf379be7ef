//! A record is visible when it is acknowledged, in the buffer as in the object, and never twice.

use std::time::Duration;

use serde_json::json;

use crate::lake::{self, BUCKET, counts, deliver, lake, numbered, once, seen, stored};

#[tokio::test]
async fn an_acknowledged_message_is_visible_before_its_object_is_written() {
    let sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    for n in 0..5 {
        device.publish("in/a", numbered(n)).await;
        assert_eq!(seen(&sandbox).await, once(0..=n));
    }
    assert_eq!(sandbox.keys(BUCKET, "").await, [""; 0], "nothing is delivered yet");
}

#[tokio::test]
async fn it_is_delivered_after_its_interval_and_still_seen_once() {
    let sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    for n in 0..5 {
        device.publish("in/a", numbered(n)).await;
    }
    sandbox.advance(lake::INTERVAL - Duration::from_secs(1));
    assert_eq!(seen(&sandbox).await, once(0..5));
    assert_eq!(sandbox.keys(BUCKET, "").await, [""; 0], "it is not time");
    sandbox.advance(Duration::from_secs(1));
    sandbox.until("it is delivered", async || lake::delivered(&sandbox)).await;
    assert_eq!(sandbox.keys(BUCKET, "").await.len(), 1);
    assert_eq!(stored(&sandbox).await, once(0..5));
    assert_eq!(seen(&sandbox).await, once(0..5));
}

#[tokio::test]
async fn what_is_delivered_and_what_is_not_are_read_as_one() {
    let sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    for round in 0..4 {
        for n in 0..10 {
            device.publish("in/a", numbered(round * 10 + n)).await;
        }
        assert_eq!(seen(&sandbox).await, once(0..(round + 1) * 10));
        if round < 3 {
            deliver(&sandbox).await;
            assert_eq!(seen(&sandbox).await, once(0..(round + 1) * 10));
        }
    }
    assert_eq!(sandbox.keys(BUCKET, "").await.len(), 3);
}

#[tokio::test]
async fn a_query_during_a_delivery_sees_everything_once() {
    let sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    let mut sent = 0;
    for _ in 0..10 {
        for _ in 0..20 {
            device.publish("in/a", numbered(sent)).await;
            sent += 1;
        }
        // Delivery begins now and runs beside the query.
        sandbox.advance(lake::INTERVAL);
        assert_eq!(seen(&sandbox).await, once(0..sent));
    }
    sandbox.until("all of it is delivered", async || lake::delivered(&sandbox)).await;
    assert_eq!(stored(&sandbox).await, once(0..sent));
}

#[tokio::test]
async fn a_stream_that_compresses_is_read_alike() {
    let sandbox = lake().await;
    lake::stream(&sandbox, "packed", &json!({"CompressionFormat": "GZIP"})).await;
    lake::rule(&sandbox, "packed", "SELECT * FROM 'packed/#'", &json!([lake::to_stream("packed")])).await;
    lake::table(&sandbox, "packed", "n int").await;
    let mut device = sandbox.device("d").await;
    for n in 0..100 {
        device.publish("packed/a", numbered(n)).await;
    }
    let select = "SELECT n FROM packed";
    assert_eq!(counts(&sandbox.sql(select).await), once(0..100), "from the buffer");
    deliver(&sandbox).await;
    let keys = sandbox.keys(BUCKET, "packed/").await;
    assert_eq!(keys.len(), 1);
    assert!(keys[0].ends_with(".gz"), "{keys:?}");
    assert!(sandbox.object(BUCKET, &keys[0]).await.starts_with(&[0x1f, 0x8b]), "it is gzip");
    assert_eq!(counts(&sandbox.sql(select).await), once(0..100), "from the object");
}

#[tokio::test]
async fn size_delivers_before_time_does() {
    let sandbox = lake().await;
    let hints = json!({"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 900}});
    lake::stream(&sandbox, "large", &hints).await;
    lake::rule(&sandbox, "large", "SELECT * FROM 'large/#'", &json!([lake::to_stream("large")])).await;
    let mut device = sandbox.device("d").await;
    let padding = "x".repeat(100_000);
    for n in 0..12 {
        device.publish("large/a", json!({"n": n, "padding": padding}).to_string()).await;
    }
    sandbox.until("a mebibyte is delivered", async || !sandbox.keys(BUCKET, "large/").await.is_empty()).await;
}

#[tokio::test]
async fn ten_thousand_messages_are_there_once_each() {
    let sandbox = lake().await;
    lake::publish_all(&sandbox, 0..10_000).await;
    let totals = "SELECT count(*), count(DISTINCT n), min(n), max(n) FROM numbers";
    let expected = [["10000", "10000", "0", "9999"]];
    assert_eq!(sandbox.sql(totals).await.values(), expected);
    deliver(&sandbox).await;
    assert_eq!(sandbox.sql(totals).await.values(), expected);
    assert_eq!(stored(&sandbox).await, once(0..10_000));
}

#[tokio::test]
async fn a_deleted_stream_takes_what_it_held_with_it_and_leaves_what_it_delivered() {
    let sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    device.publish("in/a", numbered(0)).await;
    deliver(&sandbox).await;
    device.publish("in/a", numbered(1)).await;
    assert_eq!(seen(&sandbox).await, once(0..2));
    let input = json!({"DeliveryStreamName": "numbers"});
    sandbox.api().json("firehose", "DeleteDeliveryStream", &input).await.expect("it is deleted");
    assert_eq!(seen(&sandbox).await, once(0..1));
}

#[tokio::test]
async fn another_tables_prefix_holds_nothing_of_this_one() {
    let sandbox = lake().await;
    lake::stream(&sandbox, "numbers2", &json!({})).await;
    lake::rule(&sandbox, "other", "SELECT * FROM 'other/#'", &json!([lake::to_stream("numbers2")])).await;
    let mut device = sandbox.device("d").await;
    device.publish("in/a", numbered(1)).await;
    device.publish("other/a", numbered(2)).await;
    assert_eq!(seen(&sandbox).await, once([1]));
    deliver(&sandbox).await;
    assert_eq!(seen(&sandbox).await, once([1]));
}
