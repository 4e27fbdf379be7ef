//! SHOW and DESCRIBE: the catalog as text, in the lines clients take apart.

use athena_sql::ddl::{DescribeDetail, TableName};
use athena_sql::{name_pattern, quote};
use ports::{Column, Table};

use super::{Output, Session, VIEW, found, no_database, partition_spec, task_failure};
use crate::failure::Failure;

/// Hive pads what it describes to this width.
const WIDTH: usize = 20;

const BLANK: &str = "\t \t ";

impl Session<'_> {
    pub(super) async fn show_databases(&self, pattern: Option<&str>) -> Result<Output, Failure> {
        let databases = self.inner.catalog.databases(self.cx).await.map_err(|error| task_failure(&error))?;
        let names = databases.into_iter().map(|database| database.name);
        Ok(Output { columns: &["database_name"], lines: matching(names, pattern) })
    }

    pub(super) async fn show_tables(
        &self,
        database: Option<&str>,
        pattern: Option<&str>,
    ) -> Result<Output, Failure> {
        let database = database.unwrap_or(self.database);
        let Some(tables) = found(self.inner.catalog.tables(self.cx, database).await)? else {
            return Err(no_database(database));
        };
        let names = tables.into_iter().map(|table| table.name);
        Ok(Output { columns: &["tab_name"], lines: matching(names, pattern) })
    }

    pub(super) async fn show_columns(&self, name: &TableName) -> Result<Output, Failure> {
        let table = self.table(name).await?;
        let lines = all_columns(&table).map(|column| format!("{:<WIDTH$}", column.name)).collect();
        Ok(Output { columns: &["field"], lines })
    }

    pub(super) async fn show_partitions(&self, name: &TableName) -> Result<Output, Failure> {
        let table = self.table(name).await?;
        if table.partition_keys.is_empty() {
            return Err(partition_spec::not_partitioned(&table));
        }
        let partitions = self.inner.catalog.partitions(self.cx, &table.database, &table.name).await;
        let partitions = partitions.map_err(|error| task_failure(&error))?;
        let lines = partitions.iter().map(|one| partition_spec::path(&table, &one.values)).collect();
        Ok(Output { columns: &["partition"], lines })
    }

    pub(super) async fn show_table_properties(
        &self,
        name: &TableName,
        property: Option<&str>,
    ) -> Result<Output, Failure> {
        let table = self.table(name).await?;
        let lines = match property {
            None => {
                table.parameters.iter().map(|(key, value)| one_line(&format!("{key}\t{value}"))).collect()
            }
            Some(wanted) => match table.parameters.iter().find(|(key, _)| key == wanted) {
                Some((_, value)) => vec![one_line(value)],
                None => {
                    let full = format!("{}.{}", table.database, table.name);
                    vec![format!("Table {full} does not have property: {}", one_line(wanted))]
                }
            },
        };
        Ok(Output { columns: &["prpt_name", "prpt_value"], lines })
    }

    pub(super) async fn show_create_table(&self, name: &TableName) -> Result<Output, Failure> {
        let table = self.table(name).await?;
        if table.table_type.as_deref() == Some(VIEW) {
            return Err(Failure::ddl_task(&format!("{} is a view, not a table", table.name)));
        }
        Ok(Output { columns: &["createtab_stmt"], lines: create_table(&table) })
    }

    pub(super) async fn describe_table(
        &self,
        name: &TableName,
        detail: DescribeDetail,
    ) -> Result<Output, Failure> {
        let table = self.table(name).await?;
        let lines = match detail {
            DescribeDetail::Columns => plain(&table),
            DescribeDetail::Extended => {
                let mut lines = plain(&table);
                lines.push(BLANK.to_owned());
                lines.push(format!("Detailed Table Information\t{}\t", one_line(&extended(&table))));
                lines
            }
            DescribeDetail::Formatted => formatted(&table),
        };
        Ok(Output { columns: &["col_name", "data_type", "comment"], lines })
    }
}

fn matching(names: impl Iterator<Item = String>, pattern: Option<&str>) -> Vec<String> {
    names.filter(|name| pattern.is_none_or(|pattern| name_pattern::matches(pattern, name))).collect()
}

fn all_columns(table: &Table) -> impl Iterator<Item = &Column> {
    table.columns.iter().chain(&table.partition_keys)
}

/// Line breaks would make two rows of one.
fn one_line(text: &str) -> String {
    text.replace('\r', "\\r").replace('\n', "\\n")
}

fn row(name: &str, value: &str, comment: &str) -> String {
    format!("{name:<WIDTH$}\t{:<WIDTH$}\t{:<WIDTH$}", one_line(value), one_line(comment))
}

fn column_row(column: &Column) -> String {
    row(&column.name, &column.hive_type, column.comment.as_deref().unwrap_or_default())
}

fn heading() -> String {
    row("# col_name", "data_type", "comment")
}

fn partition_rows(table: &Table) -> Vec<String> {
    let mut lines = vec![format!("# Partition Information{BLANK}"), heading(), BLANK.to_owned()];
    lines.extend(table.partition_keys.iter().map(column_row));
    lines
}

fn plain(table: &Table) -> Vec<String> {
    let mut lines: Vec<String> = all_columns(table).map(column_row).collect();
    if !table.partition_keys.is_empty() {
        lines.push(BLANK.to_owned());
        lines.extend(partition_rows(table));
    }
    lines
}

