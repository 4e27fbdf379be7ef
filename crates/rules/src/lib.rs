//! a message in, actions out: AWS IoT's rules engine.
//!
//! ```text
//!   message ─► match ─► evaluate ─┬─► firehose ─► intake log ──────────────┐ awaited
//!              (trie)   (iotsql)  ├─► s3, republish ─► action queue ───────┤ by the publisher
//!                                 └─► a failure, for the error action ─────┘
//!                                                        │
//!                                      pump ─► effect ─► trim; 30 s of failing ─► error action
//! ```
//!
//! `service` holds the parts; `rule_set` knows which rules a topic reaches; `rule` is one of them, compiled; `actions` is the table of
//! what a rule can do; `engine` takes a message in; `entry` and `pump` are the queue.
//!
//! 1. A message is evaluated by all rules it reaches before [`ports::OnMessage`] returns its future, and by the rules as they were
//!    at that moment. Evaluation waits for nothing.
//! 2. The future resolves `Ok` only when every record is in its delivery stream's intake, every other action in the queue, and so is
//!    every failure that an error action is to hear of (A6).
//! 3. It resolves `Err` only when the node could not append. What was durable by then comes again with the repeated message: at
//!    least once.
//! 4. Records are put before the queue is appended to, so that one entry tells the error action of all that failed.
//! 5. The error action runs once per rule and message, after all actions of that rule have ended, and never because of a statement.
//!    If it fails, that is counted and logged, and nothing more.
//! 6. A message that rules have republished `HOPS_MAX` times is not republished again: a loop ends.
//! 7. Every action is carried out as the role that it names, assumed at that moment; what the role may not is a failure.
//! 8. The path of a message reads no MetaStore (A9): rules are a snapshot, compiled when they change and not when they are used.
//!
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-rules.html>
//!
//! Differs from AWS: of its actions there are `firehose`, `republish` and `s3`; a rule with another is refused.
//! Differs from AWS: a rule is in force for the next message, not within minutes.

mod acting;
mod actions;
mod engine;
mod entry;
mod error_document;
mod limits;
mod log_limit;
mod metrics;
mod origin;
mod outside;
mod parameters;
mod properties;
mod pump;
mod rule;
mod rule_set;
mod service;
mod tasks;
#[cfg(test)]
mod testing;

pub use service::{Parts, Rules};
