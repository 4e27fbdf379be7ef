//! `headwater account`, `headwater ca` and `headwater key rotate`: what the operator asks of a running node, signed with the key in its data directory.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use client::Client;
use http::Method;
use iam::RootKey;
use kernel::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::cli::{AccountCommand, CaArguments, CaCommand, KeyCommand, RotateArguments};
use crate::config;
use crate::env::endpoints;
use crate::master_key;
use crate::run::say;
use crate::serve::{CREDENTIALS, trusting};

/// Makes or lists accounts.
pub(crate) async fn account(command: AccountCommand) -> anyhow::Result<()> {
    match command {
        AccountCommand::Create { data, account, name } => {
            let body = json!({"account": account, "name": name});
            let made = ask(&data, Method::POST, "/_headwater/accounts", &without_nulls(body)).await?;
            print_credentials(&made)
        }
        AccountCommand::List { data } => {
            let found = ask(&data, Method::GET, "/_headwater/accounts", &Value::Null).await?;
            for account in found["accounts"].as_array().into_iter().flatten() {
                let text = |member: &str| account[member].as_str().unwrap_or("-");
                let row = ["account", "rootAccessKeyId", "createdAt", "name"].map(text);
                say(row.join("\t").trim_end());
            }
            Ok(())
        }
    }
}

/// Shows, rotates or retires certificate authorities.
pub(crate) async fn ca(CaArguments { data, command }: CaArguments) -> anyhow::Result<()> {
    let (method, path) = match command {
        CaCommand::Status => (Method::GET, "/_headwater/ca"),
        CaCommand::Rotate => (Method::POST, "/_headwater/ca/rotate"),
        CaCommand::Retire => (Method::POST, "/_headwater/ca/retire"),
    };
    let status = ask(&data, method, path, &Value::Null).await?;
    let replaced = status["replaced"].as_array().into_iter().flatten().map(|ca| ("replaced", ca));
    for (state, ca) in std::iter::once(("signing", &status["signing"])).chain(replaced) {
        let text = |member: &str| ca[member].as_str().unwrap_or("-");
        let row = [state, text("certificateId"), text("notBefore"), text("notAfter")];
        say(&row.join("\t"));
    }
    Ok(())
}

/// Puts keys in the place of others.
pub(crate) async fn key(command: KeyCommand) -> anyhow::Result<()> {
    match command {
        KeyCommand::Rotate(arguments) => rotate(arguments).await,
        KeyCommand::RotateMaster(arguments) => master_key::rotate(arguments).await,
    }
}

async fn rotate(RotateArguments { data, account, overlap }: RotateArguments) -> anyhow::Result<()> {
    let body = without_nulls(json!({"account": account, "overlapSeconds": overlap.as_secs()}));
    let rotated = ask(&data, Method::POST, "/_headwater/root-keys", &body).await?;
    if rotated["secretAccessKey"].is_string() {
        return print_credentials(&rotated);
    }
    let id = rotated["rootAccessKeyId"].as_str().unwrap_or_default();
    say(&format!("The root's key is {id} now; its secret is in {}.", data.join(CREDENTIALS).display()));
    Ok(())
}

/// A profile of an AWS credentials file: `headwater account create >> ~/.aws/credentials`.
fn print_credentials(answer: &Value) -> anyhow::Result<()> {
    let text =
        |member: &str| answer[member].as_str().with_context(|| format!("the node answers no {member}"));
    say(&format!(
        "# The secret is told this once: the node keeps it sealed and does not tell it again.\n[{}]\n\
         aws_access_key_id = {}\naws_secret_access_key = {}",
        text("account")?,
        text("rootAccessKeyId")?,
        text("secretAccessKey")?
    ));
    Ok(())
}

/// Sends the node that runs on `data` a request of its operator's.
async fn ask(data: &Path, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
    let endpoints = endpoints(data)?;
    let key = match config::key_from_environment()? {
        Some(key) => key,
        None => RootKey::load(&data.join(CREDENTIALS))
            .context("the node's key is needed: name its data directory with --data")?,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let secret = key.secret_access_key.clone();
    let client = Client::new(&endpoints.api, &key.access_key_id, secret, &endpoints.region, clock);
    let client = trusting(client, endpoints.trust.as_deref())?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = client.send("headwater", method, path, &[], body.into()).await.with_context(|| {
        format!("no node answers for {}; start one with `headwater serve`", data.display())
    })?;
    let output = answer.json();
    if answer.status.is_success() {
        return Ok(output);
    }
    match output["message"].as_str() {
        Some(said) => bail!("{said}"),
        None => bail!("the node answers {}", answer.status),
    }
}

fn without_nulls(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    body
}

/// `90s`, `30m`, `1h`, `7d`; a number alone is in seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits).unwrap_or_default() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("give a number and s, m, h or d".to_owned()),
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds.map(Duration::from_secs).ok_or_else(|| "give a number and s, m, h or d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in [("0", 0), ("90s", 90), ("30m", 1_800), ("1h", 3_600), ("7d", 604_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "h", "1w", "-1h", "1.5h", "1h30m", "99999999999999999999d", "9999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
