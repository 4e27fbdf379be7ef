//! Why a text is not a statement or a template, and where.

use crate::SqlVersion;
use std::ops::Range;

/// A rejected text: what is wrong at which place. `Display` is one sentence for the author of the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at line {line}, column {column}")]
pub struct Error {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// Counted from 1.
    pub line: usize,
    /// Characters from the start of the line, counted from 1.
    pub column: usize,
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("expected {expected} but found {found}")]
    Unexpected { expected: &'static str, found: String },
    #[error("the string is not closed")]
    UnterminatedString,
    #[error("the number {0} is out of range")]
    NumberOutOfRange(String),
    #[error("unknown function {0}")]
    UnknownFunction(String),
    #[error("{name} takes {takes} but was given {given}")]
    Arity { name: &'static str, takes: String, given: usize },
    #[error(
        "unknown type {0}: expected String, Nvarchar, Text, Ntext, Varchar, Int, Integer or Double, or from 2016-03-23 Decimal, Bool or Boolean"
    )]
    UnknownType(String),
    #[error("{feature} needs SQL version {needs}")]
    NeedsVersion { feature: String, needs: SqlVersion },
    #[error(
        "CASE compares one expression with its WHEN values, so an expression must stand between CASE and WHEN"
    )]
    SearchedCase,
    #[error("SELECT VALUE takes exactly one expression")]
    ValueTakesOne,
    #[error("unknown variable @{0}")]
    UnknownVariable(String),
    #[error("variable @{0} is assigned twice")]
    AssignedTwice(String),
    #[error("more than 10 variables are assigned")]
    TooManyVariables,
    #[error("a variable's name is longer than 64 characters")]
    LongVariableName,
    #[error("invalid topic filter: {0}")]
    TopicFilter(&'static str),
    #[error("the text is longer than 128 KB")]
    TooLong,
    #[error("the expression is nested more than 64 levels deep")]
    TooDeep,
    #[error("the substitution template is not closed")]
    UnterminatedTemplate,
}

impl Error {
    pub(crate) fn new(text: &str, span: Range<usize>, problem: Problem) -> Error {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error { span, line, column, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_sentence_with_a_place() {
        let error = Error::new("a\néb", 4..5, Problem::UnterminatedString);
        assert_eq!(error.to_string(), "the string is not closed at line 2, column 2");
    }
}
