//! What the API's model says of members: every violation of a request is told at once, as AWS does.

use crate::Error;

/// The violations of one request.
#[derive(Default)]
pub(crate) struct Violations(Vec<String>);

impl Violations {
    /// The number of items or characters must be within `min..=max`.
    pub(crate) fn length(&mut self, path: &str, length: usize, (min, max): (usize, usize)) {
        if length < min {
            self.add(path, &format!("Member must have length greater than or equal to {min}"));
        }
        if length > max {
            self.add(path, &format!("Member must have length less than or equal to {max}"));
        }
    }

    /// A text's characters must be within `min..=max`.
    pub(crate) fn text(&mut self, path: &str, text: &str, bounds: (usize, usize)) {
        self.length(path, text.chars().count(), bounds);
    }

    /// The number must be within `min..=max`.
    pub(crate) fn range(&mut self, path: &str, value: i64, (min, max): (usize, usize)) {
        if value < i64::try_from(min).unwrap_or(i64::MAX) {
            self.add(path, &format!("Member must have value greater than or equal to {min}"));
        }
        if value > i64::try_from(max).unwrap_or(i64::MAX) {
            self.add(path, &format!("Member must have value less than or equal to {max}"));
        }
    }

    fn add(&mut self, path: &str, constraint: &str) {
        self.0.push(format!("Value at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// # Errors
    /// `InvalidParameterException` that names them all.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.0.len() {
            0 => Ok(()),
            1 => Err(Error::invalid(format!("1 validation error detected: {}", self.0.join("; ")))),
            n => Err(Error::invalid(format!("{n} validation errors detected: {}", self.0.join("; ")))),
        }
    }
}
