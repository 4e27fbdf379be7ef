//! What this crate's tests share: streams, buckets and a broker in memory that outlive an engine, so that a crash is dropping it and
//! starting another.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use bytes::Bytes;
use futures::future::{self, BoxFuture, FutureExt};
use kernel::metrics::Sample;
use kernel::{
    AccountId, Arn, Clock, Context, Entropy, ErrorKind, ManualClock, Metrics, Principal, Region, TaskGroup,
    Timestamp,
};

use ports::{
    Message, MessageProperties, ObjectInfo, Objects, OnMessage, PortError, PortFuture, Publish, PutAs,
    PutObject, PutRecords, Roles, ScopedRule, TopicRule, tokio_watch as watch,
};
use serde_json::{Value, json};
use store::log::Bounds;
use store::log::memory::MemoryCommitLog;
use store::{CommitLog, LogError, LogId, Offset, Record};

use crate::{Parts, Rules};

pub(crate) const ROLE: &str = "arn:aws:iam::1234567890:role/service-role/iot.firehose";

/// Everything but the engine.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) log: Arc<TestLog>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) roles: Arc<AllRoles>,
    pub(crate) metrics: Metrics,
    rules: watch::Sender<Arc<Vec<ScopedRule>>>,
}

impl World {
    /// With the delivery stream `s` and the bucket `lake`, and these rules.
    pub(crate) fn new(rules: Vec<ScopedRule>) -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(1_503_733_632_345));
        let log = MemoryCommitLog::new(Arc::new(clock.clone()));
        let streams = Streams::default();
        streams.records.lock().unwrap().insert("s".to_owned(), Vec::new());
        Self {
            log: Arc::new(TestLog {
                log,
                full: AtomicBool::new(false),
                appends: AtomicUsize::new(0),
                damaged: Mutex::default(),
            }),
            streams: Arc::new(streams),
            buckets: Arc::default(),
            broker: Arc::default(),
            roles: Arc::default(),
            metrics: Metrics::default(),
            rules: watch::Sender::new(Arc::new(rules)),
            clock,
        }
    }

    /// An engine on these, as after a crash.
    pub(crate) fn engine(&self) -> Arc<Rules> {
        let rules = Rules::new(Parts {
            records: self.streams.clone(),
            objects: self.buckets.clone(),
            roles: self.roles.clone(),
            log: self.log.clone(),
            clock: Arc::new(self.clock.clone()),
            entropy: Entropy::seeded(1),
            metrics: self.metrics.clone(),
        });
        rules.connect_rules(self.rules.subscribe());
        let broker: Arc<dyn Publish> = self.broker.clone();
        rules.connect_publish(Arc::downgrade(&broker));
        Arc::new(rules)
    }

    /// An engine whose pump runs.
    pub(crate) fn start(&self) -> (Arc<Rules>, TaskGroup) {
        let rules = self.engine();
        let group = TaskGroup::root(Arc::new(self.clock.clone()));
        rules.start(&group);
        (rules, group)
    }

    pub(crate) fn set_rules(&self, rules: Vec<ScopedRule>) {
        self.rules.send_replace(Arc::new(rules));
    }

    /// The sum of a counter's series that have these labels first behind account and region.
    pub(crate) fn count(&self, name: &str, labels: &[&str]) -> i64 {
        let samples = self.metrics.counters().into_iter();
        let own = |s: &Sample| s.labels.iter().skip(2).zip(labels).all(|(a, b)| a == b);
        let wanted = samples.filter(|s| s.metric.name == name && own(s));
        wanted.map(|sample| sample.value).sum()
    }

    pub(crate) fn queued(&self) -> u64 {
        let bounds = self.log.bounds(&LogId::new("rules", &["actions"]));
        bounds.next.0 - bounds.first.0
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

/// A device's circumstances.
pub(crate) fn context() -> Context {
    let account = AccountId::default_account();
    Context {
        principal: Principal::Certificate { account: account.clone(), certificate_id: "ab".repeat(32) },
        account,
        region: Region::default_region(),
        request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        source_ip: Some("10.0.0.7".to_owned()),
        secure: true,
    }
}

pub(crate) fn message(topic: &str, payload: impl AsRef<[u8]>) -> Message {
    Message {
        topic: topic.to_owned(),
        payload: Bytes::copy_from_slice(payload.as_ref()),
        qos: 1,
        retain: false,
        client_id: Some("heart-1".to_owned()),
        received_at: Timestamp::EPOCH,
        hops: 0,
        properties: MessageProperties::default(),
    }
}

/// An enabled rule in the default account and region.
pub(crate) fn rule(name: &str, sql: &str, actions: Vec<Value>) -> ScopedRule {
    ScopedRule {
        account: AccountId::default_account(),
        region: Region::default_region(),
        rule: TopicRule {
            name: name.to_owned(),
            arn: format!("arn:aws:iot:us-east-1:000000000000:rule/{name}"),
            sql: sql.to_owned(),
            sql_version: "2016-03-23".to_owned(),
            enabled: true,
            actions,
            error_action: None,
        },
    }
}

pub(crate) fn with_error_action(mut rule: ScopedRule, action: Value) -> ScopedRule {
    rule.rule.error_action = Some(action);
    rule
}

pub(crate) fn to_stream(stream: &str) -> Value {
    json!({"firehose": {"roleArn": ROLE, "deliveryStreamName": stream}})
}

pub(crate) fn to_bucket(bucket: &str, key: &str) -> Value {
    json!({"s3": {"roleArn": ROLE, "bucketName": bucket, "key": key}})
}

pub(crate) fn to_topic(topic: &str) -> Value {
    json!({"republish": {"roleArn": ROLE, "topic": topic}})
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn ready<'a, T: Send + 'a>(result: Result<T, PortError>) -> PortFuture<'a, T> {
    future::ready(result).boxed()
}

fn outage() -> PortError {
    PortError::new(ErrorKind::Unavailable, "ServiceUnavailableException", "Slow down.")
}

/// Delivery streams.
#[derive(Default)]
pub(crate) struct Streams {
    pub(crate) records: Mutex<BTreeMap<String, Vec<String>>>,
    pub(crate) calls: AtomicUsize,
    pub(crate) outage: AtomicBool,
    principals: Mutex<Vec<Principal>>,
    /// As what records were put, call by call.
    pub(crate) put_as: Mutex<Vec<PutAs>>,
}

impl Streams {
    pub(crate) fn of(&self, stream: &str) -> Vec<String> {
        self.records.lock().unwrap().get(stream).cloned().unwrap_or_default()
    }

    pub(crate) fn principals(&self) -> Vec<String> {
        self.principals.lock().unwrap().iter().map(Principal::arn).collect()
    }
}

impl PutRecords for Streams {
    fn put_records<'a>(
        &'a self,
        cx: &'a Context,
        put_as: PutAs,
        stream: &'a str,
        records: Vec<Bytes>,
    ) -> PortFuture<'a, ()> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.principals.lock().unwrap().push(cx.principal.clone());
        self.put_as.lock().unwrap().push(put_as);
        if self.outage.load(Ordering::SeqCst) {
            return ready(Err(outage()));
        }
        if records.iter().any(|record| record.len() > 1_024_000) {
            return ready(Err(PortError::new(ErrorKind::Invalid, "InvalidArgumentException", "Too large.")));
        }
        let mut streams = self.records.lock().unwrap();
        let Some(stream) = streams.get_mut(stream) else {
            let sentence = format!("Firehose {stream} under account {} not found.", cx.account);
            return ready(Err(PortError::new(ErrorKind::NotFound, "ResourceNotFoundException", sentence)));
        };
        stream.extend(records.iter().map(|record| text(record)));
        ready(Ok(()))
    }
}

