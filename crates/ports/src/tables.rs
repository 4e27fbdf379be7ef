//! The Data Catalog: for athena and query.

use kernel::{Context, Timestamp};

use crate::PortFuture;

/// A database of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Lower case.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Where tables without a location would go.
    pub location: Option<String>,
    /// Key and value pairs.
    pub parameters: Vec<(String, String)>,
}

/// A column: name in lower case, Hive type text (`int`, `array<string>`), comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Lower case.
    pub name: String,
    /// Hive type text.
    pub hive_type: String,
    /// Free text.
    pub comment: Option<String>,
}

/// How and where rows are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// `s3://bucket/prefix/`.
    pub location: String,
    /// Java class of the input format.
    pub input_format: Option<String>,
    /// Java class of the output format.
    pub output_format: Option<String>,
    /// Java class of the SerDe: `org.apache.hive.hcatalog.data.JsonSerDe`.
    pub serde: Option<String>,
    /// The SerDe's properties: `ignore.malformed.json`.
    pub serde_parameters: Vec<(String, String)>,
}

/// A table of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Database name, lower case.
    pub database: String,
    /// Lower case.
    pub name: String,
    /// `EXTERNAL_TABLE` or `VIRTUAL_VIEW`.
    pub table_type: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Columns in order, without partition keys.
    pub columns: Vec<Column>,
    /// Partition keys in order.
    pub partition_keys: Vec<Column>,
    /// How and where rows are stored.
    pub storage: Storage,
    /// Key and value pairs: TBLPROPERTIES.
    pub parameters: Vec<(String, String)>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A partition of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// One value per partition key, in order.
    pub values: Vec<String>,
    /// How and where its rows are stored.
    pub storage: Storage,
}

/// The Data Catalog. Implemented by `glue`.
pub trait Catalog: Send + Sync {
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn database<'a>(&'a self, cx: &'a Context, name: &'a str) -> PortFuture<'a, Database>;

    /// Every database, ordered by name.
    fn databases<'a>(&'a self, cx: &'a Context) -> PortFuture<'a, Vec<Database>>;

    /// # Errors
    /// `Conflict` (`AlreadyExistsException`), `Invalid`.
    fn create_database<'a>(&'a self, cx: &'a Context, database: Database) -> PortFuture<'a, ()>;

    /// Removes a database with everything in it.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn drop_database<'a>(&'a self, cx: &'a Context, name: &'a str) -> PortFuture<'a, ()>;

    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn table<'a>(&'a self, cx: &'a Context, database: &'a str, name: &'a str) -> PortFuture<'a, Table>;

    /// Every table of a database, ordered by name.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`) when there is no such database.
    fn tables<'a>(&'a self, cx: &'a Context, database: &'a str) -> PortFuture<'a, Vec<Table>>;

    /// # Errors
    /// `Conflict` (`AlreadyExistsException`), `NotFound` (no such database), `Invalid`.
    fn create_table<'a>(&'a self, cx: &'a Context, table: Table) -> PortFuture<'a, ()>;

    /// Replaces a table's description, columns, storage and parameters.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn update_table<'a>(&'a self, cx: &'a Context, table: Table) -> PortFuture<'a, ()>;

    /// Removes a table and its partitions; the objects stay.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn drop_table<'a>(&'a self, cx: &'a Context, database: &'a str, name: &'a str) -> PortFuture<'a, ()>;

    /// Every partition of a table, ordered by values.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn partitions<'a>(
        &'a self,
        cx: &'a Context,
        database: &'a str,
        table: &'a str,
    ) -> PortFuture<'a, Vec<Partition>>;

    /// Adds partitions; those that exist are skipped if `if_not_exists`, an error otherwise.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` (`AlreadyExistsException`).
    fn add_partitions<'a>(
        &'a self,
        cx: &'a Context,
        database: &'a str,
        table: &'a str,
        partitions: Vec<Partition>,
        existing: Existing,
    ) -> PortFuture<'a, ()>;

    /// Removes one partition.
    ///
    /// # Errors
    /// `NotFound` (`EntityNotFoundException`).
    fn drop_partition<'a>(
        &'a self,
        cx: &'a Context,
        database: &'a str,
        table: &'a str,
        values: &'a [String],
    ) -> PortFuture<'a, ()>;
}

/// What to do about a thing that exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is an error.
    Refuse,
    /// It stays as it is.
    Keep,
}
