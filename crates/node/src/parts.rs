//! What a node is made of. One node and a cluster differ here and nowhere else (invariant A11).

use std::path::PathBuf;
use std::sync::Arc;

pub use gateway::Quotas;
use iam::RootKeys;
use kernel::{AccountId, Clock, Entropy, Metrics, Region};
use object_store::ObjectStore;
use ports::{Buffered, Catalog, Execute, Objects};
use store::{CommitLog, MasterKey, MetaStore};
use tokio::net::TcpListener;
pub use wire::QuotaConfig;

use crate::outgoing::Outgoing;

/// Everything a node is given.
pub struct Parts {
    /// Who and where it is.
    pub config: Config,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The time by which clients of the HTTP ports are slow: the machine's, also where a test moves the other.
    pub connection_clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Entropy,
    /// Where everything is counted.
    pub metrics: Metrics,
    /// Where state lives.
    pub stores: Stores,
    /// Opens the data key, with which every secret in the stores is sealed.
    pub master_key: MasterKey,
    /// The keys of the first account's root.
    pub root_keys: RootKeys,
    /// Makes the SQL engine, which `node` itself does not know.
    pub engine: Engine,
    /// Asks how much room the disk has, where there is a disk.
    pub free_bytes: Option<FreeBytes>,
    /// The ports it serves, already bound: a taken port is found before anything is started.
    pub listeners: Listeners,
}

/// Bytes that may still be written. May block.
pub type FreeBytes = Arc<dyn Fn() -> std::io::Result<u64> + Send + Sync>;

/// Who and where a node is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The first account: the one whose root owns the node.
    pub account: AccountId,
    /// The region of devices that connect without naming one.
    pub region: Region,
    /// What policies mean.
    pub auth: iam::Mode,
    /// How much devices may send.
    pub quotas: Quotas,
    /// How many requests to the APIs a principal may make.
    pub api_quota: QuotaConfig,
    /// What the ports of the APIs and of the console present.
    pub tls: TlsConfig,
    /// Whether `POST /_headwater/reset` empties the node.
    pub reset: Reset,
    /// Which addresses the node asks when it asks identity providers for their keys.
    pub outgoing: Outgoing,
    /// Domains under which S3 finds the bucket's name in the host: `s3.localhost`.
    pub s3_domains: Vec<String>,
    /// Host names and addresses by which devices and browsers reach the node; the first is what DescribeEndpoint answers.
    pub names: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            account: AccountId::default_account(),
            region: Region::default_region(),
            auth: iam::Mode::Audit,
            quotas: Quotas::default(),
            api_quota: QuotaConfig::default(),
            tls: TlsConfig::Off,
            reset: Reset::Refused,
            outgoing: Outgoing::Public,
            s3_domains: vec!["s3.localhost".to_owned(), "localhost".to_owned()],
            names: vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()],
        }
    }
}

/// What the ports of the APIs and of the console present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsConfig {
    /// Nothing: they speak HTTP in the clear.
    Off,
    /// A certificate of the node's own CA for the node's names.
    Own,
    /// What is in these files, read anew when they change.
    Files {
        /// The certificate and those that signed it: PEM.
        certificate: PathBuf,
        /// Its key: PEM.
        key: PathBuf,
    },
}

/// Whether `POST /_headwater/reset` empties the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// It is refused: the default, since it destroys everything.
    Refused,
    /// It is done for the root: for test suites.
    Allowed,
}

/// Where state lives.
#[derive(Clone)]
pub struct Stores {
    /// Control-plane facts.
    pub meta: Arc<dyn MetaStore>,
    /// Byte streams in flight.
    pub log: Arc<dyn CommitLog>,
    /// Objects.
    pub blobs: Arc<dyn ObjectStore>,
}

/// Makes the SQL engine from what it reads through.
pub type Engine = Arc<dyn Fn(EngineParts) -> Arc<dyn Execute> + Send + Sync>;

/// What an SQL engine reads through.
pub struct EngineParts {
    /// Tables.
    pub catalog: Arc<dyn Catalog>,
    /// Objects.
    pub objects: Arc<dyn Objects>,
    /// Records that are not in an object yet.
    pub buffered: Arc<dyn Buffered>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The ports of a node. One that is none is not served.
#[derive(Clone, Default)]
pub struct Listeners {
    /// Every AWS API.
    pub api: Option<Arc<TcpListener>>,
    /// The console.
    pub console: Option<Arc<TcpListener>>,
    /// MQTT in the clear; for loopback only.
    pub mqtt: Option<Arc<TcpListener>>,
    /// MQTT over TLS with client certificates.
    pub mqtts: Option<Arc<TcpListener>>,
    /// HTTPS publish with client certificates.
    pub https: Option<Arc<TcpListener>>,
    /// Metrics and health, for the operator alone.
    pub metrics: Option<Arc<TcpListener>>,
}
