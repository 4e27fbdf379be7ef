//! What policies refuse and what is used: from iam for the console and Access Analyzer.

use kernel::{Context, Timestamp};

use crate::PortError;

/// What policies mean on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// What they say.
    Enforce,
    /// Whoever is authenticated may; what would be denied is recorded.
    Audit,
    /// Whoever is authenticated may; nothing is recorded.
    Off,
}

/// Requests that policies do not allow: told apart by principal, action and resource, and counted.
#[derive(Clone, Debug, PartialEq)]
pub struct DeniedRequest {
    /// ARN of the user, role or root; the name of a service; `anonymous`.
    pub principal: String,
    /// The ARN under which it asked last: of a role, its session's.
    pub caller: String,
    /// `s3:PutObject`.
    pub action: String,
    /// ARN or `*`; cut when it is very long.
    pub resource: String,
    /// The end of AWS's sentence: `because no identity-based policy allows the s3:PutObject action`.
    pub reason: String,
    /// What would allow it; none when a Deny is to blame.
    pub missing: Option<MissingStatement>,
    /// Whether the last one was refused, or let through because the node only records.
    pub outcome: DenialOutcome,
    /// How many.
    pub count: u64,
    /// The last one.
    pub last_at: Timestamp,
}

/// What became of a request that policies do not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenialOutcome {
    /// It was refused.
    Refused,
    /// It was let through: the node only records.
    LetThrough,
}

/// A statement, and the policy that lacks it.
#[derive(Clone, Debug, PartialEq)]
pub struct MissingStatement {
    /// `identity-based policy`, `permissions boundary`, `session policy`, `resource-based policy` or `role trust policy`.
    pub policy: &'static str,
    /// The statement.
    pub statement: serde_json::Value,
}

/// Which of an account's denied requests are wanted.
#[derive(Clone, Debug, Default)]
pub struct DeniedQuery {
    /// A part of the principal, action or resource, in any case; empty for all.
    pub contains: String,
    /// How many of the latest to leave out.
    pub offset: usize,
    /// How many at most.
    pub limit: usize,
}

/// Denied requests, the latest first.
#[derive(Clone, Debug)]
pub struct DeniedRequests {
    /// From when on they were recorded.
    pub since: Timestamp,
    /// How many are remembered of this account.
    pub total: usize,
    /// How many of these the query is about.
    pub matching: usize,
    /// Those asked for.
    pub requests: Vec<DeniedRequest>,
}

/// A principal of which use was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedPrincipal {
    /// ARN of the user, role or root.
    pub arn: String,
    /// How many actions it used.
    pub actions: usize,
    /// The first use recorded.
    pub first_at: Timestamp,
    /// The last use.
    pub last_at: Timestamp,
}

/// A policy that allows what a principal used.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratedPolicy {
    /// Of whom, and from when to when.
    pub used: UsedPrincipal,
    /// The document.
    pub policy: serde_json::Value,
}

/// What was denied and what was used in the caller's account, for whoever writes its policies. Implemented by `iam`, from memory.
pub trait AccessAudit: Send + Sync {
    /// What policies mean.
    fn mode(&self) -> AccessMode;

    /// The requests that policies do not allow: of the account's principals, and of others on what the account owns.
    ///
    /// # Errors
    /// `Denied` for whoever may not `cloudtrail:LookupEvents`.
    fn denied(&self, cx: &Context, query: &DeniedQuery) -> Result<DeniedRequests, PortError>;

    /// The account's principals of which use was recorded, by ARN.
    ///
    /// # Errors
    /// `Denied` for whoever may not `access-analyzer:ListPolicyGenerations`.
    fn principals(&self, cx: &Context) -> Result<Vec<UsedPrincipal>, PortError>;

    /// A policy that allows what a principal of the account used, and nothing else; none if no use was recorded.
    ///
    /// # Errors
    /// `Denied` for whoever may not `access-analyzer:GetGeneratedPolicy`.
    fn least_privilege(&self, cx: &Context, principal: &str) -> Result<Option<GeneratedPolicy>, PortError>;
}
