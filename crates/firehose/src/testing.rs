//! What this crate's tests share: stores that outlive a service, so that a crash is dropping it and starting another, and a
//! bucket store that is real but in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use kernel::{
    Arn, Clock, Context, Entropy, ErrorKind, ManualClock, Metrics, Principal, Region, TaskGroup, Timestamp,
};
use ports::{Buffered, ObjectInfo, Objects, PortError, PortFuture, PutAs, PutObject, PutRecords, Roles};
use serde_json::{Value, json};
use store::log::Bounds;
use store::log::memory::MemoryCommitLog;
use store::meta::memory::MemoryMetaStore;
use store::{CommitLog, LogError, LogId, MetaStore, Offset, Record};
use tokio::sync::watch;
use wire::authorize::Denied;
use wire::operation::Input;
use wire::testing::{AllowAll, context};
use wire::{Authorize, Fault, Resource};

use crate::service::{Firehose, Parts};

/// 2017-08-26T07:47:12.345Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_503_733_632_345);

/// Everything that survives a crash.
pub(crate) struct World {
    pub(crate) meta: Arc<dyn MetaStore>,
    pub(crate) log: Arc<TestLog>,
    pub(crate) lake: Arc<Lake>,
    pub(crate) roles: Arc<AllRoles>,
    pub(crate) clock: ManualClock,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new(START);
        Self {
            meta: Arc::new(MemoryMetaStore::new()),
            log: Arc::new(TestLog::new(Arc::new(clock.clone()))),
            lake: Arc::new(Lake::new(clock.clone())),
            roles: Arc::default(),
            clock,
        }
    }

    /// A service on these stores, as after a crash.
    pub(crate) async fn start(&self) -> Firehose {
        let (meta, log, lake) = (self.meta.clone(), self.log.clone(), self.lake.clone());
        let clock = Arc::new(self.clock.clone());
        let firehose = Firehose::new(Parts {
            meta,
            log,
            objects: lake,
            roles: self.roles.clone(),
            authorize: self.roles.clone(),
            clock,
            entropy: Entropy::seeded(1),
            metrics: Metrics::default(),
        });
        firehose.recover().await.unwrap();
        firehose
    }

    pub(crate) fn group(&self) -> TaskGroup {
        TaskGroup::root(Arc::new(self.clock.clone()))
    }

    pub(crate) async fn call(
        &self,
        firehose: &Firehose,
        operation: &str,
        input: Value,
    ) -> Result<Value, Fault> {
        self.call_in(firehose, &context().region, operation, input).await
    }

    pub(crate) async fn call_in(
        &self,
        firehose: &Firehose,
        region: &Region,
        operation: &str,
        input: Value,
    ) -> Result<Value, Fault> {
        let service = wire::service(&crate::DESCRIPTOR, crate::OPERATIONS, Arc::new(firehose.clone()));
        let cx = Context { region: region.clone(), ..context() };
        let call = service.call(&cx, operation, Input::Members(input), &AllowAll).unwrap();
        Ok(serde_json::from_slice(&call.await?).unwrap())
    }

    /// Creates a stream to the bucket `lake`, with these members of an extended S3 destination.
    pub(crate) async fn create(&self, firehose: &Firehose, name: &str, members: Value) {
        let base = json!({"RoleARN": "arn:aws:iam::1234567890:role/firehose_delivery_role",
                          "BucketARN": "arn:aws:s3:::lake"});
        let request = json!({"DeliveryStreamName": name,
                             "ExtendedS3DestinationConfiguration": merged(base, members)});
        self.call(firehose, "CreateDeliveryStream", request).await.unwrap();
    }

    /// Updates members of a stream's destination, whatever its version.
    pub(crate) async fn update(&self, firehose: &Firehose, name: &str, members: Value) {
        let stream = firehose.inner.stream(&context(), name).unwrap();
        let request = json!({
            "DeliveryStreamName": name,
            "CurrentDeliveryStreamVersionId": stream.state().stored.entity.version.to_string(),
            "DestinationId": "destinationId-000000000001",
            "ExtendedS3DestinationUpdate": members,
        });
        self.call(firehose, "UpdateDestination", request).await.unwrap();
    }

    pub(crate) async fn put(&self, firehose: &Firehose, name: &str, records: &[&str]) {
        let records = records.iter().map(|record| Bytes::copy_from_slice(record.as_bytes())).collect();
        firehose.put_records(&context(), PutAs::Record, name, records).await.unwrap();
    }

    /// The records a hot read of the bucket `lake` returns.
    pub(crate) async fn buffered(&self, firehose: &Firehose, prefix: &str) -> Vec<String> {
        let runs = firehose.buffered(&context(), "lake", prefix).await.unwrap();
        runs.into_iter().flat_map(|run| run.records).map(|record| text(&record)).collect()
    }

    /// Delivers until nothing is left, without waiting for hints.
    pub(crate) async fn deliver_all(&self, firehose: &Firehose) {
        let group = self.group();
        for stream in firehose.inner.registry.all() {
            while stream.delivering().is_some() || firehose.inner.log.oldest(&stream.log).is_some() {
                firehose.inner.deliver(&stream, &group.stop()).await.unwrap();
            }
        }
    }

    /// Lets other tasks run until something holds.
    pub(crate) async fn wait_for(&self, mut holds: impl FnMut() -> bool) {
        while !holds() {
            tokio::task::yield_now().await;
        }
    }

    /// Lets other tasks run for as long as they could have anything to do.
    pub(crate) async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The first object's members, with the second's over them.
