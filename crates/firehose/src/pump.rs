//! The pump of a stream: waits until a delivery is due, then delivers; waits and tries again when it cannot.
//!
//! ```text
//!   waiting ──bytes ≥ size, or age ≥ interval, or an intent is there──► delivering ──done──► waiting
//!      ▲                                                                   │ failed
//!      └───────────── wait elapsed, or the stream was updated ◄── backing off
//! ```

use std::sync::Arc;

use kernel::{Backoff, Stop, TaskGroup};

use crate::deliver::DeliverError;
use crate::limits;
use crate::registry::Stream;
use crate::service::Inner;
use crate::tasks::PUMP;

/// Starts the pump of a stream, unless it has one.
pub(crate) fn start(inner: &Arc<Inner>, stream: &Arc<Stream>, group: &TaskGroup) {
    if !Inner::claim_pump(stream) {
        return;
    }
    let (inner, stream) = (Arc::clone(inner), Arc::clone(stream));
    group.supervise(&PUMP, inner.entropy.clone(), move |stop| {
        let (inner, stream) = (Arc::clone(&inner), Arc::clone(&stream));
        async move {
            run(&inner, &stream, stop).await;
            Ok(())
        }
    });
}

async fn run(inner: &Arc<Inner>, stream: &Stream, mut stop: Stop) {
    let (first_wait, longest_wait) = limits::RETRY_WAITS;
    let mut backoff = Backoff::new(first_wait, longest_wait);
    let mut failures: u32 = 0;
    let mut reason = String::new();
    loop {
        tokio::select! {
            () = inner.due(stream) => {}
            () = stop.stopped() => return,
        }
        if stream.state().deleted {
            return;
        }
        let Err(error) = inner.deliver(stream, &stop).await else {
            if failures > 0 {
                tracing::info!(stream = %stream.arn, failures, "delivery goes on");
            }
            backoff.reset();
            failures = 0;
            reason.clear();
            continue;
        };
        failures = failures.saturating_add(1);
        // How often, the metric tells; the log tells why, once.
        let found = error.reason();
        if found != reason {
            tracing::warn!(stream = %stream.arn, failures, reason = found, "delivery fails and is tried again");
            reason = found;
        }
        let mut changes = stream.changes();
        tokio::select! {
            () = inner.clock.sleep(backoff.next_wait(&inner.entropy)) => {}
            _ = changes.changed() => backoff.reset(),
            () = stop.stopped() => return,
        }
    }
}

