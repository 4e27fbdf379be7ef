//! The SQL engine: for athena and the console.

use std::sync::Arc;

use futures::stream::BoxStream;
use kernel::Context;

use crate::{PortError, PortFuture};

/// A query to run: one SELECT, WITH, VALUES or EXPLAIN.
#[derive(Clone, Debug)]
pub struct QueryRequest {
    /// The text, as the client wrote it: positions in errors refer to it.
    pub sql: String,
    /// The database of unqualified table names.
    pub database: String,
    /// The scan may not read more than this many bytes.
    pub bytes_scanned_max: Option<u64>,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultColumn {
    /// As Athena names it: `_col0` for an expression without alias.
    pub name: String,
    /// Athena's type name: `integer`, `bigint`, `double`, `varchar`, `timestamp`, …
    pub type_name: String,
    /// Digits or characters, as ColumnInfo reports it.
    pub precision: u32,
    /// Digits after the point.
    pub scale: u32,
}

/// What a query has read so far; complete when its rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryStatistics {
    /// Bytes as stored: compressed bytes of objects, plus buffered records.
    pub bytes_scanned: u64,
    /// Objects read.
    pub objects: u64,
    /// Records read from buffers of delivery streams.
    pub buffered_records: u64,
}

/// A row: Athena's text of each value, none for NULL.
pub type Row = Vec<Option<String>>;

/// A running query. Dropping it stops it.
pub struct Running {
    /// The result's columns.
    pub columns: Vec<ResultColumn>,
    /// The rows, in batches.
    pub rows: BoxStream<'static, Result<Vec<Row>, PortError>>,
    /// What has been read so far.
    pub statistics: Arc<dyn Fn() -> QueryStatistics + Send + Sync>,
}

/// The SQL engine. Implemented by `query`.
pub trait Execute: Send + Sync {
    /// Plans a query and starts it.
    ///
    /// # Errors
    /// `Invalid` with Athena's sentence: `COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved …`.
    fn execute<'a>(&'a self, cx: &'a Context, request: QueryRequest) -> PortFuture<'a, Running>;
}