fn extended(table: &Table) -> String {
    let columns: Vec<String> =
        all_columns(table).map(|column| format!("{}:{}", column.name, column.hive_type)).collect();
    let parameters: Vec<String> =
        table.parameters.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!(
        "Table(tableName:{}, dbName:{}, createTime:{}, columns:[{}], location:{}, inputFormat:{}, outputFormat:{}, \
         serde:{}, parameters:{{{}}}, tableType:{})",
        table.name,
        table.database,
        table.created_at.as_millis() / 1000,
        columns.join(", "),
        table.storage.location,
        table.storage.input_format.as_deref().unwrap_or("null"),
        table.storage.output_format.as_deref().unwrap_or("null"),
        table.storage.serde.as_deref().unwrap_or("null"),
        parameters.join(", "),
        table.table_type.as_deref().unwrap_or("EXTERNAL_TABLE"),
    )
}

fn formatted(table: &Table) -> Vec<String> {
    let fact = |name: &str, value: &str| format!("{name:<WIDTH$}\t{:<WIDTH$}\t ", one_line(value));
    let pair =
        |(key, value): &(String, String)| format!("\t{:<WIDTH$}\t{:<WIDTH$}", one_line(key), one_line(value));
    let mut lines = vec![heading(), BLANK.to_owned()];
    lines.extend(table.columns.iter().map(column_row));
    lines.push(BLANK.to_owned());
    if !table.partition_keys.is_empty() {
        lines.extend(partition_rows(table));
        lines.push(BLANK.to_owned());
    }
    let created = table.created_at.utc().format("%a %b %d %H:%M:%S UTC %Y").to_string();
    lines.push(format!("# Detailed Table Information{BLANK}"));
    lines.push(fact("Database:", &table.database));
    lines.push(fact("Owner:", "hadoop"));
    lines.push(fact("CreateTime:", &created));
    lines.push(fact("LastAccessTime:", "UNKNOWN"));
    lines.push(fact("Protect Mode:", "None"));
    lines.push(fact("Retention:", "0"));
    lines.push(fact("Location:", &table.storage.location));
    lines.push(fact("Table Type:", table.table_type.as_deref().unwrap_or("EXTERNAL_TABLE")));
    lines.push(format!("Table Parameters:{BLANK}"));
    lines.extend(table.parameters.iter().map(pair));
    lines.push(BLANK.to_owned());
    lines.push(format!("# Storage Information{BLANK}"));
    lines.push(fact("SerDe Library:", table.storage.serde.as_deref().unwrap_or("null")));
    lines.push(fact("InputFormat:", table.storage.input_format.as_deref().unwrap_or("null")));
    lines.push(fact("OutputFormat:", table.storage.output_format.as_deref().unwrap_or("null")));
    lines.push(fact("Compressed:", "No"));
    lines.push(fact("Num Buckets:", "-1"));
    lines.push(fact("Bucket Columns:", "[]"));
    lines.push(fact("Sort Columns:", "[]"));
    lines.push(format!("Storage Desc Params:{BLANK}"));
    lines.extend(table.storage.serde_parameters.iter().map(pair));
    lines
}

/// The statement that creates the table again.
fn create_table(table: &Table) -> Vec<String> {
    let mut lines = vec![format!("CREATE EXTERNAL TABLE {}(", quote::hive_identifier(&table.name))];
    lines.extend(definitions(&table.columns));
    if let Some((_, comment)) = table.parameters.iter().find(|(key, _)| key == "comment") {
        lines.push(format!("COMMENT {}", quote::hive_string(comment)));
    }
    if !table.partition_keys.is_empty() {
        lines.push("PARTITIONED BY ( ".to_owned());
        lines.extend(definitions(&table.partition_keys));
    }
    if let Some(serde) = &table.storage.serde {
        lines.push("ROW FORMAT SERDE ".to_owned());
        lines.push(format!("  {} ", quote::hive_string(serde)));
        if !table.storage.serde_parameters.is_empty() {
            lines.push("WITH SERDEPROPERTIES ( ".to_owned());
            let properties: Vec<_> = table.storage.serde_parameters.iter().collect();
            lines.extend(pairs(&properties, ") "));
        }
    }
    if let (Some(input), Some(output)) = (&table.storage.input_format, &table.storage.output_format) {
        lines.push("STORED AS INPUTFORMAT ".to_owned());
        lines.push(format!("  {} ", quote::hive_string(input)));
        lines.push("OUTPUTFORMAT ".to_owned());
        lines.push(format!("  {}", quote::hive_string(output)));
    }
    lines.push("LOCATION".to_owned());
    lines.push(format!("  {}", quote::hive_string(&table.storage.location)));
    let shown: Vec<_> =
        table.parameters.iter().filter(|(key, _)| !["EXTERNAL", "comment"].contains(&key.as_str())).collect();
    if !shown.is_empty() {
        lines.push("TBLPROPERTIES (".to_owned());
        lines.extend(pairs(&shown, ")"));
    }
    lines
}

fn definitions(columns: &[Column]) -> Vec<String> {
    let last = columns.len().saturating_sub(1);
    let line = |(n, column): (usize, &Column)| {
        let comment = column
            .comment
            .as_ref()
            .map(|text| format!(" COMMENT {}", quote::hive_string(text)))
            .unwrap_or_default();
        let end = if n == last { ")" } else { ", " };
        format!("  {} {}{comment}{end}", quote::hive_identifier(&column.name), column.hive_type)
    };
    columns.iter().enumerate().map(line).collect()
}

fn pairs(properties: &[&(String, String)], close: &str) -> Vec<String> {
    let last = properties.len().saturating_sub(1);
    let line = |(n, (key, value)): (usize, &&(String, String))| {
        let end = if n == last { close } else { ", " };
        format!("  {}={}{end}", quote::hive_string(key), quote::hive_string(value))
    };
    properties.iter().enumerate().map(line).collect()
}
