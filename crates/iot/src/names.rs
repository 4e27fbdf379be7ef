//! What names may look like, and the sentence AWS answers for one that does not.

use kernel::Context;

use crate::Error;
use crate::certificate::Certificate;

/// The constraint of a name in the API model.
pub(crate) struct NameRule {
    /// The member's name.
    pub(crate) member: &'static str,
    /// The pattern, as the API model writes it.
    pub(crate) pattern: &'static str,
    /// Characters besides letters, digits and `_`.
    pub(crate) also: &'static str,
    /// 1 to this many characters.
    pub(crate) chars_max: usize,
}

impl NameRule {
    /// Returns if the name is legal.
    pub(crate) fn check(&self, name: &str) -> Result<(), Error> {
        let violation = if name.is_empty() {
            "Member must have length greater than or equal to 1".to_owned()
        } else if name.chars().count() > self.chars_max {
            format!("Member must have length less than or equal to {}", self.chars_max)
        } else if name.chars().any(|c| !(c.is_ascii_alphanumeric() || c == '_' || self.also.contains(c))) {
            format!("Member must satisfy regular expression pattern: {}", self.pattern)
        } else {
            return Ok(());
        };
        let Self { member, .. } = self;
        let shown: String = name.chars().take(256).collect();
        Err(Error::InvalidRequest(format!(
            "1 validation error detected: Value '{shown}' at '{member}' failed to satisfy constraint: {violation}"
        )))
    }
}

pub(crate) const THING: NameRule = NameRule {
    member: "thingName",
    pattern: "[a-zA-Z0-9:_-]+",
    also: ":-",
    chars_max: crate::limits::THING_NAME_CHARS_MAX,
};

pub(crate) const POLICY: NameRule = NameRule {
    member: "policyName",
    pattern: "[\\w+=,.@-]+",
    also: "+=,.@-",
    chars_max: crate::limits::POLICY_NAME_CHARS_MAX,
};

pub(crate) const RULE: NameRule = NameRule {
    member: "ruleName",
    pattern: "^[a-zA-Z0-9_]+$",
    also: "",
    chars_max: crate::limits::RULE_NAME_CHARS_MAX,
};

/// The certificate id in a principal's ARN, which must be of the caller's account and region:
/// `arn:aws:iot:REGION:ACCOUNT:cert/<64 hex digits>`.
pub(crate) fn certificate_of<'p>(cx: &Context, principal: &'p str) -> Result<&'p str, Error> {
    principal
        .strip_prefix(&Certificate::arn(cx, "").to_string())
        .filter(|id| id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        .ok_or_else(|| Error::InvalidRequest(format!("Invalid principal: {principal}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_name_with_a_hyphen_is_refused_in_corals_words() {
        let refused = RULE.check("my-rule").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "1 validation error detected: Value 'my-rule' at 'ruleName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9_]+$"
        );
        RULE.check(&"a".repeat(128)).unwrap();
        RULE.check(&"a".repeat(129)).unwrap_err();
        THING.check("sensor:1-a").unwrap();
        THING.check("sensor 1").unwrap_err();
    }

    #[test]
    fn a_principal_is_a_certificates_arn() {
        let id = "a".repeat(64);
        let cx = wire::testing::context();
        let arn = format!("arn:aws:iot:us-east-1:000000000000:cert/{id}");
        assert_eq!(certificate_of(&cx, &arn).unwrap(), id);
        for other in [
            "arn:aws:iam::000000000000:user/x".to_owned(),
            arn.to_uppercase(),
            format!("{arn}a"),
            arn.replace("us-east-1", "eu-west-1"),
            arn.replace("000000000000", "111111111111"),
        ] {
            certificate_of(&cx, &other).unwrap_err();
        }
    }
}
