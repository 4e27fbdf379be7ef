//! What Athena says when a query cannot be planned or run, and DataFusion's errors turned into that.
//!
//! A message is `CODE: [line L:C: ]sentence`, the form of GetQueryExecution's `StateChangeReason`.

use std::fmt;

use datafusion::arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError};
use kernel::ErrorKind;
use ports::PortError;

use crate::types::trino_name;

/// Line and column of a name in the statement's text; both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl Place {
    /// Where a token begins, if the parser knows.
    pub(crate) fn of(span: sqlparser::tokenizer::Span) -> Option<Self> {
        Some(Self { line: span.start.line, column: span.start.column }).filter(|place| place.line > 0)
    }
}

/// A failure in Athena's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueryError {
    pub(crate) kind: ErrorKind,
    pub(crate) code: &'static str,
    pub(crate) place: Option<Place>,
    pub(crate) sentence: String,
}

impl QueryError {
    /// The user's mistake, somewhere in the statement or its data.
    pub(crate) fn user(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Invalid, code, place: None, sentence: sentence.into() }
    }

    /// The same at a place in the statement.
    pub(crate) fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// Something Athena has and this engine does not.
    pub(crate) fn not_supported(sentence: impl Into<String>) -> Self {
        Self::user("NOT_SUPPORTED", sentence)
    }

    /// A function was given a value it has no answer for.
    pub(crate) fn argument(sentence: impl Into<String>) -> Self {
        Self::user("INVALID_FUNCTION_ARGUMENT", sentence)
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code)?;
        if let Some(place) = self.place {
            write!(f, "line {}:{}: ", place.line, place.column)?;
        }
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for QueryError {}

impl From<QueryError> for DataFusionError {
    fn from(error: QueryError) -> Self {
        Self::External(Box::new(error))
    }
}

impl From<QueryError> for ArrowError {
    fn from(error: QueryError) -> Self {
        Self::ExternalError(Box::new(error))
    }
}

impl From<QueryError> for PortError {
    fn from(error: QueryError) -> Self {
        Self::new(error.kind, error.code, error.to_string())
    }
}

/// A [`PortError`] on its way through DataFusion.
#[derive(Debug)]
pub(crate) struct Carried(pub(crate) PortError);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Carried {}

impl From<Carried> for DataFusionError {
    fn from(error: Carried) -> Self {
        Self::External(Box::new(error))
    }
}

/// What a client is told about a failure inside DataFusion.
pub(crate) fn to_port(error: DataFusionError) -> PortError {
    match error {
        DataFusionError::Context(_, inner) => to_port(*inner),
        DataFusionError::Diagnostic(diagnostic, inner) => {
            let place = diagnostic.span.as_ref().and_then(place_of);
            placed(to_port(*inner), place)
        }
        DataFusionError::Collection(mut errors) if !errors.is_empty() => to_port(errors.swap_remove(0)),
        DataFusionError::Shared(shared) => match std::sync::Arc::try_unwrap(shared) {
            Ok(inner) => to_port(inner),
            Err(shared) => borrowed(&shared),
        },
        DataFusionError::External(inner) => external(inner),
        DataFusionError::ArrowError(inner, _) => match *inner {
            ArrowError::ExternalError(inner) => external(inner),
            inner => classify(&DataFusionError::ArrowError(Box::new(inner), None)),
        },
        error => classify(&error),
    }
}

/// The same error at a place, if it is the user's and has none.
pub(crate) fn placed(mut error: PortError, place: Option<Place>) -> PortError {
    let Some(Place { line, column }) = place else { return error };
    if error.kind == ErrorKind::Invalid
        && let Some(sentence) = error.message.strip_prefix(&format!("{}: ", error.code))
        && !sentence.starts_with("line ")
    {
        error.message = format!("{}: line {line}:{column}: {sentence}", error.code);
    }
    error
}

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

fn external(inner: BoxedError) -> PortError {
    let inner = match inner.downcast::<QueryError>() {
        Ok(error) => return (*error).into(),
        Err(inner) => inner,
    };
    let inner = match inner.downcast::<Carried>() {
        Ok(carried) => return carried.0,
        Err(inner) => inner,
    };
    match inner.downcast::<DataFusionError>() {
        Ok(error) => to_port(*error),
        Err(inner) => PortError::internal(inner),
    }
}

/// An error that others hold too: what it says survives, its source does not.
fn borrowed(error: &DataFusionError) -> PortError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => borrowed(inner),
        DataFusionError::Shared(inner) => borrowed(inner),
        DataFusionError::External(inner) => {
            if let Some(error) = inner.downcast_ref::<QueryError>() {
                return error.clone().into();
            }
            match inner.downcast_ref::<Carried>() {
                Some(Carried(error)) => PortError::new(error.kind, error.code.clone(), error.message.clone()),
                None => PortError::internal(inner.to_string()),
            }
        }
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::ExternalError(inner) => match inner.downcast_ref::<QueryError>() {
                Some(error) => error.clone().into(),
                None => PortError::internal(inner.to_string()),
            },
            _ => classify(error),
        },
        error => classify(error),
    }
}