pub(crate) fn merged(mut base: Value, over: Value) -> Value {
    let Value::Object(over) = over else { panic!("an object is merged") };
    base.as_object_mut().unwrap().extend(over);
    base
}

pub(crate) fn base64(data: &[u8]) -> Value {
    serde_json::to_value(wire::Blob(Bytes::copy_from_slice(data))).unwrap()
}

/// Roles and rights: everybody may everything, but for what a test takes away.
#[derive(Default)]
pub(crate) struct AllRoles {
    epoch: AtomicU64,
    /// Roles that are gone.
    gone: Mutex<BTreeSet<String>>,
    /// Actions that nobody may.
    forbidden: Mutex<BTreeSet<String>>,
    /// How often a decision was asked for.
    pub(crate) decisions: AtomicU64,
}

impl AllRoles {
    pub(crate) fn set_gone(&self, role: &str, gone: bool) {
        self.change(&self.gone, role, gone);
    }

    pub(crate) fn set_forbidden(&self, action: &str, forbidden: bool) {
        self.change(&self.forbidden, action, forbidden);
    }

    fn change(&self, set: &Mutex<BTreeSet<String>>, element: &str, there: bool) {
        let mut set = set.lock().unwrap();
        if there {
            set.insert(element.to_owned());
        } else {
            set.remove(element);
        }
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

impl Roles for AllRoles {
    fn assume(
        &self,
        cx: &Context,
        role: &Arn,
        service: &'static str,
        session: &str,
        on_behalf_of: &Arn,
    ) -> Result<Context, PortError> {
        assert_eq!(on_behalf_of.service(), "firehose");
        if self.gone.lock().unwrap().contains(role.as_str()) {
            let said = format!("{service} is unable to perform: sts:AssumeRole on resource: {role}");
            return Err(PortError::new(ErrorKind::Denied, "AccessDenied", said));
        }
        let (account, role, session) = (cx.account.clone(), role.clone(), session.to_owned());
        Ok(Context { principal: Principal::Role { account, role, session }, secure: true, ..cx.clone() })
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    fn check_pass_role(&self, cx: &Context, role: &Arn, service: &str) -> Result<(), PortError> {
        assert_eq!(service, "firehose.amazonaws.com");
        self.authorize(cx, "iam:PassRole", &Resource::Arn(role.clone()))
            .map_err(|denied| PortError::new(ErrorKind::Denied, "AccessDenied", denied.to_string()))
    }
}

impl Authorize for AllRoles {
    fn authorize(&self, cx: &Context, action: &str, resource: &Resource) -> Result<(), Denied> {
        self.decisions.fetch_add(1, Ordering::SeqCst);
        let forbidden = self.forbidden.lock().unwrap().contains(action);
        if forbidden { Err(Denied::implicit(cx, action, resource)) } else { Ok(()) }
    }
}

/// The log in memory, until it is full; and a delivery may end between two pages of a read.
pub(crate) struct TestLog {
    log: MemoryCommitLog,
    full: AtomicBool,
    trim_before_page: Mutex<Option<Offset>>,
    trim_after_page: Mutex<Option<Offset>>,
    /// A record that cannot be read.
    damaged: Mutex<Option<Offset>>,
}

impl TestLog {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            log: MemoryCommitLog::new(clock),
            full: AtomicBool::new(false),
            trim_before_page: Mutex::default(),
            trim_after_page: Mutex::default(),
            damaged: Mutex::default(),
        }
    }

    pub(crate) fn fill(&self) {
        self.full.store(true, Ordering::SeqCst);
    }

    /// Lets a record be read no more.
    pub(crate) fn damage(&self, record: Offset) {
        *self.damaged.lock().unwrap() = Some(record);
    }

    /// Trims the log before the next page is read.
    pub(crate) fn trim_before_page(&self, before: Offset) {
        *self.trim_before_page.lock().unwrap() = Some(before);
    }

    /// Trims the log behind the next page that is read.
    pub(crate) fn trim_after_page(&self, before: Offset) {
        *self.trim_after_page.lock().unwrap() = Some(before);
    }
}

impl CommitLog for TestLog {
    fn append(&self, log: &LogId, records: Vec<Bytes>) -> BoxFuture<'static, Result<Offset, LogError>> {
        if self.full.load(Ordering::SeqCst) {
            return std::future::ready(Err(LogError::Full)).boxed();
        }
        self.log.append(log, records)
    }

