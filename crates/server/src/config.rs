//! What was typed, turned into what a node is: once, with every mistake found here.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use node::{Config, Listeners, Reset};
use tokio::net::TcpListener;

use crate::cli::{Auth, ServeArguments};

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

/// The key chosen by the environment, if both its variables are set.
pub(crate) fn key_from_environment() -> anyhow::Result<Option<iam::RootKey>> {
    let [id, secret] = KEY_VARIABLES.map(|name| variable(name).filter(|value| !value.is_empty()));
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some(iam::RootKey::new(id, secret))),
        (None, None) => Ok(None),
        _ => bail!("{} and {} must be set together", KEY_VARIABLES[0], KEY_VARIABLES[1]),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
