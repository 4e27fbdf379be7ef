//! What the principals of one account have used, as policies name it: actions, and resources or patterns of them.
//!
//! 1. What was used is allowed by the policy made from it ([`Uses::policy`]); what is more general than what was used is so only because
//!    [`RESOURCES_PER_ACTION_MAX`] would not hold it. Objects under a prefix become that prefix, and never a whole service at once.
//! 2. A resource's own `*`, `?` and `$` are written as `${*}`, `${?}` and `${$}`: a policy takes them for themselves.
//! 3. An account is bounded in principals and in bytes; the principal idle the longest goes first.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use kernel::Timestamp;
use ports::UsedPrincipal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Entity;

use crate::limits::{
    RESOURCE_BYTES_MAX, RESOURCES_PER_ACTION_MAX, USE_KEPT, USE_SAVED_EVERY, USED_BYTES_MAX,
    USED_PRINCIPALS_MAX,
};

/// What one principal has used. Key: account, then the principal's ARN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Used {
    pub(crate) first_at: Timestamp,
    pub(crate) last_at: Timestamp,
    /// Action → resources: as the Resource of a statement, `*` last if there is a pattern.
    pub(crate) actions: BTreeMap<String, BTreeSet<String>>,
}

impl Entity for Used {
    const TABLE: &'static str = "iam_used";
    const VERSION: u8 = 1;
}

/// The principals of one account, by ARN.
#[derive(Default)]
pub(crate) struct Uses {
    principals: HashMap<String, Tracked>,
    /// Of all principals.
    bytes: usize,
    /// Whose stored form is to be deleted.
    forgotten: BTreeSet<String>,
}

struct Tracked {
    used: Used,
    bytes: usize,
    /// None when there is something to save that cannot wait for [`USE_SAVED_EVERY`].
    saved_at: Option<Timestamp>,
}

/// What the store is to be told of an account.
#[derive(Default)]
pub(crate) struct Unsaved {
    pub(crate) changed: Vec<(String, Used)>,
    pub(crate) forgotten: Vec<String>,
}

impl Uses {
    /// What was stored.
    pub(crate) fn restore(&mut self, principal: String, used: Used) {
        let bytes = bytes_of(&principal, &used);
        self.bytes += bytes;
        let saved_at = Some(used.last_at);
        self.principals.insert(principal, Tracked { used, bytes, saved_at });
    }

    pub(crate) fn record(&mut self, principal: &str, action: &str, resource: &str, now: Timestamp) {
        let resource = written(resource);
        if let Some(known) = self.principals.get_mut(principal) {
            known.used.last_at = now;
            if known.used.actions.get(action).is_some_and(|resources| covers(resources, &resource)) {
                return;
            }
        } else if principal.contains('\0') {
            // It cannot be part of a key, and no identity of AWS has such a name.
            return;
        } else {
            let used = Used { first_at: now, last_at: now, actions: BTreeMap::new() };
            let tracked = Tracked { used, bytes: 0, saved_at: None };
            self.principals.insert(principal.to_owned(), tracked);
            self.forgotten.remove(principal);
        }
        let Some(tracked) = self.principals.get_mut(principal) else { return };
        add(tracked.used.actions.entry(action.to_owned()).or_default(), resource.into_owned());
        let bytes = bytes_of(principal, &tracked.used);
        self.bytes = self.bytes - tracked.bytes + bytes;
        (tracked.bytes, tracked.saved_at) = (bytes, None);
        self.make_room(principal);
    }

    /// Invariant 3. Whoever is being recorded stays: one principal alone is within the bytes of an account.
    fn make_room(&mut self, newest: &str) {
        while self.principals.len() > USED_PRINCIPALS_MAX || self.bytes > USED_BYTES_MAX {
            let others = self.principals.iter().filter(|(arn, _)| *arn != newest);
            let Some(idlest) = others.min_by_key(|(_, known)| known.used.last_at).map(|(arn, _)| arn.clone())
            else {
                return;
            };
            self.forget(idlest);
        }
    }

    fn forget(&mut self, principal: String) {
        if let Some(known) = self.principals.remove(&principal) {
            self.bytes -= known.bytes;
            self.forgotten.insert(principal);
        }
    }

