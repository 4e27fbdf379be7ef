//! The Condition element: operators, quantifiers, and when each holds.
//!
//! All conditions of a statement must hold. Within one, a positive operator wants one of its values to match, a
//! negated one (`…Not…`) none. What a missing key means:
//!
//! | | key missing |
//! |---|---|
//! | positive | does not hold |
//! | negated | holds |
//! | `…IfExists` | holds |
//! | `ForAllValues:` | holds |
//! | `ForAnyValue:` | does not hold |
//! | `Null` | holds if its value is `true` |
//!
//! Invariants: 1. a value that cannot be understood (a number that is none, an unknown network) does not parse;
//! 2. in an Allow, what cannot be compared (a variable without a value, a request's value of another type)
//! never makes a condition hold, a negated one neither.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
//!
//! Differs from AWS: invariant 2 for negated operators, which AWS lets hold.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::document::{Effect, Malformed, Version, syntax, texts};
use crate::evaluate::Context;
use crate::matching::{Case, Pattern};

/// One operator on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub quantifier: Option<Quantifier>,
    pub operator: Operator,
    pub if_exists: bool,
    /// As written; compared without case.
    pub key: String,
    operands: Vec<Operand>,
}

/// How the values of a key with many count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    ForAllValues,
    ForAnyValue,
}

/// What is compared, and how. `negated` turns each around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    StringEquals {
        negated: bool,
    },
    StringEqualsIgnoreCase {
        negated: bool,
    },
    StringLike {
        negated: bool,
    },
    NumericEquals {
        negated: bool,
    },
    Numeric(Order),
    DateEquals {
        negated: bool,
    },
    Date(Order),
    Bool,
    /// Base64 on both sides, compared as bytes.
    BinaryEquals,
    IpAddress {
        negated: bool,
    },
    /// ArnEquals and ArnLike are the same.
    Arn {
        negated: bool,
    },
    Null,
}

/// The request's value compared to the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

/// A value of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Operand {
    Text(Pattern),
    /// An ARN's six parts, each with its own wildcards.
    Arn(Vec<Pattern>),
}

