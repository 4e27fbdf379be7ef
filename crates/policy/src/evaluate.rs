//! The decision: do these policies allow this request?
//!
//! ```text
//! any Deny matches ──► ExplicitDeny        else any Allow matches ──► Allow        else ──► ImplicitDeny
//! ```
//!
//! A statement matches when its action, its resource and all its conditions do. Actions are compared without
//! case and know no variables; resources are compared with case and do.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>
//!
//! These are the policies of an identity, which name no principal. In one that does, an Allow allows nobody and a Deny
//! denies everybody; [`fn@crate::authorize`] compares principals.

use std::collections::BTreeMap;

use crate::document::{Document, Effect, Element, Statement};
use crate::matching::{Case, Pattern};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `iot:Publish`.
    pub action: &'a str,
    /// The ARN acted upon. For MQTT: `client/ID`, `topic/T` or `topicfilter/F` behind the account.
    pub resource: &'a str,
    pub context: &'a Context,
}

/// What is known of a request: values of policy variables and condition keys, by name without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    values: BTreeMap<String, Vec<String>>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// A Deny matched; nothing can outweigh it.
    ExplicitDeny,
    /// Nothing matched.
    ImplicitDeny,
}

impl Decision {
    /// Whether the request may go on.
    pub fn is_allowed(self) -> bool {
        self == Self::Allow
    }
}

impl Context {
    /// Knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// This and `key` with one value. Replaces what was known of it.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        self.with_values(key, [value])
    }

    /// This and `key` with any number of values; with none it counts as missing.
    #[must_use]
    pub fn with_values<V: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.values.insert(key.to_lowercase(), values.into_iter().map(Into::into).collect());
        self
    }

    /// Whether `key` has a value.
    pub fn has(&self, key: &str) -> bool {
        !self.values(key).is_empty()
    }

    pub(crate) fn values(&self, key: &str) -> &[String] {
        self.values.get(&key.to_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The value of a variable: of a key with exactly one.
    pub(crate) fn single(&self, key: &str) -> Option<&str> {
        match self.values(key) {
            [value] => Some(value),
            _ => None,
        }
    }
}

/// Decides `request` by all of `documents` together.
pub fn evaluate<'d>(documents: impl IntoIterator<Item = &'d Document>, request: &Request<'_>) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    for statement in documents.into_iter().flat_map(|document| &document.statements) {
        // An Allow changes nothing any more; only a Deny does.
        if decision == Decision::Allow && statement.effect == Effect::Allow {
            continue;
        }
        if statement.matches(request) {
            match statement.effect {
                Effect::Deny => return Decision::ExplicitDeny,
                Effect::Allow => decision = Decision::Allow,
            }
        }
    }
    decision
}

impl Statement {
    fn matches(&self, request: &Request<'_>) -> bool {
        if self.principal.is_some() && self.effect == Effect::Allow {
            return false;
        }
        self.covers(request)
    }

    /// Whether it speaks about the request, whoever asks.
    pub(crate) fn covers(&self, request: &Request<'_>) -> bool {
        let fits = |element: &Element, text: &str, case: Case| {
            element.covers(self.effect, |pattern| pattern.matches(text, request.context, self.effect, case))
        };
        fits(&self.action, request.action, Case::Insensitive)
            && self.resource.as_ref().is_none_or(|resource| fits(resource, request.resource, Case::Sensitive))
            && self.conditions.iter().all(|condition| condition.holds(request.context, self.effect))
    }
}