    /// By ARN.
    pub(crate) fn principals(&self) -> Vec<UsedPrincipal> {
        let mut principals: Vec<UsedPrincipal> =
            self.principals.iter().map(|(arn, known)| summary(arn, &known.used)).collect();
        principals.sort_by(|a, b| a.arn.cmp(&b.arn));
        principals
    }

    /// A policy that allows what `principal` has used, and nothing else; none if it used nothing.
    pub(crate) fn policy(&self, principal: &str) -> Option<(UsedPrincipal, Value)> {
        let used = &self.principals.get(principal)?.used;
        let mut by_resources: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
        for (action, resources) in &used.actions {
            let resources = resources.iter().map(String::as_str).collect();
            by_resources.entry(resources).or_default().push(action);
        }
        let statements: Vec<Value> = by_resources
            .into_iter()
            .map(|(resources, actions)| json!({"Effect": "Allow", "Action": actions, "Resource": resources}))
            .collect();
        Some((summary(principal, used), json!({"Version": "2012-10-17", "Statement": statements})))
    }

    /// What to store and to delete now. Whoever takes it and fails gives it back with [`Uses::not_saved`].
    pub(crate) fn take_unsaved(&mut self, now: Timestamp) -> Unsaved {
        let old = self.principals.iter().filter(|(_, known)| now.since(known.used.last_at) > USE_KEPT);
        let old: Vec<String> = old.map(|(arn, _)| arn.clone()).collect();
        for arn in old {
            self.forget(arn);
        }
        let mut changed = Vec::new();
        for (arn, known) in &mut self.principals {
            let later = |saved_at: Timestamp| known.used.last_at.since(saved_at) >= USE_SAVED_EVERY;
            if known.saved_at.is_none_or(later) {
                known.saved_at = Some(known.used.last_at);
                changed.push((arn.clone(), known.used.clone()));
            }
        }
        Unsaved { changed, forgotten: std::mem::take(&mut self.forgotten).into_iter().collect() }
    }

    pub(crate) fn not_saved(&mut self, unsaved: Unsaved) {
        for (arn, _) in unsaved.changed {
            if let Some(known) = self.principals.get_mut(&arn) {
                known.saved_at = None;
            }
        }
        let principals = &self.principals;
        self.forgotten.extend(unsaved.forgotten.into_iter().filter(|arn| !principals.contains_key(arn)));
    }
}

fn summary(arn: &str, used: &Used) -> UsedPrincipal {
    UsedPrincipal {
        arn: arn.to_owned(),
        actions: used.actions.len(),
        first_at: used.first_at,
        last_at: used.last_at,
    }
}

fn bytes_of(principal: &str, used: &Used) -> usize {
    let of = |resources: &BTreeSet<String>| resources.iter().map(String::len).sum::<usize>();
    principal.len()
        + used.actions.iter().map(|(action, resources)| action.len() + of(resources)).sum::<usize>()
}

/// A resource as the Resource of a statement. Of a very long one what it begins with: nobody names them one by one.
pub(crate) fn written(resource: &str) -> Cow<'_, str> {
    if resource == "*" {
        return Cow::Borrowed(resource);
    }
    let cut = cut(resource);
    if !cut.contains(['*', '?', '$']) && cut.len() == resource.len() {
        return Cow::Borrowed(resource);
    }
    let mut text = String::with_capacity(cut.len() + 8);
    for char in cut.chars() {
        match char {
            '*' | '?' | '$' => text.extend(["${", char.encode_utf8(&mut [0; 4]), "}"]),
            char => text.push(char),
        }
    }
    if cut.len() < resource.len() {
        text.push('*');
    }
    Cow::Owned(text)
}

/// At most [`RESOURCE_BYTES_MAX`] of a text.
pub(crate) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(RESOURCE_BYTES_MAX)).unwrap_or(text)
}

fn covers(resources: &BTreeSet<String>, resource: &str) -> bool {
    resources.contains(resource)
        || resources
            .iter()
            .filter_map(|known| known.strip_suffix('*'))
            .any(|start| resource.starts_with(start))
}