impl Condition {
    /// The whole Condition element.
    pub(crate) fn parse_all(value: &Value, version: Version) -> Result<Vec<Self>, Malformed> {
        let Value::Object(operators) = value else {
            return Err(syntax("Condition is an object of operators"));
        };
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let (quantifier, operator, if_exists) = parse_operator(name)?;
            let Value::Object(keys) = keys else {
                return Err(syntax(format!("Condition {name} is an object of keys and values")));
            };
            for (key, values) in keys {
                if !key.contains(':') {
                    return Err(Malformed::ActionWithoutVendor);
                }
                let values = texts(values).ok_or_else(|| {
                    syntax(format!("Condition {name} {key} is a value or a list of values"))
                })?;
                let operands = values
                    .iter()
                    .map(|value| operator.operand(value, version))
                    .collect::<Option<_>>()
                    .ok_or_else(|| syntax(format!("Condition {name} {key} has a value it cannot compare")))?;
                conditions.push(Self { quantifier, operator, if_exists, key: key.clone(), operands });
            }
        }
        Ok(conditions)
    }

    /// Its values, as written.
    pub(crate) fn sources(&self) -> Vec<String> {
        let source = |operand: &Operand| match operand {
            Operand::Text(pattern) => pattern.source().to_owned(),
            Operand::Arn(parts) => parts.iter().map(Pattern::source).collect::<Vec<_>>().join(":"),
        };
        self.operands.iter().map(source).collect()
    }

    /// Whether it holds for a statement with `effect`.
    pub(crate) fn holds(&self, context: &Context, effect: Effect) -> bool {
        let values = context.values(&self.key);
        if self.operator == Operator::Null {
            let absent = if values.is_empty() { "true" } else { "false" };
            return self
                .operands
                .iter()
                .any(|operand| self.compare(operand, absent, context, effect) == Some(true));
        }
        if values.is_empty() {
            return match self.quantifier {
                _ if self.if_exists => true,
                Some(Quantifier::ForAllValues) => true,
                Some(Quantifier::ForAnyValue) => false,
                None => self.operator.is_negated(),
            };
        }
        let mut each = values.iter().map(|value| self.holds_for(value, context, effect));
        match self.quantifier {
            Some(Quantifier::ForAllValues) => each.all(|holds| holds),
            Some(Quantifier::ForAnyValue) => each.any(|holds| holds),
            None if self.operator.is_negated() => each.all(|holds| holds),
            None => each.any(|holds| holds),
        }
    }

    fn holds_for(&self, value: &str, context: &Context, effect: Effect) -> bool {
        let mut compared = self.operands.iter().map(|operand| self.compare(operand, value, context, effect));
        if self.operator.is_negated() {
            compared.all(|equal| match equal {
                Some(equal) => !equal,
                None => effect == Effect::Deny,
            })
        } else {
            compared.any(|equal| equal == Some(true))
        }
    }

    /// Whether the request's `value` fits the policy's, before negation; `None` if they cannot be compared.
    fn compare(&self, operand: &Operand, value: &str, context: &Context, effect: Effect) -> Option<bool> {
        let pattern = match operand {
            Operand::Arn(parts) => return compare_arn(parts, value, context, effect),
            Operand::Text(pattern) => pattern,
        };
        if let Operator::StringLike { .. } = self.operator {
            return pattern.matches(value, context, effect, Case::Sensitive);
        }
        let wanted = pattern.literal(context, effect)?;
        let order = match self.operator {
            Operator::StringEquals { .. } => return Some(value == wanted),
            Operator::StringEqualsIgnoreCase { .. } => {
                return Some(value.to_lowercase() == wanted.to_lowercase());
            }
            Operator::Bool | Operator::Null => return Some(value.eq_ignore_ascii_case(&wanted)),
            Operator::BinaryEquals => {
                return Some(STANDARD.decode(value).ok()? == STANDARD.decode(wanted).ok()?);
            }
            Operator::IpAddress { .. } => {
                return Some(Network::parse(&wanted)?.contains(value.parse().ok()?));
            }
            Operator::NumericEquals { .. } | Operator::Numeric(_) => {
                number(value)?.partial_cmp(&number(&wanted)?)?
            }
            Operator::DateEquals { .. } | Operator::Date(_) => instant_ms(value)?.cmp(&instant_ms(&wanted)?),
            Operator::StringLike { .. } | Operator::Arn { .. } => return None,
        };
        Some(match self.operator {
            Operator::Numeric(wanted) | Operator::Date(wanted) => wanted.accepts(order),
            _ => order == Ordering::Equal,
        })
    }
}

impl Operator {
    fn is_negated(self) -> bool {
        match self {
            Self::StringEquals { negated }
            | Self::StringEqualsIgnoreCase { negated }
            | Self::StringLike { negated }
            | Self::NumericEquals { negated }
            | Self::DateEquals { negated }
            | Self::IpAddress { negated }
            | Self::Arn { negated } => negated,
            Self::Numeric(_) | Self::Date(_) | Self::Bool | Self::BinaryEquals | Self::Null => false,
        }
    }

    /// Invariant 1. A value with a variable is only known with a request.
    fn operand(self, value: &str, version: Version) -> Option<Operand> {
        let pattern = Pattern::compile(value, version);
        let has_variable = version == Version::V2012 && value.contains("${");
        let understood = has_variable
            || match self {
                Self::StringEquals { .. } | Self::StringEqualsIgnoreCase { .. } | Self::StringLike { .. } => {
                    true
                }
                Self::NumericEquals { .. } | Self::Numeric(_) => number(value).is_some(),
                Self::DateEquals { .. } | Self::Date(_) => instant_ms(value).is_some(),
                Self::Bool | Self::Null => {
                    ["true", "false"].iter().any(|truth| value.eq_ignore_ascii_case(truth))
                }
                Self::BinaryEquals => STANDARD.decode(value).is_ok(),
                Self::IpAddress { .. } => Network::parse(value).is_some(),
                Self::Arn { .. } => value == "*" || value.starts_with("arn:") && arn_parts(value).len() == 6,
            };
        if !understood {
            return None;
        }
        Some(match self {
            Self::Arn { .. } if value != "*" => {
                Operand::Arn(arn_parts(value).iter().map(|part| Pattern::compile(part, version)).collect())
            }
            Self::Arn { .. } => Operand::Arn(vec![pattern; 6]),
            _ => Operand::Text(pattern),
        })
    }
}