impl Element {
    /// A pattern that cannot be compared (`None`) covers nothing in the way `AnyOf` needs; in `NoneOf` it
    /// excludes everything from an Allow and nothing from a Deny, so that it never adds a right.
    fn covers(&self, effect: Effect, matches: impl Fn(&Pattern) -> Option<bool>) -> bool {
        match self {
            Self::AnyOf(patterns) => patterns.iter().any(|pattern| matches(pattern) == Some(true)),
            Self::NoneOf(patterns) => patterns.iter().all(|pattern| match matches(pattern) {
                Some(matched) => !matched,
                None => effect == Effect::Deny,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const ARN: &str = "arn:aws:iot:us-east-1:000000000000:";

    fn document(statements: &Value) -> Document {
        Document::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
    }

    fn decide(documents: &[Document], action: &str, resource: &str, context: &Context) -> Decision {
        let resource = format!("{ARN}{resource}");
        evaluate(documents, &Request { action, resource: &resource, context })
    }

    /// The policy of AWS's guide for a registered device.
    fn device_policy() -> Document {
        document(&json!([
            {"Effect": "Allow", "Action": ["iot:Connect"], "Resource": [format!("{ARN}client/${{iot:Connection.Thing.ThingName}}")],
             "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}},
            {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [format!("{ARN}topic//health/${{iot:ClientId}}")]},
            {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": format!("{ARN}topicfilter//health/${{iot:ClientId}}/*")},
            {"Effect": "Deny", "Action": "iot:*", "Resource": format!("{ARN}topic/$aws/*")},
        ]))
    }

    fn device(thing: &str, attached: &str) -> Context {
        Context::new()
            .with("iot:ClientId", thing)
            .with("iot:Connection.Thing.ThingName", thing)
            .with("iot:Connection.Thing.IsAttached", attached)
    }

    #[test]
    fn a_device_reaches_what_its_policy_names() {
        use Decision::{Allow, ExplicitDeny, ImplicitDeny};
        let documents = [device_policy()];
        for (id, attached, action, resource, expect) in [
            ("Bailey", "true", "iot:Connect", "client/Bailey", Allow),
            ("Bailey", "true", "IOT:connect", "client/Bailey", Allow),
            ("Bailey", "false", "iot:Connect", "client/Bailey", ImplicitDeny),
            ("Bailey", "true", "iot:Connect", "client/bailey", ImplicitDeny),
            ("Bailey", "true", "iot:Connect", "client/Robyn", ImplicitDeny),
            ("Bailey", "true", "iot:Publish", "topic//health/Bailey", Allow),
            ("Bailey", "true", "iot:Publish", "topic//health/Robyn", ImplicitDeny),
            ("Bailey", "true", "iot:Receive", "topic//health/Bailey", Allow),
            ("Bailey", "true", "iot:Subscribe", "topicfilter//health/Bailey/#", Allow),
            ("Bailey", "true", "iot:Subscribe", "topicfilter//health/+/#", ImplicitDeny),
            ("+", "true", "iot:Subscribe", "topicfilter//health/+/#", ImplicitDeny),
            ("*", "true", "iot:Publish", "topic//health/Robyn", ImplicitDeny),
            ("Bailey", "true", "iot:Publish", "topic/$aws/things/x", ExplicitDeny),
            ("Bailey", "true", "iot:DeleteThing", "thing/Bailey", ImplicitDeny),
        ] {
            let decision = decide(&documents, action, resource, &device(id, attached));
            assert_eq!(decision, expect, "{id} {attached} {action} {resource}");
        }
        assert_eq!(decide(&[], "iot:Connect", "client/x", &Context::new()), ImplicitDeny);
    }

    #[test]
    fn a_deny_in_any_policy_wins() {
        let allow = document(&json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
        let deny = document(&json!({"Effect": "Deny", "Action": "iot:Publish", "Resource": "*"}));
        for documents in [[allow.clone(), deny.clone()], [deny, allow]] {
            assert_eq!(decide(&documents, "iot:Publish", "topic/a", &Context::new()), Decision::ExplicitDeny);
            assert!(decide(&documents, "iot:Connect", "client/a", &Context::new()).is_allowed());
        }
    }

    #[test]
    fn all_but() {
        let all_but = |effect: &str| {
            [document(&json!([
                {"Effect": "Allow", "Action": "*", "Resource": if effect == "Deny" { "*" } else { "arn:aws:none:*" }},
                {"Effect": effect, "NotAction": "iot:Connect", "NotResource": format!("{ARN}topic/${{iot:ClientId}}")},
            ]))]
        };
        let decide = |effect: &str, action: &str, id: &str| {
            decide(&all_but(effect), action, "topic/a", &Context::new().with("iot:ClientId", id))
        };
        assert_eq!(decide("Allow", "iot:Publish", "b"), Decision::Allow);
        assert_eq!(decide("Allow", "iot:Connect", "b"), Decision::ImplicitDeny);
        assert_eq!(decide("Allow", "iot:Publish", "a"), Decision::ImplicitDeny);
        assert_eq!(decide("Allow", "iot:Publish", "#"), Decision::ImplicitDeny);
        assert_eq!(decide("Deny", "iot:Publish", "a"), Decision::Allow);
        assert_eq!(decide("Deny", "iot:Publish", "b"), Decision::ExplicitDeny);
        assert_eq!(decide("Deny", "iot:Publish", "#"), Decision::ExplicitDeny);
    }

    #[test]
    fn a_statement_with_a_principal_allows_nobody_and_denies_everybody() {
        let named = |effect: &str| {
            [document(&json!([
                {"Effect": "Allow", "Action": "a:*", "Resource": "*"},
                {"Effect": effect, "Principal": {"AWS": "000000000000"}, "Action": "*", "Resource": "*"},
            ]))]
        };
        assert_eq!(
            decide(&named("Allow"), "iot:Publish", "topic/a", &Context::new()),
            Decision::ImplicitDeny
        );
        assert_eq!(decide(&named("Deny"), "a:b", "topic/a", &Context::new()), Decision::ExplicitDeny);
    }

    fn any_statement(effect: &'static str) -> impl Strategy<Value = Value> {
        let pattern = prop::sample::select(vec!["*", "a:*", "a:b", "?:b", "arn:aws:iot:::topic/*"]);
        let resource = prop::sample::select(vec![
            "*",
            "arn:aws:iot:us-east-1:000000000000:topic/?",
            "arn:aws:iot:us-east-1:000000000000:topic/${iot:ClientId}",
            "arn:aws:iot:us-east-1:000000000000:topic/${no:value}",
        ]);
        let condition = prop::sample::select(vec![
            json!({}),
            json!({"StringNotEquals": {"iot:ClientId": "a"}}),
            json!({"StringEquals": {"iot:ClientId": ["a", "+"]}}),
            json!({"ForAllValues:StringLike": {"iot:ClientId": "${no:value}"}}),
        ]);
        let element = |name: &'static str| prop::sample::select(vec![name.to_owned(), format!("Not{name}")]);
        (element("Action"), pattern, element("Resource"), resource, condition).prop_map(
            move |(action, pattern, not_resource, resource, condition)| {
                json!({"Effect": effect, action: pattern, not_resource: resource, "Condition": condition})
            },
        )
    }

    proptest! {
        #[test]
        fn a_deny_never_adds_a_right(
            allows in prop::collection::vec(any_statement("Allow"), 1..4),
            deny in any_statement("Deny"),
            id in "[a*+/]{0,2}",
            action in prop::sample::select(vec!["a:b", "a:c", "x:b"]),
            resource in prop::sample::select(vec!["topic/a", "topic/+", "client/a"]),
        ) {
            let cx = Context::new().with("iot:ClientId", id);
            let without = [document(&Value::Array(allows.clone()))];
            let mut more = allows;
            more.push(deny);
            let with = [document(&Value::Array(more))];
            let before = decide(&without, action, resource, &cx);
            let after = decide(&with, action, resource, &cx);
            prop_assert!(before.is_allowed() || !after.is_allowed());
            prop_assert!(after == before || after == Decision::ExplicitDeny);
        }

        /// A device cannot gain by what it calls itself: a name with reserved characters reaches no more
        /// than a device without a name.
        #[test]
        fn a_hostile_name_never_adds_a_right(
            allows in prop::collection::vec(any_statement("Allow").prop_filter("no conditions", |s| s["Condition"] == json!({})), 1..4),
            id in "[a]?[*?+#/$][a]?",
            resource in prop::sample::select(vec!["topic/a", "topic/+", "topic/a/a", "topic/#"]),
        ) {
            let documents = [document(&Value::Array(allows))];
            let named = decide(&documents, "a:b", resource, &Context::new().with("iot:ClientId", id));
            prop_assert_eq!(named, decide(&documents, "a:b", resource, &Context::new()));
        }
    }
}
