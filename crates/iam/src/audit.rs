//! What was used and what would have been denied, for whoever writes policies: kept in memory, bounded, gone with the node.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

use kernel::Timestamp;
use policy::{PolicyKind, Verdict};
use serde_json::{Value, json};
use wire::authorize::Denied;

use crate::limits::{DENIALS_MAX, USED_PER_PRINCIPAL_MAX, USED_PRINCIPALS_MAX};

/// Requests that were allowed only because nothing is enforced.
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    /// ARN of the user or session.
    pub principal: String,
    /// `s3:PutObject`.
    pub action: String,
    /// ARN or `*`.
    pub resource: String,
    /// The end of the sentence that an enforcing node would have said.
    pub reason: String,
    /// The statement that would allow it; none when a Deny is to blame.
    pub missing_statement: Option<Value>,
    /// How often.
    pub count: u64,
    /// The last time.
    pub last_at: Timestamp,
}

/// Denials and uses.
#[derive(Default)]
pub(crate) struct Audit {
    denials: Mutex<HashMap<(String, String, String), Denial>>,
    /// Principal → action → resources.
    used: Mutex<BTreeMap<String, BTreeMap<String, BTreeSet<String>>>>,
}

/// The statement that is missing.
pub(crate) struct Missing(Option<Value>);

impl Missing {
    pub(crate) fn of(verdict: Verdict, action: &str, resource: &str) -> Self {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
        Self(match verdict {
            Verdict::ImplicitDeny(PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session) => {
                Some(statement)
            }
            Verdict::ImplicitDeny(PolicyKind::Resource) | Verdict::ExplicitDeny(_) | Verdict::Allow => None,
        })
    }

    /// A trust policy that lets `service` assume the role it is attached to.
    pub(crate) fn trust(service: &str) -> Self {
        Self(Some(json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})))
    }
}

impl Audit {
    pub(crate) fn denied(&self, denied: Denied, missing: Missing, now: Timestamp) {
        let Denied { user, action, resource, reason } = denied;
        let mut denials = self.denials.lock().expect("no holder of this lock panics");
        let key = (user.clone(), action.clone(), resource.clone());
        if let Some(denial) = denials.get_mut(&key) {
            denial.count += 1;
            (denial.last_at, denial.reason, denial.missing_statement) = (now, reason, missing.0);
            return;
        }
        let oldest = || denials.iter().min_by_key(|(_, denial)| denial.last_at).map(|(key, _)| key.clone());
        if denials.len() >= DENIALS_MAX
            && let Some(oldest) = oldest()
        {
            denials.remove(&oldest);
        }
        tracing::info!(user, action, resource, reason, "would be denied");
        let missing_statement = missing.0;
        let denial =
            Denial { principal: user, action, resource, reason, missing_statement, count: 1, last_at: now };
        denials.insert(key, denial);
    }

    /// The latest first.
    pub(crate) fn denials(&self) -> Vec<Denial> {
        let denials = self.denials.lock().expect("no holder of this lock panics");
        let mut list: Vec<Denial> = denials.values().cloned().collect();
        list.sort_by(|a, b| {
            b.last_at.cmp(&a.last_at).then_with(|| {
                (&a.principal, &a.action, &a.resource).cmp(&(&b.principal, &b.action, &b.resource))
            })
        });
        list
    }

    pub(crate) fn used(&self, principal: &str, action: &str, resource: &str) {
        let mut used = self.used.lock().expect("no holder of this lock panics");
        if !used.contains_key(principal) && used.len() >= USED_PRINCIPALS_MAX {
            return;
        }
        let actions = used.entry(principal.to_owned()).or_default();
        let known: usize = actions.values().map(BTreeSet::len).sum();
        let resources = actions.entry(action.to_owned()).or_default();
        if resources.contains(resource) || resources.contains("*") {
            return;
        }
        if known >= USED_PER_PRINCIPAL_MAX {
            // Too many to name: the action on anything.
            resources.clear();
            resources.insert("*".to_owned());
        } else {
            resources.insert(resource.to_owned());
        }
    }

    /// A policy that allows what `principal` has used, and nothing else; none if it used nothing.
    pub(crate) fn least_privilege(&self, principal: &str) -> Option<Value> {
        let used = self.used.lock().expect("no holder of this lock panics");
        let mut by_resources: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
        for (action, resources) in used.get(principal)? {
            let resources = resources.iter().map(String::as_str).collect();
            by_resources.entry(resources).or_default().push(action);
        }
        let statements: Vec<Value> = by_resources
            .into_iter()
            .map(|(resources, actions)| json!({"Effect": "Allow", "Action": actions, "Resource": resources}))
            .collect();
        Some(json!({"Version": "2012-10-17", "Statement": statements}))
    }

    /// Everyone of whom something was used.
    pub(crate) fn principals(&self) -> Vec<String> {
        self.used.lock().expect("no holder of this lock panics").keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deny(audit: &Audit, action: &str, ms: i64) {
        let missing = Missing::of(Verdict::ImplicitDeny(PolicyKind::Identity), action, "*");
        let denied = Denied {
            user: "p".to_owned(),
            action: action.to_owned(),
            resource: "*".to_owned(),
            reason: "because".to_owned(),
        };
        audit.denied(denied, missing, Timestamp::from_millis(ms));
    }

    #[test]
    fn denials_are_counted_once_each_and_the_oldest_is_forgotten() {
        let audit = Audit::default();
        deny(&audit, "a:First", 1);
        for at in 0..DENIALS_MAX {
            deny(&audit, &format!("a:{at}"), 2);
        }
        deny(&audit, "a:0", 3);
        let denials = audit.denials();
        assert_eq!(denials.len(), DENIALS_MAX);
        assert_eq!((denials[0].action.as_str(), denials[0].count), ("a:0", 2));
        assert!(denials.iter().all(|denial| denial.action != "a:First"));
        assert_eq!(
            denials[0].missing_statement,
            Some(json!({"Effect": "Allow", "Action": "a:0", "Resource": "*"}))
        );
    }

    #[test]
    fn a_policy_of_what_was_used() {
        let audit = Audit::default();
        for (action, resource) in [
            ("s3:GetObject", "b/1"),
            ("s3:GetObject", "b/2"),
            ("s3:PutObject", "b/1"),
            ("s3:DeleteObject", "b/1"),
        ] {
            audit.used("p", action, resource);
        }
        assert_eq!(
            audit.least_privilege("p"),
            Some(json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["s3:DeleteObject", "s3:PutObject"], "Resource": ["b/1"]},
                {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["b/1", "b/2"]},
            ]}))
        );
        assert_eq!(audit.least_privilege("q"), None);
        for at in 0..USED_PER_PRINCIPAL_MAX {
            audit.used("p", "s3:GetObject", &format!("b/{at}"));
        }
        let policy = audit.least_privilege("p").unwrap().to_string();
        assert!(policy.contains(r#""Action":["s3:GetObject"],"Resource":["*"]"#), "{policy}");
        for at in 0..=USED_PRINCIPALS_MAX {
            audit.used(&format!("p{at}"), "a:b", "*");
        }
        assert_eq!(audit.principals().len(), USED_PRINCIPALS_MAX);
    }
}