impl Order {
    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::LessThan => order == Ordering::Less,
            Self::LessThanEquals => order != Ordering::Greater,
            Self::GreaterThan => order == Ordering::Greater,
            Self::GreaterThanEquals => order != Ordering::Less,
        }
    }
}

/// `ForAllValues:StringLikeIfExists` and the like. `Null` has no `…IfExists`.
fn parse_operator(name: &str) -> Result<(Option<Quantifier>, Operator, bool), Malformed> {
    let (quantifier, rest) = if let Some(rest) = name.strip_prefix("ForAllValues:") {
        (Some(Quantifier::ForAllValues), rest)
    } else if let Some(rest) = name.strip_prefix("ForAnyValue:") {
        (Some(Quantifier::ForAnyValue), rest)
    } else {
        (None, name)
    };
    let (base, if_exists) = match rest.strip_suffix("IfExists") {
        Some(base) => (base, true),
        None => (rest, false),
    };
    let operator = match base {
        "StringEquals" => Operator::StringEquals { negated: false },
        "StringNotEquals" => Operator::StringEquals { negated: true },
        "StringEqualsIgnoreCase" => Operator::StringEqualsIgnoreCase { negated: false },
        "StringNotEqualsIgnoreCase" => Operator::StringEqualsIgnoreCase { negated: true },
        "StringLike" => Operator::StringLike { negated: false },
        "StringNotLike" => Operator::StringLike { negated: true },
        "NumericEquals" => Operator::NumericEquals { negated: false },
        "NumericNotEquals" => Operator::NumericEquals { negated: true },
        "NumericLessThan" => Operator::Numeric(Order::LessThan),
        "NumericLessThanEquals" => Operator::Numeric(Order::LessThanEquals),
        "NumericGreaterThan" => Operator::Numeric(Order::GreaterThan),
        "NumericGreaterThanEquals" => Operator::Numeric(Order::GreaterThanEquals),
        "DateEquals" => Operator::DateEquals { negated: false },
        "DateNotEquals" => Operator::DateEquals { negated: true },
        "DateLessThan" => Operator::Date(Order::LessThan),
        "DateLessThanEquals" => Operator::Date(Order::LessThanEquals),
        "DateGreaterThan" => Operator::Date(Order::GreaterThan),
        "DateGreaterThanEquals" => Operator::Date(Order::GreaterThanEquals),
        "Bool" => Operator::Bool,
        "BinaryEquals" => Operator::BinaryEquals,
        "IpAddress" => Operator::IpAddress { negated: false },
        "NotIpAddress" => Operator::IpAddress { negated: true },
        "ArnEquals" | "ArnLike" => Operator::Arn { negated: false },
        "ArnNotEquals" | "ArnNotLike" => Operator::Arn { negated: true },
        "Null" if !if_exists && quantifier.is_none() => Operator::Null,
        _ => return Err(Malformed::ConditionOperator { operator: name.to_owned() }),
    };
    Ok((quantifier, operator, if_exists))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Seconds since the epoch, or ISO 8601: `2017-08-26`, `2017-08-26T07:47Z`, `2017-08-26T07:47:12.345+02:00`.
/// Without a zone, UTC. In milliseconds since the epoch.
fn instant_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>()
        && text.len() != 4
    {
        return seconds.checked_mul(1_000);
    }
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, time),
        None => (text, "00:00:00Z"),
    };
    let mut fields = date.splitn(3, '-');
    let mut field = |digits: usize| {
        let text = fields.next()?;
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<i64>().ok())?
    };
    let (year, month, day) = (field(4)?, field(2)?, field(2)?);
    let days = days_since_epoch(year, month, day)?;
    Some(days * 86_400_000 + time_of_day_ms(time)?)
}

