//! Who asks, compared with Principal and NotPrincipal.
//!
//! A caller has several names: a session of a role is its account, its role and itself. Principal applies when it lists one of
//! them. NotPrincipal applies, in a Deny, unless it lists all of them, and in an Allow, when it lists none.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
//!
//! Differs from AWS: nobody's canonical user id is known here, so an Allow that names one names nobody, and a Deny
//! everybody. AWS keeps the unique id of a user or role that a policy names, so that one made anew under the same name is another;
//! here it is the same.

use crate::document::{Effect, PrincipalKind, Principals};

/// The authenticated caller, as policies name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The account itself.
    Root {
        /// Twelve digits.
        account: String,
    },
    /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`, with long-term or temporary credentials.
    User {
        /// Its account.
        account: String,
        /// Its ARN.
        arn: String,
    },
    /// Whoever assumed a role.
    Session {
        /// The role's account.
        account: String,
        /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
        role: String,
        /// `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`.
        session: String,
    },
    /// A user of an identity provider, before it has a role.
    Federated {
        /// `arn:aws:iam::ACCOUNT:oidc-provider/HOST`, or a provider's well-known name.
        provider: String,
    },
    /// `iot.amazonaws.com`.
    Service {
        /// The service's principal.
        name: String,
    },
    /// A request without a signature.
    Anonymous,
}

/// How closely a resource's policy names a caller to whom it allows something. More is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grant {
    /// The caller's account: its own policies say who in it.
    Account,
    /// The caller's role: a boundary and a session policy still limit it.
    Role,
    /// The caller, or everyone.
    Direct,
}

impl Caller {
    /// The account whose policies speak for the caller; none for those who have no policies.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Root { account } | Self::User { account, .. } | Self::Session { account, .. } => {
                Some(account)
            }
            Self::Federated { .. } | Self::Service { .. } | Self::Anonymous => None,
        }
    }

    /// Every name and what naming it grants. An account's is its number.
    fn names(&self) -> Vec<(PrincipalKind, &str, Grant)> {
        use PrincipalKind::{Aws, Federated, Service};
        match self {
            Self::Root { account } => vec![(Aws, account, Grant::Direct)],
            Self::User { account, arn } => vec![(Aws, account, Grant::Account), (Aws, arn, Grant::Direct)],
            Self::Session { account, role, session } => {
                vec![(Aws, account, Grant::Account), (Aws, role, Grant::Role), (Aws, session, Grant::Direct)]
            }
            Self::Federated { provider } => vec![(Federated, provider, Grant::Direct)],
            Self::Service { name } => vec![(Service, name, Grant::Direct)],
            Self::Anonymous => Vec::new(),
        }
    }
}

impl Principals {
    /// What a statement with these principals and this effect is to `caller`: none if it does not apply.
    pub(crate) fn applies(&self, caller: &Caller, effect: Effect) -> Option<Grant> {
        match self {
            Self::AnyOf(list) => {
                let unknown = effect == Effect::Deny
                    && list.iter().any(|(kind, _)| *kind == PrincipalKind::CanonicalUser);
                if unknown || list.iter().any(is_everyone) {
                    return Some(Grant::Direct);
                }
                caller
                    .names()
                    .into_iter()
                    .filter(|(kind, name, _)| list.iter().any(|entry| is_named(entry, *kind, name)))
                    .map(|(_, _, grant)| grant)
                    .max()
            }
            Self::NoneOf(list) => {
                if list.iter().any(is_everyone) {
                    return None;
                }
                let names = caller.names();
                let is_listed = |(kind, name, _): &(PrincipalKind, &str, Grant)| {
                    list.iter().any(|entry| is_named(entry, *kind, name))
                };
                let applies = match effect {
                    Effect::Deny => names.is_empty() || !names.iter().all(is_listed),
                    Effect::Allow => {
                        !names.iter().any(is_listed)
                            && !list.iter().any(|(kind, _)| *kind == PrincipalKind::CanonicalUser)
                    }
                };
                applies.then_some(Grant::Direct)
            }
        }
    }
}

fn is_everyone((kind, value): &(PrincipalKind, String)) -> bool {
    *kind == PrincipalKind::Aws && value == "*"
}

/// An account is named by its number or by its root's ARN.
fn is_named((listed_kind, listed): &(PrincipalKind, String), kind: PrincipalKind, name: &str) -> bool {
    if *listed_kind != kind {
        return false;
    }
    let account = (kind == PrincipalKind::Aws)
        .then(|| listed.strip_prefix("arn:aws:iam::")?.strip_suffix(":root"))
        .flatten();
    listed == "*" || account.unwrap_or(listed) == name
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::document::Document;

    fn applies(element: &str, principals: &Value, effect: &str, caller: &Caller) -> Option<Grant> {
        let document = json!({"Statement": {"Effect": effect, element: principals, "Action": "a:b"}});
        let document = Document::parse(&document.to_string()).unwrap();
        let statement = &document.statements[0];
        statement.principal.as_ref().unwrap().applies(caller, statement.effect)
    }

    fn user() -> Caller {
        Caller::User { account: "1".repeat(12), arn: "arn:aws:iam::111111111111:user/a/bob".to_owned() }
    }

    fn session() -> Caller {
        Caller::Session {
            account: "1".repeat(12),
            role: "arn:aws:iam::111111111111:role/x/r".to_owned(),
            session: "arn:aws:sts::111111111111:assumed-role/r/s".to_owned(),
        }
    }

    #[test]
    fn principals_name_callers() {
        let service = Caller::Service { name: "iot.amazonaws.com".to_owned() };
        for (principals, caller, expect) in [
            (json!("*"), Caller::Anonymous, Some(Grant::Direct)),
            (json!({"AWS": "*"}), service.clone(), Some(Grant::Direct)),
            (json!({"AWS": "111111111111"}), user(), Some(Grant::Account)),
            (json!({"AWS": "arn:aws:iam::111111111111:root"}), session(), Some(Grant::Account)),
            (
                json!({"AWS": "arn:aws:iam::111111111111:root"}),
                Caller::Root { account: "1".repeat(12) },
                Some(Grant::Direct),
            ),
            (json!({"AWS": "222222222222"}), user(), None),
            (json!({"AWS": "222222222222"}), Caller::Anonymous, None),
            (json!({"AWS": ["x", "arn:aws:iam::111111111111:user/a/bob"]}), user(), Some(Grant::Direct)),
            (json!({"AWS": "arn:aws:iam::111111111111:user/bob"}), user(), None),
            (json!({"AWS": "arn:aws:iam::111111111111:role/x/r"}), session(), Some(Grant::Role)),
            (json!({"AWS": "arn:aws:sts::111111111111:assumed-role/r/s"}), session(), Some(Grant::Direct)),
            (json!({"AWS": "arn:aws:sts::111111111111:assumed-role/r/t"}), session(), None),
            (json!({"Service": "iot.amazonaws.com"}), service.clone(), Some(Grant::Direct)),
            (json!({"AWS": "iot.amazonaws.com"}), service, None),
            (json!({"CanonicalUser": "x"}), user(), None),
        ] {
            assert_eq!(
                applies("Principal", &principals, "Allow", &caller),
                expect,
                "{principals} {caller:?}"
            );
        }
        assert_eq!(
            applies("Principal", &json!({"CanonicalUser": "x"}), "Deny", &user()),
            Some(Grant::Direct)
        );
    }

    #[test]
    fn all_but() {
        let bob = "arn:aws:iam::111111111111:user/a/bob";
        for (principals, effect, caller, expect) in [
            (json!({"AWS": bob}), "Deny", user(), true),
            (json!({"AWS": [bob, "arn:aws:iam::111111111111:root"]}), "Deny", user(), false),
            (json!({"AWS": [bob, "111111111111"]}), "Deny", session(), true),
            (json!({"AWS": bob}), "Deny", Caller::Anonymous, true),
            (json!({"AWS": bob}), "Allow", user(), false),
            (json!({"AWS": "111111111111"}), "Allow", user(), false),
            (json!({"AWS": "222222222222"}), "Allow", user(), true),
            (json!({"CanonicalUser": "x"}), "Allow", user(), false),
            (json!("*"), "Deny", user(), false),
        ] {
            let applied = applies("NotPrincipal", &principals, effect, &caller).is_some();
            assert_eq!(applied, expect, "{principals} {effect} {caller:?}");
        }
    }
}
