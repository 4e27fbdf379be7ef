//! The hot read: each record is visible exactly once before, during and after its delivery.

use std::sync::atomic::{AtomicBool, Ordering};

use kernel::Entropy;
use proptest::prelude::*;

use super::stream::Step;
use super::*;
use crate::snapshot::{self, Location, Source};

/// A stream that delivers into the partitions of three hours.
fn hot() -> Arc<World> {
    let world = World::default();
    world.table("hot", &[("n", "int")], OPENX, &[]);
    world.tables.lock().unwrap()[0].partition_keys = vec![column("hour", "int")];
    let partitions = (0..3).map(|hour| Partition {
        values: vec![hour.to_string()],
        storage: Storage { location: format!("s3://lake/hot/hour={hour}/"), ..Storage::default() },
    });
    world.partitions.lock().unwrap().insert("hot".to_owned(), partitions.collect());
    Arc::new(world)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Append),
        1 => Just(Step::Hour),
        3 => (1usize..6).prop_map(Step::Begin),
        3 => Just(Step::Put),
        3 => Just(Step::Trim),
    ]
}

fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..max)
}

/// The numbers of the records that a snapshot of the three partitions shows, in order.
fn shown(world: &World) -> Vec<usize> {
    let locations = [0, 1, 2].map(|hour| Location::parse(&format!("s3://lake/hot/hour={hour}/")).unwrap());
    let cx = cx();
    let taken = snapshot::take(&cx, world, world, &locations);
    let mut shown = Vec::new();
    for source in futures::executor::block_on(taken).unwrap().into_iter().flatten() {
        let body = match source {
            Source::Buffered { body, .. } => body,
            Source::Object { info, .. } => world.objects.lock().unwrap()[&info.key].1.clone(),
        };
        for line in std::str::from_utf8(&body).unwrap().lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            shown.push(usize::try_from(value["n"].as_u64().unwrap()).unwrap());
        }
    }
    shown.sort_unstable();
    shown
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens before the snapshot and before each of its calls: a record acknowledged before it shows once,
    /// and none shows twice. Of those that come meanwhile any may show: locations are listed one after the other.
    #[test]
    fn a_snapshot_shows_each_record_exactly_once(
        before in steps(30),
        before_calls in prop::collection::vec(steps(8), 0..8),
    ) {
        let world = hot();
        world.steps(&before);
        let acknowledged = world.stream.lock().unwrap().acknowledged();
        *world.before_calls.lock().unwrap() = before_calls.into();
        let shown = shown(&world);
        prop_assert!(shown.iter().take(acknowledged).copied().eq(0..acknowledged), "{shown:?} of {acknowledged}");
        prop_assert!(shown.windows(2).all(|pair| pair[0] < pair[1]), "{shown:?}");
        prop_assert!(shown.len() <= world.stream.lock().unwrap().acknowledged());
    }
}

/// Steps at random until told to stop, on a thread of its own.
fn deliver(world: &World, seed: u64, stop: &AtomicBool) {
    let entropy = Entropy::seeded(seed);
    while !stop.load(Ordering::Relaxed) {
        let full = world.stream.lock().unwrap().acknowledged() > 2_000;
        world.step(match entropy.below(100) {
            0 => Step::Hour,
            1..=50 if !full => Step::Append,
            51..=65 => Step::Begin(1 + usize::try_from(entropy.below(20)).unwrap()),
            66..=82 => Step::Put,
            _ => Step::Trim,
        });
        std::thread::yield_now();
    }
}

#[test]
fn queries_beside_a_deliverer_count_each_record_exactly_once() {
    let mut wrong = Vec::new();
    for seed in 0..8 {
        let world = hot();
        let engine = engine(&world);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| deliver(&world, seed, &stop));
            for _ in 0..10 {
                let before = world.stream.lock().unwrap().acknowledged();
                let sql = format!("SELECT count(*), count(DISTINCT n), count_if(n < {before}) FROM hot");
                let answered = futures::executor::block_on(ask(&engine, &sql)).map(|answered| answered.rows);
                let after = world.stream.lock().unwrap().acknowledged();
                let right = |rows: &Vec<Row>| {
                    let number = |idx: usize| rows[0][idx].as_ref()?.parse::<i64>().ok();
                    let (count, distinct, earlier) = (number(0)?, number(1)?, number(2)?);
                    let (before, after) = (i64::try_from(before).ok()?, i64::try_from(after).ok()?);
                    Some(count == distinct && earlier == before && count <= after)
                };
                if !answered.as_ref().is_ok_and(|rows| right(rows) == Some(true)) {
                    wrong.push(format!("seed {seed}: {before}..={after}, but {answered:?}"));
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn buffered_records_are_rows_and_are_counted() {
    let world = hot();
    let first =
        [Step::Append, Step::Append, Step::Begin(2), Step::Put, Step::Trim, Step::Append, Step::Append];
    world.steps(&first);
    let engine = engine(&world);
    for (step, buffered) in [(Step::Trim, 2), (Step::Begin(1), 2), (Step::Put, 1), (Step::Trim, 1)] {
        world.step(step);
        let answered = ask(&engine, "SELECT count(*), sum(n), count(DISTINCT n) FROM hot").await.unwrap();
        let expected = ["4", "6", "4"].map(|value| Some(value.to_owned()));
        assert_eq!(answered.rows, [expected]);
        assert_eq!(answered.statistics.buffered_records, buffered);
    }
}

#[tokio::test]
async fn a_buffered_record_is_shown_to_whoever_may_get_its_object() {
    let world = hot();
    // The first is in an object of its hour, the second will be in one of the next.
    world.steps(&[Step::Append, Step::Begin(1), Step::Put, Step::Trim, Step::Hour, Step::Append]);
    *world.secret_prefix.lock().unwrap() = Some("hot/hour=1/".to_owned());
    let engine = engine(&world);
    let error = ask(&engine, "SELECT count(*) FROM hot").await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Denied, "AccessDenied"));
    let answered = ask(&engine, "SELECT count(*) FROM hot WHERE hour = 0").await.unwrap();
    assert_eq!(answered.rows, [[Some("1".to_owned())]], "what is not read need not be allowed");
}

#[tokio::test]
async fn both_sides_of_a_self_join_see_one_snapshot() {
    let world = hot();
    world.steps(&[Step::Append, Step::Append]);
    let between = vec![Step::Append, Step::Begin(3), Step::Put, Step::Trim];
    *world.before_calls.lock().unwrap() = [Vec::new(), between].into();
    let engine = engine(&world);
    let sql = "SELECT count(*) FROM hot a FULL JOIN hot b ON a.n = b.n WHERE a.n IS NULL OR b.n IS NULL";
    assert_eq!(ask(&engine, sql).await.unwrap().rows, [[Some("0".to_owned())]]);
}
