//! A policy document: JSON in, statements with compiled patterns out.
//!
//! Names of elements are matched as AWS matches them, exactly. What is not understood does not parse: an
//! unknown element, effect or condition operator could otherwise turn a restriction into nothing.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>
//!
//! Differs from AWS: AWS's messages name the element only for some mistakes and say "Syntax errors in policy."
//! for the rest; here the rest is told in the same sentence's place with what was wrong.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::condition::Condition;
use crate::matching::Pattern;

/// A parsed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub version: Version,
    pub id: Option<String>,
    /// At least one.
    pub statements: Vec<Statement>,
}

/// The language's version. Without the element it is the old one, as in AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 2008-10-17: without policy variables.
    V2008,
    /// 2012-10-17.
    V2012,
}

/// What a statement does when it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    /// Action or NotAction.
    pub action: Element,
    /// Resource or NotResource; `None` only in a policy attached to a resource.
    pub resource: Option<Element>,
    /// Principal or NotPrincipal; `None` in a policy attached to an identity.
    pub principal: Option<Principals>,
    /// All must hold.
    pub conditions: Vec<Condition>,
}

/// `X` or `NotX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    AnyOf(Vec<Pattern>),
    NoneOf(Vec<Pattern>),
}

/// Principal or NotPrincipal: kinds and their values, as written. `"*"` is kind AWS with value `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principals {
    AnyOf(Vec<(PrincipalKind, String)>),
    NoneOf(Vec<(PrincipalKind, String)>),
}

/// Who a principal is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalKind {
    Aws,
    Service,
    Federated,
    CanonicalUser,
}

/// Why a text is no policy: the sentence that AWS's MalformedPolicyDocument (IAM) and MalformedPolicyException
/// (IoT) carry, the latter after "Policy document is Malformed: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("Syntax errors in policy.")]
    NotJson,
    #[error("Syntax errors in policy: {what}.")]
    Syntax { what: String },
    #[error("Policy document must be version 2012-10-17 or 2008-10-17, not {version}.")]
    Version { version: String },
    #[error("Policy statement must contain actions.")]
    NoActions,
    #[error("Policy statement must contain resources.")]
    NoResources,
    #[error("Policy document should not specify a principal.")]
    PrincipalInIdentityPolicy,
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    SidNotUnique,
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    ActionWithoutVendor,
    #[error("The following resources are invalid : {resource}")]
    Resource { resource: String },
    #[error("Invalid Condition type : {operator}.")]
    ConditionOperator { operator: String },
    #[error("Has prohibited field {field}")]
    ProhibitedField { field: &'static str },
    #[error("Missing required field {field}")]
    MissingField { field: &'static str },
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    NotAssumeRole,
    #[error("Policy document is longer than {max} characters.")]
    TooLong { max: usize },
}

impl Document {
    /// Reads a policy of any kind: with or without principals and resources.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let value: Value = serde_json::from_str(text).map_err(|_| Malformed::NotJson)?;
        let Value::Object(map) = &value else { return Err(Malformed::NotJson) };
        known_elements(map, &["Version", "Id", "Statement"])?;
        let version = version(map.get("Version"))?;
        let statements = match map.get("Statement") {
            Some(Value::Array(list)) => {
                list.iter().map(|statement| Statement::parse(statement, version)).collect::<Result<_, _>>()?
            }
            Some(one @ Value::Object(_)) => vec![Statement::parse(one, version)?],
            _ => Vec::new(),
        };
        if statements.is_empty() {
            return Err(syntax("a policy has at least one Statement"));
        }
        let mut sids = BTreeSet::new();
        if !statements.iter().filter_map(|statement| statement.sid.as_ref()).all(|sid| sids.insert(sid)) {
            return Err(Malformed::SidNotUnique);
        }
        Ok(Self { version, id: optional_text(map, "Id")?, statements })
    }

    /// Reads a policy attached to an identity (a user, a role, a certificate): every statement names resources
    /// and none a principal.
    ///
    /// # Errors
    /// [`Malformed`]; `TooLong` when the text without its spaces has more than `chars_max` characters.
    pub fn parse_identity(text: &str, chars_max: usize) -> Result<Self, Malformed> {
        if text.chars().filter(|c| !c.is_whitespace()).count() > chars_max {
            return Err(Malformed::TooLong { max: chars_max });
        }
        let document = Self::parse(text)?;
        for statement in &document.statements {
            if statement.principal.is_some() {
                return Err(Malformed::PrincipalInIdentityPolicy);
            }
            if statement.resource.is_none() {
                return Err(Malformed::NoResources);
            }
        }
        Ok(document)
    }
}

