//! A whole Athena on memory: its store, a catalog, objects and an engine, and calls through its table.

mod catalog;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use kernel::{Context, Entropy, ErrorKind, ManualClock, Metrics, TaskGroup, Timestamp};
use ports::{
    Execute, ObjectInfo, Objects, PortError, PortFuture, PutObject, QueryRequest, QueryStatistics,
    ResultColumn, Row, Running,
};
use serde_json::{Value, json};
use store::meta::memory::MemoryMetaStore;
use store::{Batch, CommitError, MetaStore, Revision, StoreError, Versioned, Watch};
use tokio::sync::watch;
use wire::Fault;

pub(crate) use self::catalog::FakeCatalog;
use crate::{Athena, DESCRIPTOR, OPERATIONS, Parts};

/// When everything in these tests begins.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_503_733_632_345);

/// Where results go when nobody says.
pub(crate) const BUCKET: &str = "aws-athena-query-results-000000000000-us-east-1";

/// What outlives a node. The bucket `lake` is there.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) meta: Arc<dyn MetaStore>,
    pub(crate) catalog: Arc<FakeCatalog>,
    pub(crate) objects: Arc<FakeObjects>,
    pub(crate) execute: Arc<FakeExecute>,
    pub(crate) clock: ManualClock,
}

/// A node that runs.
pub(crate) struct Node {
    pub(crate) world: World,
    pub(crate) athena: Arc<Athena>,
    service: Arc<dyn wire::Service>,
    group: TaskGroup,
    pub(crate) metrics: Metrics,
}

pub(crate) async fn node() -> Node {
    World::new().start().await
}

impl World {
    pub(crate) fn new() -> Self {
        let objects = FakeObjects::default();
        objects.bucket("lake");
        Self {
            meta: Arc::new(MemoryMetaStore::new()),
            catalog: Arc::new(FakeCatalog::default()),
            objects: Arc::new(objects),
            execute: Arc::new(FakeExecute::default()),
            clock: ManualClock::new(NOW),
        }
    }

    pub(crate) async fn start(&self) -> Node {
        let metrics = Metrics::default();
        let seed = self.meta.revision().0;
        let athena = Arc::new(Athena::new(Parts {
            meta: Arc::clone(&self.meta),
            catalog: Arc::clone(&self.catalog) as _,
            objects: Arc::clone(&self.objects) as _,
            execute: Arc::clone(&self.execute) as _,
            clock: Arc::new(self.clock.clone()),
            entropy: Entropy::seeded(seed),
            metrics: metrics.clone(),
        }));
        athena.recover().await.unwrap();
        let group = TaskGroup::root(Arc::new(self.clock.clone()));
        athena.start(&group);
        let service = wire::service(&DESCRIPTOR, OPERATIONS, Arc::clone(&athena));
        Node { world: self.clone(), athena, service, group, metrics }
    }

    /// Stops the node and starts another on what it left.
    pub(crate) async fn restart(&self, node: Node) -> Node {
        node.group.shutdown().await;
        drop(node);
        self.start().await
    }
}

