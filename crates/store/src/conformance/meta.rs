//! The contract of [`MetaStore`].

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, StreamExt};

use super::Case;
use crate::meta::memory::MemoryMetaStore;
use crate::meta::{Batch, CommitError, Event, Expect, MetaStore, Revision, Watch};

/// How long an event may take to arrive.
const PATIENCE: Duration = Duration::from_secs(3);

/// A store and the power to crash it.
pub trait Harness: Send + Sync {
    /// The store.
    fn store(&self) -> &dyn MetaStore;

    /// Crashes and recovers: what was committed is there again.
    fn reopen(&mut self) -> BoxFuture<'_, ()>;
}

/// A step of a random history.
#[derive(Clone, Debug)]
pub enum Step {
    /// Commits batches at once. Each has checks (key, and whether it is to be as the model has it) and changes (key, and
    /// a value or none).
    Commit(Vec<(u8, bool)>, Vec<(u8, Option<u8>)>),
    /// Scans keys that begin with this byte, after another, up to a limit.
    Scan(u8, Option<u8>, u8),
    /// Crashes and recovers.
    Reopen,
}

/// Runs every case on a harness of its own and answers the names of those that failed.
pub async fn failures<H: Harness>(make: impl Fn() -> H + Sync) -> Vec<&'static str> {
    super::failures(cases(&make)).await
}

