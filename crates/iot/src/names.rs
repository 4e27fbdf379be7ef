//! What names may look like, and the sentence AWS answers for one that does not.

use crate::Error;

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

/// The certificate id in a principal's ARN: `arn:aws:iot:…:cert/<64 hex digits>`.
pub(crate) fn certificate_of(principal: &str) -> Result<&str, Error> {
    principal
        .split_once(":cert/")
        .map(|(_, id)| id)
        .filter(|id| id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()))
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
        assert_eq!(certificate_of(&format!("arn:aws:iot:us-east-1:000000000000:cert/{id}")).unwrap(), id);
        certificate_of("arn:aws:iam::000000000000:user/x").unwrap_err();
    }
}