/// Buckets, of which there is one: `lake`.
#[derive(Default)]
pub(crate) struct Buckets {
    objects: Mutex<BTreeMap<String, String>>,
    pub(crate) outage: AtomicBool,
    pub(crate) puts: AtomicUsize,
}

impl Buckets {
    pub(crate) fn objects(&self) -> Vec<(String, String)> {
        self.objects.lock().unwrap().clone().into_iter().collect()
    }
}

impl Objects for Buckets {
    fn put<'a>(&'a self, _: &'a Context, object: PutObject) -> PortFuture<'a, ObjectInfo> {
        self.puts.fetch_add(1, Ordering::SeqCst);
        if self.outage.load(Ordering::SeqCst) {
            return ready(Err(outage()));
        }
        if object.bucket != "lake" {
            let sentence = "The specified bucket does not exist";
            return ready(Err(PortError::new(ErrorKind::NotFound, "NoSuchBucket", sentence)));
        }
        self.objects.lock().unwrap().insert(object.key.clone(), text(&object.body));
        ready(Ok(ObjectInfo {
            key: object.key,
            size: object.body.len() as u64,
            etag: String::new(),
            last_modified: Timestamp::EPOCH,
            content_encoding: None,
            records: None,
        }))
    }

    fn get<'a>(&'a self, _: &'a Context, _: &'a str, _: &'a str) -> PortFuture<'a, Bytes> {
        ready(Err(outage()))
    }

    fn check_get<'a>(&'a self, _: &'a Context, _: &'a str, _: &'a str) -> PortFuture<'a, ()> {
        ready(Err(outage()))
    }

