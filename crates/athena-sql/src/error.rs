//! What Athena says about a statement it cannot run. `Display` is the message a client sees.
//!
//! Athena answers most of these from StartQueryExecution as `InvalidRequestException`.

use std::fmt;

use crate::statement::Class;

/// Where a token begins. Both count from 1; a column is a character, not a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// Why a statement was refused before anything ran.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// Hive's grammar refused it. Hive counts lines from 1 and columns from 0.
    #[error("FAILED: ParseException line {}:{} {message}", position.line, position.column - 1)]
    Hive { position: Position, message: String },
    /// Hive's grammar took it, its meaning is refused.
    #[error("FAILED: SemanticException {message}")]
    HiveSemantic { message: String },
    /// Trino's grammar refused it.
    #[error("line {position}: {message}")]
    Trino { position: Position, message: String },
    /// More than one statement in one query string.
    #[error("Only one sql statement is allowed. Got: {sql}")]
    ManyStatements { sql: String },
    /// A statement Athena has and this version does not run; `class` says which.
    #[error("Queries of this type are not supported")]
    Unsupported { class: Class },
}

impl SyntaxError {
    /// Where, if the error has a place.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Hive { position, .. } | Self::Trino { position, .. } => Some(*position),
            Self::HiveSemantic { .. } | Self::ManyStatements { .. } | Self::Unsupported { .. } => None,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
