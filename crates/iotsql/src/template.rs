//! Substitution templates: the `${expression}` in an action's parameters.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-substitution-templates.html>. An expression
//! sees the message as it came, not what SELECT made of it. `$$` is a `$`, so that a republish action can
//! name a reserved topic.

use crate::ast::Expr;
use crate::eval::{Budget, Scope};
use crate::limits::TEXT_BYTES_MAX;
use crate::{Error, Failure, Message, Problem, SqlVersion, Variables, convert, parser};
use std::borrow::Cow;

/// A parsed template.
#[derive(Debug, PartialEq)]
pub struct Template {
    parts: Parts,
    version: SqlVersion,
}

#[derive(Debug, PartialEq)]
enum Parts {
    Constant(String),
    /// An expression, then the text up to the next one.
    Mixed(String, Vec<(Expr, String)>),
}

impl Template {
    /// A template of a rule without SET variables.
    ///
    /// # Errors
    /// A `${` is not closed, or what it encloses is not an expression.
    pub fn parse(text: &str, version: SqlVersion) -> Result<Template, Error> {
        Template::with_variables(text, version, &[])
    }

    /// The whole text, if it is the same for every message.
    pub fn constant(&self) -> Option<&str> {
        match &self.parts {
            Parts::Constant(text) => Some(text),
            Parts::Mixed(..) => None,
        }
    }

    /// The text for one message; `variables` are those of its [`Output`](crate::Output). What is Undefined
    /// is empty.
    ///
    /// # Errors
    /// [`Failure::TooMuchWork`].
    pub fn render(&self, message: &Message<'_>, variables: &Variables) -> Result<Cow<'_, str>, Failure> {
        let (first, rest) = match &self.parts {
            Parts::Constant(text) => return Ok(Cow::Borrowed(text)),
            Parts::Mixed(first, rest) => (first, rest),
        };
        let budget = Budget::new();
        let scope = Scope::new(message, self.version, &variables.0, &budget);
        let mut rendered = first.clone();
        for (expr, text) in rest {
            let value = scope.eval(expr);
            let value = convert::to_text(&value, self.version).unwrap_or_default();
            if !budget.spend(value.len()) {
                break;
            }
            rendered.push_str(&value);
            rendered.push_str(text);
        }
        if budget.is_spent() { Err(Failure::TooMuchWork) } else { Ok(Cow::Owned(rendered)) }
    }

    pub(crate) fn with_variables(
        text: &str,
        version: SqlVersion,
        variables: &[String],
    ) -> Result<Template, Error> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Error::new(text, 0..text.len(), Problem::TooLong));
        }
        let mut first = None;
        let mut rest: Vec<(Expr, String)> = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(after) = text.get(at..).filter(|after| !after.is_empty()) {
            let dollar = after.find('$').unwrap_or(after.len());
            let (plain, special) = after.split_at(dollar);
            literal.push_str(plain);
            at += dollar;
            if special.starts_with("${") {
                let (expr, end) = parser::parse_template_expr(text, at + 2, version, variables)?;
                close(&mut first, &mut rest, std::mem::take(&mut literal));
                rest.push((expr, String::new()));
                at = end;
            } else if special.starts_with('$') {
                literal.push('$');
                at += if special.starts_with("$$") { 2 } else { 1 };
            }
        }
        let parts = if rest.is_empty() {
            Parts::Constant(literal)
        } else {
            close(&mut first, &mut rest, literal);
            Parts::Mixed(first.unwrap_or_default(), rest)
        };
        Ok(Template { parts, version })
    }
}

/// Ends a run of text, which belongs to the expression before it if there is one.
fn close(first: &mut Option<String>, rest: &mut [(Expr, String)], literal: String) {
    match rest.last_mut() {
        Some((_, text)) => *text = literal,
        None => *first = Some(literal),
    }
}
