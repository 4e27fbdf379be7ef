//! The node dies at every write there is between a message and its object; what was acknowledged is there once, always.

use futures::future::{self, Either};
use mqtt::{Qos, ReasonCode, Retain};
use testkit::{Device, Halt, Sandbox, Setup, Write};

use crate::lake::{self, BUCKET, INTERVAL, deliver, lake, numbered, once, seen, stored};

#[tokio::test]
async fn what_is_buffered_survives_a_crash() {
    let mut sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    for n in 0..5 {
        device.publish("in/a", numbered(n)).await;
    }
    sandbox.crash().await;
    assert_eq!(seen(&sandbox).await, once(0..5));
    let mut device = sandbox.device("d").await;
    device.publish("in/a", numbered(5)).await;
    assert_eq!(seen(&sandbox).await, once(0..6));
    deliver(&sandbox).await;
    assert_eq!(stored(&sandbox).await, once(0..6));
    assert_eq!(seen(&sandbox).await, once(0..6));
}

#[tokio::test]
async fn what_is_delivered_survives_a_crash() {
    let mut sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    for n in 0..5 {
        device.publish("in/a", numbered(n)).await;
    }
    deliver(&sandbox).await;
    sandbox.crash().await;
    assert_eq!(seen(&sandbox).await, once(0..5));
    deliver(&sandbox).await;
    assert_eq!(stored(&sandbox).await, once(0..5));
}

#[tokio::test]
async fn the_interval_goes_on_over_a_crash() {
    let mut sandbox = lake().await;
    sandbox.device("d").await.publish("in/a", numbered(0)).await;
    sandbox.kill().await;
    sandbox.advance(INTERVAL);
    sandbox.start().await;
    sandbox.until("it is due and delivered", async || lake::delivered(&sandbox)).await;
    assert_eq!(seen(&sandbox).await, once([0]));
}

#[tokio::test]
async fn an_ordered_end_loses_nothing_either() {
    let mut sandbox = lake().await;
    let mut device = sandbox.device("d").await;
    for n in 0..5 {
        device.publish("in/a", numbered(n)).await;
    }
    sandbox.restart().await;
    assert_eq!(seen(&sandbox).await, once(0..5));
    sandbox.restart().await;
    deliver(&sandbox).await;
    sandbox.restart().await;
    assert_eq!(seen(&sandbox).await, once(0..5));
    assert_eq!(stored(&sandbox).await, once(0..5));
}

/// A delivery that stands still before this write: its records are seen once, then and after a crash.
async fn a_delivery_that_stands_still(write: Write, objects: usize) {
    let halt = Halt::default();
    let usual = lake::setup();
    let stores = halt.stores(usual.stores.clone());
    let mut sandbox = Sandbox::with(Setup { stores, ..usual }).await;
    lake::build(&sandbox).await;
    let mut device = sandbox.device("d").await;
    for n in 0..3 {
        device.publish("in/a", numbered(n)).await;
    }
    halt.before(write);
    sandbox.advance(INTERVAL);
    halt.reached().await;
    assert_eq!(sandbox.keys(BUCKET, "").await.len(), objects, "before {write:?}");
    assert!(!lake::delivered(&sandbox), "before {write:?}");
    for n in 3..6 {
        device.publish("in/a", numbered(n)).await;
        if write == Write::Trim {
            assert_eq!(seen(&sandbox).await, once(0..=n), "before {write:?}");
        }
    }
    sandbox.kill().await;
    halt.lift();
    sandbox.start().await;
    assert_eq!(seen(&sandbox).await, once(0..6), "after {write:?}");
    deliver(&sandbox).await;
    assert_eq!(stored(&sandbox).await, once(0..6), "after {write:?}");
    assert_eq!(seen(&sandbox).await, once(0..6), "after {write:?}");
}

#[tokio::test]
async fn a_record_that_is_in_its_object_and_still_in_the_buffer_is_seen_once() {
    a_delivery_that_stands_still(Write::Trim, 1).await;
}

#[tokio::test]
async fn a_record_whose_object_is_decided_and_not_there_is_seen_once() {
    // The result of a query is an object as well, so there is no asking meanwhile.
    a_delivery_that_stands_still(Write::Put, 0).await;
}