    fn read(&self, log: &LogId, from: Offset, max: usize) -> BoxFuture<'_, Result<Vec<Record>, LogError>> {
        let trim = |before| self.log.trim(log, before).now_or_never().unwrap().unwrap();
        if let Some(before) = self.trim_before_page.lock().unwrap().take() {
            trim(before);
        }
        let page = self.log.read(log, from, max);
        if max > 1
            && let Some(before) = self.trim_after_page.lock().unwrap().take()
        {
            trim(before);
        }
        let (damaged, log) = (*self.damaged.lock().unwrap(), log.clone());
        Box::pin(async move {
            let mut records = page.await?;
            if let Some(offset) = damaged
                && let Some(place) = records.iter().position(|record| record.offset == offset)
            {
                records.truncate(place);
                if place == 0 {
                    return Err(LogError::Damaged { log, offset });
                }
            }
            Ok(records)
        })
    }

    fn trim(&self, log: &LogId, before: Offset) -> BoxFuture<'static, Result<(), LogError>> {
        self.log.trim(log, before)
    }

    fn delete(&self, log: &LogId) -> BoxFuture<'static, Result<(), LogError>> {
        self.log.delete(log)
    }

    fn bounds(&self, log: &LogId) -> Bounds {
        self.log.bounds(log)
    }

    fn oldest(&self, log: &LogId) -> Option<Timestamp> {
        self.log.oldest(log)
    }

    fn logs(&self, prefix: &str) -> Vec<LogId> {
        self.log.logs(prefix)
    }

    fn changed(&self, log: &LogId) -> watch::Receiver<Offset> {
        self.log.changed(log)
    }
}

/// Buckets in memory. `lake` exists from the start.
pub(crate) struct Lake {
    clock: ManualClock,
    buckets: Mutex<BTreeSet<String>>,
    objects: Mutex<BTreeMap<(String, String), (PutObject, ObjectInfo)>>,
    outage: AtomicBool,
    /// Roles that may put nothing.
    refused: Mutex<BTreeSet<String>>,
}

impl Lake {
    fn new(clock: ManualClock) -> Self {
        let buckets = Mutex::new(BTreeSet::from(["lake".to_owned()]));
        let outage = AtomicBool::new(false);
        Self { clock, buckets, objects: Mutex::default(), outage, refused: Mutex::default() }
    }

    /// Whether puts fail from now on.
    pub(crate) fn set_outage(&self, outage: bool) {
        self.outage.store(outage, Ordering::SeqCst);
    }

    /// Lets a role put nothing from now on.
    pub(crate) fn refuse(&self, role: &str) {
        self.refused.lock().unwrap().insert(role.to_owned());
    }