impl Node {
    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        wire::testing::call(&*self.service, operation, input).await
    }

    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call(operation, input).await.unwrap()
    }

    /// Code and sentence of the refusal.
    pub(crate) async fn said(&self, operation: &str, input: Value) -> String {
        self.call(operation, input).await.unwrap_err().to_string()
    }

    pub(crate) async fn begin(&self, sql: &str) -> String {
        let begun = self.ok("StartQueryExecution", json!({"QueryString": sql})).await;
        begun["QueryExecutionId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn finished(&self, id: &str) {
        if let Some(live) = self.athena.inner.live.get(&wire::testing::context(), id) {
            live.ended().await;
        }
    }

    /// The execution as GetQueryExecution shows it.
    pub(crate) async fn get(&self, id: &str) -> Value {
        self.ok("GetQueryExecution", json!({"QueryExecutionId": id})).await["QueryExecution"].clone()
    }

    /// Runs a statement to its end.
    pub(crate) async fn run(&self, sql: &str) -> Value {
        self.run_with(json!({"QueryString": sql})).await
    }

    pub(crate) async fn run_with(&self, input: Value) -> Value {
        let begun = self.ok("StartQueryExecution", input).await;
        let id = begun["QueryExecutionId"].as_str().unwrap();
        self.finished(id).await;
        self.get(id).await
    }

    /// The lines a statement answers, or why it failed.
    pub(crate) async fn lines(&self, sql: &str) -> Result<Vec<String>, String> {
        let execution = self.run(sql).await;
        if execution["Status"]["State"] != "SUCCEEDED" {
            return Err(execution["Status"]["StateChangeReason"].as_str().unwrap().to_owned());
        }
        let id = execution["QueryExecutionId"].as_str().unwrap();
        let text = self.world.objects.text(BUCKET, &format!("{id}.txt"));
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The items of every page of a listing.
    pub(crate) async fn pages(&self, operation: &str, mut input: Value, list: &str) -> Vec<Vec<Value>> {
        let mut pages = Vec::new();
        loop {
            let page = self.ok(operation, input.clone()).await;
            pages.push(page[list].as_array().unwrap().clone());
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => return pages,
            }
        }
    }

    pub(crate) fn counter(&self, name: &str, label: &str) -> i64 {
        let counters = self.metrics.counters();
        counters
            .iter()
            .find(|one| one.metric.name == name && one.labels.last().is_some_and(|last| last == label))
            .map_or(0, |one| one.value)
    }

    pub(crate) fn gauge(&self, name: &str) -> i64 {
        self.metrics.gauges().iter().find(|one| one.metric.name == name).map_or(0, |one| one.value)
    }
}

fn port<'a, T: Send + 'a>(answer: Result<T, PortError>) -> PortFuture<'a, T> {
    Box::pin(std::future::ready(answer))
}

// ── The engine ─────────────────────────────────────────────────────────────────────────────────────────────

/// Knows queries by a word in them.
pub(crate) struct FakeExecute {
    requests: Mutex<Vec<QueryRequest>>,
    running: watch::Sender<usize>,
    open: watch::Sender<bool>,
    dropped: Arc<AtomicUsize>,
}

impl Default for FakeExecute {
    fn default() -> Self {
        Self {
            requests: Mutex::default(),
            running: watch::Sender::new(0),
            open: watch::Sender::new(false),
            dropped: Arc::default(),
        }
    }
}

/// Counts queries that were dropped while they waited.
struct DropCount(Arc<AtomicUsize>, bool);

impl Drop for DropCount {
    fn drop(&mut self) {
        if self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl FakeExecute {
    /// The texts asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|request| request.sql.clone()).collect()
    }

    pub(crate) fn cutoff(&self) -> Option<u64> {
        self.requests.lock().unwrap().last().unwrap().bytes_scanned_max
    }

    /// Completes when so many queries have begun.
    pub(crate) async fn wait_for(&self, n: usize) {
        self.running.subscribe().wait_for(|running| *running >= n).await.unwrap();
    }

    /// Lets those that wait go on.
    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    pub(crate) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }
}

fn column(name: &str, type_name: &str, precision: u32, scale: u32) -> ResultColumn {
    ResultColumn { name: name.to_owned(), type_name: type_name.to_owned(), precision, scale }
}

fn row(values: &[Option<&str>]) -> Row {
    values.iter().map(|value| value.map(str::to_owned)).collect()
}

fn invalid(sentence: &str) -> PortError {
    PortError::new(ErrorKind::Invalid, "InvalidRequestException", sentence)
}

