//! The Data Catalog: databases, tables and partitions, for clients of Glue and, through [`ports::Catalog`], for Athena.
//!
//! 1. Names of databases and tables are kept and answered in lower case.
//! 2. What a client put into a database, table or partition is kept as it came ([`input`]) and answered again member by
//!    member; only what the catalog itself reads of it must have the types of the API model.
//! 3. The database `default` is always there.
//! 4. A change reads, checks and commits while it holds [`Glue::changing`], and its commit checks that what it read is
//!    unchanged, so that no table outlives its database and no partition its table.
//!
//! Differs from AWS: earlier versions of a table are not kept, so GetTableVersions is not there; partition indexes are not
//! there, since every listing of partitions reads them in order of their values.

mod catalog;
mod database;
mod error;
mod expression;
mod input;
mod limits;
mod names;
mod ops;
mod partition;
mod port;
mod table;
mod tagged;

use std::sync::Arc;

use kernel::Clock;
use store::MetaStore;
use wire::{Descriptor, Protocol};

use crate::database::Database;
pub use crate::error::Error;
pub use crate::ops::OPERATIONS;
use crate::partition::Partition;
use crate::table::Table;

/// Glue: <https://docs.aws.amazon.com/glue/latest/webapi/WebAPI_Welcome.html>
pub static DESCRIPTOR: Descriptor = Descriptor {
    signing_name: "glue",
    protocols: &[Protocol::Json { version: "1.1", target_prefix: "AWSGlue" }],
    validation_code: "InvalidInputException",
};

/// The Data Catalog of every account and region of the node. It keeps nothing in memory, so there is nothing to recover.
pub struct Glue {
    clock: Arc<dyn Clock>,
    databases: store::Table<Database>,
    tables: store::Table<Table>,
    partitions: store::Table<Partition>,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Glue {
    /// The catalog kept in this store.
    pub fn new(meta: &Arc<dyn MetaStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            databases: store::Table::new(Arc::clone(meta)),
            tables: store::Table::new(Arc::clone(meta)),
            partitions: store::Table::new(Arc::clone(meta)),
            changing: tokio::sync::Mutex::new(()),
        }
    }
}
