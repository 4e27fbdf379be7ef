//! The constraints of the API model. All that a request violates are told in one sentence.

use crate::Error;

/// Violations found so far.
#[derive(Default)]
pub(crate) struct Violations {
    found: Vec<String>,
}

/// Longer values are not repeated in the sentence.
const VALUE_CHARS_MAX: usize = 256;

impl Violations {
    fn add(&mut self, path: &str, value: &str, constraint: &str) {
        let value =
            if value.chars().count() > VALUE_CHARS_MAX { String::new() } else { format!(" '{value}'") };
        self.found.push(format!("Value{value} at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// The number of characters must be in `min..=max`.
    pub(crate) fn text(&mut self, path: &str, value: Option<&str>, (min, max): (usize, usize)) {
        let Some(value) = value else { return };
        let len = value.chars().count();
        if len < min {
            self.add(path, value, &format!("Member must have length greater than or equal to {min}"));
        }
        if len > max {
            self.add(path, value, &format!("Member must have length less than or equal to {max}"));
        }
    }

    /// The number of members must be in `min..=max`.
    pub(crate) fn list(&mut self, path: &str, len: usize, (min, max): (usize, usize)) {
        let mut add = |constraint: String| {
            self.found.push(format!("Value at '{path}' failed to satisfy constraint: {constraint}"));
        };
        if len < min {
            add(format!("Member must have length greater than or equal to {min}"));
        }
        if len > max {
            add(format!("Member must have length less than or equal to {max}"));
        }
    }

    /// The value must be in `min..=max`.
    pub(crate) fn range(&mut self, path: &str, value: Option<i64>, (min, max): (i64, i64)) {
        let Some(value) = value else { return };
        if value < min {
            self.add(
                path,
                &value.to_string(),
                &format!("Member must have value greater than or equal to {min}"),
            );
        }
        if value > max {
            self.add(
                path,
                &value.to_string(),
                &format!("Member must have value less than or equal to {max}"),
            );
        }
    }

    /// The value must be one of `set`, which is told in AWS's own order.
    pub(crate) fn one_of(&mut self, path: &str, value: Option<&str>, set: &[&str]) {
        if let Some(value) = value.filter(|value| !set.contains(value)) {
            self.add(path, value, &format!("Member must satisfy enum value set: [{}]", set.join(", ")));
        }
    }

    /// The name of a workgroup.
    pub(crate) fn workgroup(&mut self, path: &str, value: Option<&str>) {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let Some(value) = value else { return };
        if !(1..=128).contains(&value.len()) || !value.chars().all(legal) {
            let constraint = "Member must satisfy regular expression pattern: [a-zA-Z0-9._-]{1,128}";
            self.add(path, value, constraint);
        }
    }

    /// The id of an execution or a named query: what is not a name's characters is nobody's id.
    pub(crate) fn id(&mut self, path: &str, value: &str) {
        self.text(path, Some(value), (1, 128));
        if value.chars().any(|c| c.is_whitespace() || c.is_control()) {
            self.add(path, value, r"Member must satisfy regular expression pattern: \S+");
        }
    }

    /// A token that makes a request idempotent.
    pub(crate) fn token(&mut self, value: Option<&str>) {
        self.text("clientRequestToken", value, (32, 128));
        if let Some(value) = value.filter(|value| value.contains('\0')) {
            self.add("clientRequestToken", value, "Member must not contain NUL");
        }
    }

    /// # Errors
    /// `InvalidRequestException` with every violation.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.found.len() {
            0 => Ok(()),
            n => Err(Error::InvalidRequest(format!(
                "{n} validation error{} detected: {}",
                if n == 1 { "" } else { "s" },
                self.found.join("; ")
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_is_told_in_one_sentence() {
        let mut violations = Violations::default();
        violations.workgroup("workGroup", Some("a b"));
        violations.text("queryString", Some(""), (1, 3));
        violations.text("queryString", Some(&"x".repeat(300)), (1, 3));
        violations.range("maxResults", Some(0), (1, 50));
        violations.one_of("state", Some("ON"), &["ENABLED", "DISABLED"]);
        violations.list("ids", 51, (1, 50));
        violations.token(Some("short"));
        violations.id("queryExecutionId", "a b");
        assert_eq!(
            violations.finish().unwrap_err().to_string(),
            "8 validation errors detected: Value 'a b' at 'workGroup' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [a-zA-Z0-9._-]{1,128}; Value '' at 'queryString' failed to satisfy constraint: \
             Member must have length greater than or equal to 1; Value at 'queryString' failed to satisfy constraint: \
             Member must have length less than or equal to 3; Value '0' at 'maxResults' failed to satisfy constraint: \
             Member must have value greater than or equal to 1; Value 'ON' at 'state' failed to satisfy constraint: \
             Member must satisfy enum value set: [ENABLED, DISABLED]; Value at 'ids' failed to satisfy constraint: Member \
             must have length less than or equal to 50; Value 'short' at 'clientRequestToken' failed to satisfy \
             constraint: Member must have length greater than or equal to 32; Value 'a b' at 'queryExecutionId' failed to \
             satisfy constraint: Member must satisfy regular expression pattern: \\S+"
        );
        Violations::default().finish().unwrap();
    }
}
