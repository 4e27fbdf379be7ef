//! The store against a naive second one that keeps every point it was ever given.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::store::log::memory::MemoryCommitLog;
use ::store::meta::memory::MemoryMetaStore;
use kernel::{Clock, ManualClock, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::read::Span;
use super::record::{self, Addition};
use super::tier::Tier;
use super::{Points, Store, merge};
use crate::point::Point;
use crate::series::{MetricName, Scope};

const BEGIN: i64 = 1_767_225_600;

struct World {
    clock: ManualClock,
    meta: Arc<dyn ::store::MetaStore>,
    log: Arc<dyn ::store::CommitLog>,
    store: Store,
    /// Every point that was ever given, as the resolution it was given in.
    naive: Vec<(usize, Tier, i64, f64)>,
}

fn scope() -> Scope {
    ("000000000000".to_owned(), "us-east-1".to_owned())
}

fn metric(n: usize) -> MetricName {
    MetricName::new("App", &format!("m{n}"), Vec::new())
}

impl World {
    async fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(BEGIN * 1000));
        let meta: Arc<dyn ::store::MetaStore> = Arc::new(MemoryMetaStore::new());
        let log: Arc<dyn ::store::CommitLog> = Arc::new(MemoryCommitLog::new(Arc::new(clock.clone())));
        let store = Store::new(&meta, Arc::clone(&log), Arc::new(clock.clone()));
        store.recover().await.unwrap();
        Self { clock, meta, log, store, naive: Vec::new() }
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millis() / 1000
    }

    async fn add(&mut self, series: usize, tier: Tier, age: i64, value: f64) {
        let at = tier.align(self.now() - age);
        self.naive.push((series, tier, at, value));
        let point = Point::equal(value, 1.0);
        let addition = Addition { metric: metric(series), unit: "None", tier, at, point };
        self.log.append(&self.store.id, vec![record::encode(&scope(), &[addition])]).await.unwrap();
        self.apply().await;
    }

    /// What the applier does when something was appended.
    async fn apply(&self) {
        loop {
            let next = ::store::Offset(*self.store.applied.borrow());
            let (after, records) = self.store.read_log(next).await.unwrap();
            if after == next {
                return;
            }
            records.into_iter().for_each(|(_, scope, additions)| self.store.take_in(&scope, additions));
            self.store.memory().applied(after.0);
            self.store.applied.send_replace(after.0);
        }
    }

    /// A new store on what the old one has left.
    async fn restart(&mut self) {
        self.store = Store::new(&self.meta, Arc::clone(&self.log), Arc::new(self.clock.clone()));
        self.store.recover().await.unwrap();
    }

    async fn check(&self, series: usize, span: Span) {
        let said = self.store.read(&scope(), &metric(series), None, span).await.unwrap();
        let said: Points = said.into_iter().flat_map(|(_, points)| points).collect();
        let mut expect = Points::new();
        for (n, _, at, value) in &self.naive {
            if *n == series && (span.start..span.end).contains(at) {
                let bin = at - (at - span.start).rem_euclid(span.period);
                merge(&mut expect, bin, &Point::equal(*value, 1.0));
            }
        }
        assert_eq!(said, expect, "{series} {span:?}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Add(usize, Tier, i64, i32),
    Flush,
    /// A flush of which only the first commits were made.
    TornFlush(usize),
    Restart,
    Advance(i64),
    Check(usize, i64, i64),
}

fn step() -> impl Strategy<Value = Step> {
    let tier = prop_oneof![Just(Tier::Second), Just(Tier::Minute)];
    let age = prop_oneof![0_i64..120, 0_i64..14 * 86_400];
    prop_oneof![
        8 => (0_usize..3, tier, age, -50_i32..50).prop_map(|(n, tier, age, value)| Step::Add(n, tier, age, value)),
        2 => Just(Step::Flush),
        1 => (0_usize..4).prop_map(Step::TornFlush),
        1 => Just(Step::Restart),
        1 => (1_i64..40 * 3_600).prop_map(Step::Advance),
        3 => (0_usize..3, 0_i64..400, 1_i64..50).prop_map(|(n, hours, length)| Step::Check(n, hours, length)),
    ]
}

#[test]
fn it_agrees_with_one_that_keeps_everything() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let run = |steps: Vec<Step>| {
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                match step {
                    Step::Add(n, tier, age, value) => world.add(n, tier, age, f64::from(value)).await,
                    Step::Flush => {
                        world.store.flush().await.unwrap();
                        world.store.roll_up().await.unwrap();
                    }
                    Step::TornFlush(chunks) => world.store.flush_only(chunks).await,
                    Step::Restart => world.restart().await,
                    Step::Advance(seconds) => {
                        world.clock.advance(Duration::from_secs(seconds.unsigned_abs()))
                    }
                    Step::Check(n, hours, length) => {
                        // Whole hours: what was rolled up is as exact as that.
                        let end = (world.now() - hours * 3_600).div_euclid(3_600) * 3_600;
                        let period = 3_600 * (length % 3 + 1);
                        world.check(n, Span { start: end - length * 3_600, end, period }).await;
                    }
                }
            }
            for n in 0..3 {
                let end = (world.now() + 3_600).div_euclid(3_600) * 3_600;
                world.check(n, Span { start: end - 100 * 86_400, end, period: 3_600 }).await;
                world.check(n, Span { start: end - 100 * 86_400, end, period: 86_400 }).await;
            }
        });
        Ok(())
    };
    runner.run(&prop::collection::vec(step(), 1..80), run).unwrap();
}