/// `hh:mm[:ss[.fff]]` and `Z` or `±hh:mm`, less the zone's offset.
fn time_of_day_ms(text: &str) -> Option<i64> {
    let (time, offset_minutes) = match text.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => match text.rfind(['+', '-']).and_then(|at| text.split_at_checked(at)) {
            Some((time, zone)) => {
                let sign = if zone.starts_with('-') { -1 } else { 1 };
                let (hours, minutes) = zone.trim_start_matches(['+', '-']).split_once(':')?;
                (time, sign * (two_digits(hours, 23)? * 60 + two_digits(minutes, 59)?))
            }
            None => (text, 0),
        },
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut fields = clock.splitn(3, ':');
    let hours = two_digits(fields.next()?, 23)?;
    let minutes = two_digits(fields.next()?, 59)?;
    let seconds = fields.next().map_or(Some(0), |text| two_digits(text, 59))?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let milliseconds: i64 = format!("{fraction:0<3}").chars().take(3).collect::<String>().parse().ok()?;
    Some(((hours * 60 + minutes - offset_minutes) * 60 + seconds) * 1_000 + milliseconds)
}

fn two_digits(text: &str, max: i64) -> Option<i64> {
    (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())?
        .filter(|&value| value <= max)
}

/// Days from 1970-01-01 in the Gregorian calendar; `None` for a date that does not exist.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
    if !(1..=lengths[month - 1]).contains(&day) {
        return None;
    }
    let before = |year: i64| year * 365 + year / 4 - year / 100 + year / 400;
    // Leap days up to the year before, so that this year's counts by its months.
    let years = before(year - 1) - before(1969);
    let months: i64 = lengths[..month - 1].iter().sum();
    Some(years + months + day - 1)
}

/// `10.0.0.0/8`, `2001:db8::/32`, or one address.
struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            Some(prefix) if prefix.bytes().all(|b| b.is_ascii_digit()) => prefix.parse().ok()?,
            Some(_) => return None,
            None => width,
        };
        (prefix_bits <= width).then_some(Self { address, prefix_bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let (width, difference) = match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (32, u128::from(network.to_bits() ^ address.to_bits()))
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => (128, network.to_bits() ^ address.to_bits()),
            _ => return false,
        };
        difference.checked_shr(width - self.prefix_bits).unwrap_or(0) == 0
    }
}

/// Splits at the first five colons that stand outside `${…}`.
fn arn_parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut in_variable = false;
    let mut previous = ' ';
    for c in text.chars() {
        match c {
            '{' if previous == '$' => in_variable = true,
            '}' => in_variable = false,
            _ => {}
        }
        if c == ':' && !in_variable && parts.len() < 6 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
        previous = c;
    }
    parts
}

