//! The node's own routes for its operator: accounts, and the keys of their roots.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `GET /_headwater/accounts` | | `{accounts: [{account, name, createdAt, rootAccessKeyId}]}` |
//! | `POST /_headwater/accounts` | `{account?, name?}` | `{account, name, createdAt, rootAccessKeyId, secretAccessKey}` |
//! | `POST /_headwater/root-keys` | `{account?, overlapSeconds?}` | `{account, rootAccessKeyId, secretAccessKey?}` |
//!
//! 1. They are signed, and for the root of the node's first account alone: it is the operator's.
//! 2. A secret is answered once. That of the first account's root never is: it is in its file.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use iam::{AccountSummary, RootKey};
use kernel::{AccountId, Principal};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wire::{Arrival, Fault};

use crate::services::Services;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Create {
    account: Option<AccountId>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rotate {
    account: Option<AccountId>,
    #[serde(default)]
    overlap_seconds: u64,
}

/// The operator's request is his own.
///
/// # Errors
/// What a client sees.
pub(crate) fn operator(services: &Services, parts: &Parts, body: &Bytes, what: &str) -> Result<(), Fault> {
    let source_ip = parts.extensions.get::<Arrival>().and_then(|arrival| arrival.source_ip.as_deref());
    let verified = services.quotas.verify((parts, body), source_ip, &*services.iam, &*services.clock)?;
    match verified.principal {
        Principal::Root { account } if account == *services.iam.account() => Ok(()),
        _ => {
            let said = format!("Only the root of the node's first account may {what}.");
            Err(Fault::new(403, "AccessDeniedException", said))
        }
    }
}

/// # Errors
/// What a client sees.
pub(crate) fn list_accounts(services: &Services, parts: &Parts, body: &Bytes) -> Result<Value, Fault> {
    operator(services, parts, body, "list its accounts")?;
    let accounts: Vec<Value> = services.iam.accounts().iter().map(shape).collect();
    Ok(json!({"accounts": accounts}))
}

/// # Errors
/// What a client sees.
pub(crate) async fn create_account(
    services: &Services,
    parts: &Parts,
    body: &Bytes,
) -> Result<(StatusCode, Value), Fault> {
    operator(services, parts, body, "create accounts")?;
    let Create { account, name } = decode(body)?;
    let created = services.iam.create_account(account, name).await;
    let (summary, key) = created.map_err(|error| Fault::from_service(&error))?;
    let mut answer = shape(&summary);
    answer["secretAccessKey"] = key.secret_access_key.expose().as_str().into();
    Ok((StatusCode::CREATED, answer))
}

/// # Errors
/// What a client sees.
pub(crate) async fn rotate_root_key(
    services: &Services,
    parts: &Parts,
    body: &Bytes,
) -> Result<Value, Fault> {
    operator(services, parts, body, "rotate root keys")?;
    let Rotate { account, overlap_seconds } = decode(body)?;
    let account = account.unwrap_or_else(|| services.iam.account().clone());
    let rotated = services.iam.rotate_root_key(&account, Duration::from_secs(overlap_seconds)).await;
    let told = rotated.map_err(|error| Fault::from_service(&error))?;
    let known = services.iam.accounts().into_iter().find(|summary| summary.account == account);
    let id = known.map(|summary| summary.root_access_key_id);
    let secret = told.as_ref().map(|key: &RootKey| key.secret_access_key.expose().as_str());
    let mut answer = json!({"account": account, "rootAccessKeyId": id});
    if let Some(secret) = secret {
        answer["secretAccessKey"] = secret.into();
    }
    Ok(answer)
}

fn shape(summary: &AccountSummary) -> Value {
    json!({
        "account": summary.account,
        "name": summary.name,
        "createdAt": summary.created_at.map(|at| at.to_iso8601()),
        "rootAccessKeyId": summary.root_access_key_id,
    })
}

fn decode<T: DeserializeOwned>(body: &Bytes) -> Result<T, Fault> {
    let text = if body.is_empty() { b"{}" } else { &**body };
    serde_json::from_slice(text).map_err(|error| Fault::new(400, "SerializationException", error.to_string()))
}
