//! The decision on every request: who asks, what their policies say, and what is known of the request.
//!
//! 1. A root may do everything in its own account, and so may the node's services, which act for the account whose resources told
//!    them to. A device may call no API by this decision: its policies are the gateway's to evaluate.
//! 2. Users, sessions and roles are decided by their policies, from memory (A9).
//! 3. In [`Mode::Audit`] and [`Mode::Off`] a principal may what it may not, but never in another account, nor with what another
//!    account owns unless the owner's policy allows it. A Deny of a resource's own policy holds for the root and for services too.
//! 4. The actions in [`SELF_DECIDED`] are decided by their handlers, as they depend on members of the request.
//!
//! Condition keys: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
//!
//! Differs from AWS: the keys of organizations and networks are missing, and aws:UserAgent and aws:Referer but for S3.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use kernel::{AccountId, Context, Principal, Timestamp};
use policy::{Caller, Document, Policies, PolicyKind, Request, ResourcePolicy, Silence, Verdict};
use wire::authorize::Denied;
use wire::{Authorize, Credential, Credentials, Facts, Resource, Unusable};

use crate::audit::Missing;
use crate::directory::{Directory, Said, deny_all};
use crate::entity::{Group, InstanceProfile, Named, Role, Tags, User};
use crate::last_use::LastUse;
use crate::limits::PARSED_MAX;
use crate::{Iam, Mode};

/// Whoever is authenticated may ask who they are; what the others need depends on members of the request.
const SELF_DECIDED: &[&str] =
    &["sts:GetCallerIdentity", "sts:GetSessionToken", "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"];

/// A caller with its policies: all that decides, but for the request.
pub(crate) struct Subject {
    pub(crate) caller: Caller,
    pub(crate) said: Said,
    pub(crate) session: Option<Vec<Arc<Document>>>,
    pub(crate) context: policy::Context,
}

/// Documents by their text, so that a bucket's policy is parsed once.
#[derive(Default)]
pub(crate) struct Parsed(Mutex<HashMap<String, Arc<Document>>>);

impl Parsed {
    /// A text that does not parse denies everything: it was checked when it was stored.
    pub(crate) fn document(&self, text: &str) -> Arc<Document> {
        let mut kept = self.0.lock().expect("no holder of this lock panics");
        if let Some(document) = kept.get(text) {
            return Arc::clone(document);
        }
        let document = Document::parse(text).map_or_else(|_| deny_all(), Arc::new);
        if kept.len() >= PARSED_MAX {
            kept.clear();
        }
        kept.insert(text.to_owned(), Arc::clone(&document));
        document
    }
}

impl Credentials for Iam {
    fn find(&self, access_key_id: &str) -> Option<Credential> {
        if let Some((account, secret)) = self.find_root(access_key_id) {
            return Some(Credential { secret, principal: Principal::Root { account } });
        }
        let directory = self.directory();
        let held = directory.keys.get(access_key_id).filter(|held| held.key.active)?;
        let account = &held.key.account;
        let user = directory.get::<User>(account, &held.key.user)?;
        let principal = Principal::User {
            account: account.clone(),
            user: crate::session::user_arn(account, &user.entity),
            id: user.entity.id.clone(),
            access_key_id: access_key_id.to_owned(),
            issued_at: None,
        };
        Some(Credential { secret: held.secret.clone(), principal })
    }

    fn find_temporary(&self, access_key_id: &str, token: &str) -> Result<Credential, Unusable> {
        self.open_token(access_key_id, token)
    }
}

impl Authorize for Iam {
    fn authorize(&self, cx: &Context, action: &str, resource: &Resource) -> Result<(), Denied> {
        self.authorize_with(cx, action, resource, &Facts::default())
    }