/// Invariant 1.
fn add(resources: &mut BTreeSet<String>, resource: String) {
    if !covers(resources, &resource) {
        insert(resources, resource);
    }
    while resources.len() > RESOURCES_PER_ACTION_MAX {
        let pattern = pattern(resources);
        insert(resources, pattern);
    }
}

/// Adds a resource or pattern, and drops what it covers.
fn insert(resources: &mut BTreeSet<String>, resource: String) {
    if let Some(start) = resource.strip_suffix('*') {
        resources.retain(|known| !known.starts_with(start));
    }
    resources.insert(resource);
}

/// The narrowest pattern for those that have the most in common: of one bucket, of one topic's beginning, of one kind.
fn pattern(resources: &BTreeSet<String>) -> String {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for resource in resources {
        groups.entry(container(resource)).or_default().push(resource);
    }
    let largest = groups.values().max_by_key(|group| group.len()).filter(|group| group.len() > 1);
    let common = match largest {
        Some(group) => group.iter().copied().reduce(common_start),
        None => resources.iter().map(String::as_str).reduce(common_start),
    };
    let common = common.unwrap_or_default().trim_end_matches('*');
    let end = common.rfind(['/', ':']).map_or(0, |at| at + 1);
    format!("{}*", common.get(..end).unwrap_or_default())
}

/// A resource up to the first `/` of its sixth part: a bucket's objects have it in common.
fn container(resource: &str) -> &str {
    let mut colons = resource.match_indices(':').map(|(at, _)| at + 1);
    let own = colons.nth(4).unwrap_or(0);
    let tail = resource.get(own..).unwrap_or_default();
    let end = tail.find('/').map_or(own, |at| own + at + 1);
    resource.get(..end).unwrap_or(resource)
}