impl Statement {
    fn parse(value: &Value, version: Version) -> Result<Self, Malformed> {
        let Value::Object(map) = value else { return Err(syntax("a Statement is an object")) };
        known_elements(
            map,
            &[
                "Sid",
                "Effect",
                "Action",
                "NotAction",
                "Resource",
                "NotResource",
                "Principal",
                "NotPrincipal",
                "Condition",
            ],
        )?;
        let effect = match map.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(syntax("Effect is Allow or Deny")),
        };
        // Actions know no variables, whatever the version.
        let action = element(map, "Action", "NotAction", Version::V2008)?.ok_or(Malformed::NoActions)?;
        let resource = element(map, "Resource", "NotResource", version)?;
        action.patterns().iter().try_for_each(check_action)?;
        if let Some(resource) = &resource {
            resource.patterns().iter().try_for_each(check_resource)?;
        }
        Ok(Self {
            sid: optional_text(map, "Sid")?,
            effect,
            action,
            resource,
            principal: principals(map)?,
            conditions: map
                .get("Condition")
                .map_or(Ok(Vec::new()), |value| Condition::parse_all(value, version))?,
        })
    }
}

impl Element {
    /// The patterns, whichever way they count.
    pub fn patterns(&self) -> &[Pattern] {
        match self {
            Self::AnyOf(patterns) | Self::NoneOf(patterns) => patterns,
        }
    }
}

pub(crate) fn syntax(what: impl Into<String>) -> Malformed {
    Malformed::Syntax { what: what.into() }
}

/// A string, number or boolean, or a non-empty list of them, as texts.
pub(crate) fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match value {
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => list.iter().map(text).collect(),
        one => text(one).map(|text| vec![text]),
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    let only_strings = match value {
        Value::Array(list) => list.iter().all(Value::is_string),
        one => one.is_string(),
    };
    if only_strings { texts(value) } else { None }
}

fn known_elements(map: &Map<String, Value>, known: &[&str]) -> Result<(), Malformed> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(syntax(format!("unknown element {unknown}"))),
        None => Ok(()),
    }
}

fn version(value: Option<&Value>) -> Result<Version, Malformed> {
    match value {
        None => Ok(Version::V2008),
        Some(Value::String(version)) => match version.as_str() {
            "2012-10-17" => Ok(Version::V2012),
            "2008-10-17" => Ok(Version::V2008),
            other => Err(Malformed::Version { version: other.chars().take(40).collect() }),
        },
        Some(_) => Err(syntax("Version is a string")),
    }
}

fn optional_text(map: &Map<String, Value>, name: &str) -> Result<Option<String>, Malformed> {
    match map.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(syntax(format!("{name} is a string"))),
    }
}

fn element(
    map: &Map<String, Value>,
    name: &str,
    not_name: &str,
    version: Version,
) -> Result<Option<Element>, Malformed> {
    let patterns = |value: &Value, name: &str| {
        let list =
            strings(value).ok_or_else(|| syntax(format!("{name} is a string or a list of strings")))?;
        Ok(list.iter().map(|source| Pattern::compile(source, version)).collect())
    };
    match (map.get(name), map.get(not_name)) {
        (Some(_), Some(_)) => Err(syntax(format!("{name} and {not_name} exclude each other"))),
        (Some(value), None) => patterns(value, name).map(Element::AnyOf).map(Some),
        (None, Some(value)) => patterns(value, not_name).map(Element::NoneOf).map(Some),
        (None, None) => Ok(None),
    }
}

/// `service:Action`, or `*` alone.
fn check_action(pattern: &Pattern) -> Result<(), Malformed> {
    let source = pattern.source();
    let has_vendor =
        source.split_once(':').is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty());
    if has_vendor || pattern.is_everything() { Ok(()) } else { Err(Malformed::ActionWithoutVendor) }
}

