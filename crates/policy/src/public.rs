//! Whether a policy attached to a resource lets the public in.
//!
//! It does when one of its Allows names everyone, or all but some, and no condition of it narrows that to whom its author knows: an
//! account, a principal, an organization, a network or a resource, written out without wildcards or variables. A narrowing that a
//! request without the key escapes (a negated operator, `…IfExists`, `ForAllValues:`) is none.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>

use std::net::IpAddr;

use crate::condition::{Condition, Operator, Quantifier};
use crate::document::{Document, Effect, PrincipalKind, Principals, Statement};

/// Keys that tell who asks, or from where, in lower case.
const NARROWING: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/// Networks larger than these are as good as everyone.
const IPV4_BITS_MIN: u8 = 8;
const IPV6_BITS_MIN: u8 = 32;

impl Document {
    /// Whether the policy lets the public in.
    pub fn is_public(&self) -> bool {
        self.statements.iter().any(Statement::is_public)
    }
}

impl Statement {
    fn is_public(&self) -> bool {
        let everyone = match &self.principal {
            None => false,
            Some(Principals::NoneOf(_)) => true,
            Some(Principals::AnyOf(list)) => {
                list.iter().any(|(kind, value)| *kind == PrincipalKind::Aws && value == "*")
            }
        };
        self.effect == Effect::Allow && everyone && !self.conditions.iter().any(Condition::narrows)
    }
}

impl Condition {
    fn narrows(&self) -> bool {
        let positive = matches!(
            self.operator,
            Operator::StringEquals { negated: false }
                | Operator::StringEqualsIgnoreCase { negated: false }
                | Operator::StringLike { negated: false }
                | Operator::Arn { negated: false }
                | Operator::IpAddress { negated: false }
        );
        let escapable = self.if_exists || self.quantifier == Some(Quantifier::ForAllValues);
        let key = self.key.to_lowercase();
        if !positive || escapable || !NARROWING.contains(&key.as_str()) {
            return false;
        }
        let is_fixed = |value: &String| match key.as_str() {
            "aws:sourceip" => is_narrow(value),
            // A role's sessions are as well known as the role.
            "aws:userid" => is_written_out(value.strip_suffix(":*").unwrap_or(value)),
            _ => is_written_out(value),
        };
        self.sources().iter().all(is_fixed)
    }
}

fn is_written_out(value: &str) -> bool {
    !value.is_empty() && !value.contains(['*', '?']) && !value.contains("${")
}

fn is_narrow(network: &str) -> bool {
    let (address, bits) = match network.split_once('/') {
        Some((address, bits)) => (address, bits.parse::<u8>().ok()),
        None => (network, Some(u8::MAX)),
    };
    match (address.parse::<IpAddr>(), bits) {
        (Ok(IpAddr::V4(_)), Some(bits)) => bits >= IPV4_BITS_MIN,
        (Ok(IpAddr::V6(_)), Some(bits)) => bits >= IPV6_BITS_MIN,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn is_public(statement: &Value) -> bool {
        let mut whole = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"});
        for (name, value) in statement.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let text = json!({"Version": "2012-10-17", "Statement": [whole]}).to_string();
        Document::parse(&text).unwrap().is_public()
    }

    #[test]
    fn who_is_the_public() {
        for (principal, expect) in [
            (json!({"Principal": "*"}), true),
            (json!({"Principal": {"AWS": ["111111111111", "*"]}}), true),
            (json!({"NotPrincipal": {"AWS": "111111111111"}}), true),
            (json!({"Effect": "Deny", "Principal": "*"}), false),
            (json!({"Principal": {"AWS": "111111111111"}}), false),
            (json!({"Principal": {"Service": "firehose.amazonaws.com"}}), false),
        ] {
            assert_eq!(is_public(&principal), expect, "{principal}");
        }
    }

    #[test]
    fn what_narrows_it() {
        for (condition, expect) in [
            (json!({"StringEquals": {"aws:PrincipalAccount": "111111111111"}}), false),
            (json!({"StringEquals": {"aws:PRINCIPALACCOUNT": ["111111111111", "222222222222"]}}), false),
            (json!({"ArnLike": {"aws:SourceArn": "arn:aws:iot:us-east-1:111111111111:rule/r"}}), false),
            (json!({"ArnLike": {"aws:SourceArn": "arn:aws:iot:us-east-1:*:rule/r"}}), true),
            (json!({"StringLike": {"aws:userid": "AROAEXAMPLE:*"}}), false),
            (json!({"StringLike": {"aws:userid": "AROA*"}}), true),
            (json!({"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalTag/a}"}}), true),
            (json!({"StringNotEquals": {"aws:PrincipalAccount": "111111111111"}}), true),
            (json!({"StringEqualsIfExists": {"aws:PrincipalAccount": "111111111111"}}), true),
            (json!({"ForAllValues:StringEquals": {"aws:PrincipalAccount": "111111111111"}}), true),
            (json!({"ForAnyValue:StringEquals": {"aws:PrincipalOrgID": "o-1"}}), false),
            (json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), false),
            (json!({"IpAddress": {"aws:SourceIp": "203.0.113.7"}}), false),
            (json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/1"]}}), true),
            (json!({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}), false),
            (json!({"IpAddress": {"aws:SourceIp": "2000::/3"}}), true),
            (json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), true),
            (json!({"Bool": {"aws:SecureTransport": "true"}}), true),
            (json!({"StringEquals": {"s3:prefix": "public/"}}), true),
            (json!({"StringEquals": {"aws:Referer": "https://example.com/"}}), true),
        ] {
            let statement = json!({"Principal": "*", "Condition": condition});
            assert_eq!(is_public(&statement), expect, "{condition}");
        }
    }
}