    pub(crate) fn add_bucket(&self, bucket: &str) {
        self.buckets.lock().unwrap().insert(bucket.to_owned());
    }

    /// Every object: `bucket/key`.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().map(|(bucket, key)| format!("{bucket}/{key}")).collect()
    }

    /// Every object.
    pub(crate) fn objects(&self) -> Vec<PutObject> {
        self.objects.lock().unwrap().values().map(|(object, _)| object.clone()).collect()
    }

    /// What all objects hold, in the order of their keys.
    pub(crate) fn contents(&self) -> Vec<String> {
        self.objects().iter().map(|object| text(&object.body)).collect()
    }

    fn check(&self, bucket: &str) -> Result<(), PortError> {
        let there = self.buckets.lock().unwrap().contains(bucket);
        let sentence = "The specified bucket does not exist";
        there.then_some(()).ok_or_else(|| PortError::new(ErrorKind::NotFound, "NoSuchBucket", sentence))
    }
}

fn ready<'a, T: Send + 'a>(result: Result<T, PortError>) -> PortFuture<'a, T> {
    std::future::ready(result).boxed()
}

impl Objects for Lake {
    fn put<'a>(&'a self, cx: &'a Context, object: PutObject) -> PortFuture<'a, ObjectInfo> {
        let Principal::Role { role, .. } = &cx.principal else { panic!("{:?} puts an object", cx.principal) };
        if self.refused.lock().unwrap().contains(role.as_str()) {
            return ready(Err(PortError::new(ErrorKind::Denied, "AccessDenied", format!("{role} may not"))));
        }
        if self.outage.load(Ordering::SeqCst) {
            return ready(Err(PortError::new(
                ErrorKind::Unavailable,
                "SlowDown",
                "Reduce your request rate.",
            )));
        }
        ready(self.check(&object.bucket).map(|()| {
            let info = ObjectInfo {
                key: object.key.clone(),
                size: object.body.len() as u64,
                etag: "e".to_owned(),
                last_modified: self.clock.now(),
                content_encoding: object.content_encoding.clone(),
                records: object.records.clone(),
            };
            let at = (object.bucket.clone(), object.key.clone());
            self.objects.lock().unwrap().insert(at, (object, info.clone()));
            info
        }))
    }

    fn get<'a>(&'a self, _: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, Bytes> {
        let objects = self.objects.lock().unwrap();
        let found = objects.get(&(bucket.to_owned(), key.to_owned())).map(|(object, _)| object.body.clone());
        let missing =
            || PortError::new(ErrorKind::NotFound, "NoSuchKey", "The specified key does not exist.");
        ready(self.check(bucket).and_then(|()| found.ok_or_else(missing)))
    }

    fn check_get<'a>(&'a self, _: &'a Context, _: &'a str, _: &'a str) -> PortFuture<'a, ()> {
        ready(Ok(()))
    }

    fn get_range<'a>(
        &'a self,
        cx: &'a Context,
        bucket: &'a str,
        key: &'a str,
        range: Range<u64>,
    ) -> PortFuture<'a, Bytes> {
        Box::pin(async move {
            let body = self.get(cx, bucket, key).await?;
            Ok(body.slice(range.start as usize..body.len().min(range.end as usize)))
        })
    }

    fn list<'a>(
        &'a self,
        _: &'a Context,
        bucket: &'a str,
        prefix: &'a str,
    ) -> PortFuture<'a, Vec<ObjectInfo>> {
        let objects = self.objects.lock().unwrap();
        let found = objects.iter().filter(|((own, key), _)| own == bucket && key.starts_with(prefix));
        ready(self.check(bucket).map(|()| found.map(|(_, (_, info))| info.clone()).collect()))
    }

    fn delete<'a>(&'a self, _: &'a Context, bucket: &'a str, key: &'a str) -> PortFuture<'a, ()> {
        self.objects.lock().unwrap().remove(&(bucket.to_owned(), key.to_owned()));
        ready(self.check(bucket))
    }

    fn ensure_bucket<'a>(&'a self, _: &'a Context, bucket: &'a str) -> PortFuture<'a, ()> {
        self.add_bucket(bucket);
        ready(Ok(()))
    }
}