#[tokio::test]
async fn points_get_coarser_with_age_and_are_forgotten_in_the_end() {
    let mut world = World::new().await;
    for n in 0..120 {
        world.add(0, Tier::Second, n, 1.0).await;
        world.add(0, Tier::Minute, n * 60, 1.0).await;
    }
    let day = Duration::from_secs(86_400);
    let mut counts = Vec::new();
    for days in [0_u32, 1, 16, 64, 456 + 11] {
        let passed = u32::try_from((world.now() - BEGIN) / 86_400).unwrap();
        world.clock.advance(day * (days - passed));
        world.store.flush().await.unwrap();
        world.store.roll_up().await.unwrap();
        let span = Span { start: BEGIN - 86_400, end: BEGIN + 86_400, period: 1 };
        let points = world.store.read(&scope(), &metric(0), None, span).await.unwrap();
        let points: BTreeMap<_, _> = points.into_iter().flat_map(|(_, points)| points).collect();
        let sum: f64 = points.values().map(|point| point.sum).sum();
        // Of nothing the sum is minus zero.
        counts.push((points.len(), sum + 0.0));
    }
    // 120 seconds and 120 minutes, of which two instants are both; then minutes only, of five minutes, of hours, none.
    let [first, rest @ ..] = counts.as_slice() else { unreachable!() };
    assert_eq!(*first, (238, 240.0));
    assert_eq!(rest, [(120, 240.0), (25, 240.0), (3, 240.0), (0, 0.0)]);
    assert!(world.store.memory().all().is_empty());
    assert!(world.meta.scan(b"cloudwatch", None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_restart_finds_every_series_and_counts_each_record_once() {
    let mut world = World::new().await;
    for n in 0..300 {
        world.add(n, Tier::Minute, 0, 1.0).await;
    }
    world.store.flush_only(100).await;
    world.restart().await;
    for n in 0..300 {
        world.add(n, Tier::Minute, 0, 2.0).await;
    }
    world.store.flush().await.unwrap();
    world.restart().await;
    let span = Span { start: BEGIN - 60, end: BEGIN + 60, period: 60 };
    for n in 0..300 {
        world.check(n, span).await;
    }
    assert_eq!(world.store.memory().counts(&scope()), (300, 300));
    assert_eq!(world.log.bounds(&world.store.id).bytes, 0);
}
