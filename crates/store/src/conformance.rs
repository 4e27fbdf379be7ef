//! The contract suites: what every form of a store must do, written once and run for each.
//!
//! A suite takes a harness, which holds the store and can crash it, and answers the names of the cases that failed; their
//! panics are printed. Each suite is itself tested with stores that are broken on purpose.

pub mod blob;
pub mod log;
pub mod meta;

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;

/// A case: a name that says what holds, and the work that panics if it does not.
pub type Case<'a> = (&'static str, BoxFuture<'a, ()>);

/// Runs cases one after the other and answers the names of those that failed.
async fn failures(cases: Vec<Case<'_>>) -> Vec<&'static str> {
    let mut failed = Vec::new();
    for (name, case) in cases {
        if AssertUnwindSafe(case).catch_unwind().await.is_err() {
            tracing::error!(name, "a case of the contract failed");
            failed.push(name);
        }
    }
    failed
}
