//! The decision by policies of every kind: those of the caller, its boundary, its session, and the resource's.
//!
//! ```text
//! a Deny in any of them ──► ExplicitDeny
//! same account:   resource names the caller ──► Allow
//!                 (identity, or resource names its role) ∧ boundary ∧ session ──► Allow
//! other account:  resource ∧ identity ∧ boundary ∧ session ──► Allow
//! else ──► ImplicitDeny of the first that did not allow
//! ```
//!
//! Services, users of identity providers and nobody have no policies: the resource's decides alone.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>

use crate::document::{Document, Effect};
use crate::evaluate::{Decision, Request, evaluate};
use crate::principal::{Caller, Grant};

/// The policies that speak about one request.
#[derive(Clone, Debug, Default)]
pub struct Policies<'d> {
    /// Those of the user and its groups, or of the role.
    pub identity: Vec<&'d Document>,
    /// The most that `identity` may allow.
    pub boundary: Option<&'d Document>,
    /// The most that this session may; none when it was begun without.
    pub session: Option<Vec<&'d Document>>,
    /// The resource's own.
    pub resource: Option<ResourcePolicy<'d>>,
}

/// A policy attached to a resource.
#[derive(Clone, Copy, Debug)]
pub struct ResourcePolicy<'d> {
    /// The policy; none if the resource has none.
    pub document: Option<&'d Document>,
    /// The account that owns the resource.
    pub owner: &'d str,
    /// What it means that the policy does not name the caller.
    pub silence: Silence,
}

/// What it means, within one account, that a resource's policy does not name the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nothing: the caller's own policies may allow.
    Neutral,
    /// The caller may not: trust policies of roles, policies of keys.
    Refuses,
}

/// A kind of policy, as AWS's sentences name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// A user's, a group's, a role's.
    Identity,
    /// A permissions boundary.
    Boundary,
    /// Given with AssumeRole.
    Session,
    /// A bucket's, a role's trust policy.
    Resource,
}

/// The decision and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The request may go on.
    Allow,
    /// A Deny in a policy of this kind matched.
    ExplicitDeny(PolicyKind),
    /// No policy of this kind allows.
    ImplicitDeny(PolicyKind),
}

impl PolicyKind {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Resource => "resource-based policy",
        }
    }
}

impl Verdict {
    /// Whether the request may go on.
    pub fn is_allowed(self) -> bool {
        self == Self::Allow
    }

    /// The end of AWS's sentence that begins "User: … is not authorized to perform: … on resource: …".
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
    pub fn reason(self, action: &str) -> Option<String> {
        match self {
            Self::Allow => None,
            Self::ExplicitDeny(kind) => {
                let article = if kind == PolicyKind::Identity { "an" } else { "a" };
                Some(format!("with an explicit deny in {article} {}", kind.name()))
            }
            Self::ImplicitDeny(kind) => {
                Some(format!("because no {} allows the {action} action", kind.name()))
            }
        }
    }
}

/// Decides a request of `caller` by all policies that speak about it.
pub fn authorize(policies: &Policies<'_>, caller: &Caller, request: &Request<'_>) -> Verdict {
    let resource = match &policies.resource {
        Some(ResourcePolicy { document: Some(document), .. }) => said(document, caller, request),
        _ => Said::Nothing,
    };
    if resource == Said::Deny {
        return Verdict::ExplicitDeny(PolicyKind::Resource);
    }
    let granted = if let Said::Allow(grant) = resource { Some(grant) } else { None };
    let identity = match caller {
        Caller::Root { .. } => Decision::Allow,
        _ => evaluate(policies.identity.iter().copied(), request),
    };
    let boundary = policies.boundary.map(|document| evaluate([document], request));
    let session = policies.session.as_ref().map(|documents| evaluate(documents.iter().copied(), request));
    let own = [
        (Some(identity), PolicyKind::Identity),
        (boundary, PolicyKind::Boundary),
        (session, PolicyKind::Session),
    ];
    if let Some((_, kind)) = own.iter().find(|(decision, _)| *decision == Some(Decision::ExplicitDeny)) {
        return Verdict::ExplicitDeny(*kind);
    }
    let owner = policies.resource.map(|resource| resource.owner);
    let Some(account) = caller.account() else {
        return if granted.is_some() { Verdict::Allow } else { Verdict::ImplicitDeny(PolicyKind::Resource) };
    };
    let same_account = owner.is_none_or(|owner| owner == account);
    if same_account && granted == Some(Grant::Direct) {
        return Verdict::Allow;
    }
    let refuses = policies.resource.is_some_and(|resource| resource.silence == Silence::Refuses);
    if granted.is_none() && (!same_account || refuses) {
        return Verdict::ImplicitDeny(PolicyKind::Resource);
    }
    let by_role = same_account && granted == Some(Grant::Role);
    let silent = |(decision, kind): &&(Option<Decision>, PolicyKind)| {
        *decision == Some(Decision::ImplicitDeny) && !(by_role && *kind == PolicyKind::Identity)
    };
    match own.iter().find(silent) {
        Some((_, kind)) => Verdict::ImplicitDeny(*kind),
        None => Verdict::Allow,
    }
}

