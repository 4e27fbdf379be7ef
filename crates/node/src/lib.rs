//! A node: stores, services, tasks and ports, wired here and nowhere else.
//!
//! ```text
//! Node::start(Parts) ─► Services::recover   (one start path, and it is the recovery path: invariant A5)
//!                    ─► Services::start     (pumps from their checkpoints, reconcilers)
//!                    ─► ports               (API, console, MQTT, MQTT over TLS, HTTPS)
//! ```
//!
//! A reset empties the stores and builds new services on them; the API port stays, and a request that comes meanwhile is told to try again.

mod ca;
mod console_port;
mod exposition;
mod front;
mod http;
mod limits;
mod metrics;
mod operator;
mod outgoing;
mod own;
mod parts;
mod reset;
mod services;
mod tasks;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use kernel::TaskGroup;
use ports::Devices;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::front::Front;
use crate::http::Port;
use crate::operator::Operator;
pub use crate::outgoing::Outgoing;
pub use crate::parts::{
    Config, Engine, EngineParts, FreeBytes, Listeners, Parts, QuotaConfig, Quotas, Reset, Stores, TlsConfig,
};
use crate::services::Services;
use crate::tls::Tls;

/// How many requests for a reset may wait.
const RESETS_WAITING_MAX: usize = 8;

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}")]
pub struct StartError {
    action: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl StartError {
    fn new<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        action: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self { action, source: source.into() }
    }
}

/// Where a node is reached. A port that is not served is `0.0.0.0:0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Every AWS API.
    pub api: SocketAddr,
    /// The console.
    pub console: SocketAddr,
    /// MQTT in the clear.
    pub mqtt: SocketAddr,
    /// MQTT over TLS with client certificates.
    pub mqtts: SocketAddr,
    /// HTTPS publish with client certificates.
    pub https: SocketAddr,
    /// Metrics and health.
    pub metrics: SocketAddr,
}

/// A running node.
pub struct Node {
    /// Owns what outlives a reset: the API port and the reset itself.
    root: TaskGroup,
    current: Arc<tokio::sync::Mutex<Option<Current>>>,
    services: Arc<std::sync::RwLock<Arc<Services>>>,
    addresses: Addresses,
    /// `http` or `https`.
    scheme: &'static str,
}

/// The services of now, and the group that owns their tasks.
struct Current {
    group: TaskGroup,
}

impl Node {
    /// Recovers the services from the stores, starts their tasks, serves the ports.
    ///
    /// # Errors
    /// When a store cannot be read, or a certificate not be made or read.
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let parts = Arc::new(parts);
        let root = TaskGroup::root(Arc::clone(&parts.clock));
        let (resets, wanted) = mpsc::channel(RESETS_WAITING_MAX);
        let front = Arc::new(Front::new(parts.config.reset, resets, parts.entropy.clone()));
        let tls = Tls::new(&parts.config.tls, &parts.config.names).map_err(StartError::new("set up TLS"))?;
        if let Some(listener) = &parts.listeners.metrics {
            let loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
            let operator = Arc::new(Operator::new(&parts, Arc::clone(&front), loopback));
            http::serve(&root, port(&parts, "metrics", listener, None), operator);
        }
        operator::measure(&root, &parts);
        let (services, current) = begin(&parts, &root, tls.as_ref()).await?;
        front.set(Some(Arc::clone(&services)));
        if let Some(api) = &parts.listeners.api {
            http::serve(&root, port(&parts, "api", api, tls.as_ref()), Arc::clone(&front));
        }
        let current = Arc::new(tokio::sync::Mutex::new(Some(current)));
        let services = Arc::new(std::sync::RwLock::new(services));
        reset::start(reset::Resetter {
            parts: Arc::clone(&parts),
            root: root.clone(),
            front,
            current: Arc::clone(&current),
            services: Arc::clone(&services),
            tls,
            wanted,
        });
        let addresses = addresses(&parts.listeners);
        let scheme = scheme(&parts.config);
        Ok(Self { root, current, services, addresses, scheme })
    }

    /// Where it is reached.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// How the ports of the APIs and of the console are spoken to: `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The services' operations, for a call in process.
    pub fn dispatcher(&self) -> Arc<wire::Dispatcher> {
        Arc::clone(&self.services().dispatcher)
    }

    /// The CAs by which clients may know the node, that which signs certificates of devices and of the node itself first: PEM.
    pub fn ca_certificate_pem(&self) -> Arc<str> {
        self.services().iot.ca_certificate_pem()
    }

    /// Changes whenever [`Node::ca_certificate_pem`] does, until the node is reset; then it is closed.
    pub fn ca_epoch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.services().iot.ca_epoch()
    }

    /// The console's address with the token that signs its reader in as the root.
    pub fn console_url(&self) -> String {
        let services = self.services();
        let token = services.console.launch_token();
        format!("{}://{}/#t={}", self.scheme, self.addresses.console, token.expose())
    }

    /// Names of the tasks running now.
    pub fn running(&self) -> Vec<String> {
        self.root.running()
    }

    /// Completes when the node must stop because a promise cannot be kept any longer, with the reason.
    pub async fn failed(&self) -> String {
        self.root.failed().await
    }

    /// Refuses new work, finishes what is at hand, ends every task. Buffers need no flush: what they hold is durable.
    pub async fn shutdown(&self) {
        self.root.shutdown().await;
        self.current.lock().await.take();
    }

    fn services(&self) -> Arc<Services> {
        Arc::clone(&self.services.read().expect("no holder of this lock panics"))
    }
}

/// New services on the stores as they are, recovered and started.
async fn begin(
    parts: &Arc<Parts>,
    root: &TaskGroup,
    tls: Option<&Arc<Tls>>,
) -> Result<(Arc<Services>, Current), StartError> {
    let opened = store::seal::open(&parts.stores.meta, &parts.master_key, &parts.entropy).await;
    let sealer = opened.map_err(StartError::new("open the data key"))?;
    let services = Arc::new(Services::new(parts, &sealer));
    services.recover().await?;
    let group = root.child("services");
    services.start(parts, &group, tls).await?;
    Ok((services, Current { group }))
}

/// An HTTP port of the node.
fn port(parts: &Parts, name: &'static str, listener: &Arc<TcpListener>, tls: Option<&Arc<Tls>>) -> Port {
    Port {
        name,
        listener: Arc::clone(listener),
        tls: tls.cloned(),
        clock: Arc::clone(&parts.connection_clock),
        metrics: parts.metrics.clone(),
    }
}

fn scheme(config: &Config) -> &'static str {
    if config.tls == TlsConfig::Off { "http" } else { "https" }
}

fn addresses(listeners: &Listeners) -> Addresses {
    let of = |listener: &Option<Arc<TcpListener>>| {
        let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        address.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
    };
    Addresses {
        api: of(&listeners.api),
        console: of(&listeners.console),
        mqtt: of(&listeners.mqtt),
        mqtts: of(&listeners.mqtts),
        https: of(&listeners.https),
        metrics: of(&listeners.metrics),
    }
}
