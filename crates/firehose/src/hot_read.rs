//! The hot read: records that are acknowledged and not yet in an object, as SQL sees them.
//!
//! A reader takes these first and lists objects second ([`ports::RecordRange`]). A record is either untrimmed when it is read
//! here, or was in an object before it was trimmed and so is in the listing; where it is both, the ranges tell. What a
//! delivery under way holds has the key of its intent; the rest has the key that its own oldest record gives it.
//!
//! A page of records that is trimmed while pages are read leaves a hole, which is in the listing: runs do not span it. Nor do they span
//! a record that the disk has lost; what follows that is in the same object all the same.
//!
//! Differs from AWS: there is no such thing there; a record is visible when its object is.

use kernel::{Context, ErrorKind, Timestamp};
use ports::{Buffered, BufferedRecords, PortError, PortFuture, RecordRange};
use store::log::Bounds;
use store::{Offset, Record};

use crate::delivery::{DeliveryIntent, Extent};
use crate::error::Error;
use crate::limits;
use crate::registry::{State, Stream};
use crate::service::{Firehose, Inner};

impl Buffered for Firehose {
    fn buffered<'a>(
        &'a self,
        cx: &'a Context,
        bucket: &'a str,
        prefix: &'a str,
    ) -> PortFuture<'a, Vec<BufferedRecords>> {
        Box::pin(async move {
            let mut found = Vec::new();
            let mut bytes_left = limits::HOT_READ_BYTES_MAX;
            for stream in self.inner.registry.of_account(&cx.account) {
                let view = View::of(&stream);
                if view.deleted() || !view.may_be_under(bucket, prefix) {
                    continue;
                }
                let held = self.inner.log.bounds(&stream.log);
                if held.first == held.next || !self.inner.may_hold(&view, held, bucket, prefix).await? {
                    continue;
                }
                found.extend(self.inner.runs(&view, held.next, (bucket, prefix), &mut bytes_left).await?);
            }
            found.sort_by_key(|(at, _)| *at);
            Ok(found.into_iter().map(|(_, run)| run).collect())
        })
    }
}

fn too_much(bucket: &str, prefix: &str) -> PortError {
    let max = limits::HOT_READ_BYTES_MAX / (1024 * 1024);
    let sentence =
        format!("More than {max} MiB are buffered for s3://{bucket}/{prefix}; delivery is behind.");
    PortError::new(ErrorKind::Unavailable, "ServiceUnavailableException", sentence)
}

/// A stream at one moment: no intent was written between the two, so records that have none will go where the state says.
struct View<'a> {
    stream: &'a Stream,
    intent: Option<std::sync::Arc<DeliveryIntent>>,
    state: std::sync::Arc<State>,
}

impl<'a> View<'a> {
    fn of(stream: &'a Stream) -> Self {
        let mut intent = stream.delivering();
        loop {
            let state = stream.state();
            let again = stream.delivering();
            if intent == again {
                return Self { stream, intent, state };
            }
            intent = again;
        }
    }

    fn deleted(&self) -> bool {
        self.state.deleted
    }

    /// Whether what is buffered can have a key under `prefix` in `bucket`, whenever it arrived.
    fn may_be_under(&self, bucket: &str, prefix: &str) -> bool {
        let target = &self.state.target;
        (target.bucket == bucket && target.key.may_be_under(prefix))
            || self.intent.as_ref().is_some_and(|i| i.bucket == bucket && i.key.starts_with(prefix))
    }

    /// The key of the object that begins with this record, if it is in `bucket` under `prefix`.
    fn key(&self, first: &Record, bucket: &str, prefix: &str) -> Option<String> {
        let (own_bucket, key) = match self.intent.as_deref().filter(|i| first.offset.0 < i.records.next) {
            Some(intent) => (&intent.bucket, intent.key.clone()),
            None => {
                let target = &self.state.target;
                (&target.bucket, target.key.key(&self.stream.log, first.offset, first.appended_at))
            }
        };
        (own_bucket == bucket && key.starts_with(prefix)).then_some(key)
    }

