//! The first of two layers of validation: the constraints of the API model. All that are violated are told in one
//! sentence, and unlike most services this one does not repeat the offending value.

use crate::error::Error;

/// Violations found so far.
#[derive(Default)]
pub(crate) struct Violations {
    found: Vec<String>,
}

impl Violations {
    fn add(&mut self, path: &str, constraint: &str) {
        self.found.push(format!("Value at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// The member must be given.
    pub(crate) fn required<T>(&mut self, path: &str, value: Option<&T>) {
        if value.is_none() {
            self.add(path, "Member must not be null");
        }
    }

    /// The length must be in `min..=max`: characters of a string, members of a list, bytes of a blob.
    pub(crate) fn length(&mut self, path: &str, len: usize, min: usize, max: usize) {
        if len < min {
            self.add(path, &format!("Member must have length greater than or equal to {min}"));
        }
        if len > max {
            self.add(path, &format!("Member must have length less than or equal to {max}"));
        }
    }

    /// The value must be in `min..=max`.
    pub(crate) fn range(&mut self, path: &str, value: i64, (min, max): (i64, i64)) {
        if value < min {
            self.add(path, &format!("Member must have value greater than or equal to {min}"));
        }
        if value > max {
            self.add(path, &format!("Member must have value less than or equal to {max}"));
        }
    }

    /// The value must match `pattern`, which the caller has tried.
    pub(crate) fn pattern(&mut self, path: &str, pattern: &str, matches: bool) {
        if !matches {
            self.add(path, &format!("Member must satisfy regular expression pattern: {pattern}"));
        }
    }

    /// The value must be one of `set`, which is told in AWS's own order.
    pub(crate) fn one_of(&mut self, path: &str, value: &str, set: &[&str]) {
        if !set.contains(&value) {
            self.add(path, &format!("Member must satisfy enum value set: [{}]", set.join(", ")));
        }
    }

    /// A delivery stream's name, which must be given.
    pub(crate) fn name(&mut self, name: Option<&String>) {
        const PATH: &str = "deliveryStreamName";
        self.required(PATH, name);
        if let Some(name) = name {
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
            self.length(PATH, name.chars().count(), 1, crate::limits::NAME_CHARS_MAX);
            self.pattern(PATH, "[a-zA-Z0-9_.-]+", !name.is_empty() && name.chars().all(legal));
        }
    }

    /// # Errors
    /// `ValidationException` with every violation.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.found.len() {
            0 => Ok(()),
            n => Err(Error::Validation(format!(
                "{n} validation error{} detected: {}",
                if n == 1 { "" } else { "s" },
                self.found.join("; ")
            ))),
        }
    }
}

/// The name of a request that names a stream and constrains nothing else.
///
/// # Errors
/// `ValidationException`.
pub(crate) fn name(name: Option<String>) -> Result<String, Error> {
    let mut violations = Violations::default();
    violations.name(name.as_ref());
    violations.finish()?;
    Ok(name.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_is_told_in_one_sentence() {
        let mut violations = Violations::default();
        violations.range("a", 0, (1, 5));
        let one = "1 validation error detected: Value at 'a' failed to satisfy constraint: Member must have value \
                   greater than or equal to 1";
        assert_eq!(violations.finish().unwrap_err().to_string(), one);

        let mut violations = Violations::default();
        violations.range("a", 6, (1, 5));
        violations.length("b", 9, 1, 8);
        violations.length("b", 0, 1, 8);
        violations.one_of("c", "x", &["P", "Q"]);
        violations.required::<u8>("d", None);
        let all = "5 validation errors detected: \
            Value at 'a' failed to satisfy constraint: Member must have value less than or equal to 5; \
            Value at 'b' failed to satisfy constraint: Member must have length less than or equal to 8; \
            Value at 'b' failed to satisfy constraint: Member must have length greater than or equal to 1; \
            Value at 'c' failed to satisfy constraint: Member must satisfy enum value set: [P, Q]; \
            Value at 'd' failed to satisfy constraint: Member must not be null";
        assert_eq!(violations.finish().unwrap_err().to_string(), all);
    }

    #[test]
    fn a_name_has_letters_digits_and_three_signs() {
        for good in ["iot.kinesis", "iot_boto3", "A-1", &"x".repeat(64)] {
            assert_eq!(name(Some(good.to_owned())).unwrap(), good);
        }
        for bad in [None, Some(""), Some("a b"), Some("ä"), Some(&*"x".repeat(65))] {
            assert!(matches!(name(bad.map(str::to_owned)), Err(Error::Validation(_))), "{bad:?}");
        }
        assert_eq!(
            name(Some("a/b".to_owned())).unwrap_err().to_string(),
            "1 validation error detected: Value at 'deliveryStreamName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
        );
    }
}
