//! A rule's statement: parsed once, evaluated for every message.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-reference.html>

use crate::ast::Select;
use crate::eval::{Budget, Projected, Scope};
use crate::limits::{VARIABLES_BYTES_MAX, WORK_MAX};
use crate::{Error, Message, SqlVersion, Template, Value, json, parser};
use bytes::Bytes;
use std::fmt::{self, Display, Formatter};

/// A parsed statement. `Display` prints it in a form that parses to the same statement.
#[derive(Debug, PartialEq)]
pub struct Statement {
    select: Select,
    version: SqlVersion,
}

/// What a statement makes of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// WHERE was false or Undefined: the rule has nothing to do with this message.
    NoMatch,
    Output(Output),
    /// No action runs; AWS logs this and does not call the error action.
    Failed(Failure),
}

/// What the actions of a rule are given.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// JSON, or the payload as it came if that is none. [`Value::from_json`] takes it apart again.
    pub bytes: Bytes,
    /// What SET computed, for the templates of the actions.
    pub variables: Variables,
}

/// The SET variables of one evaluation, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Variables(pub(crate) Vec<Value>);

/// Why a statement gave up on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("evaluating the statement takes more work than one message may cause")]
    TooMuchWork,
    #[error("the variables of the statement exceed 128 KiB")]
    VariablesTooLarge,
}

impl Statement {
    /// # Errors
    /// The text is not a statement in this version of the language; the error says why and where.
    pub fn parse(sql: &str, version: SqlVersion) -> Result<Statement, Error> {
        Ok(Statement { select: parser::parse_statement(sql, version)?, version })
    }

    /// The topic filter of FROM; a statement without one is reached by Basic Ingest alone.
    pub fn topic_filter(&self) -> Option<&str> {
        self.select.topic_filter.as_deref()
    }

    pub fn version(&self) -> SqlVersion {
        self.version
    }

    /// A template that may use the variables of this statement.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parse_template(&self, text: &str) -> Result<Template, Error> {
        let names: Vec<String> = self.select.assignments.iter().map(|(name, _)| name.clone()).collect();
        Template::with_variables(text, self.version, &names)
    }

    pub fn evaluate(&self, message: &Message<'_>) -> Outcome {
        let budget = Budget::new();
        let variables = match self.variables(message, &budget) {
            Ok(variables) => variables,
            Err(failure) => return Outcome::Failed(failure),
        };
        let scope = Scope::new(message, self.version, &variables, &budget);
        let matches = scope.holds(self.select.condition.as_ref());
        let bytes = if matches { self.output(&scope) } else { Bytes::new() };
        drop(scope);
        if budget.is_spent() || bytes.len() > WORK_MAX {
            return Outcome::Failed(Failure::TooMuchWork);
        }
        if !matches {
            return Outcome::NoMatch;
        }
        Outcome::Output(Output { bytes, variables: Variables(variables) })
    }

    fn variables(&self, message: &Message<'_>, budget: &Budget) -> Result<Vec<Value>, Failure> {
        let mut variables = Vec::new();
        let mut bytes = 0;
        for (_, expr) in &self.select.assignments {
            let value = Scope::new(message, self.version, &variables, budget).eval(expr).into_owned();
            // Bytes that are no JSON need `encode` before a variable can hold them.
            let value = if matches!(value, Value::Bytes(_)) { Value::Undefined } else { value };
            bytes += value.to_json(self.version).len();
            if bytes > VARIABLES_BYTES_MAX {
                return Err(Failure::VariablesTooLarge);
            }
            variables.push(value);
        }
        Ok(variables)
    }

    fn output<'a>(&'a self, scope: &Scope<'a>) -> Bytes {
        let payload = scope.message.payload;
        let mut out = Vec::new();
        match scope.project(&self.select.projection) {
            _ if scope.budget.is_spent() => {}
            Projected::Value(value) if std::ptr::eq(&*value, payload.value()) && payload.is_verbatim() => {
                return payload.bytes().clone();
            }
            Projected::Value(value) => json::write(&value, self.version, &mut out),
            Projected::Members(members) => {
                out.reserve(payload.bytes().len());
                members.write(self.version, WORK_MAX, &mut out);
            }
        }
        out.into()
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.select.fmt(f)
    }
}
