//! Whether a text may be the policy of a bucket, and what it comes to.
//!
//! The sentences are S3's: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>
//!
//! Differs from AWS: whether the users and roles that a policy names are there is not looked at; a resource must begin with the bucket's
//! name, without wildcards in it; a condition key of S3's that no request here can have is refused, since a policy that depends on it
//! would not do what it says.

use policy::{Document, Element, Malformed, PrincipalKind, Principals, Statement};
use serde_json::{Map, Value};

use crate::Error;
use crate::bucket_actions::{CONDITION_KEYS, ON_BUCKETS, ON_OBJECTS};
use crate::conditions::LISTS;
use crate::limits::POLICY_BYTES_MAX;

/// Keys of which only listings have any.
const LIST_KEYS: [&str; 3] = ["s3:prefix", "s3:delimiter", "s3:max-keys"];

/// What begins every resource.
const RESOURCE: &str = "arn:aws:s3:::";

/// Checks the policy of a bucket; whether it lets the public in.
///
/// # Errors
/// `MalformedPolicy`.
pub(crate) fn check(text: &str, bucket: &str) -> Result<bool, Error> {
    checked(text, bucket).map_err(Error::MalformedPolicy)
}

/// Whether a policy that was checked lets the public in.
pub(crate) fn is_public(text: &str) -> bool {
    Document::parse(text).is_ok_and(|document| document.is_public())
}

fn checked(text: &str, bucket: &str) -> Result<bool, String> {
    if !text.trim_start().starts_with('{') {
        return Err("Policies must be valid JSON and the first byte must be '{'".to_owned());
    }
    let value: Value =
        serde_json::from_str(text).map_err(|_| "This policy contains invalid Json".to_owned())?;
    if value.to_string().len() > POLICY_BYTES_MAX {
        return Err(format!(
            "Normalized policy document exceeds the maximum allowed size of {POLICY_BYTES_MAX} bytes"
        ));
    }
    check_fields(&value)?;
    let document = Document::parse(text).map_err(|malformed| sentence(&malformed))?;
    for statement in &document.statements {
        check_principals(statement)?;
        check_actions(statement)?;
        check_resources(statement, bucket)?;
        check_conditions(statement)?;
    }
    Ok(document.is_public())
}

/// What every policy and statement must have, told by name.
fn check_fields(policy: &Value) -> Result<(), String> {
    let missing = |name: &str| Err(format!("Missing required field {name}"));
    let statements = match policy.get("Statement") {
        None => return missing("Statement"),
        Some(Value::Array(list)) if list.is_empty() => {
            return Err("Could not parse the policy: Statement is empty!".to_owned());
        }
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    if let Some(version) = policy.get("Version")
        && !matches!(version.as_str(), Some("2012-10-17" | "2008-10-17"))
    {
        return Err("The policy must contain a valid version string".to_owned());
    }
    for statement in statements {
        let Value::Object(statement) = statement else { return Err("Invalid policy syntax.".to_owned()) };
        for name in ["Effect", "Principal", "Action", "Resource"] {
            if !has(statement, name) {
                return missing(name);
            }
        }
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow" | "Deny") => {}
            other => return Err(format!("Invalid effect: {}", shortened(other.unwrap_or_default()))),
        }
    }
    Ok(())
}

