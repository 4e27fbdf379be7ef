//! The sandbox: starts a node on memory stores, crashes it, starts it again.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use client::Client;
use http::Method;
use iam::{RootKey, RootKeys};
use kernel::{Clock, Context, Entropy, ErrorKind, ManualClock, Metrics, SystemClock, Timestamp};
use mqtt::{Connect, Version};
use node::{Addresses, Config, Engine, Listeners, Node, Parts, Quotas, Reset, Stores, TlsConfig};
use ports::{Execute, PortError, PortFuture, QueryRequest, Running};
use store::MasterKey;
use store::log::memory::MemoryCommitLog;
use store::meta::memory::MemoryMetaStore;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

use crate::{Closed, Device, HttpConnection, Identity};

/// 2026-01-01T00:00:00Z: where every sandbox's time begins.
const BEGINNING: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// How long a predicate may take to hold, in real time, before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a predicate is asked.
const ASK_EVERY: Duration = Duration::from_millis(1);

/// What a sandbox's node is made of, where it is not the usual.
pub struct Setup {
    /// Who and where the node is.
    pub config: Config,
    /// Where state lives; in memory unless a test is about a real backend.
    pub stores: Stores,
    /// The SQL engine. The usual one refuses: few tests are worth linking DataFusion for.
    pub engine: Engine,
    /// Time.
    pub clock: ManualClock,
    /// The time by which clients of the HTTP ports are slow: the machine's, unless a test is about slow ones.
    pub connection_clock: Arc<dyn Clock>,
    /// The seed of all chance.
    pub seed: u64,
}

impl Default for Setup {
    fn default() -> Self {
        let clock = ManualClock::new(BEGINNING);
        Self {
            // Time stands still, so a rate that is used up would stay so.
            config: Config { reset: Reset::Allowed, quotas: Quotas::UNBOUNDED, ..Config::default() },
            stores: Stores {
                meta: Arc::new(MemoryMetaStore::new()),
                log: Arc::new(MemoryCommitLog::new(Arc::new(clock.clone()))),
                blobs: store::blob::memory(),
            },
            engine: Arc::new(|_| Arc::new(NoEngine)),
            clock,
            connection_clock: Arc::new(SystemClock),
            seed: 1,
        }
    }
}

/// A node and what it stands on.
pub struct Sandbox {
    setup: Setup,
    key: RootKey,
    /// None only while the node is down.
    running: Option<Up>,
    addresses: Addresses,
    /// How often a node was started: each has a chance of its own, or it would draw the identifiers of the last.
    starts: u64,
}

struct Up {
    node: Node,
    metrics: Metrics,
    /// None only while it is being dropped.
    runtime: Option<Runtime>,
}

impl Drop for Up {
    /// A test's end does not wait for its node.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Sandbox {
    /// A node as usual, without an SQL engine.
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// A node of these parts.
    ///
    /// # Panics
    /// If it does not start: the test has failed.
    pub async fn with(setup: Setup) -> Self {
        logs();
        let key = RootKey::generate(&Entropy::seeded(setup.seed));
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let addresses = Addresses {
            api: nowhere,
            console: nowhere,
            mqtt: nowhere,
            mqtts: nowhere,
            https: nowhere,
            metrics: nowhere,
        };
        let mut sandbox = Self { setup, key, running: None, addresses, starts: 0 };
        sandbox.start().await;
        sandbox
    }

    /// Starts a node on the stores as they are; on the same ports as before, if there was one.
    ///
    /// # Panics
    /// If it does not start: the test has failed.
    pub async fn start(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a thread can be started");
        let (done, started) = oneshot::channel();
        self.starts += 1;
        let parts = self.parts();
        let metrics = parts.metrics.clone();
        let addresses = self.addresses;
        let starting = runtime.handle().clone();
        kernel::thread("sandbox-start", move || {
            let node = starting.block_on(async move {
                let listeners = listeners(addresses).await;
                Node::start(Parts { listeners, ..parts }).await
            });
            // The test may have been dropped meanwhile.
            done.send(node).ok();
        })
        .expect("a thread can be started");
        let node = match started.await.expect("the thread answers") {
            Ok(node) => node,
            Err(error) => panic!("the node does not start: {error:?}"),
        };
        self.addresses = node.addresses();
        self.running = Some(Up { node, metrics, runtime: Some(runtime) });
    }