    /// Whether a new run begins with a record at `offset`: where the delivery under way ends.
    fn begins_run(&self, offset: Offset) -> bool {
        self.intent.as_ref().is_some_and(|intent| intent.records.next == offset.0)
    }
}

impl Inner {
    /// Whether any run may be under `prefix`: known by the oldest record of each when there are no more than the delivery
    /// under way and one object to come, so that a query of other partitions reads nothing.
    async fn may_hold(
        &self,
        view: &View<'_>,
        held: Bounds,
        bucket: &str,
        prefix: &str,
    ) -> Result<bool, PortError> {
        let oldest_at = self.log.oldest(&view.stream.log);
        if oldest_at.is_some_and(|oldest_at| !Extent::is_one(held.bytes, oldest_at, self.clock.now())) {
            return Ok(true);
        }
        let rest = view.intent.as_ref().map_or(0, |intent| intent.records.next);
        for from in [0, rest] {
            let first = self.page(view.stream, Offset(from), 1).await.map_err(failed)?;
            if first.records.first().is_some_and(|record| view.key(record, bucket, prefix).is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Every run of records before `end` that is under `prefix`, with the arrival of its oldest.
    async fn runs(
        &self,
        view: &View<'_>,
        end: Offset,
        (bucket, prefix): (&str, &str),
        bytes_left: &mut u64,
    ) -> Result<Vec<(Timestamp, BufferedRecords)>, PortError> {
        let mut runs: Vec<(Timestamp, BufferedRecords)> = Vec::new();
        // The offset at which the last object goes on, how far it reaches, and its key if it is wanted.
        let mut next = Offset(0);
        let mut extent: Option<Extent> = None;
        let mut key = None;
        while next < end {
            let page = self.page(view.stream, next, limits::READ_BYTES).await.map_err(failed)?;
            if page.records.first().is_none_or(|record| record.offset >= end) {
                break;
            }
            let mut interrupted = page.damaged > 0;
            next = Offset(next.0 + page.damaged);
            for record in page.records.into_iter().take_while(|record| record.offset < end) {
                let follows = record.offset == next && !view.begins_run(record.offset);
                let goes_on = follows && extent.as_mut().is_some_and(|extent| extent.takes(&record));
                if !goes_on {
                    extent = Some(Extent::of(&record));
                    key = view.key(&record, bucket, prefix);
                }
                if let Some(key) = key.as_ref().filter(|_| !goes_on || interrupted) {
                    let (log, first) = (view.stream.log.to_string(), record.offset.0);
                    let range = RecordRange { log, first, next: first };
                    let (records, key) = (Vec::new(), key.clone());
                    runs.push((record.appended_at, BufferedRecords { range, records, key }));
                }
                interrupted = false;
                next = Offset(record.offset.0 + 1);
                if let Some((_, run)) = runs.last_mut().filter(|_| key.is_some()) {
                    let bytes = record.payload.len() as u64;
                    *bytes_left = bytes_left.checked_sub(bytes).ok_or_else(|| too_much(bucket, prefix))?;
                    run.range.next = next.0;
                    run.records.push(record.payload);
                }
            }
        }
        Ok(runs)
    }
}

fn failed(error: store::LogError) -> PortError {
    PortError::from_service(Error::from(error))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{AccountId, Clock, Region};
    use ports::Objects;
    use proptest::prelude::*;
    use serde_json::json;
    use wire::testing::context;

    use super::*;
    use crate::testing::{World, text};

    async fn runs(firehose: &Firehose, prefix: &str) -> Vec<(String, Vec<String>)> {
        let runs = firehose.buffered(&context(), "lake", prefix).await.unwrap();
        runs.into_iter().map(|run| (run.key, run.records.iter().map(|r| text(r)).collect())).collect()
    }

    #[tokio::test]
    async fn a_run_has_the_key_that_its_object_will_have() {
        let world = World::new();
        let firehose = world.start().await;
        world
            .create(
                &firehose,
                "a",
                json!({"Prefix": "p/!{timestamp:HH}/!{firehose:random-string}/",
                                             "ErrorOutputPrefix": "e/"}),
            )
            .await;
        world.put(&firehose, "a", &["1"]).await;
        // The next hour: the one object to come is of the hour of its oldest record.
        world.clock.advance(Duration::from_secs(3600));
        world.put(&firehose, "a", &["2"]).await;
        let found = runs(&firehose, "p/07/").await;
        assert_eq!(found[0].1, ["1", "2"]);
        assert!(runs(&firehose, "p/08/").await.is_empty());
        world.deliver_all(&firehose).await;
        assert_eq!(world.lake.keys(), [format!("lake/{}", found[0].0)]);
        assert!(runs(&firehose, "").await.is_empty());
    }

    #[tokio::test]
    async fn a_delivery_under_way_and_the_rest_are_two_runs() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({"Prefix": "p/"})).await;
        world.put(&firehose, "a", &["1", "2"]).await;
        let stream = firehose.inner.registry.all().remove(0);
        let intent = firehose.inner.intend(&stream).await.unwrap().unwrap();
        world.update(&firehose, "a", json!({"Prefix": "q/"})).await;
        world.clock.advance(Duration::from_secs(3600));
        world.put(&firehose, "a", &["3"]).await;

        let both = firehose.buffered(&context(), "lake", "").await.unwrap();
        let ranges: Vec<_> = both.iter().map(|run| (run.range.first, run.range.next)).collect();
        assert_eq!(ranges, [(0, 2), (2, 3)]);
        assert_eq!((&both[0].range, &both[0].key), (&intent.records, &intent.key));
        assert!(both[1].key.starts_with("q/2017/08/26/08/a-2-"), "{}", both[1].key);
        assert_eq!(world.buffered(&firehose, "p/").await, ["1", "2"]);
        assert_eq!(world.buffered(&firehose, "q/2017/08/26/08/").await, ["3"]);
        assert!(world.buffered(&firehose, "q/2017/08/26/07/").await.is_empty());

        let firehose = world.start().await;
        assert_eq!(world.buffered(&firehose, "p/").await, ["1", "2"], "after a crash too");
        assert_eq!(world.buffered(&firehose, "q/").await, ["3"]);
    }

    #[tokio::test]
    async fn streams_of_all_regions_are_read_and_of_one_account_and_bucket_only() {
        let world = World::new();
        let firehose = world.start().await;
        let elsewhere: Region = "eu-west-1".parse().unwrap();
        world.create(&firehose, "a", json!({})).await;
        world.create(&firehose, "b", json!({"BucketARN": "arn:aws:s3:::other"})).await;
        let request = json!({"DeliveryStreamName": "c", "S3DestinationConfiguration":
            {"RoleARN": "arn:aws:iam::1:role/r", "BucketARN": "arn:aws:s3:::lake"}});
        world.call_in(&firehose, &elsewhere, "CreateDeliveryStream", request).await.unwrap();
        let there = Context { region: elsewhere, ..context() };
        ports::PutRecords::put_records(&firehose, &there, ports::PutAs::Record, "c", vec!["c".into()])
            .await
            .unwrap();
        world.clock.advance(Duration::from_secs(1));
        world.put(&firehose, "a", &["a"]).await;
        world.put(&firehose, "b", &["b"]).await;
        assert_eq!(world.buffered(&firehose, "").await, ["c", "a"], "oldest first");
        let stranger: AccountId = "111111111111".parse().unwrap();
        let cx = Context { account: stranger, ..context() };
        assert!(firehose.buffered(&cx, "lake", "").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn more_than_one_page_is_one_run_and_reads_share_their_bytes() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let record = bytes::Bytes::from(vec![b'x'; 1_000_000]);
        let stream = firehose.inner.registry.all().remove(0);
        firehose.inner.append(&stream, vec![record.clone(); 10]).await.unwrap();
        let runs = firehose.buffered(&context(), "lake", "").await.unwrap();
        assert_eq!((runs.len(), runs[0].records.len()), (1, 10));
        assert_eq!((runs[0].range.first, runs[0].range.next), (0, 10));
        assert_eq!(runs[0].records[9].as_ptr(), record.as_ptr());
    }

    #[tokio::test]
    async fn a_delivery_that_ends_between_two_pages_leaves_a_hole_that_no_run_spans() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let record = bytes::Bytes::from(vec![b'x'; 1_000_000]);
        let stream = firehose.inner.registry.all().remove(0);
        firehose.inner.append(&stream, vec![record; 10]).await.unwrap();
        for (trim, expect) in [(6, vec![(0, 4), (6, 10)]), (10, vec![(6, 10)])] {
            world.log.trim_after_page(Offset(trim));
            let runs = firehose.buffered(&context(), "lake", "").await.unwrap();
            let ranges: Vec<_> = runs.iter().map(|run| (run.range.first, run.range.next)).collect();
            assert_eq!(ranges, expect);
            assert!(runs.iter().all(|run| run.records.len() as u64 == run.range.next - run.range.first));
        }
    }

    #[tokio::test]
    async fn what_is_more_than_one_object_is_more_than_one_run() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let record = bytes::Bytes::from(vec![b'x'; limits::RECORD_BYTES_MAX]);
        let stream = firehose.inner.registry.all().remove(0);
        firehose.inner.append(&stream, vec![record.clone(); 132]).await.unwrap();
        let runs = firehose.buffered(&context(), "lake", "").await.unwrap();
        let ranges: Vec<_> = runs.iter().map(|run| (run.range.first, run.range.next)).collect();
        assert_eq!(ranges, [(0, 131), (131, 132)]);
        let intent = firehose.inner.intend(&stream).await.unwrap().unwrap();
        assert_eq!((&runs[0].key, &runs[0].range), (&intent.key, &intent.records));

        firehose.inner.append(&stream, vec![record; 400]).await.unwrap();
        let runs = firehose.buffered(&context(), "lake", "p").await.unwrap();
        assert!(runs.is_empty(), "what is not under the prefix does not count");
        let error = firehose.buffered(&context(), "lake", "").await.unwrap_err();
        assert_eq!(error.message, "More than 512 MiB are buffered for s3://lake/; delivery is behind.");
    }

