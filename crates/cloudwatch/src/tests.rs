//! The service as a whole: restarts, accounts, quotas, a disk that is full, readers while chunks are written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::store::meta::{Page, Watch};
use ::store::{Batch, CommitError, MetaStore, Revision, StoreError, Versioned};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::testing::*;

fn sum(name: &str) -> Value {
    json!({
        "Namespace": "App", "MetricName": name, "StartTime": NOW - 600.0, "EndTime": NOW + 600.0, "Period": 1_200,
        "Statistics": ["Sum"],
    })
}

async fn total(node: &Node, name: &str) -> f64 {
    let said = node.ok("GetMetricStatistics", sum(name)).await;
    said["Datapoints"][0]["Sum"].as_f64().unwrap_or(0.0)
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart_and_counts_once() {
    let mut node = node().await;
    for round in 1..=4 {
        node.put("App", json!({"MetricName": "m", "Value": 1})).await;
        if round % 2 == 0 {
            node.service.inner.store.flush().await.unwrap();
        }
        node = node.restarted().await;
        assert_eq!(total(&node, "m").await, f64::from(round));
        assert_eq!(node.list(json!({})).await.len(), 1);
    }
}

#[tokio::test]
async fn accounts_and_regions_see_their_own() {
    let node = node().await;
    node.put("App", json!({"MetricName": "m", "Value": 1})).await;
    let other = "111111111111";
    assert_eq!(node.list_as(other, json!({})).await.len(), 0);
    assert_eq!(node.ok_as(other, "GetMetricStatistics", sum("m")).await["Datapoints"], json!([]));
    let token = json!({"NextToken": wire::page::token(r#"{"n":"","m":""}"#)});
    assert_eq!(node.list_as(other, token).await.len(), 0);
    let put = json!({"Namespace": "App", "MetricData": [{"MetricName": "m", "Value": 5}]});
    node.ok_as(other, "PutMetricData", put.clone()).await;
    node.call_in("eu-west-1", "PutMetricData", put).await.unwrap();
    for _ in 0..2 {
        assert_eq!(total(&node, "m").await, 1.0);
        let said = node.ok_as(other, "GetMetricStatistics", sum("m")).await;
        assert_eq!(said["Datapoints"][0]["Sum"], 5.0);
        node.service.inner.store.flush().await.unwrap();
    }
}

#[tokio::test]
async fn an_account_has_so_many_metrics_and_another_has_its_own() {
    let node = node().await;
    for thousand in 0..10 {
        let data: Vec<_> =
            (0..1_000).map(|n| json!({"MetricName": format!("m{thousand}-{n}"), "Value": 1})).collect();
        node.ok("PutMetricData", json!({"Namespace": "App", "MetricData": data})).await;
    }
    let more = json!({"Namespace": "App", "MetricData": [{"MetricName": "more", "Value": 1}]});
    let expect = "LimitExceededFault: The account has reached its limit of 10000 metrics in this region.";
    assert_eq!(node.said("PutMetricData", more.clone()).await, expect);
    node.put("App", json!({"MetricName": "m0-0", "Value": 1})).await;
    node.ok_as("111111111111", "PutMetricData", more).await;
    node.service.inner.store.flush().await.unwrap();
    assert_eq!((total(&node, "m0-0").await, total(&node, "m9-999").await), (2.0, 1.0));
}

/// A store that takes no commit while it is full.
struct Full {
    inner: Arc<dyn MetaStore>,
    full: Arc<AtomicBool>,
}

impl MetaStore for Full {
    fn get(&self, key: &[u8]) -> BoxFuture<'_, Result<Option<Versioned>, StoreError>> {
        self.inner.get(key)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page, StoreError>> {
        self.inner.scan(prefix, after, limit)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>> {
        if self.full.load(Ordering::SeqCst) {
            let full = StoreError { context: "committing", transient: true, source: None };
            return Box::pin(std::future::ready(Err(full.into())));
        }
        self.inner.commit(batch)
    }

    fn revision(&self) -> Revision {
        self.inner.revision()
    }

    fn watch(&self, prefix: &[u8], after: Revision) -> Watch {
        self.inner.watch(prefix, after)
    }
}

#[tokio::test]
async fn a_full_disk_holds_chunks_up_and_loses_nothing() {
    let node = node().await;
    let full = Arc::new(AtomicBool::new(false));
    let meta = Arc::new(Full { inner: Arc::clone(&node.stores.meta), full: Arc::clone(&full) });
    let stores = Stores { meta, log: Arc::clone(&node.stores.log) };
    let node = Node::on(stores, node.clock.clone()).await;
    node.put("App", json!({"MetricName": "m", "Value": 1})).await;
    full.store(true, Ordering::SeqCst);
    assert!(node.service.inner.store.flush().await.is_err());
    node.put("App", json!({"MetricName": "m", "Value": 2})).await;
    assert_eq!(total(&node, "m").await, 3.0);
    full.store(false, Ordering::SeqCst);
    // The first finishes what was begun, the second takes what came since.
    node.service.inner.store.flush().await.unwrap();
    assert_eq!(total(&node, "m").await, 3.0);
    node.service.inner.store.flush().await.unwrap();
    let node = node.restarted().await;
    assert_eq!(total(&node, "m").await, 3.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_every_point_once_while_chunks_are_written_and_rolled_up() {
    let node = Arc::new(node().await);
    let group = kernel::TaskGroup::root(Arc::new(node.clock.clone()));
    static WRITER: kernel::TaskKind = kernel::TaskKind {
        name: "writer",
        on_cancel: kernel::OnCancel::Finish,
        on_error: kernel::OnError::Log,
    };
    let writer = Arc::clone(&node);
    let (done, mut finished) = tokio::sync::watch::channel(0_u32);
    group.spawn(&WRITER, |_| async move {
        for n in 1..=300 {
            // Four hours old and of seconds: each flush is followed by a roll-up into minutes.
            let datum =
                json!({"MetricName": "m", "Value": 1, "Timestamp": NOW - 14_400.0, "StorageResolution": 1});
            writer.put("App", datum).await;
            writer.service.inner.store.flush().await.unwrap();
            writer.service.inner.store.roll_up().await.unwrap();
            done.send_replace(n);
        }
    });
    let input = json!({
        "Namespace": "App", "MetricName": "m", "StartTime": NOW - 15_000.0, "EndTime": NOW, "Period": 60,
        "Statistics": ["Sum"],
    });
    loop {
        let before = *finished.borrow_and_update();
        let said = node.ok("GetMetricStatistics", input.clone()).await;
        let sum = said["Datapoints"][0]["Sum"].as_f64().unwrap_or(0.0);
        let after = *finished.borrow();
        // What was put is seen; what is being put may be.
        assert!(f64::from(before) <= sum && sum <= f64::from(after + 1), "{before} {sum} {after}");
        if before == 300 {
            break;
        }
        tokio::task::yield_now().await;
    }
    group.shutdown().await;
}