fn common_start<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.char_indices().zip(b.chars()).find(|((_, x), y)| x != y).map(|((at, _), _)| at);
    let end = same.unwrap_or_else(|| a.len().min(b.len()));
    a.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_000);

    fn resources(uses: &Uses, principal: &str) -> Value {
        uses.policy(principal).unwrap().1["Statement"][0]["Resource"].clone()
    }

    #[test]
    fn a_policy_of_what_was_used() {
        let mut uses = Uses::default();
        for (action, resource) in [
            ("s3:GetObject", "arn:aws:s3:::b/1"),
            ("s3:GetObject", "arn:aws:s3:::b/2"),
            ("s3:PutObject", "arn:aws:s3:::b/1"),
            ("s3:DeleteObject", "arn:aws:s3:::b/1"),
        ] {
            uses.record("p", action, resource, AT);
        }
        let (used, policy) = uses.policy("p").unwrap();
        assert_eq!((used.actions, used.first_at, used.last_at), (3, AT, AT));
        assert_eq!(
            policy,
            json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["s3:DeleteObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::b/1"]},
                {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/1", "arn:aws:s3:::b/2"]},
            ]})
        );
        assert!(uses.policy("q").is_none());
    }

    #[test]
    fn many_objects_become_their_prefix_and_many_buckets_all() {
        let mut uses = Uses::default();
        for day in 0..100 {
            uses.record("p", "s3:PutObject", &format!("arn:aws:s3:::lake/raw/2024/{day}/part"), AT);
            uses.record("p", "s3:PutObject", "arn:aws:s3:::other/one", AT);
        }
        assert_eq!(resources(&uses, "p"), json!(["arn:aws:s3:::lake/raw/2024/*", "arn:aws:s3:::other/one"]));
        uses.record("p", "s3:PutObject", "arn:aws:s3:::lake/raw/2025/1/part", AT);
        assert_eq!(
            resources(&uses, "p"),
            json!([
                "arn:aws:s3:::lake/raw/2024/*",
                "arn:aws:s3:::lake/raw/2025/1/part",
                "arn:aws:s3:::other/one"
            ])
        );
        for bucket in 0..100 {
            uses.record("q", "s3:ListBucket", &format!("arn:aws:s3:::bucket-{bucket}"), AT);
        }
        assert_eq!(resources(&uses, "q"), json!(["arn:aws:s3:::*"]));
        for n in 0..100 {
            uses.record("r", "a:b", &format!("{n}"), AT);
        }
        assert_eq!(resources(&uses, "r"), json!(["*"]));
        uses.record("r", "a:b", "*", AT);
        assert_eq!(resources(&uses, "r"), json!(["*"]));
    }

    #[test]
    fn a_names_own_wildcards_are_themselves() {
        let mut uses = Uses::default();
        uses.record("p", "s3:GetObject", "arn:aws:s3:::b/${aws:username}/*", AT);
        assert_eq!(resources(&uses, "p"), json!(["arn:aws:s3:::b/${$}{aws:username}/${*}"]));
        uses.record("p", "s3:GetObject", "arn:aws:s3:::b/other", AT);
        assert_eq!(resources(&uses, "p").as_array().unwrap().len(), 2);
        let long = format!("arn:aws:s3:::b/{}", "é".repeat(4_000));
        uses.record("q", "s3:GetObject", &long, AT);
        let named = resources(&uses, "q")[0].as_str().unwrap().to_owned();
        assert!(named.len() <= RESOURCE_BYTES_MAX + 1 && named.ends_with("é*"), "{named}");
    }

    #[test]
    fn an_account_is_bounded_and_the_idlest_goes_first() {
        let mut uses = Uses::default();
        for n in 0..=USED_PRINCIPALS_MAX {
            uses.record(&format!("p{n}"), "a:b", "*", AT + Duration::from_millis(n as u64));
        }
        assert_eq!(uses.principals().len(), USED_PRINCIPALS_MAX);
        assert!(uses.policy("p0").is_none());
        let wide = |n: usize| format!("arn:aws:s3:::b{n}{}", "x".repeat(RESOURCE_BYTES_MAX - 40));
        for action in 0..1_000 {
            for n in 0..RESOURCES_PER_ACTION_MAX {
                uses.record(
                    &format!("wide{}", action / 100),
                    &format!("a:{action}"),
                    &wide(n),
                    AT + USE_KEPT,
                );
            }
            assert!(uses.bytes <= USED_BYTES_MAX);
        }
        assert!(uses.policy("wide9").is_some() && uses.policy("p1").is_none());
        let unsaved = uses.take_unsaved(AT + USE_KEPT);
        assert!(unsaved.forgotten.contains(&"p0".to_owned()));
    }

    #[test]
    fn what_changed_is_saved_once_and_again_when_saving_failed() {
        let mut uses = Uses::default();
        uses.record("p", "a:b", "*", AT);
        let unsaved = uses.take_unsaved(AT);
        assert_eq!(unsaved.changed.len(), 1);
        uses.not_saved(unsaved);
        assert_eq!(uses.take_unsaved(AT).changed.len(), 1);
        uses.record("p", "a:b", "*", AT + Duration::from_secs(1));
        assert!(uses.take_unsaved(AT).changed.is_empty());
        uses.record("p", "a:b", "*", AT + USE_SAVED_EVERY);
        assert_eq!(uses.take_unsaved(AT).changed[0].1.last_at, AT + USE_SAVED_EVERY);
        uses.record("p", "a:c", "*", AT + USE_SAVED_EVERY);
        assert_eq!(uses.take_unsaved(AT).changed.len(), 1);
        let late = AT + USE_SAVED_EVERY + USE_KEPT + Duration::from_millis(1);
        assert_eq!(uses.take_unsaved(late).forgotten, ["p"]);
        assert_eq!(uses.bytes, 0);
    }

    #[test]
    fn version_1_reads() {
        let json = br#"{"first_at":7,"last_at":9,"actions":{"s3:GetObject":["arn:aws:s3:::b/*"]}}"#;
        let used: Used = store::entity::decode(&[b"\x01", &json[..]].concat()).unwrap();
        let mut uses = Uses::default();
        uses.restore("p".to_owned(), used);
        assert_eq!(resources(&uses, "p"), json!(["arn:aws:s3:::b/*"]));
        assert!(uses.take_unsaved(AT).changed.is_empty());
    }
}
