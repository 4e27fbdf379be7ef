//! `headwater serve`: opens the data directory, starts a node, and ends it in order.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use iam::RootKey;
use kernel::{Clock, Entropy, Metrics, SystemClock};
use node::{Addresses, EngineParts, Node, Parts, Stores};
use serde::{Deserialize, Serialize};
use store::DataDir;
use store::log::segment::{self, SegmentLog};
use store::meta::local::LocalMetaStore;

use crate::cli::ServeArguments;
use crate::run::say;
use crate::{config, run};

/// Where clients find the node: written beside its key, for `headwater env` and `headwater devices`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) api: String,
    pub(crate) console: String,
    pub(crate) region: String,
    pub(crate) mqtts_port: u16,
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
    let done = wait(&served.node).await;
    run::shutdown(&served.node).await?;
    done
}

/// Completes when the node is to stop.
///
/// # Errors
/// When it must stop because a promise could not be kept any longer.
pub(crate) async fn wait(node: &Node) -> anyhow::Result<()> {
    tokio::select! {
        stopped = run::stopped() => stopped,
        reason = node.failed() => Err(anyhow::anyhow!("the node stopped: {reason}")),
    }
}

/// Starts a node on the data directory.
pub(crate) async fn start(arguments: &ServeArguments) -> anyhow::Result<Served> {
    let config = config::config(arguments)?;
    let data = DataDir::open(&arguments.data)?;
    let listeners = config::listeners(arguments).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy = Entropy::from_os();
    let metrics = Metrics::default();
    let key = match config::key_from_environment()? {
        Some(key) => key,
        None => RootKey::load_or_generate(&arguments.data.join(CREDENTIALS), &entropy)?,
    };
    let stores = open(&data, &clock, &entropy, &metrics)?;
    let node = Node::start(Parts {
        config,
        clock: Arc::clone(&clock),
        entropy: entropy.clone(),
        metrics,
        stores,
        root_key: key.clone(),
        engine: Arc::new(|parts: EngineParts| {
            Arc::new(query::Engine::new(
                query::Config::default(),
                parts.catalog,
                parts.objects,
                parts.buffered,
                parts.clock,
            ))
        }),
        listeners,
    })
    .await?;
    write_endpoints(&arguments.data, &node, &arguments.region)?;
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

fn write_endpoints(data: &Path, node: &Node, region: &str) -> anyhow::Result<()> {
    let Addresses { api, console, mqtts, .. } = node.addresses();
    let endpoints = Endpoints {
        api: format!("http://{api}"),
        console: format!("http://{console}"),
        region: region.to_owned(),
        mqtts_port: mqtts.port(),
    };
    let text = serde_json::to_string_pretty(&endpoints).context("endpoints are JSON")?;
    std::fs::write(data.join(ENDPOINTS), text).context("cannot write into the data directory")?;
    std::fs::write(data.join(CA_CERTIFICATE), node.ca_certificate_pem().as_bytes())
        .context("cannot write into the data directory")
}

pub(crate) fn print_addresses(node: &Node, data: &Path) {
    let Addresses { api, mqtt, mqtts, https, .. } = node.addresses();
    say(&format!("Headwater {} is ready.", env!("CARGO_PKG_VERSION")));
    say(&format!("  console    {}", node.console_url()));
    say(&format!("  AWS APIs   http://{api}      eval \"$(headwater env --data {})\"", data.display()));
    say(&format!("  MQTT       {mqtt} (plain, this machine only) · {mqtts} (TLS, client certificates)"));
    say(&format!("  HTTPS      {https} (publish, client certificates)"));
}