    fn authorize_with(
        &self,
        cx: &Context,
        action: &str,
        resource: &Resource,
        facts: &Facts<'_>,
    ) -> Result<(), Denied> {
        let at_home = cx.principal.account() == Some(&cx.account);
        let foreign = facts.owner.is_some_and(|owner| owner != cx.account.as_str());
        let by_policies = match &cx.principal {
            Principal::Root { .. } | Principal::Service { .. } if at_home => {
                foreign || facts.resource_policy.is_some()
            }
            Principal::User { .. } | Principal::Session(_) | Principal::Role { .. } if at_home => true,
            Principal::Anonymous if facts.resource_policy.is_some() => true,
            _ => {
                let denied = Denied::implicit(cx, action, resource);
                return Err(self.refused(cx, denied, &owner(cx, resource, facts), Missing::nothing()));
            }
        };
        if let Principal::User { access_key_id, issued_at: None, .. } = &cx.principal {
            let service = action.split(':').next().unwrap_or_default().to_owned();
            let last = LastUse { at: self.clock.now(), service, region: cx.region.to_string() };
            self.last_uses.used(access_key_id, last);
        }
        let full = with_path(&self.directory(), &cx.account, resource);
        let resource = full.as_ref().unwrap_or(resource);
        if at_home && !foreign && (self.mode == Mode::Off || SELF_DECIDED.contains(&action)) {
            return Ok(());
        }
        let verdict = if by_policies { self.verdict(cx, action, resource, facts) } else { Verdict::Allow };
        let verdict = match (&cx.principal, verdict) {
            // What acts for the owner needs nobody's leave; a Deny holds for it too.
            (Principal::Service { .. }, Verdict::ImplicitDeny(_)) if !foreign => Verdict::Allow,
            (_, verdict) => verdict,
        };
        let by_owner = matches!(
            verdict,
            Verdict::ExplicitDeny(PolicyKind::Resource) | Verdict::ImplicitDeny(PolicyKind::Resource)
        );
        if foreign && by_owner {
            let reason = verdict.reason(action).unwrap_or_default();
            return Err(Denied { reason, ..Denied::implicit(cx, action, resource) });
        }
        self.settle(cx, action, (&resource.to_string(), &owner(cx, resource, facts)), verdict)
    }
}

/// A request names what is in IAM without its path, which policies name.
fn with_path(directory: &Directory, account: &AccountId, resource: &Resource) -> Option<Resource> {
    let Resource::Arn(arn) = resource else { return None };
    if arn.service() != "iam" || arn.account() != account.as_str() {
        return None;
    }
    let (kind, name) = arn.resource().split_once('/').filter(|(_, name)| !name.contains('/'))?;
    let full = match kind {
        "user" => directory.get::<User>(account, name)?.entity.arn(account),
        "group" => directory.get::<Group>(account, name)?.entity.arn(account),
        "role" => directory.get::<Role>(account, name)?.entity.arn(account),
        "instance-profile" => directory.get::<InstanceProfile>(account, name)?.entity.arn(account),
        _ => return None,
    };
    full.parse().ok().map(Resource::Arn)
}

