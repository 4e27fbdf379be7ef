//! What policies do not allow and what was used, for whoever writes them: kept by account, in memory, bounded.
//!
//! 1. A request is remembered in the account of its principal, and in that of the resource's owner if it is another: as CloudTrail
//!    tells both. What comes from outside has a share of its own and pushes out nothing of the account's.
//! 2. An account of which nothing is known is not remembered: numbers that a caller makes up cost nothing.
//! 3. Denied requests are gone with the node; what was used is stored (access.rs).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use kernel::{AccountId, Principal, Timestamp};
use policy::{PolicyKind, Verdict};
use ports::{DenialOutcome, DeniedRequest, MissingStatement};
use serde_json::{Value, json};
use wire::authorize::Denied;

use crate::authorize::principal_arn;
use crate::limits::{DENIALS_FROM_OUTSIDE_MAX, DENIALS_MAX};
use crate::uses::{Uses, cut, written};

/// Everything remembered.
pub(crate) struct Audit {
    pub(crate) since: Timestamp,
    accounts: RwLock<HashMap<AccountId, Arc<Mutex<AccountAudit>>>>,
}

/// What is remembered of one account.
#[derive(Default)]
pub(crate) struct AccountAudit {
    /// Of its principals.
    own: Denials,
    /// Of others, on what it owns.
    outside: Denials,
    pub(crate) uses: Uses,
}

/// A request that policies do not allow.
pub(crate) struct Refusal<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) denied: &'a Denied,
    pub(crate) missing: Missing,
    pub(crate) outcome: DenialOutcome,
    /// The account of the resource, if it is on this node and not the principal's.
    pub(crate) owner: Option<AccountId>,
}

/// The statement that is missing.
pub(crate) struct Missing(Option<MissingStatement>);

impl Missing {
    /// For a request on a resource; `principal` as a resource's own policy names it.
    pub(crate) fn of(verdict: Verdict, principal: &str, action: &str, resource: &str) -> Self {
        let allow = || json!({"Effect": "Allow", "Action": action, "Resource": written(resource)});
        let (policy, statement) = match verdict {
            Verdict::ImplicitDeny(PolicyKind::Identity) => ("identity-based policy", allow()),
            Verdict::ImplicitDeny(PolicyKind::Boundary) => ("permissions boundary", allow()),
            Verdict::ImplicitDeny(PolicyKind::Session) => ("session policy", allow()),
            Verdict::ImplicitDeny(PolicyKind::Resource) => {
                let mut statement = allow();
                statement["Principal"] = named(principal);
                ("resource-based policy", statement)
            }
            Verdict::ExplicitDeny(_) | Verdict::Allow => return Self(None),
        };
        Self(Some(MissingStatement { policy, statement }))
    }

    /// For taking on a role: only its trust policy can let `principal`, a service's name or an ARN.
    pub(crate) fn trust(principal: &str, action: &str) -> Self {
        let statement = json!({"Effect": "Allow", "Principal": named(principal), "Action": action});
        Self(Some(MissingStatement { policy: "role trust policy", statement }))
    }

    /// When nothing can allow it.
    pub(crate) fn nothing() -> Self {
        Self(None)
    }
}

fn named(principal: &str) -> Value {
    match principal {
        "anonymous" => json!("*"),
        arn if arn.starts_with("arn:") => json!({"AWS": arn}),
        service => json!({"Service": service}),
    }
}

impl Audit {
    pub(crate) fn new(since: Timestamp) -> Self {
        Self { since, accounts: RwLock::default() }
    }

    pub(crate) fn denied(&self, refusal: Refusal<'_>, now: Timestamp) {
        let denied = refusal.denied;
        let principal = principal_arn(refusal.principal);
        let key = Key {
            principal: cut(&principal).to_owned(),
            action: denied.action.clone(),
            resource: cut(&denied.resource).to_owned(),
        };
        let request = DeniedRequest {
            principal: key.principal.clone(),
            caller: cut(&denied.user).to_owned(),
            action: key.action.clone(),
            resource: key.resource.clone(),
            reason: denied.reason.clone(),
            missing: refusal.missing.0,
            outcome: refusal.outcome,
            count: 1,
            last_at: now,
        };
        if let Some(owner) = &refusal.owner {
            let audit = self.account(owner);
            lock(&audit).outside.record(key.clone(), request.clone(), DENIALS_FROM_OUTSIDE_MAX);
        }
        let Some(account) = refusal.principal.account() else { return };
        let audit = self.account(account);
        let first = lock(&audit).own.record(key, request, DENIALS_MAX);
        let let_through = refusal.outcome == DenialOutcome::LetThrough;
        if first && let_through {
            let Denied { user, action, resource, reason } = denied;
            tracing::info!(user, action, resource, reason, "would be denied");
        }
    }

    /// The latest first.
    pub(crate) fn denials(&self, account: &AccountId) -> Vec<DeniedRequest> {
        let Some(audit) = self.known(account) else { return Vec::new() };
        let audit = lock(&audit);
        let mut list: Vec<DeniedRequest> =
            audit.own.0.values().chain(audit.outside.0.values()).cloned().collect();
        drop(audit);
        list.sort_by(|a, b| {
            b.last_at.cmp(&a.last_at).then_with(|| {
                (&a.principal, &a.action, &a.resource).cmp(&(&b.principal, &b.action, &b.resource))
            })
        });
        list
    }

