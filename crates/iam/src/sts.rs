//! Assuming a role: who may, for how long, limited by what.
//!
//! 1. The role's trust policy must allow the caller, by name or through its account; through its account, the caller's own policies
//!    must allow it too. Tags and a source identity each need an action of their own.
//! 2. A session begun by a session lasts an hour at most.
//! 3. A transitive tag stays through every session begun from the one that has it.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{AccountId, Context, Principal, Session};
use policy::{PolicyKind, ResourcePolicy, Silence, Verdict};
use wire::authorize::Denied;

use crate::audit::Missing;
use crate::authorize::principal_arn;
use crate::directory::HeldRole;
use crate::documents::{check_session, size};
use crate::entity::{Named, Role, Tags};
use crate::grants::check_attachable;
use crate::limits::{
    SESSION_POLICY_ARNS_MAX, SESSION_POLICY_CHARS_MAX, SESSION_S_DEFAULT, SESSION_S_MAX, SESSION_S_MIN,
};
use crate::names::{Number, violated};
use crate::{Error, Iam, Mode};

/// What AssumeRole is asked.
pub(crate) struct Assume {
    pub(crate) role: String,
    pub(crate) session: String,
    pub(crate) duration: Option<Number>,
    pub(crate) external_id: Option<String>,
    pub(crate) policy: Option<String>,
    pub(crate) policy_arns: Vec<String>,
    pub(crate) tags: Tags,
    pub(crate) transitive_tag_keys: Vec<String>,
    pub(crate) source_identity: Option<String>,
}

/// The session begun, and how long it lasts.
pub(crate) struct Assumed {
    pub(crate) session: Session,
    pub(crate) seconds: u64,
    /// Percent of the space for policies and tags that they take.
    pub(crate) packed_percent: Option<usize>,
}

impl Iam {
    /// # Errors
    /// `AccessDenied`, `ValidationError`, `MalformedPolicyDocument`.
    pub(crate) fn assume_role(&self, cx: &Context, assume: Assume) -> Result<Assumed, Error> {
        let asked = match assume.duration {
            Some(number) => Some(number.within("durationSeconds", SESSION_S_MIN, SESSION_S_MAX)?),
            None => None,
        };
        let found =
            self.directory().by_arn::<Role>(&assume.role).map(|(account, held)| (account, Arc::clone(held)));
        let Some((account, role)) = found else {
            return Err(refused(cx, "sts:AssumeRole", &assume.role));
        };
        let calling = match &cx.principal {
            Principal::Session(session) => Some(&**session),
            _ => None,
        };
        let (tags, transitive_tag_keys) = inherit(calling, &assume)?;
        let inherited = calling.and_then(|session| session.source_identity.clone());
        if let (Some(inherited), Some(asked)) = (&inherited, &assume.source_identity)
            && inherited != asked
        {
            return Err(refused(cx, "sts:SetSourceIdentity", &assume.role));
        }
        self.check_trust(cx, &assume, (&account, &role))?;
        let seconds = duration(asked, role.entity.session_s_max, calling)?;
        self.check_limits(&account, assume.policy.as_deref(), &assume.policy_arns)?;
        let packed_percent = packed_percent(assume.policy.as_deref(), &assume.policy_arns, &tags);
        let session = Session {
            role: crate::authorize::role_arn(&account, &role.entity),
            account,
            role_id: role.entity.id.clone(),
            name: assume.session,
            issued_at: self.clock.now(),
            policy: assume.policy,
            policy_arns: assume.policy_arns,
            tags,
            transitive_tag_keys,
            source_identity: inherited.or(assume.source_identity),
        };
        Ok(Assumed { session, seconds, packed_percent })
    }

    /// Invariant 1.
    fn check_trust(
        &self,
        cx: &Context,
        assume: &Assume,
        (account, role): (&AccountId, &HeldRole),
    ) -> Result<(), Error> {
        if self.mode == Mode::Off && cx.principal.account() == Some(account) {
            return Ok(());
        }
        let arn = role.entity.arn(account);
        if matches!(cx.principal, Principal::Root { .. }) {
            let said = || Error::AccessDenied("Roles may not be assumed by root accounts.".to_owned());
            return self.refuse(
                cx,
                "sts:AssumeRole",
                &arn,
                Verdict::ImplicitDeny(PolicyKind::Resource),
                said,
            );
        }
        let mut subject = self.subject(&cx.principal);
        let tag_keys = assume.tags.keys().map(String::as_str);
        let mut context = self
            .circumstances(cx, subject.context)
            .with("sts:RoleSessionName", assume.session.as_str())
            .with("aws:ResourceAccount", account.as_str())
            .with_values("aws:TagKeys", tag_keys)
            .with_values("sts:TransitiveTagKeys", assume.transitive_tag_keys.iter().map(String::as_str));
        for (key, value) in &assume.tags {
            context = context.with(&format!("aws:RequestTag/{key}"), value.as_str());
        }
        let given =
            [("sts:ExternalId", &assume.external_id), ("sts:SourceIdentity", &assume.source_identity)];
        for (key, value) in given {
            if let Some(value) = value {
                context = context.with(key, value.as_str());
            }
        }
        subject.context = context;
        let trust = role.trust();
        let trust =
            ResourcePolicy { document: Some(&trust), owner: account.as_str(), silence: Silence::Refuses };
        let tagged = !assume.tags.is_empty();
        let named = assume.source_identity.is_some();
        let actions =
            [("sts:AssumeRole", true), ("sts:TagSession", tagged), ("sts:SetSourceIdentity", named)];
        for (action, _) in actions.into_iter().filter(|(_, needed)| *needed) {
            let verdict = subject.decide(action, &arn, Some(trust));
            if !verdict.is_allowed() {
                self.refuse(cx, action, &arn, verdict, || refused(cx, action, &arn))?;
            }
            self.used(&cx.principal, action, &arn);
        }
        Ok(())
    }

