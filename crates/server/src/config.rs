//! What was typed, turned into what a node is: once, with every mistake found here.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use node::{Config, Listeners, Outgoing, QuotaConfig, Quotas, Reset, TlsConfig};
use tokio::net::TcpListener;

use crate::cli::{Auth, QuotasArgument, ServeArguments};

/// The environment variables that choose the root's key.
pub(crate) const KEY_VARIABLES: [&str; 2] = ["HEADWATER_ACCESS_KEY_ID", "HEADWATER_SECRET_ACCESS_KEY"];

/// The node's configuration.
pub(crate) fn config(arguments: &ServeArguments) -> anyhow::Result<Config> {
    let mut names = arguments.names.clone();
    names.extend(Config::default().names);
    if !arguments.listen.is_loopback() && !arguments.listen.is_unspecified() {
        names.push(arguments.listen.to_string());
    }
    Ok(Config {
        account: arguments.account.parse().context("--account")?,
        region: arguments.region.parse().context("--region")?,
        auth: auth(arguments)?,
        outgoing: if arguments.allow_private_providers { Outgoing::Anywhere } else { Outgoing::Public },
        quotas: match arguments.quotas {
            QuotasArgument::Aws => Quotas::default(),
            QuotasArgument::Off => Quotas::UNBOUNDED,
        },
        api_quota: QuotaConfig { requests_per_second: arguments.requests_per_second },
        tls: tls(arguments)?,
        reset: if arguments.allow_reset { Reset::Allowed } else { Reset::Refused },
        names,
        ..Config::default()
    })
}

/// What policies mean. Off loopback a node that lets everybody do everything would be a mistake.
fn auth(arguments: &ServeArguments) -> anyhow::Result<iam::Mode> {
    let loopback = arguments.listen.is_loopback();
    match arguments.auth {
        None if loopback => Ok(iam::Mode::Audit),
        Some(Auth::Off) if !loopback => {
            bail!("--auth off is for loopback only, not for {}", arguments.listen)
        }
        None | Some(Auth::Enforce) => Ok(iam::Mode::Enforce),
        Some(Auth::Audit) => Ok(iam::Mode::Audit),
        Some(Auth::Off) => Ok(iam::Mode::Off),
    }
}

/// An argument that is understood and refused: the program ends with 2, as for one that is not understood.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misuse(String);

/// What the HTTP ports present. Signatures keep nobody from reading along, so that the clear is for this machine alone.
fn tls(arguments: &ServeArguments) -> anyhow::Result<TlsConfig> {
    let off_loopback = !arguments.listen.is_loopback();
    Ok(match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            TlsConfig::Files { certificate: certificate.clone(), key: key.clone() }
        }
        _ if arguments.tls => TlsConfig::Own,
        _ if off_loopback && !arguments.insecure_http => {
            let said = format!(
                "--listen {} would speak HTTP in the clear to other machines; add --tls, or --tls-cert and --tls-key, or, behind \
                 something that ends TLS, --insecure-http",
                arguments.listen
            );
            return Err(Misuse(said).into());
        }
        _ => TlsConfig::Off,
    })
}

/// The node's ports, bound.
pub(crate) async fn listeners(arguments: &ServeArguments) -> anyhow::Result<Listeners> {
    let address = arguments.listen;
    let loopback = IpAddr::from([127, 0, 0, 1]);
    Ok(Listeners {
        api: Some(bind("the AWS APIs", address, arguments.api_port, "--api-port").await?),
        console: Some(bind("the console", address, arguments.console_port, "--console-port").await?),
        // In the clear and without certificates: never off loopback.
        mqtt: Some(bind("MQTT", loopback, arguments.mqtt_port, "--mqtt-port").await?),
        mqtts: Some(bind("MQTT over TLS", address, arguments.mqtts_port, "--mqtts-port").await?),
        https: Some(bind("HTTPS publish", address, arguments.https_port, "--https-port").await?),
        metrics: Some(
            bind("metrics", arguments.metrics_listen, arguments.metrics_port, "--metrics-port").await?,
        ),
    })
}

async fn bind(what: &str, address: IpAddr, port: u16, flag: &str) -> anyhow::Result<Arc<TcpListener>> {
    let address = SocketAddr::new(address, port);
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Arc::new(listener)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("port {port} for {what} is taken; choose another with {flag}")
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {address} for {what}")),
    }
}

/// The root's key chosen by the environment, if both its variables are set.
pub(crate) fn key_from_environment() -> anyhow::Result<Option<iam::RootKey>> {
    let [id, secret] = KEY_VARIABLES.map(|name| variable(name).filter(|value| !value.is_empty()));
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some(iam::RootKey::new(id, secret))),
        (None, None) => Ok(None),
        _ => bail!("{} and {} must be set together", KEY_VARIABLES[0], KEY_VARIABLES[1]),
    }
}

/// A variable of the environment that is text.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