fn has(statement: &Map<String, Value>, name: &str) -> bool {
    statement.contains_key(name) || statement.contains_key(&format!("Not{name}"))
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

fn sentence(malformed: &Malformed) -> String {
    match malformed {
        Malformed::ConditionOperator { operator } => {
            format!("Invalid Condition type : {}", shortened(operator))
        }
        Malformed::Resource { .. } => "Policy has invalid resource".to_owned(),
        Malformed::ActionWithoutVendor => "Policy has invalid action".to_owned(),
        Malformed::SidNotUnique => malformed.to_string(),
        _ => "Invalid policy syntax.".to_owned(),
    }
}

fn check_principals(statement: &Statement) -> Result<(), String> {
    let (Some(Principals::AnyOf(list)) | Some(Principals::NoneOf(list))) = &statement.principal else {
        return Err("Missing required field Principal".to_owned());
    };
    let is_one = |(kind, value): &(PrincipalKind, String)| match kind {
        PrincipalKind::Aws => value == "*" || is_account(value) || is_principal_arn(value),
        PrincipalKind::Service => {
            let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
            value.contains('.') && value.bytes().all(legal)
        }
        PrincipalKind::CanonicalUser => value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()),
        PrincipalKind::Federated => !value.is_empty() && !value.contains(['*', '?']),
    };
    if !list.is_empty() && list.iter().all(is_one) {
        Ok(())
    } else {
        Err("Invalid principal in policy".to_owned())
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// An account's root, a user, a role or a session, written out.
fn is_principal_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", "aws", service, "", account, resource] = parts.as_slice() else { return false };
    let named = |kinds: &[&str]| {
        let (kind, name) = resource.split_once('/').unwrap_or_default();
        kinds.contains(&kind) && !name.is_empty() && !name.contains(['*', '?'])
    };
    let known = match *service {
        "iam" => *resource == "root" || named(&["user", "role"]),
        "sts" => named(&["assumed-role", "federated-user"]),
        _ => false,
    };
    known && is_account(account)
}

fn check_actions(statement: &Statement) -> Result<(), String> {
    let known = |action: &policy::Pattern| ON_BUCKETS.iter().chain(ON_OBJECTS).any(|name| action.names(name));
    if statement.action.patterns().iter().all(known) {
        Ok(())
    } else {
        Err("Policy has invalid action".to_owned())
    }
}

/// Every resource is of this bucket, and every action applies to one of them.
fn check_resources(statement: &Statement, bucket: &str) -> Result<(), String> {
    let resources = statement.resource.as_ref().map(Element::patterns).unwrap_or_default();
    let (mut has_bucket, mut has_objects) = (false, false);
    for resource in resources {
        let rest = resource.source().strip_prefix(RESOURCE).and_then(|rest| rest.strip_prefix(bucket));
        match rest.map(|rest| (rest, rest.chars().next())) {
            Some((_, None)) => has_bucket = true,
            Some((rest, Some('/'))) if rest.len() > 1 => has_objects = true,
            // `lake*` is the bucket and all that is in it.
            Some((_, Some('*'))) => (has_bucket, has_objects) = (true, true),
            _ => return Err("Policy has invalid resource".to_owned()),
        }
    }
    let (Some(Element::AnyOf(_)), Element::AnyOf(actions)) = (&statement.resource, &statement.action) else {
        return Ok(());
    };
    let applies = |action: &policy::Pattern| {
        (has_bucket && ON_BUCKETS.iter().any(|name| action.names(name)))
            || (has_objects && ON_OBJECTS.iter().any(|name| action.names(name)))
    };
    if actions.iter().all(applies) {
        Ok(())
    } else {
        Err("Action does not apply to any resource(s) in statement".to_owned())
    }
}

fn check_conditions(statement: &Statement) -> Result<(), String> {
    let lists = match &statement.action {
        Element::AnyOf(actions) => actions.iter().any(|action| LISTS.iter().any(|name| action.names(name))),
        Element::NoneOf(_) => true,
    };
    for condition in &statement.conditions {
        let key = condition.key.to_lowercase();
        let known = key.starts_with("aws:")
            || CONDITION_KEYS.iter().any(|name| match name.strip_suffix('/') {
                Some(_) => key.len() > name.len() && key.starts_with(name),
                None => key == *name,
            });
        if !known {
            return Err("Policy has an invalid condition key".to_owned());
        }
        if LIST_KEYS.contains(&key.as_str()) && !lists {
            return Err(
                "Conditions do not apply to combination of actions and resources in statement".to_owned()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(policy: &Value) -> String {
        match checked(&policy.to_string(), "lake") {
            Ok(public) => if public { "public" } else { "ok" }.to_owned(),
            Err(message) => message,
        }
    }

    /// A statement with these members instead of its own; null takes one away.
    fn with(changes: &Value) -> Value {
        let mut statement = json!({
            "Effect": "Allow", "Principal": {"AWS": "111111111111"},
            "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/*",
        });
        for (name, value) in changes.as_object().unwrap() {
            statement[name] = value.clone();
            if value.is_null() {
                statement.as_object_mut().unwrap().remove(name);
            }
        }
        json!({"Version": "2012-10-17", "Statement": [statement]})
    }

    #[test]
    fn what_is_no_policy() {
        let check = |text: &str, expect: &str| {
            assert_eq!(checked(text, "lake").unwrap_err(), expect, "{text}");
        };
        check("", "Policies must be valid JSON and the first byte must be '{'");
        check("[]", "Policies must be valid JSON and the first byte must be '{'");
        check("{", "This policy contains invalid Json");
        check(&"{\"a\":".repeat(100_000), "This policy contains invalid Json");
        check("{}", "Missing required field Statement");
        check(r#"{"Statement": []}"#, "Could not parse the policy: Statement is empty!");
        check(r#"{"Statement": 7}"#, "Invalid policy syntax.");
        check(r#"{"Version": "2020", "Statement": {}}"#, "The policy must contain a valid version string");
    }

    #[test]
    fn what_a_statement_must_be() {
        for (changes, expect) in [
            (json!({}), "ok"),
            (json!({"Principal": "*"}), "public"),
            (json!({"Effect": null}), "Missing required field Effect"),
            (json!({"Effect": "allow"}), "Invalid effect: allow"),
            (json!({"Principal": null}), "Missing required field Principal"),
            (json!({"Action": null}), "Missing required field Action"),
            (json!({"Resource": null}), "Missing required field Resource"),
            (json!({"Action": []}), "Invalid policy syntax."),
            (json!({"Colour": "blue"}), "Invalid policy syntax."),
            (json!({"Action": "iam:GetUser"}), "Policy has invalid action"),
            (json!({"Action": "GetObject"}), "Policy has invalid action"),
            (json!({"Action": "s3:GetObjects"}), "Policy has invalid action"),
            (json!({"Action": "s3:ListAllMyBuckets"}), "Policy has invalid action"),
            (json!({"Action": "S3:getobject"}), "ok"),
            (json!({"Action": "*"}), "ok"),
            (json!({"Action": "s3:ListBucket"}), "Action does not apply to any resource(s) in statement"),
            (
                json!({"Action": ["s3:GetObject", "s3:ListBucket"]}),
                "Action does not apply to any resource(s) in statement",
            ),
            (
                json!({"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*"]}),
                "ok",
            ),
            (
                json!({"Resource": "arn:aws:s3:::lake"}),
                "Action does not apply to any resource(s) in statement",
            ),
            (json!({"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::lake*"}), "ok"),
            (json!({"Resource": "arn:aws:s3:::pond/*"}), "Policy has invalid resource"),
            (json!({"Resource": "arn:aws:s3:::lake2/*"}), "Policy has invalid resource"),
            (json!({"Resource": "arn:aws:s3:::lake/"}), "Policy has invalid resource"),
            (json!({"Resource": "arn:aws:s3:::*"}), "Policy has invalid resource"),
            (json!({"Resource": "*"}), "Policy has invalid resource"),
            (json!({"Resource": "lake/*"}), "Policy has invalid resource"),
            (json!({"Resource": "arn:aws:s3:::lake/${aws:username}/*"}), "ok"),
        ] {
            assert_eq!(said(&with(&changes)), expect, "{changes}");
        }
    }

    #[test]
    fn who_may_be_named() {
        let fine = [
            json!("*"),
            json!({"AWS": "*"}),
            json!({"AWS": "arn:aws:iam::111111111111:root"}),
            json!({"AWS": ["arn:aws:iam::111111111111:user/a/b", "arn:aws:iam::111111111111:role/r"]}),
            json!({"AWS": "arn:aws:sts::111111111111:assumed-role/r/s"}),
            json!({"Service": ["firehose.amazonaws.com"]}),
            json!({"CanonicalUser": "0".repeat(64)}),
        ];
        for principal in fine {
            let said = said(&with(&json!({"Principal": principal, "Effect": "Deny"})));
            assert_eq!(said, "ok", "{principal}");
        }
        for principal in [
            json!({"AWS": "bob"}),
            json!({"AWS": "1234"}),
            json!({"AWS": "arn:aws:iam::111111111111:role/*"}),
            json!({"AWS": "arn:aws:iam::*:root"}),
            json!({"AWS": "arn:aws:iam::111111111111:group/g"}),
            json!({"AWS": "arn:aws:s3:::lake"}),
            json!({"Service": "*"}),
            json!({"CanonicalUser": "bob"}),
        ] {
            assert_eq!(
                said(&with(&json!({"Principal": principal}))),
                "Invalid principal in policy",
                "{principal}"
            );
        }
        assert_eq!(said(&with(&json!({"Principal": "bob"}))), "Invalid policy syntax.");
    }

    #[test]
    fn what_it_may_depend_on() {
        let list = json!({"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::lake"});
        for (base, condition, expect) in [
            (&list, json!({"StringLike": {"s3:prefix": "raw/*"}}), "ok"),
            (&list, json!({"NumericLessThan": {"s3:max-keys": "10"}}), "ok"),
            (
                &json!({}),
                json!({"StringLike": {"s3:prefix": "raw/*"}}),
                "Conditions do not apply to combination of actions and resources in statement",
            ),
            (&json!({}), json!({"StringEquals": {"s3:ExistingObjectTag/stage": "dev"}}), "ok"),
            (
                &json!({}),
                json!({"StringEquals": {"s3:ExistingObjectTag/": "dev"}}),
                "Policy has an invalid condition key",
            ),
            (&json!({}), json!({"Bool": {"aws:SecureTransport": "false"}}), "ok"),
            (
                &json!({}),
                json!({"NumericLessThan": {"s3:TlsVersion": 1.2}}),
                "Policy has an invalid condition key",
            ),
            (
                &json!({}),
                json!({"StringEquals": {"iam:PassedToService": "x"}}),
                "Policy has an invalid condition key",
            ),
            (&json!({}), json!({"StringIs": {"aws:username": "x"}}), "Invalid Condition type : StringIs"),
        ] {
            let mut changes = base.clone();
            changes["Condition"] = condition.clone();
            assert_eq!(said(&with(&changes)), expect, "{condition}");
        }
    }

    #[test]
    fn its_size_is_bounded_without_the_spaces() {
        let of = |length: usize| {
            let keys: Vec<String> = (0..length).map(|n| format!("arn:aws:s3:::lake/{n:06}")).collect();
            with(&json!({"Resource": keys}))
        };
        assert_eq!(said(&of(700)), "ok");
        let spaced = serde_json::to_string_pretty(&of(700)).unwrap();
        assert!(spaced.len() > POLICY_BYTES_MAX && checked(&spaced, "lake").is_ok());
        assert_eq!(
            said(&of(800)),
            "Normalized policy document exceeds the maximum allowed size of 20480 bytes"
        );
    }
}
