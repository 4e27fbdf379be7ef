//! Hive DDL as Athena speaks it: one statement, from its first word to its last, to an AST.
//!
//! Names of databases, tables, columns and partition keys come out in lower case, as the catalog keeps them;
//! everything in quotes comes out unescaped and otherwise untouched.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html>
//!
//! Differs from AWS: the words of the guide's reserved list that Hive reserves only in its strict mode
//! (`timestamp`, `user`, `date`, …) are accepted as names without backquotes, since AWS's own samples use them
//! so. ALTER TABLE … RENAME PARTITION, SHOW VIEWS and DESCRIBE of a column or partition are not there.

mod alter_table;
mod create_table;
pub(crate) mod cursor;
pub mod storage;

use crate::ddl::cursor::Cursor;
use crate::ddl::storage::{RowFormat, StoredAs};
use crate::error::SyntaxError;
use crate::hive_type::HiveType;
use crate::statement::{Class, StatementType};

/// A DDL or utility statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ddl {
    CreateDatabase(CreateDatabase),
    DropDatabase { name: String, if_exists: bool, cascade: bool },
    CreateTable(Box<CreateTable>),
    DropTable { name: TableName, if_exists: bool },
    DropView { name: TableName, if_exists: bool },
    AlterTable { table: TableName, change: TableChange },
    RepairTable { table: TableName },
    ShowDatabases { pattern: Option<String> },
    ShowTables { database: Option<String>, pattern: Option<String> },
    ShowColumns { table: TableName },
    ShowPartitions { table: TableName },
    ShowCreateTable { table: TableName },
    ShowTableProperties { table: TableName, property: Option<String> },
    DescribeTable { table: TableName, detail: DescribeDetail },
}

/// `[database.]table`; without a database the one of the query's context is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName {
    pub database: Option<String>,
    pub table: String,
}

/// CREATE DATABASE | SCHEMA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateDatabase {
    pub name: String,
    pub if_not_exists: bool,
    pub comment: Option<String>,
    pub location: Option<String>,
    pub properties: Properties,
}

/// CREATE EXTERNAL TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTable {
    pub name: TableName,
    pub if_not_exists: bool,
    /// At least one.
    pub columns: Vec<Column>,
    pub comment: Option<String>,
    pub partition_columns: Vec<Column>,
    pub buckets: Option<Buckets>,
    pub row_format: Option<RowFormat>,
    pub stored_as: Option<StoredAs>,
    /// Optional in the grammar; whether a table may do without is not decided here.
    pub location: Option<String>,
    pub properties: Properties,
}

/// A column or partition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub ty: HiveType,
    pub comment: Option<String>,
}

/// CLUSTERED BY (…) INTO n BUCKETS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    pub columns: Vec<String>,
    pub count: u32,
}

/// Keys and values in the order written; a repeated key is repeated here.
pub type Properties = Vec<(String, String)>;

/// `(year = '2017', month = 8)`: keys in lower case, values as text.
pub type PartitionSpec = Vec<(String, String)>;

/// What ALTER TABLE does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableChange {
    AddPartitions { if_not_exists: bool, partitions: Vec<NewPartition> },
    DropPartitions { if_exists: bool, partitions: Vec<PartitionSpec> },
    SetProperties(Properties),
    AddColumns(Vec<Column>),
    ReplaceColumns(Vec<Column>),
    SetLocation { partition: Option<PartitionSpec>, location: String },
}

/// One PARTITION (…) [LOCATION …] of ALTER TABLE ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPartition {
    pub spec: PartitionSpec,
    pub location: Option<String>,
}

/// How much DESCRIBE tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescribeDetail {
    Columns,
    Extended,
    Formatted,
}

