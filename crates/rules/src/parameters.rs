//! Reading an action's parameters when a rule is created: what they must be, and AWS's sentence for what they are not.

use iotsql::{Statement, Template};
use kernel::{Arn, ErrorKind};
use ports::PortError;
use serde_json::{Map, Value};

/// What is wrong with a rule: the text of an `InvalidRequestException`.
#[derive(Debug)]
pub(crate) struct Invalid(String);

impl Invalid {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A violation of the API model, in the words of AWS's validator.
    pub(crate) fn constraint(value: &str, path: &str, constraint: &str) -> Self {
        Self(format!(
            "1 validation error detected: Value {value} at '{path}' failed to satisfy constraint: {constraint}"
        ))
    }
}

impl From<Invalid> for PortError {
    fn from(Invalid(sentence): Invalid) -> Self {
        PortError::new(ErrorKind::Invalid, "InvalidRequestException", sentence)
    }
}

/// The members of one action, or of a structure within.
pub(crate) struct Parameters<'a> {
    path: String,
    members: &'a Map<String, Value>,
    statement: &'a Statement,
}

impl<'a> Parameters<'a> {
    /// # Errors
    /// `value` is no structure.
    pub(crate) fn new(path: String, value: &'a Value, statement: &'a Statement) -> Result<Self, Invalid> {
        match value {
            Value::Object(members) => Ok(Self { path, members, statement }),
            _ => Err(Invalid::new(format!("'{path}' must be a structure."))),
        }
    }

    pub(crate) fn statement(&self) -> &'a Statement {
        self.statement
    }

    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// A member; null counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Invalid> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Invalid::new(format!("'{}' must be a string.", self.path(name)))),
        }
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<&'a str, Invalid> {
        self.text(name)?
            .ok_or_else(|| Invalid::constraint("null", &self.path(name), "Member must not be null"))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Invalid> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Invalid::new(format!("'{}' must be a boolean.", self.path(name)))),
        }
    }

    /// A text with `${…}`.
    pub(crate) fn template(&self, name: &str) -> Result<Option<Template>, Invalid> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match self.statement.parse_template(text) {
            Ok(template) => Ok(Some(template)),
            Err(error) => {
                let path = self.path(name);
                Err(Invalid::new(format!("The substitution template in '{path}' is invalid: {error}")))
            }
        }
    }

    /// A text with `${…}` that is not empty, with the text itself.
    pub(crate) fn required_template(&self, name: &str) -> Result<(Template, &'a str), Invalid> {
        let text = self.required_text(name)?;
        match self.template(name)? {
            Some(template) if !text.is_empty() => Ok((template, text)),
            _ => {
                let constraint = "Member must have length greater than or equal to 1";
                Err(Invalid::constraint("''", &self.path(name), constraint))
            }
        }
    }

    /// `roleArn`, of whatever account: AWS's own examples have ten digits.
    pub(crate) fn role(&self) -> Result<Arn, Invalid> {
        let text = self.required_text("roleArn")?;
        let role = text.parse::<Arn>().ok();
        role.filter(|role| role.service() == "iam" && role.resource().starts_with("role/")).ok_or_else(|| {
            let shown: String = text.chars().take(256).collect();
            Invalid::new(format!("Invalid role ARN in '{}': {shown}", self.path("roleArn")))
        })
    }
}