    fn parts(&self) -> Parts {
        Parts {
            config: self.setup.config.clone(),
            clock: Arc::new(self.setup.clock.clone()),
            connection_clock: Arc::clone(&self.setup.connection_clock),
            entropy: Entropy::seeded(self.setup.seed.wrapping_add(self.starts << 32)),
            metrics: Metrics::default(),
            stores: self.setup.stores.clone(),
            master_key: MasterKey::generate(&Entropy::seeded(self.setup.seed)),
            root_keys: RootKeys::chosen(self.key.clone()),
            engine: Arc::clone(&self.setup.engine),
            free_bytes: None,
            listeners: Listeners::default(),
        }
    }

    /// What `kill -9` does: everything that runs in the node is dropped where it stands, and its sockets with it.
    pub async fn kill(&mut self) {
        let Some(mut up) = self.running.take() else { return };
        let (done, ended) = oneshot::channel();
        kernel::thread("sandbox-kill", move || {
            if let Some(runtime) = up.runtime.take() {
                runtime.shutdown_timeout(PATIENCE);
            }
            drop(up);
            done.send(()).ok();
        })
        .expect("a thread can be started");
        ended.await.expect("the thread answers");
    }

    /// [`Sandbox::kill`], then a new node on the same stores, key and ports.
    pub async fn crash(&mut self) {
        self.kill().await;
        self.start().await;
    }

    /// [`Sandbox::kill`], then a new node on stores that are opened when the old ones are closed: for those on a disk.
    pub async fn crash_into(&mut self, open: impl FnOnce() -> Stores) {
        self.kill().await;
        self.setup.stores = Setup::default().stores;
        self.setup.stores = open();
        self.start().await;
    }

    /// Ends the node in order and starts a new one.
    pub async fn restart(&mut self) {
        self.node().shutdown().await;
        self.crash().await;
    }

    /// The node.
    ///
    /// # Panics
    /// If it is down.
    pub fn node(&self) -> &Node {
        &self.running.as_ref().expect("the node is up").node
    }

    /// A gauge of the node; 0 if there is none of this name.
    pub fn gauge(&self, name: &str) -> i64 {
        let metrics = &self.running.as_ref().expect("the node is up").metrics;
        metrics.gauges().iter().filter(|sample| sample.metric.name == name).map(|sample| sample.value).sum()
    }

    /// The sum of a counter of the node since it started; 0 if there is none of this name.
    pub fn counter(&self, name: &str) -> i64 {
        let metrics = &self.running.as_ref().expect("the node is up").metrics;
        metrics.counters().iter().filter(|sample| sample.metric.name == name).map(|sample| sample.value).sum()
    }

    /// How many devices are connected, as the node knows it.
    pub fn connections(&self) -> i64 {
        self.gauge("iot_connections")
    }

    /// Where the node is reached.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The root's key.
    pub fn key(&self) -> &RootKey {
        &self.key
    }

    /// Where state lives.
    pub fn stores(&self) -> &Stores {
        &self.setup.stores
    }

    /// Makes an account, and answers the key of its root.
    ///
    /// # Panics
    /// If it is refused: the test has failed.
    pub async fn account(&self, account: &str) -> RootKey {
        let body = serde_json::json!({"account": account}).to_string();
        let sent = self.api().send("headwater", Method::POST, "/_headwater/accounts", &[], body.into()).await;
        let answer = sent.expect("an answer").json();
        match (answer["rootAccessKeyId"].as_str(), answer["secretAccessKey"].as_str()) {
            (Some(id), Some(secret)) => RootKey::new(id, secret),
            _ => panic!("the account is refused: {answer}"),
        }
    }

    /// Makes an account, and answers a client of the APIs as its root, in the usual region.
    ///
    /// # Panics
    /// If it is refused: the test has failed.
    pub async fn create_account(&self, account: &str) -> Client {
        self.client(&self.account(account).await, "us-east-1")
    }

    /// A client of the APIs, as the root, in the usual region.
    pub fn api(&self) -> Client {
        self.api_in("us-east-1")
    }

    /// A client of the APIs, as the root.
    pub fn api_in(&self, region: &str) -> Client {
        self.client(&self.key, region)
    }

    /// A client with any key.
    pub fn client(&self, key: &RootKey, region: &str) -> Client {
        let endpoint = format!("{}://{}", self.node().scheme(), self.addresses.api);
        let clock: Arc<dyn Clock> = Arc::new(self.setup.clock.clone());
        let client = Client::new(&endpoint, &key.access_key_id, key.secret_access_key.clone(), region, clock);
        match self.setup.config.tls {
            TlsConfig::Own => client.trusting(&self.node().ca_certificate_pem()).expect("the node's CA"),
            _ => client,
        }
    }

