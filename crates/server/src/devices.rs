//! `headwater devices`: simulated devices against a node.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use client::Client;
use devices::{AtEnd, Progress};
use iam::RootKey;
use kernel::{Clock, Entropy, SystemClock, TaskGroup};

use crate::cli::DevicesArguments;
use crate::run::say;
use crate::serve::{CA_CERTIFICATE, CREDENTIALS, trusting};
use crate::{config, env, run};

/// The folder of a data directory in which the simulator keeps its identities.
pub(crate) const IDENTITIES: &str = "devices";

/// How often the figures are printed.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// Simulates devices until they are done or it is told to stop.
pub(crate) async fn devices(arguments: DevicesArguments) -> anyhow::Result<()> {
    check_speed(arguments.speed)?;
    let key = match config::key_from_environment()? {
        Some(key) => key,
        None => RootKey::load(&arguments.data.join(CREDENTIALS))
            .context("the node's key is needed: name its data directory with --data")?,
    };
    let ca = std::fs::read_to_string(arguments.data.join(CA_CERTIFICATE))
        .context("the node's CA certificate is needed: name its data directory with --data")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy = Entropy::from_os();
    let api = Client::new(
        &arguments.endpoint,
        &key.access_key_id,
        key.secret_access_key.clone(),
        &arguments.region,
        Arc::clone(&clock),
    );
    let secure = arguments.endpoint.starts_with("https://");
    let known = env::endpoints(&arguments.data).ok().and_then(|endpoints| endpoints.trust);
    let known = known.unwrap_or_else(|| arguments.data.join(CA_CERTIFICATE));
    let api = trusting(api, secure.then_some(known.as_path()))?;
    let config = devices::Config {
        host: arguments.host,
        port: arguments.port,
        devices: arguments.devices,
        speed: arguments.speed,
        at_end: if arguments.repeat { AtEnd::Repeat } else { AtEnd::Stop },
        identities: arguments.data.join(IDENTITIES),
        ca_certificate_pem: ca.into(),
    };
    let total = config.devices as u64;
    let group = TaskGroup::root(Arc::clone(&clock));
    let progress = devices::start(config, &api, Arc::clone(&clock), &entropy, &group).await?;
    let stopped = run::stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            done = &mut stopped => {
                done?;
                break;
            }
            () = clock.sleep(REPORT_EVERY) => report(&progress),
        }
        if progress.finished() == total {
            break;
        }
    }
    group.shutdown().await;
    report(&progress);
    Ok(())
}

pub(crate) fn check_speed(speed: f64) -> anyhow::Result<()> {
    if !(0.001..=10_000.0).contains(&speed) {
        bail!("--speed must be between 0.001 and 10000");
    }
    Ok(())
}

fn report(progress: &Progress) {
    say(&format!(
        "{} devices connected · {} messages sent · {} acknowledged",
        progress.connected(),
        progress.published(),
        progress.acknowledged()
    ));
}