impl Inner {
    /// Completes when there is something for the pump to do: a delivery to make or go on with, or the stream's end.
    pub(crate) async fn due(&self, stream: &Stream) {
        loop {
            let mut changes = stream.changes();
            let state = Arc::clone(&changes.borrow_and_update());
            if state.deleted || stream.delivering().is_some() {
                return;
            }
            // Subscribed before the log is looked at, so that what comes between wakes us.
            let mut readable = self.log.changed(&stream.log);
            readable.borrow_and_update();
            let wait = match self.log.oldest(&stream.log) {
                None => None,
                Some(oldest_at) => {
                    let at = oldest_at + state.target.interval;
                    let full = self.log.bounds(&stream.log).bytes >= state.target.size_bytes;
                    if full || self.clock.now() >= at {
                        return;
                    }
                    Some(self.clock.sleep_until(at))
                }
            };
            let elapsed = async {
                match wait {
                    Some(wait) => wait.await,
                    None => std::future::pending().await,
                }
            };
            let appended = async {
                if readable.changed().await.is_err() {
                    // The log is gone, as the stream will be in a moment.
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = elapsed => {}
                () = appended => {}
                _ = changes.changed() => {}
            }
        }
    }

    /// One delivery, from where it stands. Returns early, without harm, when told to stop or when the stream is deleted.
    pub(crate) async fn deliver(self: &Arc<Self>, stream: &Stream, stop: &Stop) -> Result<(), DeliverError> {
        let intent = match stream.delivering() {
            Some(intent) => intent,
            None => match self.intend(stream).await? {
                Some(intent) => intent,
                None => return Ok(()),
            },
        };
        if stop.is_stopped() || stream.state().deleted {
            return Ok(());
        }
        let outcome = match self.put_object(stream, &intent).await {
            Ok(outcome) => outcome,
            Err(_) if stream.state().deleted => return Ok(()),
            Err(error) => {
                self.after_failure(stream, &intent, &error).await?;
                return Err(error);
            }
        };
        self.conclude(stream, &intent).await?;
        stream.cells.delivered_objects.add(u64::from(outcome.put > 0));
        stream.cells.delivered_records.add(outcome.put);
        if outcome.lost > 0 {
            let (records, key) = (outcome.lost, &intent.key);
            tracing::error!(stream = %stream.arn, records, key, "records were damaged on the disk and are lost");
            stream.cells.lost_records.add(outcome.lost);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::service::Firehose;
    use crate::testing::World;

    const MB: usize = 1024 * 1024;

    /// A world with the stream `a` and its pump.
    async fn pumped(members: Value) -> (World, Firehose, TaskGroup) {
        let world = World::new();
        let firehose = world.start().await;
        let group = world.group();
        firehose.start(&group);
        world.create(&firehose, "a", members).await;
        (world, firehose, group)
    }

    fn hints(size: u32, interval: u32) -> Value {
        json!({"BufferingHints": {"SizeInMBs": size, "IntervalInSeconds": interval}})
    }

    async fn advance_until(world: &World, mut holds: impl FnMut() -> bool) {
        while !holds() {
            world.clock.advance(Duration::from_secs(1));
            world.settle().await;
        }
    }

    #[tokio::test]
    async fn the_interval_of_the_oldest_record_ends_the_wait() {
        let (world, firehose, group) = pumped(hints(1, 60)).await;
        world.put(&firehose, "a", &["1"]).await;
        world.clock.advance(Duration::from_secs(40));
        world.put(&firehose, "a", &["2"]).await;
        world.clock.advance(Duration::from_millis(19_999));
        world.settle().await;
        assert!(world.lake.keys().is_empty());
        world.clock.advance(Duration::from_millis(1));
        world.wait_for(|| !world.lake.keys().is_empty()).await;
        assert_eq!(world.lake.contents(), ["12"]);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn the_size_ends_the_wait_when_it_is_reached_first() {
        let (world, firehose, group) = pumped(hints(1, 900)).await;
        world.put(&firehose, "a", &[&"x".repeat(MB / 2), &"x".repeat(MB / 2 - 1)]).await;
        world.settle().await;
        assert!(world.lake.keys().is_empty());
        world.put(&firehose, "a", &["x"]).await;
        world.wait_for(|| !world.lake.keys().is_empty()).await;
        assert_eq!(world.lake.contents()[0].len(), MB);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn an_interval_of_zero_waits_for_nothing() {
        let (world, firehose, group) = pumped(hints(1, 0)).await;
        world.put(&firehose, "a", &["x"]).await;
        world.wait_for(|| !world.lake.keys().is_empty()).await;
        group.shutdown().await;
    }

    #[tokio::test]
    async fn new_hints_hold_at_once() {
        let (world, firehose, group) = pumped(hints(1, 900)).await;
        world.put(&firehose, "a", &["x"]).await;
        world.clock.advance(Duration::from_secs(61));
        world.settle().await;
        assert!(world.lake.keys().is_empty());
        world.update(&firehose, "a", hints(1, 60)).await;
        world.wait_for(|| !world.lake.keys().is_empty()).await;
        group.shutdown().await;
    }

    #[tokio::test]
    async fn stopping_flushes_nothing_and_the_next_start_goes_on() {
        let (world, firehose, group) = pumped(hints(1, 60)).await;
        world.put(&firehose, "a", &["x"]).await;
        group.shutdown().await;
        assert!(world.lake.keys().is_empty());
        world.clock.advance(Duration::from_secs(60));
        let (firehose, group) = (world.start().await, world.group());
        firehose.start(&group);
        world.wait_for(|| !world.lake.keys().is_empty()).await;
        group.shutdown().await;
    }

    #[tokio::test]
    async fn an_outage_is_waited_out_and_nothing_is_delivered_twice() {
        let (world, firehose, group) = pumped(hints(1, 60)).await;
        let cells = firehose.inner.registry.all().remove(0);
        world.lake.set_outage(true);
        world.put(&firehose, "a", &["1"]).await;
        advance_until(&world, || cells.cells.failed_attempts.value() > 3).await;
        let request = json!({"DeliveryStreamName": "a"});
        let described = world.call(&firehose, "DescribeDeliveryStream", request).await.unwrap();
        assert_eq!(described["DeliveryStreamDescription"]["DeliveryStreamStatus"], "ACTIVE");
        world.lake.set_outage(false);
        advance_until(&world, || !world.lake.keys().is_empty()).await;
        world.put(&firehose, "a", &["2"]).await;
        advance_until(&world, || world.lake.keys().len() == 2).await;
        assert_eq!(world.lake.contents(), ["1", "2"]);
        assert_eq!(cells.cells.delivered_records.value(), 2);
        assert_eq!(cells.cells.delivered_objects.value(), 2);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn without_its_role_a_stream_keeps_its_records_and_delivers_them_once_it_has_it_again() {
        let role = "arn:aws:iam::1234567890:role/firehose_delivery_role";
        let (world, firehose, group) = pumped(hints(1, 60)).await;
        let stream = firehose.inner.registry.all().remove(0);
        world.roles.set_gone(role, true);
        world.put(&firehose, "a", &["1"]).await;
        advance_until(&world, || stream.cells.failed_attempts.value() > 3).await;
        world.put(&firehose, "a", &["2"]).await;
        assert_eq!(world.buffered(&firehose, "").await, ["1", "2"]);
        assert!(world.lake.keys().is_empty());
        world.roles.set_gone(role, false);
        advance_until(&world, || world.lake.keys().len() == 2).await;
        assert_eq!(world.lake.contents(), ["1", "2"]);
        assert_eq!(stream.cells.delivered_records.value(), 2);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn after_a_day_of_failures_records_are_dropped_and_counted() {
        let (world, firehose, group) = pumped(hints(1, 60)).await;
        let stream = firehose.inner.registry.all().remove(0);
        world.lake.set_outage(true);
        world.put(&firehose, "a", &["1", "2"]).await;
        advance_until(&world, || stream.cells.failed_attempts.value() > 0).await;
        world.clock.advance(limits::RETENTION);
        world.wait_for(|| stream.cells.dropped_records.value() == 2).await;
        world.lake.set_outage(false);
        world.put(&firehose, "a", &["3"]).await;
        advance_until(&world, || !world.lake.keys().is_empty()).await;
        assert_eq!(world.lake.contents(), ["3"]);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn a_day_after_an_outage_began_what_is_younger_is_kept() {
        let (world, firehose, group) = pumped(hints(1, 60)).await;
        let stream = firehose.inner.registry.all().remove(0);
        world.lake.set_outage(true);
        for n in ["1", "2", "3"] {
            world.put(&firehose, "a", &[n]).await;
            advance_until(&world, || stream.delivering().is_some()).await;
            world.clock.advance(limits::RETENTION / 3);
            world.settle().await;
        }
        for dropped in 1..=2 {
            advance_until(&world, || stream.cells.dropped_records.value() == dropped).await;
            // The next is tried, and is not a day old.
            let failed = stream.cells.failed_attempts.value();
            advance_until(&world, || stream.cells.failed_attempts.value() > failed + 2).await;
            assert_eq!(stream.cells.dropped_records.value(), dropped);
            if dropped == 1 {
                world.clock.advance(limits::RETENTION / 3);
            }
        }
        world.lake.set_outage(false);
        advance_until(&world, || !world.lake.keys().is_empty()).await;
        assert_eq!(world.lake.contents(), ["3"]);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn a_bucket_that_is_not_there_can_be_replaced() {
        let members = json!({"BucketARN": "arn:aws:s3:::typo",
                             "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60}});
        let (world, firehose, group) = pumped(members).await;
        let stream = firehose.inner.registry.all().remove(0);
        world.put(&firehose, "a", &["1"]).await;
        advance_until(&world, || stream.cells.failed_attempts.value() > 1).await;
        world.update(&firehose, "a", json!({"BucketARN": "arn:aws:s3:::lake"})).await;
        advance_until(&world, || !world.lake.keys().is_empty()).await;
        assert_eq!(world.lake.contents(), ["1"]);
        group.shutdown().await;
    }

    #[tokio::test]
    async fn a_stream_may_be_deleted_while_its_delivery_fails() {
        let (world, firehose, group) = pumped(hints(1, 60)).await;
        let stream = firehose.inner.registry.all().remove(0);
        world.lake.set_outage(true);
        world.put(&firehose, "a", &["1"]).await;
        advance_until(&world, || stream.cells.failed_attempts.value() > 1).await;
        world.call(&firehose, "DeleteDeliveryStream", json!({"DeliveryStreamName": "a"})).await.unwrap();
        world.wait_for(|| !group.running().iter().any(|task| task.ends_with("firehose-pump"))).await;
        world.lake.set_outage(false);
        group.shutdown().await;
        assert!(world.lake.keys().is_empty());
        let firehose = world.start().await;
        world.deliver_all(&firehose).await;
        assert!(world.lake.keys().is_empty());
    }

    #[tokio::test]
    async fn gauges_tell_what_is_buffered() {
        let (world, firehose, group) = pumped(hints(1, 60)).await;
        world.put(&firehose, "a", &["abc", "d"]).await;
        let gauge = |name: &str| {
            let gauges = firehose.inner.metrics.gauges();
            gauges.iter().find(|sample| sample.metric.name == name).map_or(0, |sample| sample.value)
        };
        world.settle().await;
        world.clock.advance(Duration::from_secs(2));
        world.wait_for(|| gauge("firehose_oldest_age_ms") == 2_000).await;
        assert_eq!((gauge("firehose_buffered_records"), gauge("firehose_buffered_bytes")), (2, 4));
        group.shutdown().await;
    }
}
