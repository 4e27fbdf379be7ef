//! `POST /console/access/…`: what policies did not allow and what was used in the session's account. Whether the session may see it is
//! decided where it is known (`ports::AccessAudit`), by the IAM action closest to it on AWS.

use bytes::Bytes;
use kernel::Context;
use ports::{
    AccessMode, DenialOutcome, DeniedQuery, DeniedRequest, GeneratedPolicy, PortError, UsedPrincipal,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::Fault;

use crate::Console;
use crate::limits::ACCESS_PAGE_MAX;
use crate::sql::PortFault;

#[derive(Deserialize)]
struct DeniedInput {
    #[serde(default)]
    contains: String,
    #[serde(default)]
    offset: usize,
    #[serde(default = "page")]
    limit: usize,
}

fn page() -> usize {
    ACCESS_PAGE_MAX
}

#[derive(Deserialize)]
struct PolicyInput {
    principal: String,
}

/// Denied requests, the latest first.
#[derive(Serialize)]
pub(crate) struct Denied {
    mode: &'static str,
    /// Milliseconds since the epoch: now, and from when on requests are remembered.
    at: i64,
    since: i64,
    total: usize,
    matching: usize,
    requests: Vec<Request>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    principal: String,
    caller: String,
    action: String,
    resource: String,
    reason: String,
    /// The policy that lacks the statement, and the statement.
    policy: Option<&'static str>,
    statement: Option<Value>,
    refused: bool,
    count: u64,
    last_at: i64,
}

/// Principals of which use was recorded.
#[derive(Serialize)]
pub(crate) struct Principals {
    mode: &'static str,
    at: i64,
    principals: Vec<Principal>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Principal {
    arn: String,
    actions: usize,
    first_at: i64,
    last_at: i64,
}

/// A policy that allows what a principal used.
#[derive(Serialize)]
pub(crate) struct Policy {
    principal: Principal,
    policy: Value,
}

/// # Errors
/// `AccessDeniedException`.
pub(crate) fn denied(console: &Console, cx: &Context, body: &Bytes) -> Result<Denied, Fault> {
    let DeniedInput { contains, offset, limit } = input(body)?;
    let access = &console.parts.access;
    let query = DeniedQuery { contains, offset, limit: limit.min(ACCESS_PAGE_MAX) };
    let found = access.denied(cx, &query).map_err(fault)?;
    Ok(Denied {
        mode: mode(console),
        at: console.parts.clock.now().as_millis(),
        since: found.since.as_millis(),
        total: found.total,
        matching: found.matching,
        requests: found.requests.into_iter().map(request).collect(),
    })
}

/// # Errors
/// `AccessDeniedException`.
pub(crate) fn principals(console: &Console, cx: &Context) -> Result<Principals, Fault> {
    let principals = console.parts.access.principals(cx).map_err(fault)?;
    Ok(Principals {
        mode: mode(console),
        at: console.parts.clock.now().as_millis(),
        principals: principals.into_iter().map(principal).collect(),
    })
}

/// # Errors
/// `AccessDeniedException`, `ResourceNotFoundException` for a principal of which no use was recorded.
pub(crate) fn policy(console: &Console, cx: &Context, body: &Bytes) -> Result<Policy, Fault> {
    let PolicyInput { principal: arn } = input(body)?;
    let found = console.parts.access.least_privilege(cx, &arn).map_err(fault)?;
    let none = || Fault::new(404, "ResourceNotFoundException", "No use by this principal was recorded.");
    let GeneratedPolicy { used, policy } = found.ok_or_else(none)?;
    Ok(Policy { principal: principal(used), policy })
}

fn input<T: DeserializeOwned>(body: &Bytes) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::new(400, "SerializationException", error.to_string()))
}

fn fault(error: PortError) -> Fault {
    Fault::from_service(&PortFault(error))
}

fn mode(console: &Console) -> &'static str {
    match console.parts.access.mode() {
        AccessMode::Enforce => "enforce",
        AccessMode::Audit => "audit",
        AccessMode::Off => "off",
    }
}

fn principal(used: UsedPrincipal) -> Principal {
    Principal {
        arn: used.arn,
        actions: used.actions,
        first_at: used.first_at.as_millis(),
        last_at: used.last_at.as_millis(),
    }
}

fn request(denied: DeniedRequest) -> Request {
    let (policy, statement) = denied.missing.map(|missing| (missing.policy, missing.statement)).unzip();
    Request {
        principal: denied.principal,
        caller: denied.caller,
        action: denied.action,
        resource: denied.resource,
        reason: denied.reason,
        policy,
        statement,
        refused: denied.outcome == DenialOutcome::Refused,
        count: denied.count,
        last_at: denied.last_at.as_millis(),
    }
}
