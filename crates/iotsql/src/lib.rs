//! The AWS IoT SQL language: text → AST → value.
//!
//! A rule's SQL is parsed once into a [`Statement`] and evaluated for every message whose topic matches.
//! An action parameter with `${…}` in it is parsed once into a [`Template`]. Everything ambient, the clock
//! and randomness included, comes in with the [`Message`]; this crate reads no clock, file or socket.
//!
//! In reading order: `lexer` → `parser` → `ast` (what was written) → `eval` (what it means) with `value`,
//! `convert`, `operators` and the table in `functions`. Where AWS does not say what happens, the answer is
//! one function in `open_questions`. The language reference is `reference/*.md`, and it is the test suite.
//!
//! It refuses functions that call other services (`aws_lambda`, `get_dynamodb`, `get_secret`, …): they are
//! not in the table, so a statement that uses one is rejected when the rule is created.
//!
//! Follows <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-reference.html>.
//!
//! Invariants, the first two tested at the bottom of `parser.rs` and the third of `reference.rs`:
//! 1. No text makes the parser panic, and none nests deeper than `limits::DEPTH_MAX`.
//! 2. Printing an AST and parsing it again gives the same AST.
//! 3. No message makes evaluation panic, and none makes it run for longer than `limits::WORK_MAX` allows.

mod ast;
mod convert;
mod error;
mod eval;
mod functions;
mod json;
mod lexer;
pub mod limits;
mod message;
mod open_questions;
mod operators;
mod parser;
mod projection;
#[cfg(test)]
mod reference;
mod statement;
mod template;
mod topic_filter;
mod value;
mod version;

pub use error::{Error, Problem};
pub use message::{Message, MqttProperties, Payload};
pub use statement::{Failure, Outcome, Output, Statement, Variables};
pub use template::Template;
pub use value::{Object, Value};
pub use version::{SqlVersion, UnknownVersion};