impl Iam {
    /// What a verdict on a resource and its owner means in this node's mode.
    ///
    /// # Errors
    /// [`Denied`] in [`Mode::Enforce`], and for whoever has no account.
    pub(crate) fn settle(
        &self,
        cx: &Context,
        action: &str,
        (resource, owner): (&str, &str),
        verdict: Verdict,
    ) -> Result<(), Denied> {
        let Some(reason) = verdict.reason(action) else {
            self.used(&cx.principal, action, resource);
            return Ok(());
        };
        let denied = Denied {
            user: cx.principal.arn(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            reason,
        };
        let missing = Missing::of(verdict, &principal_arn(&cx.principal), action, resource);
        if self.mode == Mode::Enforce || cx.principal == Principal::Anonymous {
            return Err(self.refused(cx, denied, owner, missing));
        }
        self.let_through(cx, &denied, owner, missing);
        self.used(&cx.principal, action, resource);
        Ok(())
    }

    fn verdict(&self, cx: &Context, action: &str, resource: &Resource, facts: &Facts<'_>) -> Verdict {
        let mut subject = self.subject(&cx.principal);
        subject.context = self.circumstances(cx, subject.context);
        for (key, values) in facts.keys {
            subject.context = subject.context.with_values(key, values.iter().map(String::as_str));
        }
        let owner = owner(cx, resource, facts);
        subject.context = subject.context.with("aws:ResourceAccount", owner.as_str());
        let document = facts.resource_policy.map(|text| self.parsed.document(text));
        let resource_policy =
            ResourcePolicy { document: document.as_deref(), owner: &owner, silence: Silence::Neutral };
        subject.decide(action, &resource.to_string(), Some(resource_policy))
    }

    /// The policies of a principal and the condition keys about it.
    pub(crate) fn subject(&self, principal: &Principal) -> Subject {
        let directory = self.directory();
        match principal {
            Principal::User { account, user, id, issued_at, .. } => {
                user_subject(&directory, account, user.as_str(), id, *issued_at)
            }
            Principal::Session(session) => {
                let inline = session.policy.iter().map(|text| self.parsed.document(text));
                let managed = session
                    .policy_arns
                    .iter()
                    .map(|arn| directory.managed(&session.account, arn).unwrap_or_else(deny_all));
                let limited = session.policy.is_some() || !session.policy_arns.is_empty();
                let limits = limited.then(|| inline.chain(managed).collect());
                let role = (session.role.as_str(), session.name.as_str());
                let mut subject = role_subject(&directory, &session.account, role, limits);
                subject.context = with_tags(subject.context, &session.tags)
                    .with("aws:TokenIssueTime", iso(session.issued_at))
                    .with("aws:MultiFactorAuthPresent", "false");
                if let Some(identity) = &session.source_identity {
                    subject.context = subject.context.with("aws:SourceIdentity", identity.as_str());
                }
                subject
            }
            Principal::Role { account, role, session } => {
                role_subject(&directory, account, (role.as_str(), session), None)
            }
            Principal::Root { account } => Subject {
                caller: Caller::Root { account: account.to_string() },
                said: Said { identity: Vec::new(), boundary: None },
                session: None,
                context: policy::Context::new()
                    .with("aws:PrincipalArn", principal.arn())
                    .with("aws:PrincipalAccount", account.as_str())
                    .with("aws:PrincipalType", "Account")
                    .with("aws:userid", account.as_str()),
            },
            Principal::Service { name, .. } => {
                let caller = Caller::Service { name: (*name).to_owned() };
                Subject::without_policies(
                    caller,
                    policy::Context::new().with("aws:PrincipalServiceName", *name),
                )
            }
            Principal::Certificate { .. } | Principal::Anonymous => {
                let context = policy::Context::new()
                    .with("aws:PrincipalType", "Anonymous")
                    .with("aws:userid", "anonymous");
                Subject::without_policies(Caller::Anonymous, context)
            }
        }
    }

    /// `context` and the condition keys of any request.
    pub(crate) fn circumstances(&self, cx: &Context, context: policy::Context) -> policy::Context {
        let now = self.clock.now();
        let service = matches!(cx.principal, Principal::Service { .. });
        let context = context
            .with("aws:CurrentTime", iso(now))
            .with("aws:EpochTime", now.as_millis().div_euclid(1000).to_string())
            .with("aws:SecureTransport", cx.secure.to_string())
            .with("aws:RequestedRegion", cx.region.as_str())
            .with("aws:PrincipalIsAWSService", service.to_string())
            .with("aws:ViaAWSService", "false");
        match &cx.source_ip {
            Some(address) => context.with("aws:SourceIp", address.as_str()),
            None => context,
        }
    }
}

impl Subject {
    pub(crate) fn without_policies(caller: Caller, context: policy::Context) -> Self {
        Self { caller, said: Said { identity: Vec::new(), boundary: None }, session: None, context }
    }

