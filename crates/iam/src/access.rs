//! Access made visible: what policies did not allow and what was used, to whoever may see it, and the task that stores the latter.
//!
//! Nobody sees another account's. The node's own actions are none of AWS's, so that they are allowed by the closest of them:
//!
//! | what | IAM action |
//! |---|---|
//! | denied requests | `cloudtrail:LookupEvents`: on AWS they are CloudTrail's events with an error code |
//! | the principals whose use was recorded | `access-analyzer:ListPolicyGenerations` |
//! | a policy of what one of them used | `access-analyzer:GetGeneratedPolicy` |
//!
//! What was used is stored every [`USE_SAVED_PERIOD`] and when the node stops: a crash loses that much of it, and no request waits for it.

use std::sync::Arc;

use kernel::{AccountId, Context, ErrorKind, Principal, TaskGroup, tasks::TaskError};
use ports::{
    AccessAudit, AccessMode, DenialOutcome, DeniedQuery, DeniedRequests, GeneratedPolicy, PortError,
    UsedPrincipal,
};
use store::{Batch, Table, TableError};
use wire::authorize::Denied;
use wire::{Authorize, Resource};

use crate::audit::{Missing, Refusal, lock};
use crate::limits::{USE_SAVED_PERIOD, USES_AT_ONCE};
use crate::uses::{Unsaved, Used};
use crate::{Error, Iam, Mode, tasks};

impl AccessAudit for Iam {
    fn mode(&self) -> AccessMode {
        match self.mode {
            Mode::Enforce => AccessMode::Enforce,
            Mode::Audit => AccessMode::Audit,
            Mode::Off => AccessMode::Off,
        }
    }

    fn denied(&self, cx: &Context, query: &DeniedQuery) -> Result<DeniedRequests, PortError> {
        self.may_see(cx, "cloudtrail:LookupEvents")?;
        let mut requests = self.audit.denials(&cx.account);
        let total = requests.len();
        let wanted = query.contains.to_lowercase();
        let within = |text: &str| text.to_lowercase().contains(&wanted);
        if !wanted.is_empty() {
            requests.retain(|found| {
                [&found.principal, &found.caller, &found.action, &found.resource]
                    .into_iter()
                    .any(|text| within(text))
            });
        }
        let matching = requests.len();
        let requests = requests.into_iter().skip(query.offset).take(query.limit).collect();
        Ok(DeniedRequests { since: self.audit.since, total, matching, requests })
    }

    fn principals(&self, cx: &Context) -> Result<Vec<UsedPrincipal>, PortError> {
        self.may_see(cx, "access-analyzer:ListPolicyGenerations")?;
        let known = self.audit.known(&cx.account);
        Ok(known.map(|audit| lock(&audit).uses.principals()).unwrap_or_default())
    }

    fn least_privilege(&self, cx: &Context, principal: &str) -> Result<Option<GeneratedPolicy>, PortError> {
        self.may_see(cx, "access-analyzer:GetGeneratedPolicy")?;
        let known = self.audit.known(&cx.account);
        let found = known.and_then(|audit| lock(&audit).uses.policy(principal));
        Ok(found.map(|(used, policy)| GeneratedPolicy { used, policy }))
    }
}

impl Iam {
    fn may_see(&self, cx: &Context, action: &str) -> Result<(), PortError> {
        self.authorize(cx, action, &Resource::Any)
            .map_err(|denied| PortError::new(ErrorKind::Denied, "AccessDeniedException", denied.to_string()))
    }

    /// Remembers a request that is refused, and gives back why.
    pub(crate) fn refused(&self, cx: &Context, denied: Denied, owner: &str, missing: Missing) -> Denied {
        self.remember(cx, &denied, owner, missing, DenialOutcome::Refused);
        denied
    }

    /// Remembers a request that is let through, because the node only records.
    pub(crate) fn let_through(&self, cx: &Context, denied: &Denied, owner: &str, missing: Missing) {
        self.remember(cx, denied, owner, missing, DenialOutcome::LetThrough);
    }

    fn remember(&self, cx: &Context, denied: &Denied, owner: &str, missing: Missing, outcome: DenialOutcome) {
        if self.mode == Mode::Off {
            return;
        }
        let foreign = cx.principal.account().is_none_or(|account| account.as_str() != owner);
        let owner = foreign.then(|| owner.parse().ok()).flatten().filter(|owner| self.is_here(owner));
        let refusal = Refusal { principal: &cx.principal, denied, missing, outcome, owner };
        self.audit.denied(refusal, self.clock.now());
    }

    /// Remembers that a principal did what it may, or was let do.
    pub(crate) fn used(&self, principal: &Principal, action: &str, resource: &str) {
        if self.mode != Mode::Off {
            self.audit.used(principal, action, resource, self.clock.now());
        }
    }

    fn is_here(&self, account: &AccountId) -> bool {
        *account == self.account || self.directory().members.contains_key(account)
    }

    /// Starts storing what was used.
    pub fn start(self: &Arc<Self>, group: &TaskGroup) {
        let iam = Arc::clone(self);
        let entropy = self.entropy.clone();
        group.supervise(&tasks::USES, entropy, move |mut stop| {
            let iam = Arc::clone(&iam);
            async move {
                while !stop.is_stopped() {
                    tokio::select! {
                        () = iam.clock.sleep(USE_SAVED_PERIOD) => {}
                        () = stop.stopped() => {}
                    }
                    iam.save_uses().await?;
                }
                Ok(())
            }
        });
    }

    /// What was stored of every account.
    pub(crate) async fn load_uses(&self) -> Result<(), Error> {
        let stored = Table::<Used>::new(Arc::clone(&self.meta)).list(&[]).await?;
        for (parts, stored) in stored {
            let [account, principal] = parts.as_slice() else { continue };
            let Ok(account) = account.parse() else { continue };
            lock(&self.audit.account(&account)).uses.restore(principal.clone(), stored.entity);
        }
        Ok(())
    }

    pub(crate) async fn save_uses(&self) -> Result<(), TaskError> {
        for (account, audit) in self.audit.accounts() {
            let unsaved = lock(&audit).uses.take_unsaved(self.clock.now());
            if let Err(error) = self.save(&account, &unsaved).await {
                lock(&audit).uses.not_saved(unsaved);
                return Err(error.into());
            }
        }
        Ok(())
    }

    async fn save(&self, account: &AccountId, unsaved: &Unsaved) -> Result<(), TableError> {
        let table = Table::<Used>::new(Arc::clone(&self.meta));
        for some in unsaved.changed.chunks(USES_AT_ONCE) {
            let batch = some.iter().fold(Batch::default(), |batch, (principal, used)| {
                table.with_put(batch, &[account.as_str(), principal], used)
            });
            table.commit(batch).await?;
        }
        for some in unsaved.forgotten.chunks(USES_AT_ONCE) {
            let batch = some.iter().fold(Batch::default(), |batch, principal| {
                table.with_delete(batch, &[account.as_str(), principal])
            });
            table.commit(batch).await?;
        }
        Ok(())
    }
}
