//! IAM Access Analyzer's policy generation: a policy of what a user or role used, for clients of AWS's API. What was used is recorded by the
//! node itself and reached through [`ports::AccessAudit`]; this crate keeps the policies that were generated.
//!
//! 1. A generation is done when StartPolicyGeneration answers: the policy is of that moment, and the same whenever it is asked for.
//! 2. Generations are kept for [`limits::KEPT`], and of an account in a region no more than [`limits::GENERATIONS_MAX`]: the oldest go.
//!
//! Differs from AWS: there are no analyzers, findings, archive rules, access previews and policy checks; the record is the node's own, so
//! that no trail is named; and as nothing is ever in progress, CancelPolicyGeneration is not there.

mod error;
mod generation;
mod limits;
mod ops;

use std::sync::Arc;

use kernel::{Clock, Entropy};
use ports::AccessAudit;
use store::{MetaStore, Table};
use wire::{Descriptor, Protocol};

pub use error::Error;
pub use ops::OPERATIONS;

use crate::generation::Generation;

/// Access Analyzer: <https://docs.aws.amazon.com/access-analyzer/latest/APIReference/Welcome.html>
pub static DESCRIPTOR: Descriptor = Descriptor {
    signing_name: "access-analyzer",
    protocols: &[Protocol::RestJson],
    validation_code: "ValidationException",
};

/// The generated policies of every account and region of the node. It keeps nothing in memory, so there is nothing to recover.
pub struct AccessAnalyzer {
    access: Arc<dyn AccessAudit>,
    generations: Table<Generation>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    /// One generation at a time, so that a client's token makes one and the bound holds.
    starting: tokio::sync::Mutex<()>,
}

impl AccessAnalyzer {
    /// Over the record of what was used.
    pub fn new(
        access: Arc<dyn AccessAudit>,
        meta: &Arc<dyn MetaStore>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
    ) -> Self {
        let generations = Table::new(Arc::clone(meta));
        Self { access, generations, clock, entropy, starting: tokio::sync::Mutex::new(()) }
    }
}

#[cfg(test)]
mod testing;