    fn get_range<'a>(
        &'a self,
        _: &'a Context,
        _: &'a str,
        _: &'a str,
        _: Range<u64>,
    ) -> PortFuture<'a, Bytes> {
        ready(Err(outage()))
    }

    fn list<'a>(&'a self, _: &'a Context, _: &'a str, _: &'a str) -> PortFuture<'a, Vec<ObjectInfo>> {
        ready(Err(outage()))
    }

    fn delete<'a>(&'a self, _: &'a Context, _: &'a str, _: &'a str) -> PortFuture<'a, ()> {
        ready(Err(outage()))
    }

    fn ensure_bucket<'a>(&'a self, _: &'a Context, _: &'a str) -> PortFuture<'a, ()> {
        ready(Err(outage()))
    }
}

/// Roles: all are there and trust everybody, but for what a test takes away.
#[derive(Default)]
pub(crate) struct AllRoles {
    epoch: AtomicU64,
    gone: Mutex<BTreeSet<String>>,
    unpassable: Mutex<BTreeSet<String>>,
    /// How often a role was assumed, or would have been.
    pub(crate) assumed: AtomicUsize,
}

impl AllRoles {
    pub(crate) fn set_gone(&self, role: &str, gone: bool) {
        self.change(&self.gone, role, gone);
    }

    pub(crate) fn set_unpassable(&self, role: &str, unpassable: bool) {
        self.change(&self.unpassable, role, unpassable);
    }

    fn change(&self, set: &Mutex<BTreeSet<String>>, role: &str, there: bool) {
        let mut set = set.lock().unwrap();
        if there {
            set.insert(role.to_owned());
        } else {
            set.remove(role);
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
        self.assumed.fetch_add(1, Ordering::SeqCst);
        assert!(on_behalf_of.service() == "iot" && on_behalf_of.resource().starts_with("rule/"));
        if self.gone.lock().unwrap().contains(role.as_str()) {
            let said = format!("{service} is unable to perform: sts:AssumeRole on resource: {role}");
            return Err(PortError::new(ErrorKind::Denied, "AccessDenied", said));
        }
        let (account, role, session) = (cx.account.clone(), role.clone(), session.to_owned());
        Ok(cx.with_principal(Principal::Role { account, role, session }))
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    fn check_pass_role(&self, _: &Context, role: &Arn, service: &str) -> Result<(), PortError> {
        assert_eq!(service, "iot.amazonaws.com");
        if self.unpassable.lock().unwrap().contains(role.as_str()) {
            return Err(PortError::new(ErrorKind::Denied, "AccessDenied", "may not pass"));
        }
        Ok(())
    }
}

/// The gateway: what was published goes to the rules as well, if it knows them.
#[derive(Default)]
pub(crate) struct Broker {
    published: Mutex<Vec<Message>>,
    pub(crate) rules: OnceLock<Weak<Rules>>,
    pub(crate) outage: AtomicBool,
}

impl Broker {
    pub(crate) fn published(&self) -> Vec<Message> {
        self.published.lock().unwrap().clone()
    }

    pub(crate) fn topics(&self) -> Vec<String> {
        self.published().into_iter().map(|message| message.topic).collect()
    }
}

impl Publish for Broker {
    fn publish<'a>(&'a self, cx: &'a Context, message: Message) -> PortFuture<'a, ()> {
        Box::pin(async move {
            if self.outage.load(Ordering::SeqCst) {
                return Err(outage());
            }
            self.published.lock().unwrap().push(message.clone());
            match self.rules.get().and_then(Weak::upgrade) {
                Some(rules) => rules.on_message(cx, &message).await,
                None => Ok(()),
            }
        })
    }
}

/// A log that can be full or damaged.
pub(crate) struct TestLog {
    log: MemoryCommitLog,
    pub(crate) full: AtomicBool,
    pub(crate) appends: AtomicUsize,
    /// A record that cannot be read.
    pub(crate) damaged: Mutex<Option<Offset>>,
}

impl CommitLog for TestLog {
    fn append(&self, log: &LogId, records: Vec<Bytes>) -> BoxFuture<'static, Result<Offset, LogError>> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        if self.full.load(Ordering::SeqCst) {
            return future::ready(Err(LogError::Full)).boxed();
        }
        self.log.append(log, records)
    }

    fn read(&self, log: &LogId, from: Offset, max: usize) -> BoxFuture<'_, Result<Vec<Record>, LogError>> {
        let damaged = *self.damaged.lock().unwrap();
        let (log, read) = (log.clone(), self.log.read(log, from, max));
        Box::pin(async move {
            let records = read.await?;
            match damaged.filter(|damaged| records.iter().any(|record| record.offset == *damaged)) {
                Some(offset) => Err(LogError::Damaged { log, offset }),
                None => Ok(records),
            }
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

/// Advances time until something holds.
pub(crate) async fn advance_until(world: &World, mut holds: impl FnMut() -> bool) {
    while !holds() {
        world.clock.advance(std::time::Duration::from_millis(500));
        world.settle().await;
    }
}

/// When the world's clock stands.
pub(crate) fn now_ms(world: &World) -> i64 {
    world.clock.now().as_millis()
}