fn classify(error: &DataFusionError) -> PortError {
    match error {
        DataFusionError::SchemaError(schema, _) => schema_error(schema).into(),
        DataFusionError::ArrowError(arrow, _) => arrow_error(arrow),
        DataFusionError::Plan(text) => plan_error(text).into(),
        DataFusionError::SQL(parser, _) => QueryError::user("SYNTAX_ERROR", parser.to_string()).into(),
        DataFusionError::NotImplemented(text) => QueryError::not_supported(text.clone()).into(),
        DataFusionError::ResourcesExhausted(text) => {
            let mut error: PortError = QueryError::user(
                "EXCEEDED_LOCAL_MEMORY_LIMIT",
                "Query exhausted resources at this scale factor",
            )
            .into();
            error.kind = ErrorKind::TooLarge;
            error.source = Some(text.clone().into());
            error
        }
        DataFusionError::Execution(text) => QueryError::user("GENERIC_USER_ERROR", text.clone()).into(),
        other => PortError::internal(other.to_string()),
    }
}

fn schema_error(error: &SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound { field, .. } => column_not_found(field),
        SchemaError::AmbiguousReference { field } => {
            let place = field.spans.0.first().and_then(place_of);
            QueryError::user("AMBIGUOUS_NAME", format!("Column '{}' is ambiguous", field.name)).at(place)
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            QueryError::user("AMBIGUOUS_NAME", format!("Column '{name}' is ambiguous"))
        }
    }
}

fn column_not_found(column: &datafusion::common::Column) -> QueryError {
    let place = column.spans.0.first().and_then(place_of);
    let name = match &column.relation {
        Some(relation) => format!("{}.{}", relation.table(), column.name),
        None => column.name.clone(),
    };
    let sentence = format!(
        "Column '{name}' cannot be resolved or requester is not authorized to access requested resources"
    );
    QueryError::user("COLUMN_NOT_FOUND", sentence).at(place)
}

fn place_of(span: &datafusion::common::Span) -> Option<Place> {
    Some(Place { line: span.start.line, column: span.start.column }).filter(|place| place.line > 0)
}

fn arrow_error(error: &ArrowError) -> PortError {
    match error {
        ArrowError::DivideByZero => QueryError::user("DIVISION_BY_ZERO", "Division by zero").into(),
        ArrowError::ArithmeticOverflow(text) => {
            QueryError::user("NUMERIC_VALUE_OUT_OF_RANGE", text.clone()).into()
        }
        ArrowError::CastError(text) | ArrowError::ParseError(text) => {
            QueryError::user("INVALID_CAST_ARGUMENT", text.clone()).into()
        }
        ArrowError::ComputeError(text) | ArrowError::InvalidArgumentError(text) => {
            QueryError::user("GENERIC_USER_ERROR", text.clone()).into()
        }
        other => PortError::internal(other.to_string()),
    }
}

/// DataFusion's planner has one variant for every mistake; its sentence says which.
fn plan_error(text: &str) -> QueryError {
    let ungrouped =
        text.contains("must appear in the GROUP BY clause") || text.contains("must be in GROUP BY");
    if ungrouped && let Some(column) = text.split('"').nth(1) {
        let column = column.rsplit('.').next().unwrap_or(column);
        let sentence = format!("'{column}' must be an aggregate expression or appear in GROUP BY clause");
        return QueryError::user("EXPRESSION_NOT_AGGREGATE", sentence);
    }
    if let Some(error) = refused_arguments(text) {
        return error;
    }
    let sentence = text.split("\n").next().unwrap_or(text).trim_end_matches(". Did you mean ");
    QueryError::user("SYNTAX_ERROR", sentence)
}

/// A function that takes no such arguments. Ours has said so itself, within the planner's sentence.
fn refused_arguments(text: &str) -> Option<QueryError> {
    let (before, after) = text.split_once("No function matches the given name and argument types '")?;
    if let Some((_, own)) = before.split_once("External error: FUNCTION_NOT_FOUND: ") {
        return Some(QueryError::user("FUNCTION_NOT_FOUND", own.trim_end().trim_end_matches('.')));
    }
    let (name, types) = after.split('\'').next()?.split_once('(')?;
    let types: Vec<String> = types
        .trim_end_matches(')')
        .split(", ")
        .filter(|ty| !ty.is_empty())
        .map(|ty| ty.parse().map_or_else(|_| ty.to_lowercase(), |ty| trino_name(&ty)))
        .collect();
    let name = crate::functions::trino_function(name);
    let sentence = format!("Unexpected parameters ({}) for function {name}", types.join(", "));
    Some(QueryError::user("FUNCTION_NOT_FOUND", sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_code_place_sentence() {
        let error = QueryError::user("TABLE_NOT_FOUND", "Table 't' does not exist")
            .at(Some(Place { line: 1, column: 15 }));
        assert_eq!(error.to_string(), "TABLE_NOT_FOUND: line 1:15: Table 't' does not exist");
    }

    #[test]
    fn our_own_error_survives_every_wrapping() {
        let inner: DataFusionError = QueryError::user("DIVISION_BY_ZERO", "Division by zero").into();
        let shared = std::sync::Arc::new(inner.context("somewhere"));
        let other_holder = std::sync::Arc::clone(&shared);
        let error = to_port(DataFusionError::Shared(shared));
        assert_eq!((error.code.as_str(), error.kind), ("DIVISION_BY_ZERO", ErrorKind::Invalid));
        drop(other_holder);
        let arrow: ArrowError = QueryError::user("A", "b").into();
        assert_eq!(to_port(DataFusionError::ArrowError(Box::new(arrow), None)).message, "A: b");
    }

    #[test]
    fn exhausted_memory_is_athenas_sentence() {
        let error = to_port(DataFusionError::ResourcesExhausted("pool".to_owned()));
        assert_eq!(
            error.message,
            "EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor"
        );
    }
}
