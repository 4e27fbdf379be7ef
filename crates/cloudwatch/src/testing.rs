//! A service on stores in memory, and calls through its real table.

use std::sync::Arc;
use std::time::Duration;

use ::store::log::memory::MemoryCommitLog;
use ::store::meta::memory::MemoryMetaStore;
use ::store::{CommitLog, MetaStore};
use kernel::{AccountId, Context, Entropy, ManualClock, Metrics, Principal, Region, TaskGroup, Timestamp};
use serde_json::{Value, json};
use wire::testing::AllowAll;
use wire::{Fault, Service};

use crate::{CloudWatch, DESCRIPTOR, OPERATIONS, Parts};

/// 2026-01-01T00:00:00Z in seconds: a test's present.
pub(crate) const NOW: f64 = 1_767_225_600.0;

/// A service that runs.
pub(crate) struct Node {
    pub(crate) clock: ManualClock,
    pub(crate) metrics: Metrics,
    pub(crate) service: Arc<CloudWatch>,
    pub(crate) stores: Stores,
    table: Arc<dyn Service>,
    group: TaskGroup,
}

#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) meta: Arc<dyn MetaStore>,
    pub(crate) log: Arc<dyn CommitLog>,
}

pub(crate) async fn node() -> Node {
    let clock = ManualClock::new(Timestamp::from_millis(NOW as i64 * 1000));
    let log = MemoryCommitLog::new(Arc::new(clock.clone()));
    let stores = Stores { meta: Arc::new(MemoryMetaStore::new()), log: Arc::new(log) };
    Node::on(stores, clock).await
}

impl Node {
    /// A service on these stores, recovered and started.
    pub(crate) async fn on(stores: Stores, clock: ManualClock) -> Self {
        let metrics = Metrics::default();
        let service = Arc::new(CloudWatch::new(Parts {
            account: AccountId::default_account(),
            region: Region::default_region(),
            meta: Arc::clone(&stores.meta),
            log: Arc::clone(&stores.log),
            clock: Arc::new(clock.clone()),
            entropy: Entropy::seeded(1),
            metrics: metrics.clone(),
        }));
        service.recover().await.unwrap();
        let group = TaskGroup::root(Arc::new(clock.clone()));
        service.start(&group);
        let table = wire::service(&DESCRIPTOR, OPERATIONS, Arc::clone(&service));
        Self { clock, metrics, service, stores, table, group }
    }

    /// Ends the tasks and begins anew on the same stores, as after a crash: nothing is flushed.
    pub(crate) async fn restarted(self) -> Self {
        self.group.shutdown().await;
        Self::on(self.stores, self.clock).await
    }

    pub(crate) async fn call(&self, account: &str, operation: &str, input: Value) -> Result<Value, Fault> {
        let account: AccountId = account.parse().unwrap();
        let principal = Principal::Root { account: account.clone() };
        self.call_with(Context { principal, account, ..wire::testing::context() }, operation, input).await
    }

    pub(crate) async fn call_in(&self, region: &str, operation: &str, input: Value) -> Result<Value, Fault> {
        let region: Region = region.parse().unwrap();
        self.call_with(Context { region, ..wire::testing::context() }, operation, input).await
    }

    async fn call_with(&self, cx: Context, operation: &str, input: Value) -> Result<Value, Fault> {
        let input = wire::operation::Input::Members(input);
        let called = self.table.call(&cx, operation, input, &AllowAll).unwrap().await?;
        Ok(serde_json::from_slice(&called).unwrap())
    }

    #[track_caller]
    pub(crate) fn ok(&self, operation: &str, input: Value) -> impl Future<Output = Value> {
        self.ok_as("000000000000", operation, input)
    }

    pub(crate) async fn ok_as(&self, account: &str, operation: &str, input: Value) -> Value {
        self.call(account, operation, input.clone()).await.unwrap_or_else(|fault| panic!("{input}: {fault}"))
    }

    /// Code and sentence of a refusal.
    pub(crate) async fn said(&self, operation: &str, input: Value) -> String {
        match self.call("000000000000", operation, input.clone()).await {
            Ok(output) => panic!("{input}: {output}"),
            Err(fault) => fault.to_string(),
        }
    }

    pub(crate) async fn put(&self, namespace: &str, datum: Value) {
        self.ok("PutMetricData", json!({"Namespace": namespace, "MetricData": [datum]})).await;
    }

    pub(crate) async fn list(&self, input: Value) -> Vec<Value> {
        self.list_as("000000000000", input).await
    }

    pub(crate) async fn list_as(&self, account: &str, input: Value) -> Vec<Value> {
        self.ok_as(account, "ListMetrics", input).await["Metrics"].as_array().unwrap().clone()
    }

    /// Lets the sampler take one minute.
    pub(crate) async fn minute(&self) {
        // On one thread: the sampler sleeps when everything that is ready has had its turn.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let next = self.stores.log.bounds(&::store::LogId::new("cloudwatch", &[])).next;
        let mut applied = self.service.inner.store.applied();
        self.clock.advance(Duration::from_secs(60));
        applied.wait_for(|applied| *applied > next.0).await.unwrap();
    }
}