fn compare_arn(parts: &[Pattern], value: &str, context: &Context, effect: Effect) -> Option<bool> {
    let values: Vec<&str> = value.splitn(6, ':').collect();
    if values.len() != parts.len() {
        return Some(false);
    }
    let mut all = true;
    for (pattern, value) in parts.iter().zip(values) {
        all &= pattern.matches(value, context, effect, Case::Sensitive)?;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn request() -> Context {
        Context::new()
            .with("aws:username", "Bailey")
            .with("aws:CurrentTime", "2017-08-26T07:47:12Z")
            .with("aws:SourceIp", "203.0.113.9")
            .with("s3:max-keys", "10")
            .with("aws:SecureTransport", "true")
            .with("a:blob", "QmluYXJ5VmFsdWVJbkJhc2U2NA==")
            .with("aws:SourceArn", "arn:aws:iot:us-east-1:000000000000:rule/heart:rate")
            .with_values("aws:TagKeys", ["a", "b"])
    }

    fn holds(operator: &str, key: &str, value: &Value) -> bool {
        let conditions = Condition::parse_all(&json!({operator: {key: value}}), Version::V2012).unwrap();
        conditions.iter().all(|condition| condition.holds(&request(), Effect::Allow))
    }

    #[test]
    fn operators() {
        for (operator, key, value, expect) in [
            ("StringEquals", "aws:UserName", json!("Bailey"), true),
            ("StringEquals", "aws:username", json!(["x", "Bailey"]), true),
            ("StringEquals", "aws:username", json!("bailey"), false),
            ("StringEquals", "aws:username", json!("B*"), false),
            ("StringEquals", "aws:username", json!("${aws:username}"), true),
            ("StringEqualsIgnoreCase", "aws:username", json!("BAILEY"), true),
            ("StringNotEquals", "aws:username", json!(["x", "Bailey"]), false),
            ("StringNotEquals", "aws:username", json!("x"), true),
            ("StringNotEqualsIgnoreCase", "aws:username", json!("bailey"), false),
            ("StringLike", "aws:username", json!("B?il*"), true),
            ("StringNotLike", "aws:username", json!("B*"), false),
            ("NumericEquals", "s3:max-keys", json!(10.0), true),
            ("NumericNotEquals", "s3:max-keys", json!("10"), false),
            ("NumericLessThan", "s3:max-keys", json!("10"), false),
            ("NumericLessThanEquals", "s3:max-keys", json!("10"), true),
            ("NumericGreaterThan", "s3:max-keys", json!("9.5"), true),
            ("NumericGreaterThanEquals", "s3:max-keys", json!("11"), false),
            ("NumericEquals", "aws:username", json!("1"), false),
            ("NumericNotEquals", "aws:username", json!("1"), false),
            ("DateEquals", "aws:CurrentTime", json!("2017-08-26T09:47:12+02:00"), true),
            ("DateNotEquals", "aws:CurrentTime", json!("1503733632"), false),
            ("DateLessThan", "aws:CurrentTime", json!("2017-08-27"), true),
            ("DateLessThanEquals", "aws:CurrentTime", json!("2017-08-26T07:47Z"), false),
            ("DateGreaterThan", "aws:CurrentTime", json!("2017-08-26"), true),
            ("DateGreaterThanEquals", "aws:CurrentTime", json!("2017-08-26T07:47:12.000Z"), true),
            ("Bool", "aws:SecureTransport", json!(true), true),
            ("Bool", "aws:SecureTransport", json!("False"), false),
            ("BinaryEquals", "a:blob", json!("QmluYXJ5VmFsdWVJbkJhc2U2NA=="), true),
            ("BinaryEquals", "a:blob", json!("QQ=="), false),
            ("BinaryEquals", "aws:CurrentTime", json!("QQ=="), false),
            ("IpAddress", "aws:SourceIp", json!("203.0.113.0/24"), true),
            ("IpAddress", "aws:SourceIp", json!("203.0.113.8"), false),
            ("IpAddress", "aws:SourceIp", json!("0.0.0.0/0"), true),
            ("IpAddress", "aws:SourceIp", json!("::/0"), false),
            ("NotIpAddress", "aws:SourceIp", json!(["10.0.0.0/8", "203.0.113.0/30"]), true),
            ("ArnLike", "aws:SourceArn", json!("arn:aws:iot:*:000000000000:rule/heart:*"), true),
            ("ArnEquals", "aws:SourceArn", json!("arn:aws:*:rule/x:x:x"), false),
            ("ArnNotLike", "aws:SourceArn", json!("arn:aws:iot:eu-*:000000000000:*"), true),
            ("ArnLike", "aws:SourceArn", json!("*"), true),
            (
                "ArnNotEquals",
                "aws:SourceArn",
                json!("arn:aws:iot:us-east-1:000000000000:rule/${no:value}"),
                false,
            ),
            ("Null", "aws:username", json!("false"), true),
            ("Null", "aws:nobody", json!(true), true),
            ("Null", "aws:nobody", json!(false), false),
            // A key the request does not have.
            ("StringEquals", "aws:nobody", json!("x"), false),
            ("StringNotEquals", "aws:nobody", json!("x"), true),
            ("StringEqualsIfExists", "aws:nobody", json!("x"), true),
            ("ForAllValues:StringEquals", "aws:nobody", json!("x"), true),
            ("ForAnyValue:StringEquals", "aws:nobody", json!("x"), false),
            // A key with two values.
            ("ForAllValues:StringEquals", "aws:TagKeys", json!(["a", "b", "c"]), true),
            ("ForAllValues:StringEquals", "aws:TagKeys", json!(["a"]), false),
            ("ForAnyValue:StringEquals", "aws:TagKeys", json!(["b", "c"]), true),
            ("ForAnyValue:StringNotEquals", "aws:TagKeys", json!("a"), true),
            ("ForAllValues:StringNotEquals", "aws:TagKeys", json!("a"), false),
            ("StringNotEquals", "aws:username", json!("${no:value}"), false),
        ] {
            assert_eq!(holds(operator, key, &value), expect, "{operator} {key} {value}");
        }
    }

    #[test]
    fn what_cannot_be_understood_does_not_parse() {
        for (operator, value) in [
            ("NumericEquals", "ten"),
            ("NumericEquals", "NaN"),
            ("DateLessThan", "2017-02-29"),
            ("DateLessThan", "2017-13-01"),
            ("DateLessThan", "2017"),
            ("DateLessThan", "2017-08-26T25:00Z"),
            ("Bool", "yes"),
            ("BinaryEquals", "%"),
            ("IpAddress", "10.0.0.0/33"),
            ("IpAddress", "10.0.0.0/+8"),
            ("IpAddress", "10.0.0"),
            ("ArnLike", "arn:aws:iot"),
            ("Null", "maybe"),
        ] {
            let parsed = Condition::parse_all(&json!({operator: {"a:b": value}}), Version::V2012);
            let expect =
                format!("Syntax errors in policy: Condition {operator} a:b has a value it cannot compare.");
            assert_eq!(parsed.unwrap_err().to_string(), expect);
        }
        for operator in
            ["StringMatches", "NullIfExists", "ForAllValues:Null", "ForSomeValues:Bool", "stringequals"]
        {
            let parsed = Condition::parse_all(&json!({operator: {"a:b": "true"}}), Version::V2012);
            assert_eq!(parsed, Err(Malformed::ConditionOperator { operator: operator.to_owned() }));
        }
        let no_vendor = Condition::parse_all(&json!({"Bool": {"b": "true"}}), Version::V2012);
        assert_eq!(no_vendor, Err(Malformed::ActionWithoutVendor));
    }

    #[test]
    fn days_agree_with_the_calendar() {
        for (date, seconds) in [
            ("1970-01-01", 0),
            ("1969-12-31", -86_400),
            ("2000-02-29", 951_782_400),
            ("2100-03-01", 4_107_542_400),
        ] {
            assert_eq!(instant_ms(date), Some(seconds * 1_000), "{date}");
        }
        let mut last = days_since_epoch(1600, 1, 1).unwrap() - 1;
        for year in 1600..2401 {
            for (month, day) in (1..=12).flat_map(|month| (1..=31).map(move |day| (month, day))) {
                if let Some(days) = days_since_epoch(year, month, day) {
                    assert_eq!(days, last + 1, "{year}-{month}-{day}");
                    last = days;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_value_panics(
            operator in prop::sample::select(vec!["NumericEquals", "DateEquals", "IpAddress", "ArnLike", "StringLike"]),
            value in "[-0-9:TZ./${}a-z+*]{0,24}",
            asked in "[-0-9:TZ./a-z+]{0,24}",
        ) {
            if let Ok(conditions) = Condition::parse_all(&json!({operator: {"a:b": value}}), Version::V2012) {
                let cx = Context::new().with("a:b", asked.as_str());
                conditions[0].holds(&cx, Effect::Allow);
            }
        }
    }
}
