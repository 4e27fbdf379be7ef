//! `headwater serve`: opens the data directory, starts a node, and ends it in order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use client::Client;
use iam::{RootKey, RootKeys};
use kernel::{Clock, Entropy, Metrics, SystemClock};
use node::{Addresses, EngineParts, Node, Parts, Stores};
use serde::{Deserialize, Serialize};
use store::DataDir;
use store::log::segment::{self, SegmentLog};
use store::meta::local::LocalMetaStore;

use crate::cli::ServeArguments;
use crate::run::say;
use crate::{config, master_key, run};

/// Where clients find the node: written beside its key, for `headwater env` and `headwater devices`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) api: String,
    pub(crate) console: String,
    pub(crate) region: String,
    pub(crate) mqtts_port: u16,
    /// The file with the certificates by which the API and the console are known, where they speak TLS.
    #[serde(default)]
    pub(crate) trust: Option<PathBuf>,
}

/// The files of a data directory that are not state of the stores.
pub(crate) const CREDENTIALS: &str = "credentials";
pub(crate) const CA_CERTIFICATE: &str = "ca.pem";
pub(crate) const ENDPOINTS: &str = "endpoints.json";

/// A running node, and the directory that is its own for as long as it runs.
pub(crate) struct Served {
    pub(crate) node: Node,
    pub(crate) key: RootKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    _data: DataDir,
}

/// Runs a node until it is told to stop.
pub(crate) async fn serve(arguments: ServeArguments) -> anyhow::Result<()> {
    let served = start(&arguments).await?;
    print_addresses(&served.node, &arguments.data);
    let done = wait(&served.node, &arguments.data).await;
    run::shutdown(&served.node).await?;
    done
}

/// Completes when the node is to stop. Until then the CA's certificate in the data directory is the one of now.
///
/// # Errors
/// When it must stop because a promise could not be kept any longer.
pub(crate) async fn wait(node: &Node, data: &Path) -> anyhow::Result<()> {
    tokio::select! {
        stopped = run::stopped() => stopped,
        reason = node.failed() => Err(anyhow::anyhow!("the node stopped: {reason}")),
        never = keep_ca_certificate(node, data) => match never {},
    }
}

async fn keep_ca_certificate(node: &Node, data: &Path) -> std::convert::Infallible {
    loop {
        let mut epoch = node.ca_epoch();
        loop {
            if let Err(error) = write_ca_certificate(data, node) {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "ca.pem in the data directory is not up to date"
                );
            }
            // A reset closes it, and brings another CA.
            if epoch.changed().await.is_err() {
                break;
            }
        }
    }
}

fn write_ca_certificate(data: &Path, node: &Node) -> anyhow::Result<()> {
    std::fs::write(data.join(CA_CERTIFICATE), node.ca_certificate_pem().as_bytes())
        .context("cannot write into the data directory")
}

/// Starts a node on the data directory.
pub(crate) async fn start(arguments: &ServeArguments) -> anyhow::Result<Served> {
    let config = config::config(arguments)?;
    let data = DataDir::open(&arguments.data)?;
    let listeners = config::listeners(arguments).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy = Entropy::from_os();
    let metrics = Metrics::default();
    let root_keys = match config::key_from_environment()? {
        Some(key) => RootKeys::chosen(key),
        None => RootKeys::in_file(&arguments.data.join(CREDENTIALS), &entropy)?,
    };
    let stores = open(&data, &clock, &entropy, &metrics)?;
    let file = arguments.master_key_file.as_deref();
    let master_key = master_key::load(file, &arguments.data, &stores.meta, &entropy).await?;
    let key = root_keys.current();
    let node = Node::start(Parts {
        config,
        clock: Arc::clone(&clock),
        connection_clock: Arc::clone(&clock),
        entropy: entropy.clone(),
        metrics,
        stores,
        master_key,
        root_keys,
        engine: Arc::new(|parts: EngineParts| {
            Arc::new(query::Engine::new(
                query::Config::default(),
                parts.catalog,
                parts.objects,
                parts.buffered,
                parts.clock,
            ))
        }),
        free_bytes: Some({
            let data = arguments.data.clone();
            Arc::new(move || store::space::free_bytes(&data))
        }),
        listeners,
    })
    .await?;
    write_endpoints(arguments, &node)?;
    Ok(Served { node, key, clock, entropy, _data: data })
}

fn open(
    data: &DataDir,
    clock: &Arc<dyn Clock>,
    entropy: &Entropy,
    metrics: &Metrics,
) -> anyhow::Result<Stores> {
    let meta = LocalMetaStore::open(&data.meta()).context("cannot open the metadata store")?;
    let log = SegmentLog::open(
        &data.log(),
        segment::Config::default(),
        Arc::clone(clock),
        entropy.clone(),
        metrics,
    )
    .context("cannot open the log")?;
    let blobs = store::blob::local(&data.blobs()).context("cannot open the object directory")?;
    Ok(Stores { meta: Arc::new(meta), log: Arc::new(log), blobs })
}

/// A client of a node's API that knows it by the certificates in this file.
pub(crate) fn trusting(client: Client, trust: Option<&Path>) -> anyhow::Result<Client> {
    let Some(file) = trust else { return Ok(client) };
    let pem = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    client.trusting(&pem).with_context(|| file.display().to_string())
}

/// By what the API and the console are known: the node's CA, or whoever signed the certificate that it was given.
pub(crate) fn trust(arguments: &ServeArguments) -> anyhow::Result<Option<PathBuf>> {
    let file = match &arguments.tls_cert {
        Some(file) => file.clone(),
        None if arguments.tls => arguments.data.join(CA_CERTIFICATE),
        None => return Ok(None),
    };
    Ok(Some(std::path::absolute(file).context("cannot tell where the certificate is")?))
}

/// Where this machine reaches an address that stands for all of them; and by a name of the certificate, if it was given one.
pub(crate) fn url(arguments: &ServeArguments, node: &Node, mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    match (&arguments.tls_cert, arguments.names.first()) {
        (Some(_), Some(name)) => format!("https://{name}:{}", address.port()),
        _ => format!("{}://{address}", node.scheme()),
    }
}

fn write_endpoints(arguments: &ServeArguments, node: &Node) -> anyhow::Result<()> {
    let Addresses { api, console, mqtts, .. } = node.addresses();
    let endpoints = Endpoints {
        api: url(arguments, node, api),
        console: url(arguments, node, console),
        region: arguments.region.clone(),
        mqtts_port: mqtts.port(),
        trust: trust(arguments)?,
    };
    let text = serde_json::to_string_pretty(&endpoints).context("endpoints are JSON")?;
    std::fs::write(arguments.data.join(ENDPOINTS), text).context("cannot write into the data directory")?;
    write_ca_certificate(&arguments.data, node)
}

pub(crate) fn print_addresses(node: &Node, data: &Path) {
    let Addresses { api, mqtt, mqtts, https, metrics, .. } = node.addresses();
    say(&format!("Headwater {} is ready.", env!("CARGO_PKG_VERSION")));
    say(&format!("  console    {}", node.console_url()));
    say(&format!(
        "  AWS APIs   {}://{api}      eval \"$(headwater env --data {})\"",
        node.scheme(),
        data.display()
    ));
    say(&format!("  MQTT       {mqtt} (plain, this machine only) · {mqtts} (TLS, client certificates)"));
    say(&format!("  metrics    http://{metrics}/metrics"));
    say(&format!("  HTTPS      {https} (publish, client certificates)"));
}
