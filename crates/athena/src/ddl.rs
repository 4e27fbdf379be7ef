//! Statements of the catalog, carried out: names resolved, the catalog asked or changed, lines of text out.
//!
//! What Hive says when it refuses is kept word for word where clients read it.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html>

mod alter;
mod create;
mod partition_spec;
mod repair;
mod show;

use athena_sql::ddl::{Ddl, TableName};
use kernel::{Context, ErrorKind};
use ports::{PortError, Table};

use crate::Inner;
use crate::failure::Failure;

/// What a statement answers.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Names of the columns in which the lines are.
    pub(crate) columns: &'static [&'static str],
    pub(crate) lines: Vec<String>,
}

/// A statement about one database's tables.
pub(super) struct Session<'a> {
    inner: &'a Inner,
    cx: &'a Context,
    /// The database of names without one.
    database: &'a str,
}

const VIEW: &str = "VIRTUAL_VIEW";

/// Carries out a statement.
///
/// # Errors
/// What Hive would say, or what the catalog says.
pub(crate) async fn execute(
    inner: &Inner,
    cx: &Context,
    database: &str,
    statement: &Ddl,
) -> Result<Output, Failure> {
    let session = Session { inner, cx, database };
    match statement {
        Ddl::CreateDatabase(database) => session.create_database(database).await,
        Ddl::DropDatabase { name, if_exists, cascade } => {
            session.drop_database(name, *if_exists, *cascade).await
        }
        Ddl::CreateTable(table) => session.create_table(table).await,
        Ddl::DropTable { name, if_exists } => session.drop_table(name, *if_exists).await,
        Ddl::DropView { name, if_exists } => session.drop_view(name, *if_exists).await,
        Ddl::AlterTable { table, change } => session.alter_table(table, change).await,
        Ddl::RepairTable { table } => session.repair_table(table).await,
        Ddl::ShowDatabases { pattern } => session.show_databases(pattern.as_deref()).await,
        Ddl::ShowTables { database, pattern } => {
            session.show_tables(database.as_deref(), pattern.as_deref()).await
        }
        Ddl::ShowColumns { table } => session.show_columns(table).await,
        Ddl::ShowPartitions { table } => session.show_partitions(table).await,
        Ddl::ShowCreateTable { table } => session.show_create_table(table).await,
        Ddl::ShowTableProperties { table, property } => {
            session.show_table_properties(table, property.as_deref()).await
        }
        Ddl::DescribeTable { table, detail } => session.describe_table(table, *detail).await,
    }
}

impl<'a> Session<'a> {
    fn database_of(&self, name: &'a TableName) -> &'a str {
        name.database.as_deref().unwrap_or(self.database)
    }

    /// The table of a name, if there is one.
    async fn find_table(&self, name: &TableName) -> Result<Option<Table>, Failure> {
        let database = name.database.as_deref().unwrap_or(self.database);
        found(self.inner.catalog.table(self.cx, database, &name.table).await)
    }

    /// # Errors
    /// Hive's sentence when there is none.
    async fn table(&self, name: &TableName) -> Result<Table, Failure> {
        let table = self.find_table(name).await?;
        table.ok_or_else(|| {
            let table = &name.table;
            Failure::ddl(format!("FAILED: SemanticException [Error 10001]: Table not found {table}"))
        })
    }
}

/// None for what is not there.
fn found<T>(answer: Result<T, PortError>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::of_port(&error)),
    }
}

fn no_database(name: &str) -> Failure {
    Failure::ddl(format!("FAILED: SemanticException [Error 10072]: Database does not exist: {name}"))
}

/// What the catalog says to a change, as Hive's task reports it.
fn task_failure(error: &PortError) -> Failure {
    match error.kind {
        ErrorKind::Conflict => {
            Failure::ddl_task(&format!("AlreadyExistsException(message:{})", error.message))
        }
        ErrorKind::NotFound => {
            Failure::ddl_task(&format!("NoSuchObjectException(message:{})", error.message))
        }
        ErrorKind::Invalid | ErrorKind::Denied | ErrorKind::TooLarge => {
            Failure::ddl_task(&format!("MetaException(message:{})", error.message))
        }
        ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Internal => Failure::of_port(error),
    }
}

#[cfg(test)]
mod tests;