impl Execute for FakeExecute {
    fn execute<'a>(&'a self, _: &'a Context, request: QueryRequest) -> PortFuture<'a, Running> {
        let sql = request.sql.clone();
        self.requests.lock().unwrap().push(request);
        self.running.send_modify(|running| *running += 1);
        let word = sql.rsplit(' ').next().unwrap().to_owned();
        let count = |prefix: &str| word.strip_prefix(prefix).and_then(|n| n.parse::<usize>().ok());
        let integer = vec![column("_col0", "integer", 10, 0)];
        let text = |name: &str| vec![column(name, "varchar", 2_147_483_647, 0)];
        let mut columns = integer;
        let mut batches: Vec<Result<Vec<Row>, PortError>> = vec![Ok(vec![row(&[Some("1")])])];
        if word == "nope" {
            return port(Err(invalid("COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved")));
        } else if word == "panics" {
            return Box::pin(async { panic!("the engine panics") });
        } else if word == "breaks" {
            batches.push(Err(invalid("DIVISION_BY_ZERO: Division by zero")));
        } else if word == "cutoff" {
            batches.push(Err(invalid("BYTES_SCANNED_LIMIT: Bytes scanned limit was exceeded")));
        } else if word == "special" {
            columns = vec![column("a", "varchar", 2_147_483_647, 0), column("_col1", "decimal", 3, 2)];
            batches = vec![
                Ok(vec![row(&[Some("say \"hi\", you"), None]), row(&[Some(""), Some("1.50")])]),
                Ok(vec![row(&[Some("two\nlines"), Some("é")])]),
            ];
        } else if word == "plan" {
            columns = text("Query Plan");
            batches = vec![Ok(vec![row(&[Some("Fragment 0\n  Scan\n")])])];
        } else if let Some(n) = count("rows_") {
            columns = text("n");
            batches = (0..n).map(|n| Ok(vec![row(&[Some(&n.to_string())])])).collect();
        } else if let Some(n) = count("wide_") {
            columns = text("wide");
            batches = (0..n).map(|_| Ok(vec![vec![Some("x".repeat(512 << 10))]])).collect();
        }
        let mut open = self.open.subscribe();
        let waiting = DropCount(Arc::clone(&self.dropped), word.starts_with("wait"));
        let gate = futures::stream::once(async move {
            // The whole of it, not its flag only.
            let mut waiting = waiting;
            if waiting.1 {
                open.wait_for(|open| *open).await.unwrap();
                waiting.1 = false;
            }
            Ok(Vec::new())
        });
        let statistics = QueryStatistics { bytes_scanned: 4096, ..QueryStatistics::default() };
        let rows = gate.chain(futures::stream::iter(batches)).boxed();
        port(Ok(Running { columns, rows, statistics: Arc::new(move || statistics) }))
    }
}

// ── Objects ────────────────────────────────────────────────────────────────────────────────────────────────

#[derive(Default)]
pub(crate) struct FakeObjects {
    buckets: Mutex<BTreeSet<String>>,
    objects: Mutex<BTreeMap<(String, String), Bytes>>,
}

impl FakeObjects {
    pub(crate) fn bucket(&self, name: &str) {
        self.buckets.lock().unwrap().insert(name.to_owned());
    }

    pub(crate) fn remove_bucket(&self, name: &str) {
        self.buckets.lock().unwrap().remove(name);
    }

    pub(crate) fn text(&self, bucket: &str, key: &str) -> String {
        let objects = self.objects.lock().unwrap();
        String::from_utf8(objects[&(bucket.to_owned(), key.to_owned())].to_vec()).unwrap()
    }

    pub(crate) fn add(&self, bucket: &str, key: &str) {
        self.objects.lock().unwrap().insert((bucket.to_owned(), key.to_owned()), Bytes::new());
    }

    pub(crate) fn remove(&self, bucket: &str, key: &str) {
        self.objects.lock().unwrap().remove(&(bucket.to_owned(), key.to_owned())).unwrap();
    }