    /// A device connected in the clear, with MQTT 3.1.1 and a clean session.
    ///
    /// # Panics
    /// If it is refused: the test has failed.
    pub async fn device(&self, client_id: &str) -> Device {
        let connected = self.connect(Connect::new(Version::V311, client_id)).await;
        connected.unwrap_or_else(|reason| panic!("{client_id} is refused: {reason:?}"))
    }

    /// Connects in the clear with any CONNECT.
    ///
    /// # Errors
    /// Why the node refused.
    pub async fn connect(&self, connect: Connect) -> Result<Device, Closed> {
        Device::connect_plain(self.addresses.mqtt, connect).await
    }

    /// Connects over TLS with a certificate.
    ///
    /// # Errors
    /// Why the node refused.
    pub async fn connect_as(&self, identity: &Identity, connect: Connect) -> Result<Device, Closed> {
        let config = identity.tls(&self.node().ca_certificate_pem(), &self.setup.clock);
        self.connect_over(config, connect).await
    }

    /// Connects over TLS that is set up in any way.
    ///
    /// # Errors
    /// Why the node, or the set-up, refused.
    pub async fn connect_over(
        &self,
        config: Arc<rustls::ClientConfig>,
        connect: Connect,
    ) -> Result<Device, Closed> {
        Device::connect_tls(self.addresses.mqtts, config, connect).await
    }

    /// A TCP connection to the MQTT port, on which nothing was said yet.
    ///
    /// # Panics
    /// If nobody listens there: the test has failed.
    pub async fn socket(&self) -> TcpStream {
        TcpStream::connect(self.addresses.mqtt).await.expect("the node listens")
    }

    /// A connection to the HTTPS port with a certificate.
    ///
    /// # Errors
    /// Why the node refused.
    pub async fn https(&self, identity: &Identity) -> Result<HttpConnection, Closed> {
        let config = identity.tls(&self.node().ca_certificate_pem(), &self.setup.clock);
        HttpConnection::tls(self.addresses.https, config).await
    }

    /// A thing with an active certificate and a policy of these statements, made through the API.
    pub async fn identity(&self, thing: &str, statements: &serde_json::Value) -> Identity {
        Identity::create(&self.api(), thing, statements).await
    }

    /// The clock.
    pub fn clock(&self) -> &ManualClock {
        &self.setup.clock
    }

    /// Moves time forward.
    pub fn advance(&self, by: Duration) {
        self.setup.clock.advance(by);
    }

    /// Waits until something holds.
    ///
    /// # Panics
    /// If it does not come to hold in 30 s.
    pub async fn until(&self, what: &str, holds: impl AsyncFnMut() -> bool) {
        until(what, holds).await;
    }

    /// Moves time forward bit by bit until something holds: for what happens after several waits in a row.
    ///
    /// # Panics
    /// If it does not come to hold in 30 s of real time.
    pub async fn advance_until(&self, by: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        until(what, async || {
            self.advance(by);
            holds().await
        })
        .await;
    }
}

/// What the node logs is shown when its test fails: errors, or what `HEADWATER_LOG` says.
fn logs() {
    let filter = EnvFilter::builder().with_env_var("HEADWATER_LOG").from_env_lossy();
    // Another test of this process may have begun.
    tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init().ok();
}

/// Waits until something holds.
#[expect(
    clippy::disallowed_methods,
    reason = "real time bounds a wait and paces its polls; it is never what is waited for"
)]
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn listeners(addresses: Addresses) -> Listeners {
    let bind = async |address: SocketAddr| {
        let listener = TcpListener::bind(address).await;
        Some(Arc::new(listener.unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"))))
    };
    Listeners {
        api: bind(addresses.api).await,
        console: bind(addresses.console).await,
        mqtt: bind(addresses.mqtt).await,
        mqtts: bind(addresses.mqtts).await,
        https: bind(addresses.https).await,
        metrics: bind(addresses.metrics).await,
    }
}

/// A node without an SQL engine says so.
struct NoEngine;

impl Execute for NoEngine {
    fn execute<'a>(&'a self, _: &'a Context, _: QueryRequest) -> PortFuture<'a, Running> {
        let error =
            PortError::new(ErrorKind::Unavailable, "InternalServerException", "This node has no SQL engine.");
        Box::pin(std::future::ready(Err(error)))
    }
}
