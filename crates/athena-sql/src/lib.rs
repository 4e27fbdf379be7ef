//! Athena's language without an engine: text in, statement or Athena's own error message out.
//!
//! Athena speaks two languages behind one door. DDL is Hive's ([`ddl`]: hand-written recursive descent,
//! backquoted identifiers, backslash escapes, errors `FAILED: ParseException line 1:7 …` with a column counted
//! from 0). Queries are Trino's (`dml`: double-quoted identifiers, doubled quotes, errors `line 1:8: …` with a
//! column counted from 1), parsed by `sqlparser` behind our own dialect and handed on as its AST. The first
//! words of a statement decide which ([`parse`]).
//!
//! Knows no catalog, no engine and no clock: what a name means is decided by who asks.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html>

pub mod ddl;
mod dml;
mod error;
pub mod hive_type;
mod limits;
pub mod name_pattern;
pub mod quote;
mod statement;
mod tokenizer;

pub use error::{Position, SyntaxError};
pub use hive_type::HiveType;
pub use statement::{Class, Statement, StatementType, parse};