impl Ddl {
    /// The statement's class, as GetQueryExecution reports it.
    pub fn class(&self) -> Class {
        use StatementType::{Ddl, Utility};
        let (statement_type, substatement_type) = match self {
            Self::CreateDatabase(_) => (Ddl, "CREATE_DATABASE"),
            Self::DropDatabase { .. } => (Ddl, "DROP_DATABASE"),
            Self::CreateTable(_) => (Ddl, "CREATE_TABLE"),
            Self::DropTable { .. } => (Ddl, "DROP_TABLE"),
            Self::DropView { .. } => (Ddl, "DROP_VIEW"),
            Self::AlterTable { change, .. } => (Ddl, change.substatement_type()),
            Self::RepairTable { .. } => (Ddl, "MSCK_REPAIR_TABLE"),
            Self::ShowDatabases { .. } => (Utility, "SHOW_DATABASES"),
            Self::ShowTables { .. } => (Utility, "SHOW_TABLES"),
            Self::ShowColumns { .. } => (Utility, "SHOW_COLUMNS"),
            Self::ShowPartitions { .. } => (Utility, "SHOW_PARTITIONS"),
            Self::ShowCreateTable { .. } => (Utility, "SHOW_CREATE_TABLE"),
            Self::ShowTableProperties { .. } => (Utility, "SHOW_TBLPROPERTIES"),
            Self::DescribeTable { .. } => (Utility, "DESCRIBE_TABLE"),
        };
        Class { statement_type, substatement_type }
    }
}

impl TableChange {
    fn substatement_type(&self) -> &'static str {
        match self {
            Self::AddPartitions { .. } => "ALTER_TABLE_ADD_PARTITION",
            Self::DropPartitions { .. } => "ALTER_TABLE_DROP_PARTITION",
            Self::SetProperties(_) => "ALTER_TABLE_SET_TBLPROPERTIES",
            Self::AddColumns(_) => "ALTER_TABLE_ADD_COLUMNS",
            Self::ReplaceColumns(_) => "ALTER_TABLE_REPLACE_COLUMNS",
            Self::SetLocation { .. } => "ALTER_TABLE_SET_LOCATION",
        }
    }
}

/// Reads the one statement in `sql`, with or without a semicolon after it.
///
/// # Errors
/// Hive's, or [`SyntaxError::ManyStatements`].
pub(crate) fn parse(sql: &str) -> Result<Ddl, SyntaxError> {
    let mut cursor = Cursor::new(sql)?;
    cursor.one_statement(sql)?;
    let ddl = statement(&mut cursor)?;
    cursor.end()?;
    Ok(ddl)
}

fn statement(cursor: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    let start = cursor.mark();
    if cursor.eat_word("CREATE") {
        if cursor.eat_word("EXTERNAL") {
            return create_table::parse(cursor).map(|table| Ddl::CreateTable(Box::new(table)));
        }
        if cursor.eat_word("DATABASE") || cursor.eat_word("SCHEMA") {
            return create_database(cursor).map(Ddl::CreateDatabase);
        }
    } else if cursor.eat_word("DROP") {
        if let Some(ddl) = drop(cursor)? {
            return Ok(ddl);
        }
    } else if cursor.eat_word("ALTER") {
        cursor.expect_word("TABLE", "alter table statement")?;
        let table = cursor.table_name()?;
        let change = alter_table::parse(cursor)?;
        return Ok(Ddl::AlterTable { table, change });
    } else if cursor.eat_word("MSCK") {
        cursor.expect_word("REPAIR", "metastore check statement")?;
        cursor.expect_word("TABLE", "metastore check statement")?;
        return Ok(Ddl::RepairTable { table: cursor.table_name()? });
    } else if cursor.eat_word("SHOW") {
        if let Some(ddl) = show(cursor)? {
            return Ok(ddl);
        }
    } else if cursor.eat_word("DESCRIBE") || cursor.eat_word("DESC") {
        return describe(cursor);
    }
    cursor.back_to(start);
    Err(cursor.no_viable("ddl statement"))
}