fn cases<'a, H: Harness + 'a>(make: &'a (impl Fn() -> H + Sync)) -> Vec<Case<'a>> {
    vec![
        ("what was committed is read at once and after a crash", durable(make()).boxed()),
        ("a batch whose check fails changes nothing", atomic(make()).boxed()),
        ("checks hold against absence and revision", checks(make()).boxed()),
        ("revisions grow and are never reused", revisions(make()).boxed()),
        ("a scan is in order, within its prefix and limit", scans(make()).boxed()),
        ("keys are bytes", bytes_in_keys(make()).boxed()),
        ("of many who compare and set, each wins once", counters(make()).boxed()),
        ("a watch sees every later event once, in order", watches(make()).boxed()),
        ("a watch from before a crash says so", watches_after_a_crash(make()).boxed()),
        ("a commit of a thousand keys and of a mebibyte", large(make()).boxed()),
    ]
}

async fn put(store: &dyn MetaStore, key: &str, value: &str) -> Revision {
    store.commit(Batch::default().put(key, value.to_owned())).await.expect("a commit")
}

async fn value(store: &dyn MetaStore, key: &str) -> Option<(String, Revision)> {
    let found = store.get(key.as_bytes()).await.expect("a read")?;
    Some((String::from_utf8(found.value.to_vec()).expect("text was written"), found.revision))
}

async fn keys(store: &dyn MetaStore, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    let page = store.scan(prefix.as_bytes(), after.map(str::as_bytes), limit).await.expect("a scan");
    page.into_iter().map(|(key, _)| String::from_utf8(key).expect("text was written")).collect()
}

async fn next(watch: &mut Watch) -> Event {
    let event = tokio::time::timeout(PATIENCE, watch.next()).await.expect("an event in time");
    event.expect("the store is open")
}

async fn durable<H: Harness>(mut harness: H) {
    let first = put(harness.store(), "a", "1").await;
    let batch = Batch::default().put("a", "2").put("b", "").delete("c");
    let second = harness.store().commit(batch).await.expect("a commit");
    assert!(second > first);
    put(harness.store(), "gone", "x").await;
    harness.store().commit(Batch::default().delete("gone")).await.expect("a commit");
    for _ in 0..3 {
        let store = harness.store();
        assert_eq!(value(store, "a").await, Some(("2".to_owned(), second)));
        assert_eq!(value(store, "b").await, Some((String::new(), second)));
        assert_eq!(value(store, "c").await, None);
        assert_eq!(value(store, "gone").await, None);
        harness.reopen().await;
    }
}

async fn atomic<H: Harness>(mut harness: H) {
    put(harness.store(), "a", "1").await;
    let batch =
        Batch::default().check("b", Expect::Absent).check("a", Expect::Absent).put("a", "2").put("b", "2");
    let error = harness.store().commit(batch).await.expect_err("a is there");
    assert!(matches!(&error, CommitError::Conflict { key } if key == b"a"), "{error:?}");
    for _ in 0..2 {
        assert_eq!(value(harness.store(), "a").await.map(|(value, _)| value), Some("1".to_owned()));
        assert_eq!(value(harness.store(), "b").await, None);
        harness.reopen().await;
    }
}

async fn checks<H: Harness>(harness: H) {
    let store = harness.store();
    let first = put(store, "a", "1").await;
    let second = put(store, "a", "2").await;
    let try_with =
        |expect, key: &'static str| store.commit(Batch::default().check(key, expect).put("z", "z"));
    assert!(matches!(try_with(Expect::At(first), "a").await, Err(CommitError::Conflict { .. })));
    assert!(matches!(try_with(Expect::Absent, "a").await, Err(CommitError::Conflict { .. })));
    assert!(matches!(try_with(Expect::At(first), "none").await, Err(CommitError::Conflict { .. })));
    try_with(Expect::At(second), "a").await.expect("it is unchanged");
    try_with(Expect::Absent, "none").await.expect("it is absent");
    // What is checked need not change, and what changes is checked as it was before.
    let swap =
        Batch::default().check("a", Expect::At(second)).delete("a").check("b", Expect::Absent).put("b", "2");
    store.commit(swap).await.expect("a commit");
    assert_eq!(keys(store, "", None, 9).await, ["b", "z"]);
}

async fn revisions<H: Harness>(mut harness: H) {
    assert_eq!(harness.store().revision(), Revision(0));
    let mut last = Revision(0);
    for round in 0..3 {
        for _ in 0..3 {
            let revision = put(harness.store(), "a", "x").await;
            assert!(revision > last, "{revision:?} after {last:?} in round {round}");
            assert_eq!(harness.store().revision(), revision);
            last = revision;
        }
        last = harness.store().commit(Batch::default().delete("a")).await.expect("a commit");
        harness.reopen().await;
        assert_eq!(harness.store().revision(), last);
    }
}

async fn scans<H: Harness>(harness: H) {
    let store = harness.store();
    for key in ["b", "a\0y", "a\0x", "ab\0z", "a", "a\0\u{7f}"] {
        put(store, key, key).await;
    }
    assert_eq!(keys(store, "", None, 99).await, ["a", "a\0x", "a\0y", "a\0\u{7f}", "ab\0z", "b"]);
    assert_eq!(keys(store, "a\0", None, 99).await, ["a\0x", "a\0y", "a\0\u{7f}"]);
    assert_eq!(keys(store, "a\0", None, 2).await, ["a\0x", "a\0y"]);
    assert_eq!(keys(store, "a\0", Some("a\0y"), 2).await, ["a\0\u{7f}"]);
    assert_eq!(keys(store, "a\0", Some("a\0xx"), 1).await, ["a\0y"]);
    assert_eq!(keys(store, "b", Some("a"), 9).await, ["b"]);
    assert_eq!(keys(store, "a", Some("b"), 9).await, [""; 0]);
    assert_eq!(keys(store, "c", None, 9).await, [""; 0]);
    assert_eq!(keys(store, "", None, 0).await, [""; 0]);
}

async fn bytes_in_keys<H: Harness>(harness: H) {
    let store = harness.store();
    let written: [&[u8]; 5] = [&[0], &[0xff], &[0xff, 0xff], &[0xff, 0xff, 0], &[0xfe, 0xff]];
    for key in written {
        store.commit(Batch::default().put(key, Bytes::copy_from_slice(key))).await.expect("a commit");
    }
    let scan = |prefix: &'static [u8]| async move {
        let page = store.scan(prefix, None, 9).await.expect("a scan");
        page.into_iter()
            .map(|(key, found)| {
                assert_eq!(key, found.value);
                key
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(scan(&[0xff]).await, [&[0xff][..], &[0xff, 0xff], &[0xff, 0xff, 0]]);
    assert_eq!(scan(&[0xff, 0xff]).await, [&[0xff, 0xff][..], &[0xff, 0xff, 0]]);
    assert_eq!(scan(&[0xfe, 0xff]).await, [&[0xfe, 0xff][..]]);
    assert_eq!(scan(&[]).await.len(), 5);
}

async fn counters<H: Harness>(harness: H) {
    let store = harness.store();
    let increment = |_| async move {
        loop {
            let found = store.get(b"n").await.expect("a read");
            let (expect, n) = match &found {
                Some(found) => (Expect::At(found.revision), found.value[0]),
                None => (Expect::Absent, 0),
            };
            match store.commit(Batch::default().check("n", expect).put("n", vec![n + 1])).await {
                Ok(_) => return,
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    join_all((0..20).map(increment)).await;
    assert_eq!(store.get(b"n").await.expect("a read").expect("it was written").value[0], 20);
}

async fn watches<H: Harness>(harness: H) {
    let store = harness.store();
    put(store, "a/0", "before").await;
    let from = store.revision();
    let past = put(store, "a/1", "x").await;
    let mut watch = store.watch(b"a/", from);
    put(store, "b/1", "elsewhere").await;
    let batch = Batch::default().delete("a/1").put("b/1", "").put("a/2", "y");
    let later = store.commit(batch).await.expect("a commit");
    let changed = |key: &str, value: Option<&'static str>, revision| Event::Changed {
        key: key.as_bytes().to_vec(),
        value: value.map(|value| Bytes::from_static(value.as_bytes())),
        revision,
    };
    for expected in
        [changed("a/1", Some("x"), past), changed("a/1", None, later), changed("a/2", Some("y"), later)]
    {
        assert_eq!(next(&mut watch).await, expected);
    }
    assert!(futures::poll!(watch.next()).is_pending());
}

async fn watches_after_a_crash<H: Harness>(mut harness: H) {
    let from = put(harness.store(), "a", "1").await;
    put(harness.store(), "a", "2").await;
    harness.reopen().await;
    let store = harness.store();
    let mut missed = store.watch(b"a", from);
    let mut present = store.watch(b"a", store.revision());
    let revision = put(store, "a", "3").await;
    let event = next(&mut present).await;
    assert!(matches!(event, Event::Changed { revision: found, .. } if found == revision), "{event:?}");
    // Either what was missed, or the word that something was.
    let event = next(&mut missed).await;
    let saw_it = matches!(&event, Event::Changed { value: Some(value), .. } if value == "2");
    assert!(saw_it || event == Event::Resync, "{event:?}");
}

async fn large<H: Harness>(mut harness: H) {
    let many = (0..1000).fold(Batch::default(), |batch, n| batch.put(format!("k{n:04}"), "v"));
    harness.store().commit(many).await.expect("a commit");
    let big = Bytes::from(vec![9; 1 << 20]);
    harness.store().commit(Batch::default().put("big", big.clone())).await.expect("a commit");
    for _ in 0..2 {
        assert_eq!(keys(harness.store(), "k", None, 2000).await.len(), 1000);
        assert!(harness.store().get(b"big").await.expect("a read").expect("it was written").value == big);
        harness.reopen().await;
    }
}

/// Runs a history on the harness and on the form in memory and compares them after every step.
///
/// # Panics
/// When they differ.
pub async fn agrees_with_memory<H: Harness>(mut harness: H, steps: &[Step]) {
    let model = MemoryMetaStore::new();
    for step in steps {
        match step {
            Step::Commit(checks, changes) => {
                let mut batch = Batch::default();
                for (key, as_is) in checks {
                    let found = model.get(&[*key]).await.expect("memory does not fail");
                    let expect = match found {
                        Some(found) if *as_is => Expect::At(found.revision),
                        None if !*as_is => Expect::At(Revision(1)),
                        _ => Expect::Absent,
                    };
                    batch = batch.check([*key], expect);
                }
                let changes: BTreeMap<_, _> = changes.iter().copied().collect();
                for (key, value) in changes {
                    batch.changes.push((vec![key], value.map(|value| Bytes::from(vec![value]))));
                }
                let expected = model.commit(batch.clone()).await.ok();
                assert_eq!(harness.store().commit(batch).await.ok(), expected);
            }
            Step::Scan(prefix, after, limit) => {
                let after = after.map(|after| [after]);
                let after = after.as_ref().map(<[u8; 1]>::as_slice);
                let expected = model.scan(&[*prefix], after, usize::from(*limit)).await.expect("memory");
                let found =
                    harness.store().scan(&[*prefix], after, usize::from(*limit)).await.expect("a scan");
                assert_eq!(found, expected);
            }
            Step::Reopen => harness.reopen().await,
        }
        let expected = model.scan(&[], None, usize::MAX).await.expect("memory does not fail");
        assert_eq!(harness.store().scan(&[], None, usize::MAX).await.expect("a scan"), expected);
        assert_eq!(harness.store().revision(), model.revision());
    }
}

#[cfg(test)]
impl Step {
    /// Any step.
    pub(crate) fn any() -> impl proptest::strategy::Strategy<Value = Self> {
        use proptest::collection::vec;
        use proptest::prelude::*;
        let key = || 0u8..6;
        prop_oneof![
            6 => (vec((key(), prop::bool::weighted(0.8)), 0..3), vec((key(), any::<Option<u8>>()), 0..4))
                .prop_map(|(checks, changes)| Self::Commit(checks, changes)),
            2 => (key(), any::<Option<u8>>(), any::<u8>())
                .prop_map(|(prefix, after, limit)| Self::Scan(prefix, after, limit)),
            1 => Just(Self::Reopen),
        ]
    }
}