    #[tokio::test]
    async fn a_backlog_of_hours_is_seen_by_each_hour() {
        let world = World::new();
        let firehose = world.start().await;
        let members = json!({"Prefix": "p/hour=!{timestamp:HH}/", "ErrorOutputPrefix": "e/"});
        world.create(&firehose, "a", members).await;
        for n in ["1", "2", "3"] {
            world.put(&firehose, "a", &[n]).await;
            world.clock.advance(Duration::from_secs(2 * 3600));
        }
        for (prefix, expect) in [("p/hour=07/", "1"), ("p/hour=09/", "2"), ("p/hour=11/", "3")] {
            assert_eq!(world.buffered(&firehose, prefix).await, [expect], "{prefix}");
        }
        assert_eq!(world.buffered(&firehose, "p").await, ["1", "2", "3"]);
        assert!(world.buffered(&firehose, "p/hour=08/").await.is_empty());
        assert!(world.buffered(&firehose, "q/").await.is_empty());
    }

    #[derive(Clone, Debug)]
    enum Event {
        Put(usize),
        Intend,
        PutObject,
        Conclude,
        Crash,
        Update(bool),
        Hour,
        ReadBuffered,
        ReadObjects,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (1_usize..4).prop_map(Event::Put),
            3 => Just(Event::Intend),
            3 => Just(Event::PutObject),
            3 => Just(Event::Conclude),
            1 => Just(Event::Crash),
            1 => any::<bool>().prop_map(Event::Update),
            1 => Just(Event::Hour),
            3 => Just(Event::ReadBuffered),
            3 => Just(Event::ReadObjects),
        ]
    }

    /// Puts, steps of delivery, crashes and the two halves of a read in any order: every record that was acknowledged before
    /// the read began is seen exactly once, and none twice.
    async fn run(events: Vec<Event>) {
        let world = World::new();
        let mut firehose = world.start().await;
        world.create(&firehose, "a", json!({"Prefix": "p/q/"})).await;
        let mut acknowledged = 0;
        let mut object_put = false;
        let mut first_half: Option<(usize, Vec<BufferedRecords>)> = None;
        for event in events.into_iter().chain([Event::ReadBuffered, Event::ReadObjects]) {
            let stream = firehose.inner.registry.all().remove(0);
            let delivering = stream.delivering();
            match event {
                Event::Put(count) => {
                    let records: Vec<_> =
                        (acknowledged..acknowledged + count).map(|n| format!("{n}\n")).collect();
                    let records: Vec<_> = records.iter().map(String::as_str).collect();
                    world.put(&firehose, "a", &records).await;
                    acknowledged += count;
                }
                Event::Intend if delivering.is_none() => {
                    firehose.inner.intend(&stream).await.unwrap();
                    object_put = false;
                }
                Event::PutObject => {
                    if let Some(intent) = delivering {
                        firehose.inner.put_object(&stream, &intent).await.unwrap();
                        object_put = true;
                    }
                }
                Event::Conclude if object_put => {
                    if let Some(intent) = delivering {
                        firehose.inner.conclude(&stream, &intent).await.unwrap();
                    }
                }
                Event::Crash => {
                    firehose = world.start().await;
                    object_put = false;
                }
                Event::Update(odd) => {
                    let prefix = if odd { "p/odd/" } else { "p/q/" };
                    world.update(&firehose, "a", json!({"Prefix": prefix})).await;
                }
                Event::Hour => world.clock.advance(Duration::from_secs(3600)),
                Event::ReadBuffered => {
                    let runs = firehose.buffered(&context(), "lake", "p/").await.unwrap();
                    first_half = Some((acknowledged, runs));
                }
                Event::ReadObjects => {
                    if let Some((expected, runs)) = first_half.take() {
                        check_read(&world, expected, runs).await;
                    }
                }
                Event::Intend | Event::Conclude => {}
            }
        }
        world.deliver_all(&firehose).await;
        check_read(&world, acknowledged, Vec::new()).await;
    }

    async fn check_read(world: &World, expected: usize, runs: Vec<BufferedRecords>) {
        let objects = world.lake.list(&context(), "lake", "p/").await.unwrap();
        let mut seen: Vec<usize> = Vec::new();
        for run in runs {
            assert_eq!(run.range.next - run.range.first, run.records.len() as u64);
            for (offset, record) in (run.range.first..).zip(&run.records) {
                let in_object = objects
                    .iter()
                    .filter_map(|object| object.records.as_ref())
                    .any(|range| range.log == run.range.log && (range.first..range.next).contains(&offset));
                if !in_object {
                    seen.push(text(record).trim().parse().unwrap());
                }
            }
        }
        for object in &objects {
            let body = world.lake.get(&context(), "lake", &object.key).await.unwrap();
            seen.extend(text(&body).lines().map(|line| line.parse::<usize>().unwrap()));
        }
        seen.sort_unstable();
        assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "a record is seen twice: {seen:?}");
        let of_then: Vec<_> = seen.into_iter().filter(|n| *n < expected).collect();
        assert_eq!(of_then, (0..expected).collect::<Vec<_>>(), "at {}", world.clock.now());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn every_record_is_seen_exactly_once(events in proptest::collection::vec(event(), 1..60)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(run(events));
        }
    }
}