fn create_database(cursor: &mut Cursor<'_>) -> Result<CreateDatabase, SyntaxError> {
    let if_not_exists = cursor.if_not_exists("create database statement")?;
    let name = cursor.identifier("create database statement")?;
    let comment = cursor.comment()?;
    let location = cursor.location()?;
    let properties = if cursor.eat_word("WITH") {
        cursor.expect_word("DBPROPERTIES", "create database statement")?;
        cursor.properties("database properties")?
    } else {
        Properties::new()
    };
    Ok(CreateDatabase { name, if_not_exists, comment, location, properties })
}

fn drop(cursor: &mut Cursor<'_>) -> Result<Option<Ddl>, SyntaxError> {
    if cursor.eat_word("DATABASE") || cursor.eat_word("SCHEMA") {
        let if_exists = cursor.if_exists("drop database statement")?;
        let name = cursor.identifier("drop database statement")?;
        let cascade = cursor.eat_word("CASCADE");
        if !cascade {
            cursor.eat_word("RESTRICT");
        }
        return Ok(Some(Ddl::DropDatabase { name, if_exists, cascade }));
    }
    if cursor.eat_word("TABLE") {
        let if_exists = cursor.if_exists("drop table statement")?;
        return Ok(Some(Ddl::DropTable { name: cursor.table_name()?, if_exists }));
    }
    if cursor.eat_word("VIEW") {
        let if_exists = cursor.if_exists("drop view statement")?;
        return Ok(Some(Ddl::DropView { name: cursor.table_name()?, if_exists }));
    }
    Ok(None)
}

fn show(cursor: &mut Cursor<'_>) -> Result<Option<Ddl>, SyntaxError> {
    if cursor.eat_word("DATABASES") || cursor.eat_word("SCHEMAS") {
        let pattern = if cursor.eat_word("LIKE") {
            Some(cursor.string("show statement")?)
        } else {
            cursor.optional_string()
        };
        return Ok(Some(Ddl::ShowDatabases { pattern }));
    }
    if cursor.eat_word("TABLES") {
        let named = cursor.eat_word("IN") || cursor.eat_word("FROM");
        let database = if named { Some(cursor.identifier("show statement")?) } else { None };
        let pattern = if cursor.eat_word("LIKE") {
            Some(cursor.string("show statement")?)
        } else {
            cursor.optional_string()
        };
        return Ok(Some(Ddl::ShowTables { database, pattern }));
    }
    if cursor.eat_word("COLUMNS") {
        return show_columns(cursor).map(Some);
    }
    if cursor.eat_word("PARTITIONS") {
        return Ok(Some(Ddl::ShowPartitions { table: cursor.table_name()? }));
    }
    if cursor.eat_word("CREATE") {
        cursor.expect_word("TABLE", "show statement")?;
        return Ok(Some(Ddl::ShowCreateTable { table: cursor.table_name()? }));
    }
    if cursor.eat_word("TBLPROPERTIES") {
        let table = cursor.table_name()?;
        let property = if cursor.eat_symbol('(') {
            let name = cursor.string("show statement")?;
            cursor.expect_symbol(')', "show statement")?;
            Some(name)
        } else {
            None
        };
        return Ok(Some(Ddl::ShowTableProperties { table, property }));
    }
    Ok(None)
}

/// `SHOW COLUMNS {FROM|IN} [database.]table` or `SHOW COLUMNS {FROM|IN} table {FROM|IN} database`.
fn show_columns(cursor: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    if !cursor.eat_word("IN") {
        cursor.expect_word("FROM", "show statement")?;
    }
    let mut table = cursor.table_name()?;
    if cursor.eat_word("IN") || cursor.eat_word("FROM") {
        table.database = Some(cursor.identifier("show statement")?);
    }
    Ok(Ddl::ShowColumns { table })
}

fn describe(cursor: &mut Cursor<'_>) -> Result<Ddl, SyntaxError> {
    let detail = if cursor.eat_word("EXTENDED") {
        DescribeDetail::Extended
    } else if cursor.eat_word("FORMATTED") {
        DescribeDetail::Formatted
    } else {
        DescribeDetail::Columns
    };
    Ok(Ddl::DescribeTable { table: cursor.table_name()?, detail })
}

#[cfg(test)]
mod tests;