/// What a resource's policy says to a caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Allow(Grant),
    Deny,
}

/// A statement without principals in a resource's policy speaks to nobody: it cannot be stored, and must not grant.
fn said(document: &Document, caller: &Caller, request: &Request<'_>) -> Said {
    let mut grant = None;
    for statement in &document.statements {
        let Some(principals) = &statement.principal else { continue };
        let Some(named) = principals.applies(caller, statement.effect) else { continue };
        if statement.covers(request) {
            match statement.effect {
                Effect::Deny => return Said::Deny,
                Effect::Allow => grant = grant.max(Some(named)),
            }
        }
    }
    grant.map_or(Said::Nothing, Said::Allow)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::evaluate::Context;

    const USER: &str = "arn:aws:iam::111111111111:user/bob";
    const ROLE: &str = "arn:aws:iam::111111111111:role/r";
    const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/r/s";

    fn document(effect: &str, principals: &Value) -> Document {
        let mut statement = json!({"Effect": effect, "Action": "s3:GetObject", "Resource": "*"});
        if !principals.is_null() {
            statement["Principal"] = principals.clone();
        }
        Document::parse(&json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()).unwrap()
    }

    /// Letters say which kind has a policy, and whether it allows (`a`), denies (`d`) or is silent (`s`).
    struct Case<'a> {
        identity: &'a str,
        boundary: &'a str,
        session: &'a str,
        /// Effect and principals.
        resource: Option<(&'a str, Value)>,
        owner: &'a str,
    }

    fn decide(case: &Case<'_>, caller: &Caller, silence: Silence) -> Verdict {
        let other = || {
            Document::parse(r#"{"Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}"#)
                .unwrap()
        };
        let own = |letter: &str| match letter {
            "a" => Some(document("Allow", &Value::Null)),
            "d" => Some(document("Deny", &Value::Null)),
            "s" => Some(other()),
            _ => None,
        };
        let (identity, boundary, session) = (own(case.identity), own(case.boundary), own(case.session));
        let resource = case.resource.as_ref().map(|(effect, principals)| document(effect, principals));
        let policies = Policies {
            identity: identity.iter().collect(),
            boundary: boundary.as_ref(),
            session: session.as_ref().map(|document| vec![document]),
            resource: Some(ResourcePolicy { document: resource.as_ref(), owner: case.owner, silence }),
        };
        let context = Context::new();
        let request = Request { action: "s3:GetObject", resource: "arn:aws:s3:::b/k", context: &context };
        authorize(&policies, caller, &request)
    }

    fn user() -> Caller {
        Caller::User { account: "1".repeat(12), arn: USER.to_owned() }
    }

    fn session() -> Caller {
        Caller::Session { account: "1".repeat(12), role: ROLE.to_owned(), session: SESSION.to_owned() }
    }

    #[test]
    fn each_kind_of_policy_limits_as_aws_documents() {
        use PolicyKind::{Boundary, Identity, Resource, Session};
        use Verdict::{Allow, ExplicitDeny, ImplicitDeny};
        let (home, away) = ("111111111111", "222222222222");
        let allow = |principals: &str| Some(("Allow", json!({"AWS": principals})));
        let everyone_denied = || Some(("Deny", json!("*")));
        for (identity, boundary, limit, resource, owner, caller, expect) in [
            ("a", "", "", None, home, user(), Allow),
            ("s", "", "", None, home, user(), ImplicitDeny(Identity)),
            ("", "", "", None, home, user(), ImplicitDeny(Identity)),
            ("d", "", "", None, home, user(), ExplicitDeny(Identity)),
            ("a", "s", "", None, home, user(), ImplicitDeny(Boundary)),
            ("a", "d", "", None, home, user(), ExplicitDeny(Boundary)),
            ("s", "a", "", None, home, user(), ImplicitDeny(Identity)),
            ("a", "a", "s", None, home, session(), ImplicitDeny(Session)),
            ("a", "a", "d", None, home, session(), ExplicitDeny(Session)),
            ("a", "a", "a", None, home, session(), Allow),
            // The resource names the user: neither its own silence nor its boundary's matters.
            ("s", "s", "", allow(USER), home, user(), Allow),
            ("d", "", "", allow(USER), home, user(), ExplicitDeny(Identity)),
            ("s", "d", "", allow(USER), home, user(), ExplicitDeny(Boundary)),
            // The account: its policies decide.
            ("s", "", "", allow(home), home, user(), ImplicitDeny(Identity)),
            ("a", "", "", allow(home), home, user(), Allow),
            // The role: boundary and session limit.
            ("s", "", "", allow(ROLE), home, session(), Allow),
            ("s", "s", "", allow(ROLE), home, session(), ImplicitDeny(Boundary)),
            ("s", "", "s", allow(ROLE), home, session(), ImplicitDeny(Session)),
            // The session: nothing but a Deny limits.
            ("s", "s", "s", allow(SESSION), home, session(), Allow),
            ("a", "a", "a", everyone_denied(), home, session(), ExplicitDeny(Resource)),
            // Another account's resource: both sides must allow.
            ("a", "", "", None, away, user(), ImplicitDeny(Resource)),
            ("s", "", "", allow(USER), away, user(), ImplicitDeny(Identity)),
            ("a", "", "", allow(USER), away, user(), Allow),
            ("a", "", "", allow(home), away, user(), Allow),
            ("a", "s", "", allow(USER), away, user(), ImplicitDeny(Boundary)),
            ("a", "", "s", allow(SESSION), away, session(), ImplicitDeny(Session)),
            ("", "", "", Some(("Allow", json!("*"))), away, Caller::Anonymous, Allow),
            ("", "", "", None, away, Caller::Anonymous, ImplicitDeny(Resource)),
            (
                "",
                "",
                "",
                Some(("Allow", json!({"Service": "x.amazonaws.com"}))),
                away,
                Caller::Service { name: "x.amazonaws.com".to_owned() },
                Allow,
            ),
            ("", "", "", None, home, Caller::Root { account: home.to_owned() }, Allow),
            ("", "", "", None, away, Caller::Root { account: home.to_owned() }, ImplicitDeny(Resource)),
        ] {
            let case = Case { identity, boundary, session: limit, resource, owner };
            let verdict = decide(&case, &caller, Silence::Neutral);
            assert_eq!(
                verdict, expect,
                "{identity}/{boundary}/{limit} {:?} {owner} {caller:?}",
                case.resource
            );
        }
    }

    #[test]
    fn a_trust_policy_that_is_silent_refuses() {
        let case =
            |resource| Case { identity: "a", boundary: "", session: "", resource, owner: "111111111111" };
        let silent = decide(&case(None), &user(), Silence::Refuses);
        assert_eq!(silent, Verdict::ImplicitDeny(PolicyKind::Resource));
        let named = Some(("Allow", json!({"AWS": "111111111111"})));
        assert_eq!(decide(&case(named), &user(), Silence::Refuses), Verdict::Allow);
    }

    #[test]
    fn reasons_are_awss() {
        for (verdict, expect) in [
            (
                Verdict::ImplicitDeny(PolicyKind::Identity),
                "because no identity-based policy allows the a:B action",
            ),
            (
                Verdict::ImplicitDeny(PolicyKind::Boundary),
                "because no permissions boundary allows the a:B action",
            ),
            (Verdict::ImplicitDeny(PolicyKind::Session), "because no session policy allows the a:B action"),
            (
                Verdict::ImplicitDeny(PolicyKind::Resource),
                "because no resource-based policy allows the a:B action",
            ),
            (
                Verdict::ExplicitDeny(PolicyKind::Identity),
                "with an explicit deny in an identity-based policy",
            ),
            (Verdict::ExplicitDeny(PolicyKind::Session), "with an explicit deny in a session policy"),
        ] {
            assert_eq!(verdict.reason("a:B").as_deref(), Some(expect));
        }
        assert_eq!(Verdict::Allow.reason("a:B"), None);
    }
}