    pub(crate) fn count(&self, bucket: &str) -> usize {
        self.objects.lock().unwrap().keys().filter(|(found, _)| found == bucket).count()
    }

    fn check(&self, bucket: &str) -> Result<(), PortError> {
        let there = self.buckets.lock().unwrap().contains(bucket);
        let missing =
            || PortError::new(ErrorKind::NotFound, "NoSuchBucket", "The specified bucket does not exist");
        if there { Ok(()) } else { Err(missing()) }
    }

    fn find(&self, bucket: &str, key: &str) -> Result<Bytes, PortError> {
        self.check(bucket)?;
        let objects = self.objects.lock().unwrap();
        objects.get(&(bucket.to_owned(), key.to_owned())).cloned().ok_or_else(|| {
            PortError::new(ErrorKind::NotFound, "NoSuchKey", "The specified key does not exist.")
        })
    }
}

fn info(key: &str, body: &Bytes) -> ObjectInfo {
    ObjectInfo {
        key: key.to_owned(),
        size: body.len() as u64,
        etag: String::new(),
        last_modified: NOW,
        content_encoding: None,
        records: None,
    }
}

impl Objects for FakeObjects {
    fn put<'a>(&'a self, _: &'a Context, object: PutObject) -> PortFuture<'a, ObjectInfo> {
        let put = self.check(&object.bucket).map(|()| {
            let info = info(&object.key, &object.body);
            self.objects.lock().unwrap().insert((object.bucket, object.key), object.body);
            info
        });
        port(put)
    }

    fn get<'a>(&'a self, _: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, Bytes> {
        port(self.find(bucket, key))
    }

    fn check_get<'a>(&'a self, _: &'a Context, _: &'a str, _: &'a str) -> PortFuture<'a, ()> {
        port(Ok(()))
    }

    fn get_range<'a>(
        &'a self,
        _: &'a Context,
        bucket: &'a str,
        key: &'a str,
        range: std::ops::Range<u64>,
    ) -> PortFuture<'a, Bytes> {
        port(self.find(bucket, key).map(|body| {
            let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(body.len());
            let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
            body.slice(start..end)
        }))
    }

    fn list<'a>(
        &'a self,
        _: &'a Context,
        bucket: &'a str,
        prefix: &'a str,
    ) -> PortFuture<'a, Vec<ObjectInfo>> {
        let objects = self.objects.lock().unwrap();
        let found = objects.iter().filter(|((of, key), _)| of == bucket && key.starts_with(prefix));
        port(self.check(bucket).map(|()| found.map(|((_, key), body)| info(key, body)).collect()))
    }

    fn delete<'a>(&'a self, _: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, ()> {
        self.objects.lock().unwrap().remove(&(bucket.to_owned(), key.to_owned()));
        port(self.check(bucket))
    }

    fn ensure_bucket<'a>(&'a self, _: &'a Context, bucket: &'a str) -> PortFuture<'a, ()> {
        self.bucket(bucket);
        port(Ok(()))
    }
}

// ── A store whose disk is full for a while ─────────────────────────────────────────────────────────────────

/// Refuses commits while it is told to.
pub(crate) struct FullStore {
    inner: MemoryMetaStore,
    /// How many commits to refuse.
    pub(crate) refusals: AtomicUsize,
}

impl FullStore {
    pub(crate) fn new() -> Self {
        Self { inner: MemoryMetaStore::new(), refusals: AtomicUsize::new(0) }
    }
}

impl MetaStore for FullStore {
    fn get(&self, key: &[u8]) -> BoxFuture<'_, Result<Option<Versioned>, StoreError>> {
        self.inner.get(key)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Vec<u8>, Versioned)>, StoreError>> {
        self.inner.scan(prefix, after, limit)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>> {
        let refuse = |left: usize| left.checked_sub(1);
        if self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse).is_ok() {
            let full = StoreError { context: "the disk is full", transient: true, source: None };
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
