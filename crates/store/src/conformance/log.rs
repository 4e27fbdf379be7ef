//! The contract of [`CommitLog`].

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use kernel::{ManualClock, Timestamp};

use super::Case;
use crate::log::memory::MemoryCommitLog;
use crate::log::{Bounds, CommitLog, LogId, Offset, Record};

/// A log and the power to crash it.
pub trait Harness: Send + Sync {
    /// The log.
    fn log(&self) -> &dyn CommitLog;

    /// Crashes and recovers: what was acknowledged is there again.
    fn reopen(&mut self) -> BoxFuture<'_, ()>;
}

/// A step of a random history.
#[derive(Clone, Debug)]
pub enum Step {
    /// Appends records of these sizes to a log.
    Append(u8, Vec<u16>),
    /// Trims a log up to this many records after its first.
    Trim(u8, u16),
    /// Deletes a log. Its number stands for another name from then on.
    Delete(u8),
    /// Crashes and recovers.
    Reopen,
}

/// Runs every case on a harness of its own and answers the names of those that failed.
pub async fn failures<H: Harness>(make: impl Fn() -> H + Sync) -> Vec<&'static str> {
    super::failures(cases(&make)).await
}

fn cases<'a, H: Harness + 'a>(make: &'a (impl Fn() -> H + Sync)) -> Vec<Case<'a>> {
    vec![
        ("offsets begin at zero and grow by one", offsets(make()).boxed()),
        ("what was acknowledged is read at once and after a crash", durable(make()).boxed()),
        ("logs do not see each other's records", independent(make()).boxed()),
        ("a read is bounded but never empty-handed", bounded_reads(make()).boxed()),
        ("an unknown log is empty", unknown(make()).boxed()),
        ("trimmed records stay away and their offsets taken", trimmed(make()).boxed()),
        ("a log trimmed to its end goes on where it was", trimmed_to_the_end(make()).boxed()),
        ("a deleted log is gone, also after a crash", deleted(make()).boxed()),
        ("an empty batch appends nothing", empty_batch(make()).boxed()),
        ("records of no byte and of a mebibyte", sizes(make()).boxed()),
        ("a batch of ten thousand records", large_batch(make()).boxed()),
        ("concurrent batches have no holes", concurrent(make()).boxed()),
        ("batches sent without waiting keep their order", pipelined(make()).boxed()),
        ("readers are told of growth", told(make()).boxed()),
        ("the oldest record has a time", oldest(make()).boxed()),
        ("logs are listed by prefix, in order", listed(make()).boxed()),
        ("a quiet log outlives generations of others", generations(make()).boxed()),
    ]
}

fn id(name: &str) -> LogId {
    LogId::new("test", &[name])
}

fn records(texts: &[&str]) -> Vec<Bytes> {
    texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect()
}

async fn append(log: &dyn CommitLog, name: &LogId, texts: &[&str]) -> Offset {
    log.append(name, records(texts)).await.expect("an append")
}

async fn all(log: &dyn CommitLog, name: &LogId) -> Vec<(u64, Bytes)> {
    let found = log.read(name, Offset(0), usize::MAX).await.expect("a read");
    found.into_iter().map(|record| (record.offset.0, record.payload)).collect()
}

fn numbered(first: u64, texts: &[&str]) -> Vec<(u64, Bytes)> {
    (first..).zip(records(texts)).collect()
}

async fn offsets<H: Harness>(harness: H) {
    let log = harness.log();
    assert_eq!(append(log, &id("a"), &["0", "1"]).await, Offset(0));
    assert_eq!(append(log, &id("a"), &["2"]).await, Offset(2));
    assert_eq!(log.bounds(&id("a")), Bounds { first: Offset(0), next: Offset(3), bytes: 3 });
    assert_eq!(all(log, &id("a")).await, numbered(0, &["0", "1", "2"]));
}

async fn durable<H: Harness>(mut harness: H) {
    append(harness.log(), &id("a"), &["0", "1"]).await;
    append(harness.log(), &id("a"), &["2"]).await;
    for _ in 0..3 {
        assert_eq!(all(harness.log(), &id("a")).await, numbered(0, &["0", "1", "2"]));
        harness.reopen().await;
    }
    assert_eq!(append(harness.log(), &id("a"), &["3"]).await, Offset(3));
    harness.reopen().await;
    assert_eq!(all(harness.log(), &id("a")).await, numbered(0, &["0", "1", "2", "3"]));
    assert_eq!(harness.log().bounds(&id("a")), Bounds { first: Offset(0), next: Offset(4), bytes: 4 });
}

async fn independent<H: Harness>(mut harness: H) {
    let names: Vec<_> = (0..20).map(|n| id(&n.to_string())).collect();
    let mut appends = Vec::new();
    for round in 0..10 {
        for name in &names {
            let text = format!("{name} {round}");
            appends.push(harness.log().append(name, records(&[&text])));
        }
    }
    for done in join_all(appends).await {
        done.expect("an append");
    }
    for _ in 0..2 {
        for name in &names {
            let texts: Vec<_> = (0..10).map(|round| format!("{name} {round}")).collect();
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            assert_eq!(all(harness.log(), name).await, numbered(0, &texts));
        }
        harness.reopen().await;
    }
}

async fn bounded_reads<H: Harness>(mut harness: H) {
    append(harness.log(), &id("a"), &["aaaa", "bb", "cc", "d"]).await;
    for _ in 0..2 {
        let log = harness.log();
        for (from, bytes_max, expected) in
            [(0, 0, 1), (0, 5, 1), (0, 6, 2), (0, 8, 3), (1, 4, 2), (1, 9, 3), (3, 1, 1)]
        {
            let found = log.read(&id("a"), Offset(from), bytes_max).await.expect("a read");
            assert_eq!(found.len(), expected, "from {from}, {bytes_max} bytes");
            assert_eq!(found[0].offset, Offset(from));
        }
        assert_eq!(log.read(&id("a"), Offset(4), 100).await.expect("a read"), []);
        assert_eq!(log.read(&id("a"), Offset(u64::MAX), 100).await.expect("a read"), []);
        harness.reopen().await;
    }
}

async fn unknown<H: Harness>(harness: H) {
    let log = harness.log();
    assert_eq!(log.read(&id("a"), Offset(0), 100).await.expect("a read"), []);
    assert_eq!(log.bounds(&id("a")), Bounds::default());
    assert_eq!(log.oldest(&id("a")), None);
    log.trim(&id("a"), Offset(5)).await.expect("a trim");
    log.delete(&id("a")).await.expect("a delete");
    assert_eq!(append(log, &id("a"), &["0"]).await, Offset(0));
}

async fn trimmed<H: Harness>(mut harness: H) {
    append(harness.log(), &id("a"), &["0", "1", "2", "3"]).await;
    harness.log().trim(&id("a"), Offset(2)).await.expect("a trim");
    harness.log().trim(&id("a"), Offset(1)).await.expect("a trim of what is gone");
    for _ in 0..2 {
        assert_eq!(all(harness.log(), &id("a")).await, numbered(2, &["2", "3"]));
        assert_eq!(harness.log().bounds(&id("a")), Bounds { first: Offset(2), next: Offset(4), bytes: 2 });
        harness.reopen().await;
    }
    assert_eq!(append(harness.log(), &id("a"), &["4"]).await, Offset(4));
}

async fn trimmed_to_the_end<H: Harness>(mut harness: H) {
    append(harness.log(), &id("a"), &["0", "1"]).await;
    harness.log().trim(&id("a"), Offset(99)).await.expect("a trim");
    for _ in 0..3 {
        assert_eq!(all(harness.log(), &id("a")).await, []);
        assert_eq!(harness.log().bounds(&id("a")), Bounds { first: Offset(2), next: Offset(2), bytes: 0 });
        assert_eq!(harness.log().oldest(&id("a")), None);
        assert_eq!(harness.log().logs("test/"), [id("a")]);
        harness.reopen().await;
    }
    assert_eq!(append(harness.log(), &id("a"), &["2"]).await, Offset(2));
    assert_eq!(all(harness.log(), &id("a")).await, numbered(2, &["2"]));
}

async fn deleted<H: Harness>(mut harness: H) {
    append(harness.log(), &id("a"), &["0"]).await;
    append(harness.log(), &id("b"), &["0"]).await;
    harness.log().delete(&id("a")).await.expect("a delete");
    for _ in 0..2 {
        assert_eq!(all(harness.log(), &id("a")).await, []);
        assert_eq!(harness.log().bounds(&id("a")), Bounds::default());
        assert_eq!(harness.log().logs(""), [id("b")]);
        assert_eq!(all(harness.log(), &id("b")).await, numbered(0, &["0"]));
        harness.reopen().await;
    }
}

async fn empty_batch<H: Harness>(mut harness: H) {
    assert_eq!(append(harness.log(), &id("a"), &[]).await, Offset(0));
    assert_eq!(harness.log().logs(""), []);
    append(harness.log(), &id("a"), &["0"]).await;
    assert_eq!(append(harness.log(), &id("a"), &[]).await, Offset(1));
    harness.reopen().await;
    assert_eq!(all(harness.log(), &id("a")).await, numbered(0, &["0"]));
}

async fn sizes<H: Harness>(mut harness: H) {
    let large: Bytes = (0..1 << 20).map(|n: u32| n.to_le_bytes()[n as usize % 3]).collect();
    let batches =
        [vec![Bytes::new(), Bytes::new()], vec![large.clone()], vec![Bytes::from_static(b"x"), Bytes::new()]];
    for batch in &batches {
        harness.log().append(&id("a"), batch.clone()).await.expect("an append");
    }
    let expected: Vec<_> = (0..).zip(batches.concat()).collect();
    for _ in 0..2 {
        assert!(all(harness.log(), &id("a")).await == expected);
        harness.reopen().await;
    }
}

async fn large_batch<H: Harness>(mut harness: H) {
    let batch: Vec<_> = (0..10_000).map(|n| Bytes::from(format!("record {n}"))).collect();
    append(harness.log(), &id("a"), &["before"]).await;
    assert_eq!(harness.log().append(&id("a"), batch.clone()).await.expect("an append"), Offset(1));
    for _ in 0..2 {
        let found = harness.log().read(&id("a"), Offset(1), usize::MAX).await.expect("a read");
        assert!(found.iter().map(|record| &record.payload).eq(&batch));
        harness.reopen().await;
    }
}

async fn concurrent<H: Harness>(harness: H) {
    let log = harness.log();
    let batch = |n: u32| (0..7).map(|nth| Bytes::from(format!("{n}.{nth}"))).collect::<Vec<_>>();
    let appends = join_all((0..200).map(|n| log.append(&id("a"), batch(n)))).await;
    let found = all(log, &id("a")).await;
    assert_eq!(found.len(), 1400);
    for (n, first) in (0..).zip(appends) {
        let first = usize::try_from(first.expect("an append").0).expect("a small offset");
        let payloads = found[first..first + 7].iter().map(|(_, payload)| payload);
        assert!(payloads.eq(&batch(n)), "batch {n} at {first}");
    }
}

async fn pipelined<H: Harness>(mut harness: H) {
    let appends: Vec<_> =
        (0..100).map(|n| harness.log().append(&id("a"), records(&[&n.to_string()]))).collect();
    for (n, first) in (0..).zip(join_all(appends).await) {
        assert_eq!(first.expect("an append"), Offset(n));
    }
    harness.reopen().await;
    let texts: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    assert_eq!(all(harness.log(), &id("a")).await, numbered(0, &texts));
}

async fn told<H: Harness>(mut harness: H) {
    let log = harness.log();
    let mut early = log.changed(&id("a"));
    assert_eq!(*early.borrow_and_update(), Offset(0));
    assert_eq!(log.logs(""), [], "to listen is not to write");
    append(log, &id("b"), &["0"]).await;
    append(log, &id("a"), &["0", "1"]).await;
    early.changed().await.expect("the log is open");
    assert_eq!(*early.borrow_and_update(), Offset(2));
    assert_eq!(*log.changed(&id("a")).borrow(), Offset(2));
    harness.reopen().await;
    assert_eq!(*harness.log().changed(&id("a")).borrow(), Offset(2));
}

async fn oldest<H: Harness>(mut harness: H) {
    append(harness.log(), &id("a"), &["0", "1"]).await;
    let time = |records: &[Record]| records[0].appended_at;
    for _ in 0..2 {
        let first = harness.log().read(&id("a"), Offset(0), 0).await.expect("a read");
        assert_eq!(harness.log().oldest(&id("a")), Some(time(&first)));
        harness.reopen().await;
    }
    harness.log().trim(&id("a"), Offset(1)).await.expect("a trim");
    let second = harness.log().read(&id("a"), Offset(1), 0).await.expect("a read");
    assert_eq!(harness.log().oldest(&id("a")), Some(time(&second)));
}

async fn listed<H: Harness>(mut harness: H) {
    for name in ["b/2", "a/1", "b/1", "c"] {
        append(harness.log(), &LogId::from_name(name), &["0"]).await;
    }
    for _ in 0..2 {
        let names = |prefix| -> Vec<_> {
            harness.log().logs(prefix).iter().map(|log| log.as_str().to_owned()).collect()
        };
        assert_eq!(names(""), ["a/1", "b/1", "b/2", "c"]);
        assert_eq!(names("b/"), ["b/1", "b/2"]);
        assert_eq!(names("d"), [""; 0]);
        harness.reopen().await;
    }
}

async fn generations<H: Harness>(mut harness: H) {
    append(harness.log(), &id("quiet"), &["still here"]).await;
    append(harness.log(), &id("emptied"), &["0", "1", "2"]).await;
    harness.log().trim(&id("emptied"), Offset(3)).await.expect("a trim");
    let payload = Bytes::from(vec![7; 8 << 10]);
    for round in 0..160 {
        let first = harness.log().append(&id("busy"), vec![payload.clone(); 8]).await.expect("an append");
        assert_eq!(first, Offset(round * 8));
        harness.log().trim(&id("busy"), first).await.expect("a trim");
        if round % 50 == 25 {
            harness.reopen().await;
        }
    }
    assert_eq!(all(harness.log(), &id("quiet")).await, numbered(0, &["still here"]));
    assert_eq!(all(harness.log(), &id("busy")).await.len(), 8);
    assert_eq!(append(harness.log(), &id("emptied"), &["3"]).await, Offset(3));
}

/// Runs a history on the harness and on the form in memory and compares them after every step.
///
/// # Panics
/// When they differ.
pub async fn agrees_with_memory<H: Harness>(mut harness: H, steps: &[Step]) {
    let model = MemoryCommitLog::new(Arc::new(ManualClock::new(Timestamp::EPOCH)));
    let mut lives = [0; 256];
    let name = |lives: &[u32; 256], log: &u8| id(&format!("{log}.{}", lives[usize::from(*log)]));
    for (nth, step) in steps.iter().enumerate() {
        match step {
            Step::Append(log, sizes) => {
                let fill = u8::try_from(nth % 251).expect("less than 251");
                let batch: Vec<_> =
                    sizes.iter().map(|size| Bytes::from(vec![fill; usize::from(*size)])).collect();
                let log = name(&lives, log);
                let expected = model.append(&log, batch.clone()).await.expect("memory does not fail");
                assert_eq!(harness.log().append(&log, batch).await.expect("an append"), expected);
            }
            Step::Trim(log, count) => {
                let log = name(&lives, log);
                let before = Offset(model.bounds(&log).first.0 + u64::from(*count));
                model.trim(&log, before).await.expect("memory does not fail");
                harness.log().trim(&log, before).await.expect("a trim");
            }
            Step::Delete(log) => {
                let deleted = name(&lives, log);
                lives[usize::from(*log)] += 1;
                model.delete(&deleted).await.expect("memory does not fail");
                harness.log().delete(&deleted).await.expect("a delete");
            }
            Step::Reopen => harness.reopen().await,
        }
        agree(harness.log(), &model).await;
    }
}

async fn agree(log: &dyn CommitLog, model: &MemoryCommitLog) {
    let names = model.logs("");
    assert_eq!(log.logs(""), names);
    for name in names {
        assert_eq!(log.bounds(&name), model.bounds(&name));
        assert!(all(log, &name).await == all(model, &name).await, "the records of {name} differ");
    }
}