/// `arn:…` with all six parts, or something that begins with a wildcard or variable.
fn check_resource(pattern: &Pattern) -> Result<(), Malformed> {
    let source = pattern.source();
    let parts = source.splitn(6, ':').collect::<Vec<_>>();
    let is_arn = parts.first() == Some(&"arn") && (parts.len() == 6 || source.ends_with('*'));
    if is_arn || source.starts_with('*') || source.starts_with("${") {
        Ok(())
    } else {
        Err(Malformed::Resource { resource: source.to_owned() })
    }
}

fn principals(map: &Map<String, Value>) -> Result<Option<Principals>, Malformed> {
    match (map.get("Principal"), map.get("NotPrincipal")) {
        (Some(_), Some(_)) => Err(syntax("Principal and NotPrincipal exclude each other")),
        (Some(value), None) => principal_list(value).map(Principals::AnyOf).map(Some),
        (None, Some(value)) => principal_list(value).map(Principals::NoneOf).map(Some),
        (None, None) => Ok(None),
    }
}

fn principal_list(value: &Value) -> Result<Vec<(PrincipalKind, String)>, Malformed> {
    const SHAPE: &str = "Principal is \"*\" or an object of AWS, Service, Federated or CanonicalUser";
    match value {
        Value::String(everyone) if everyone == "*" => Ok(vec![(PrincipalKind::Aws, "*".to_owned())]),
        Value::Object(kinds) if !kinds.is_empty() => {
            let mut list = Vec::new();
            for (kind, values) in kinds {
                let kind = match kind.as_str() {
                    "AWS" => PrincipalKind::Aws,
                    "Service" => PrincipalKind::Service,
                    "Federated" => PrincipalKind::Federated,
                    "CanonicalUser" => PrincipalKind::CanonicalUser,
                    _ => return Err(syntax(SHAPE)),
                };
                let values = strings(values).ok_or_else(|| syntax(SHAPE))?;
                list.extend(values.into_iter().map(|value| (kind, value)));
            }
            Ok(list)
        }
        _ => Err(syntax(SHAPE)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::limits::IOT_DOCUMENT_CHARS_MAX;

    fn statement(changes: &Value) -> Value {
        let mut statement = json!({"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"});
        for (key, value) in changes.as_object().unwrap() {
            if value.is_null() {
                statement.as_object_mut().unwrap().remove(key);
            } else {
                statement[key] = value.clone();
            }
        }
        json!({"Version": "2012-10-17", "Statement": [statement]})
    }

    fn parse(document: &Value) -> String {
        match Document::parse_identity(&document.to_string(), IOT_DOCUMENT_CHARS_MAX) {
            Ok(document) => format!("{} statements", document.statements.len()),
            Err(err) => err.to_string(),
        }
    }

    #[test]
    fn shapes_that_are_policies() {
        for document in [
            json!({"Version": "2012-10-17", "Id": "x", "Statement": {"Effect": "Deny", "NotAction": ["iot:*"], "NotResource": ["*"]}}),
            json!({"Statement": [{"Sid": "a", "Effect": "Allow", "Action": "*", "Resource": "arn:aws:iot:us-east-1:000000000000:topic/a"}]}),
            statement(&json!({"Condition": {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}})),
            statement(
                &json!({"Condition": {"ForAllValues:StringEqualsIfExists": {"iot:ConnectAttributes": ["PersistentConnect"]}}}),
            ),
            statement(&json!({"Resource": "arn:aws:iot:*"})),
        ] {
            assert_eq!(parse(&document), "1 statements", "{document}");
        }
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": ["iot.amazonaws.com"], "AWS": "000000000000"}, "Action": "sts:AssumeRole"}]});
        let trust = Document::parse(&trust.to_string()).unwrap();
        let Some(Principals::AnyOf(list)) = &trust.statements[0].principal else { panic!("{trust:?}") };
        assert!(list.contains(&(PrincipalKind::Service, "iot.amazonaws.com".to_owned())));
        assert_eq!(list.len(), 2);
    }

    #[test]
    fn refusals() {
        let sid = json!({"Sid": "s", "Effect": "Allow", "Action": "iot:*", "Resource": "*"});
        for (document, expect) in [
            (json!([]), "Syntax errors in policy."),
            (
                json!({"Version": "2012-10-17"}),
                "Syntax errors in policy: a policy has at least one Statement.",
            ),
            (
                json!({"Version": "2012-10-17", "Statement": []}),
                "Syntax errors in policy: a policy has at least one Statement.",
            ),
            (
                json!({"Version": "2020-01-01", "Statement": [sid]}),
                "Policy document must be version 2012-10-17 or 2008-10-17, not 2020-01-01.",
            ),
            (json!({"Version": 2012, "Statement": [sid]}), "Syntax errors in policy: Version is a string."),
            (
                json!({"version": "2012-10-17", "Statement": [sid]}),
                "Syntax errors in policy: unknown element version.",
            ),
            (
                json!({"Version": "2012-10-17", "Statement": [sid, sid]}),
                "Statement IDs (SID) in a single policy must be unique.",
            ),
            (
                json!({"Version": "2012-10-17", "Statement": ["x"]}),
                "Syntax errors in policy: a Statement is an object.",
            ),
            (statement(&json!({"Effect": "allow"})), "Syntax errors in policy: Effect is Allow or Deny."),
            (statement(&json!({"Action": null})), "Policy statement must contain actions."),
            (
                statement(&json!({"Action": []})),
                "Syntax errors in policy: Action is a string or a list of strings.",
            ),
            (
                statement(&json!({"Action": [1]})),
                "Syntax errors in policy: Action is a string or a list of strings.",
            ),
            (
                statement(&json!({"NotAction": "iot:*"})),
                "Syntax errors in policy: Action and NotAction exclude each other.",
            ),
            (
                statement(&json!({"Action": "Connect"})),
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            ),
            (statement(&json!({"Resource": null})), "Policy statement must contain resources."),
            (statement(&json!({"Resource": "topic/a"})), "The following resources are invalid : topic/a"),
            (
                statement(&json!({"Resource": "arn:aws:iot"})),
                "The following resources are invalid : arn:aws:iot",
            ),
            (statement(&json!({"Principal": "*"})), "Policy document should not specify a principal."),
            (
                statement(&json!({"Principal": "me"})),
                "Syntax errors in policy: Principal is \"*\" or an object of AWS, Service, Federated or CanonicalUser.",
            ),
            (statement(&json!({"Sid": 1})), "Syntax errors in policy: Sid is a string."),
            (statement(&json!({"Effects": "x"})), "Syntax errors in policy: unknown element Effects."),
            (
                statement(&json!({"Condition": {"StringMatches": {"a:b": "c"}}})),
                "Invalid Condition type : StringMatches.",
            ),
            (
                statement(&json!({"Condition": {"Bool": "x"}})),
                "Syntax errors in policy: Condition Bool is an object of keys and values.",
            ),
            (
                statement(&json!({"Condition": {"Bool": {"a:b": {}}}})),
                "Syntax errors in policy: Condition Bool a:b is a value or a list of values.",
            ),
            (
                statement(&json!({"Resource": format!("*{}", "x".repeat(2_048))})),
                "Policy document is longer than 2048 characters.",
            ),
        ] {
            assert_eq!(parse(&document), expect, "{document}");
        }
        assert_eq!(Document::parse("{"), Err(Malformed::NotJson));
        assert_eq!(Document::parse(&"[".repeat(100_000)), Err(Malformed::NotJson));
        let spaced = format!("{}{}", " ".repeat(5_000), statement(&json!({})));
        assert!(Document::parse_identity(&spaced, IOT_DOCUMENT_CHARS_MAX).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,100}") {
            drop(Document::parse(&text));
        }

        #[test]
        fn no_statement_panics(
            key in prop::sample::select(vec!["Effect", "Action", "Resource", "Principal", "Condition", "Sid"]),
            value in prop::sample::select(vec!["null", "1", "[]", "{}", "\"${\"", "\"*:\"", "[[1]]", "{\"Bool\":{\"\":\"\"}}"]),
        ) {
            let document = format!(r#"{{"Statement":{{"Effect":"Allow","Action":"a:b","Resource":"*","{key}":{value}}}}}"#);
            drop(Document::parse(&document));
        }
    }
}