    pub(crate) fn decide(
        &self,
        action: &str,
        resource: &str,
        resource_policy: Option<ResourcePolicy<'_>>,
    ) -> Verdict {
        let policies = Policies {
            identity: self.said.identity.iter().map(|document| &**document).collect(),
            boundary: self.said.boundary.as_deref(),
            session: self.session.as_ref().map(|limits| limits.iter().map(|document| &**document).collect()),
            resource: resource_policy,
        };
        policy::authorize(&policies, &self.caller, &Request { action, resource, context: &self.context })
    }
}

/// A user that is gone has no policies; its credentials are not found any more, but a request may be on its way.
fn user_subject(
    directory: &Directory,
    account: &AccountId,
    arn: &str,
    id: &str,
    issued_at: Option<Timestamp>,
) -> Subject {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let user = directory.get::<User>(account, name).filter(|held| held.entity.id == id);
    let said = user.map(|held| directory.user_says(account, held));
    let mut context = policy::Context::new()
        .with("aws:PrincipalArn", arn)
        .with("aws:PrincipalAccount", account.as_str())
        .with("aws:PrincipalType", "User")
        .with("aws:userid", id)
        .with("aws:username", name);
    if let Some(user) = user {
        context = with_tags(context, &user.entity.tags);
    }
    if let Some(issued_at) = issued_at {
        context =
            context.with("aws:TokenIssueTime", iso(issued_at)).with("aws:MultiFactorAuthPresent", "false");
    }
    Subject {
        caller: Caller::User { account: account.to_string(), arn: arn.to_owned() },
        said: said.unwrap_or(Said { identity: Vec::new(), boundary: None }),
        session: None,
        context,
    }
}

fn role_subject(
    directory: &Directory,
    account: &AccountId,
    (arn, session): (&str, &str),
    limits: Option<Vec<Arc<Document>>>,
) -> Subject {
    let held = directory.by_arn::<Role>(arn).filter(|(owner, _)| owner == account).map(|(_, held)| held);
    let said = held.map(|held| directory.role_says(account, held));
    let name = arn.rsplit('/').next().unwrap_or_default();
    let session_arn = format!("arn:aws:sts::{account}:assumed-role/{name}/{session}");
    let mut context = policy::Context::new()
        .with("aws:PrincipalArn", arn)
        .with("aws:PrincipalAccount", account.as_str())
        .with("aws:PrincipalType", "AssumedRole");
    if let Some(held) = held {
        context =
            with_tags(context, &held.entity.tags).with("aws:userid", format!("{}:{session}", held.entity.id));
    }
    Subject {
        caller: Caller::Session { account: account.to_string(), role: arn.to_owned(), session: session_arn },
        said: said.unwrap_or(Said { identity: Vec::new(), boundary: None }),
        session: limits,
        context,
    }
}

fn with_tags(context: policy::Context, tags: &Tags) -> policy::Context {
    tags.iter().fold(context, |context, (key, value)| {
        context.with(&format!("aws:PrincipalTag/{key}"), value.as_str())
    })
}

/// The account that owns a resource: as the service says, or as its ARN does, or the one that is acted in.
fn owner(cx: &Context, resource: &Resource, facts: &Facts<'_>) -> String {
    let in_arn = match resource {
        Resource::Arn(arn) if arn.account().parse::<AccountId>().is_ok() => Some(arn.account()),
        _ => None,
    };
    facts.owner.or(in_arn).unwrap_or(cx.account.as_str()).to_owned()
}

/// Who a principal is across its sessions: a role rather than its session.
pub(crate) fn principal_arn(principal: &Principal) -> String {
    match principal {
        Principal::Session(session) => session.role.to_string(),
        Principal::Role { role, .. } => role.to_string(),
        principal => principal.arn(),
    }
}

/// `2017-08-26T07:47:12Z`.
pub(crate) fn iso(at: Timestamp) -> String {
    let text = at.to_iso8601();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// A role's ARN.
pub(crate) fn role_arn(account: &AccountId, role: &Role) -> kernel::Arn {
    role.arn(account).parse().expect("a role's path and name have no colon before its fifth")
}