    pub(crate) fn used(&self, principal: &Principal, action: &str, resource: &str, now: Timestamp) {
        // What a service does by itself no policy is written for.
        if matches!(principal, Principal::Service { .. }) {
            return;
        }
        let Some(account) = principal.account() else { return };
        let arn = principal_arn(principal);
        lock(&self.account(account)).uses.record(&arn, action, resource, now);
    }

    /// Every account of which something is remembered.
    pub(crate) fn accounts(&self) -> Vec<(AccountId, Arc<Mutex<AccountAudit>>)> {
        let accounts = self.accounts.read().expect("no holder of this lock panics");
        accounts.iter().map(|(account, audit)| (account.clone(), Arc::clone(audit))).collect()
    }

    /// What is remembered of an account; none if nothing is.
    pub(crate) fn known(&self, account: &AccountId) -> Option<Arc<Mutex<AccountAudit>>> {
        self.accounts.read().expect("no holder of this lock panics").get(account).cloned()
    }

    pub(crate) fn account(&self, account: &AccountId) -> Arc<Mutex<AccountAudit>> {
        if let Some(known) = self.known(account) {
            return known;
        }
        let mut accounts = self.accounts.write().expect("no holder of this lock panics");
        Arc::clone(accounts.entry(account.clone()).or_default())
    }
}

/// An account's own lock.
pub(crate) fn lock(audit: &Mutex<AccountAudit>) -> MutexGuard<'_, AccountAudit> {
    audit.lock().expect("no holder of this lock panics")
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    principal: String,
    action: String,
    resource: String,
}

/// Denied requests, each once.
#[derive(Default)]
struct Denials(HashMap<Key, DeniedRequest>);

impl Denials {
    /// Whether it is the first of its kind.
    fn record(&mut self, key: Key, request: DeniedRequest, max: usize) -> bool {
        if let Some(known) = self.0.get_mut(&key) {
            *known = DeniedRequest { count: known.count + 1, ..request };
            return false;
        }
        if self.0.len() >= max {
            let oldest = self.0.iter().min_by_key(|(_, known)| known.last_at).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(key, request);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: u64) -> AccountId {
        format!("{n:012}").parse().unwrap()
    }

    fn deny(audit: &Audit, from: u64, owner: Option<u64>, action: &str, ms: i64) {
        let principal = Principal::Root { account: account(from) };
        let denied = Denied {
            user: principal.arn(),
            action: action.to_owned(),
            resource: "*".to_owned(),
            reason: "because".to_owned(),
        };
        let refusal = Refusal {
            principal: &principal,
            denied: &denied,
            missing: Missing::of(Verdict::ImplicitDeny(PolicyKind::Identity), &principal.arn(), action, "*"),
            outcome: DenialOutcome::Refused,
            owner: owner.map(account),
        };
        audit.denied(refusal, Timestamp::from_millis(ms));
    }

    #[test]
    fn denials_are_counted_once_each_and_the_oldest_is_forgotten() {
        let audit = Audit::new(Timestamp::EPOCH);
        deny(&audit, 1, None, "a:First", 1);
        for at in 0..DENIALS_MAX {
            deny(&audit, 1, None, &format!("a:{at}"), 2);
        }
        deny(&audit, 1, None, "a:0", 3);
        let denials = audit.denials(&account(1));
        assert_eq!(denials.len(), DENIALS_MAX);
        assert_eq!((denials[0].action.as_str(), denials[0].count), ("a:0", 2));
        assert!(denials.iter().all(|denial| denial.action != "a:First"));
        let missing = denials[0].missing.as_ref().unwrap();
        assert_eq!(missing.policy, "identity-based policy");
        assert_eq!(missing.statement, json!({"Effect": "Allow", "Action": "a:0", "Resource": "*"}));
    }

    #[test]
    fn a_tenant_neither_sees_nor_pushes_out_what_is_anothers() {
        let audit = Audit::new(Timestamp::EPOCH);
        deny(&audit, 1, None, "a:Mine", 1);
        for at in 0..=DENIALS_MAX {
            deny(&audit, 2, Some(1), &format!("a:{at}"), 2);
        }
        let mine = audit.denials(&account(1));
        assert_eq!(mine.len(), 1 + DENIALS_FROM_OUTSIDE_MAX);
        assert!(mine.iter().any(|denial| denial.action == "a:Mine"));
        let theirs = audit.denials(&account(2));
        assert_eq!(theirs.len(), DENIALS_MAX);
        assert!(theirs.iter().all(|denial| denial.action != "a:Mine"));
        assert!(audit.denials(&account(3)).is_empty());
    }

    #[test]
    fn a_statement_says_which_policy_lacks_it() {
        let of =
            |kind| Missing::of(Verdict::ImplicitDeny(kind), "arn:aws:iam::1:user/u", "a:b", "r").0.unwrap();
        assert_eq!(of(PolicyKind::Boundary).policy, "permissions boundary");
        assert_eq!(of(PolicyKind::Session).policy, "session policy");
        let shared = of(PolicyKind::Resource);
        assert_eq!(shared.policy, "resource-based policy");
        assert_eq!(shared.statement["Principal"], json!({"AWS": "arn:aws:iam::1:user/u"}));
        assert!(Missing::of(Verdict::ExplicitDeny(PolicyKind::Identity), "p", "a:b", "r").0.is_none());
        assert_eq!(named("anonymous"), json!("*"));
        assert_eq!(named("iot.amazonaws.com"), json!({"Service": "iot.amazonaws.com"}));
    }
}