/// Publishes without waiting and returns how many of them were acknowledged before time ended.
async fn publish_until(halt: &Halt, device: &mut Device, numbers: std::ops::Range<u64>) -> Vec<u64> {
    let tokens: Vec<(u64, u64)> =
        numbers.map(|n| (n, device.request("in/a", numbered(n), Qos::AtLeastOnce, Retain::No))).collect();
    let mut acknowledged = Vec::new();
    for (n, token) in tokens {
        let reached = std::pin::pin!(halt.reached());
        let published = std::pin::pin!(device.published(token));
        match future::select(published, reached).await {
            Either::Left((Ok(ReasonCode::Success), _)) => acknowledged.push(n),
            Either::Left((answer, _)) => panic!("{n}: {answer:?}"),
            Either::Right(_) => break,
        }
    }
    acknowledged
}

/// Three messages, a delivery, three more, another delivery; dies at `point`. Whether there is such a point.
async fn dies_at(point: u64) -> bool {
    let halt = Halt::default();
    let usual = lake::setup();
    let stores = halt.stores(usual.stores.clone());
    let mut sandbox = Sandbox::with(Setup { stores, ..usual }).await;
    lake::build(&sandbox).await;
    let mut device = sandbox.device("d").await;
    halt.at(point);
    let mut acknowledged = Vec::new();
    for round in 0..2 {
        acknowledged.extend(publish_until(&halt, &mut device, round * 3..round * 3 + 3).await);
        if !halt.halted() {
            sandbox.advance(INTERVAL);
            sandbox.until("a delivery or the end", async || halt.halted() || lake::delivered(&sandbox)).await;
        }
    }
    let reached = halt.halted();
    sandbox.kill().await;
    halt.lift();
    // What the crash left is looked at before the node has tidied it up.
    halt.before(Write::Trim);
    sandbox.start().await;
    check(&sandbox, point, &acknowledged, "as it was left").await;
    sandbox.kill().await;
    halt.lift();
    sandbox.start().await;
    check(&sandbox, point, &acknowledged, "after the crash").await;
    let mut device = sandbox.device("d").await;
    device.publish("in/a", numbered(100)).await;
    acknowledged.push(100);
    check(&sandbox, point, &acknowledged, "when it goes on").await;
    deliver(&sandbox).await;
    check(&sandbox, point, &acknowledged, "when all is delivered").await;
    let visible = seen(&sandbox).await;
    assert_eq!(stored(&sandbox).await, visible, "point {point}: objects and SQL");
    assert!(sandbox.keys(BUCKET, "").await.len() <= 3, "point {point}");
    reached
}

/// What was acknowledged is visible once; what was not, at most once.
async fn check(sandbox: &Sandbox, point: u64, acknowledged: &[u64], when: &str) {
    let visible = seen(sandbox).await;
    for n in acknowledged {
        assert_eq!(visible.get(n), Some(&1), "point {point}, {when}: {n} of {acknowledged:?} in {visible:?}");
    }
    assert!(visible.values().all(|times| *times == 1), "point {point}, {when}: {visible:?}");
}

/// Every fourth point from `first` on, until there are no more.
async fn dies_at_every_fourth_point_from(first: u64) {
    let mut point = first;
    while dies_at(point).await {
        point += 4;
        assert!(point < 1000, "the flow has an end");
    }
    assert!(point >= 8, "a message and a delivery are more than {point} writes");
}

// Four tests, so that they run beside each other.

#[tokio::test]
async fn dying_at_any_write_loses_and_doubles_nothing_0() {
    dies_at_every_fourth_point_from(0).await;
}

#[tokio::test]
async fn dying_at_any_write_loses_and_doubles_nothing_1() {
    dies_at_every_fourth_point_from(1).await;
}

#[tokio::test]
async fn dying_at_any_write_loses_and_doubles_nothing_2() {
    dies_at_every_fourth_point_from(2).await;
}

#[tokio::test]
async fn dying_at_any_write_loses_and_doubles_nothing_3() {
    dies_at_every_fourth_point_from(3).await;
}