    /// Refuses, or records that an enforcing node would. Another account's role is never assumed against what policies say.
    fn refuse(
        &self,
        cx: &Context,
        action: &str,
        arn: &str,
        verdict: Verdict,
        error: impl FnOnce() -> Error,
    ) -> Result<(), Error> {
        let reason = match verdict {
            Verdict::ImplicitDeny(PolicyKind::Resource) => {
                format!("because no role trust policy allows the {action} action")
            }
            verdict => verdict.reason(action).unwrap_or_default(),
        };
        let denied =
            Denied { user: cx.principal.arn(), action: action.to_owned(), resource: arn.to_owned(), reason };
        let missing = match verdict {
            Verdict::ImplicitDeny(PolicyKind::Resource) if matches!(cx.principal, Principal::Root { .. }) => {
                Missing::nothing()
            }
            Verdict::ImplicitDeny(PolicyKind::Resource) => {
                Missing::trust(&principal_arn(&cx.principal), action)
            }
            verdict => Missing::of(verdict, &principal_arn(&cx.principal), action, arn),
        };
        let owner = arn.split(':').nth(4).unwrap_or_default();
        let foreign = cx.principal.account().is_none_or(|account| account.as_str() != owner);
        if self.mode == Mode::Enforce || foreign {
            self.refused(cx, denied, owner, missing);
            return Err(error());
        }
        self.let_through(cx, &denied, owner, missing);
        Ok(())
    }

    /// Policies that limit the session.
    pub(crate) fn check_limits(
        &self,
        account: &AccountId,
        policy: Option<&str>,
        policy_arns: &[String],
    ) -> Result<(), Error> {
        let too_long = |length: usize, max: usize, member: &str| {
            let constraint = format!("Member must have length less than or equal to {max}");
            (length > max).then(|| Error::Validation(violated(&length.to_string(), member, &constraint)))
        };
        if let Some(policy) = policy {
            if let Some(error) = too_long(policy.chars().count(), SESSION_POLICY_CHARS_MAX, "policy") {
                return Err(error);
            }
            check_session(policy)?;
        }
        if let Some(error) = too_long(policy_arns.len(), SESSION_POLICY_ARNS_MAX, "policyArns") {
            return Err(error);
        }
        let directory = self.directory();
        policy_arns.iter().try_for_each(|arn| {
            check_attachable(&directory, account, arn)
                .map_err(|error| Error::MalformedPolicyDocument(error.to_string()))
        })
    }
}

/// AWS's sentence, which tells neither whether there is such a role nor why it may not be assumed.
fn refused(cx: &Context, action: &str, role: &str) -> Error {
    let user = cx.principal.arn();
    Error::AccessDenied(format!("User: {user} is not authorized to perform: {action} on resource: {role}"))
}

/// Percent of the space for policies and tags that they take; none for none.
pub(crate) fn packed_percent(policy: Option<&str>, policy_arns: &[String], tags: &Tags) -> Option<usize> {
    let packed = policy.map_or(0, size)
        + policy_arns.iter().map(String::len).sum::<usize>()
        + tags.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
    (packed > 0).then(|| (packed * 100).div_ceil(2 * SESSION_POLICY_CHARS_MAX))
}

/// Invariant 2.
pub(crate) fn duration(asked: Option<u64>, role_max: u64, calling: Option<&Session>) -> Result<u64, Error> {
    let Some(asked) = asked else { return Ok(SESSION_S_DEFAULT) };
    if asked > role_max {
        let said = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Error::Validation(said.to_owned()));
    }
    if calling.is_some() && asked > SESSION_S_DEFAULT {
        let said = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
        return Err(Error::Validation(said.to_owned()));
    }
    Ok(asked)
}

/// Invariant 3.
fn inherit(calling: Option<&Session>, assume: &Assume) -> Result<(Tags, Vec<String>), Error> {
    let unknown = assume.transitive_tag_keys.iter().find(|key| !assume.tags.contains_key(*key));
    if let Some(key) = unknown {
        let said = format!("The specified transitive tag key {key} must be included in the requested tags.");
        return Err(Error::Validation(said));
    }
    let mut tags: BTreeMap<String, String> = assume.tags.clone();
    let mut keys = assume.transitive_tag_keys.clone();
    for key in calling.map(|session| session.transitive_tag_keys.as_slice()).unwrap_or_default() {
        if assume.tags.keys().any(|asked| asked.eq_ignore_ascii_case(key)) {
            let said = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.";
            return Err(Error::Validation(said.to_owned()));
        }
        if let Some(value) = calling.and_then(|session| session.tags.get(key)) {
            tags.insert(key.clone(), value.clone());
            keys.push(key.clone());
        }
    }
    Ok((tags, keys))
}
