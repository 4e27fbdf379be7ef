//! A node: stores, services, tasks and ports, wired here and nowhere else.
//!
//! ```text
//! Node::start(Parts) ─► Services::recover   (one start path, and it is the recovery path: invariant A5)
//!                    ─► Services::start     (pumps from their checkpoints, reconcilers)
//!                    ─► ports               (API, console, MQTT, MQTT over TLS, HTTPS)
//! ```
//!
//! A reset empties the stores and builds new services on them; the API port stays, and a request that comes meanwhile is told to try again.

mod console_port;
mod front;
mod http;
mod parts;
mod reset;
mod services;
mod tasks;

use std::net::SocketAddr;
use std::sync::Arc;

use kernel::TaskGroup;
use ports::Devices;
use tokio::sync::mpsc;

use crate::front::Front;
pub use crate::parts::{Config, Engine, EngineParts, Listeners, Parts, Reset, Stores};
use crate::services::Services;

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
}

/// A running node.
pub struct Node {
    /// Owns what outlives a reset: the API port and the reset itself.
    root: TaskGroup,
    current: Arc<tokio::sync::Mutex<Option<Current>>>,
    services: Arc<std::sync::RwLock<Arc<Services>>>,
    addresses: Addresses,
}

/// The services of now, and the group that owns their tasks.
struct Current {
    group: TaskGroup,
}

impl Node {
    /// Recovers the services from the stores, starts their tasks, serves the ports.
    ///
    /// # Errors
    /// When a store cannot be read, or a certificate not be made.
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let parts = Arc::new(parts);
        let root = TaskGroup::root(Arc::clone(&parts.clock));
        let (resets, wanted) = mpsc::channel(RESETS_WAITING_MAX);
        let front = Arc::new(Front::new(parts.config.reset, resets));
        let (services, current) = begin(&parts, &root).await?;
        front.set(Some(Arc::clone(&services)));
        if let Some(api) = &parts.listeners.api {
            http::serve(&root, Arc::clone(api), Arc::clone(&front));
        }
        let current = Arc::new(tokio::sync::Mutex::new(Some(current)));
        let services = Arc::new(std::sync::RwLock::new(services));
        reset::start(reset::Resetter {
            parts: Arc::clone(&parts),
            root: root.clone(),
            front,
            current: Arc::clone(&current),
            services: Arc::clone(&services),
            wanted,
        });
        let addresses = addresses(&parts.listeners);
        Ok(Self { root, current, services, addresses })
    }

    /// Where it is reached.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The services' operations, for a call in process.
    pub fn dispatcher(&self) -> Arc<wire::Dispatcher> {
        Arc::clone(&self.services().dispatcher)
    }

    /// The CA that signs the certificates of devices and of the node itself: PEM.
    pub fn ca_certificate_pem(&self) -> Arc<str> {
        self.services().iot.ca_certificate_pem()
    }

    /// The console's address with the token that signs its reader in as the root.
    pub fn console_url(&self) -> String {
        format!("http://{}/#t={}", self.addresses.console, self.services().console.launch_token().expose())
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
async fn begin(parts: &Arc<Parts>, root: &TaskGroup) -> Result<(Arc<Services>, Current), StartError> {
    let services = Arc::new(Services::new(parts));
    services.recover().await?;
    let group = root.child("services");
    services.start(parts, &group).await?;
    Ok((services, Current { group }))
}

fn addresses(listeners: &Listeners) -> Addresses {
    let of = |listener: &Option<Arc<tokio::net::TcpListener>>| {
        let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        address.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
    };
    Addresses {
        api: of(&listeners.api),
        console: of(&listeners.console),
        mqtt: of(&listeners.mqtt),
        mqtts: of(&listeners.mqtts),
        https: of(&listeners.https),
    }
}
