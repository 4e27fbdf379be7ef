//! Amazon Athena: query lifecycle, workgroups, DDL, results.
//!
//! ```text
//!  StartQueryExecution ─► QUEUED ─► RUNNING ─► SUCCEEDED | FAILED
//!                            └────────┴──────► CANCELLED           (StopQueryExecution, bytes scanned cutoff)
//! ```
//!
//! 1. An execution is durable before its id is answered, and its end before anybody sees it: what is in memory in between is only
//!    how far it is.
//! 2. A result is in its object before the execution has succeeded. Results are read from there, so they outlive the node.
//! 3. An execution that the node's end interrupted has FAILED and may be retried by the client; nothing is begun a second time.
//! 4. Statements of the catalog are carried out here ([`ports::Catalog`]); queries are the engine's ([`ports::Execute`]), which is
//!    stopped by dropping it.
//! 5. What waits, what runs, what is remembered and what is in memory of a result is bounded ([`limits`]).
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/Welcome.html>
//!
//! Differs from AWS: results are never reused; ResultReuseConfiguration is accepted and every query reads its data anew.
//! Differs from AWS: there is one data catalog, `AwsDataCatalog`.
//! Differs from AWS: prepared statements, capacity reservations, notebooks and sessions are not there.

mod column_metadata;
mod constraint;
mod csv;
mod ddl;
mod error;
mod execution;
mod failure;
mod limits;
mod live;
mod metrics;
mod named_query;
mod ops;
mod parameters;
mod result_configuration;
mod results;
mod run;
mod start;
mod sweep;
mod tagged;
mod tasks;
#[cfg(test)]
mod testing;
mod turns;
mod workgroup;

use std::sync::{Arc, OnceLock};

use kernel::{Clock, Context, Entropy, Metrics, TaskGroup};
use ports::{Catalog, Execute, Objects};
use store::{MetaStore, Table};
use wire::{Descriptor, Protocol};

pub use crate::error::Error;
use crate::execution::{Execution, History, Open, Token};
use crate::live::Registry;
use crate::metrics::Meters;
use crate::named_query::NamedQuery;
pub use crate::ops::OPERATIONS;
use crate::turns::Turns;
use crate::workgroup::WorkGroup;

/// Athena: <https://docs.aws.amazon.com/athena/latest/APIReference/Welcome.html>
pub static DESCRIPTOR: Descriptor = Descriptor {
    signing_name: "athena",
    protocols: &[Protocol::Json { version: "1.1", target_prefix: "AmazonAthena" }],
    validation_code: "InvalidRequestException",
};

/// What the service is built from.
pub struct Parts {
    /// Where executions, named queries and workgroups are kept.
    pub meta: Arc<dyn MetaStore>,
    /// Databases and tables.
    pub catalog: Arc<dyn Catalog>,
    /// Where results go.
    pub objects: Arc<dyn Objects>,
    /// The SQL engine.
    pub execute: Arc<dyn Execute>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Entropy,
    /// Where executions are counted.
    pub metrics: Metrics,
}

/// Athena of every account and region of the node.
pub struct Athena {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) execute: Arc<dyn Execute>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    pub(crate) meters: Meters,
    pub(crate) executions: Table<Execution>,
    pub(crate) history: Table<History>,
    pub(crate) open: Table<Open>,
    pub(crate) tokens: Table<Token>,
    pub(crate) named_queries: Table<NamedQuery>,
    pub(crate) workgroups: Table<WorkGroup>,
    pub(crate) live: Registry,
    /// Turns of queries.
    pub(crate) dml: Arc<Turns>,
    /// Turns of DDL statements.
    pub(crate) ddl: Arc<Turns>,
    pub(crate) tasks: OnceLock<TaskGroup>,
}

impl Athena {
    /// A service on these parts. Nothing is read yet.
    pub fn new(parts: Parts) -> Self {
        let meta = &parts.meta;
        let inner = Inner {
            catalog: parts.catalog,
            objects: parts.objects,
            execute: parts.execute,
            clock: parts.clock,
            entropy: parts.entropy,
            meters: Meters::new(&parts.metrics),
            executions: Table::new(Arc::clone(meta)),
            history: Table::new(Arc::clone(meta)),
            open: Table::new(Arc::clone(meta)),
            tokens: Table::new(Arc::clone(meta)),
            named_queries: Table::new(Arc::clone(meta)),
            workgroups: Table::new(Arc::clone(meta)),
            live: Registry::default(),
            dml: Turns::new(2 * limits::DML_RUNNING_MAX),
            ddl: Turns::new(2 * limits::DDL_RUNNING_MAX),
            tasks: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Ends the executions that the node's last stop interrupted.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn recover(&self) -> Result<(), Error> {
        self.inner.end_interrupted().await
    }

    /// Lets queries run and old ones be forgotten, until the group is cancelled: then what runs is dropped, and the next
    /// [`Athena::recover`] finds it interrupted.
    pub fn start(&self, group: &TaskGroup) {
        let group = self.inner.tasks.get_or_init(|| group.child("athena"));
        sweep::start(&self.inner, group);
    }
}

/// The first parts of every key.
pub(crate) fn scope(cx: &Context) -> [&str; 2] {
    [cx.account.as_str(), cx.region.as_str()]
}
