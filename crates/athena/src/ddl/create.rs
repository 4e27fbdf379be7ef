//! CREATE and DROP of databases and tables.
//!
//! Differs from AWS: CLUSTERED BY is checked and not kept; the engine reads bucketed tables like others.

use athena_sql::ddl::storage::Storage;
use athena_sql::ddl::{Column, CreateDatabase, CreateTable, TableName};
use kernel::ErrorKind;
use ports::{Database, Table};

use super::{Output, Session, VIEW, found, no_database, task_failure};
use crate::failure::Failure;

impl Session<'_> {
    pub(super) async fn create_database(&self, new: &CreateDatabase) -> Result<Output, Failure> {
        let database = Database {
            name: new.name.clone(),
            description: new.comment.clone(),
            location: new.location.clone(),
            parameters: last_of_each(&new.properties),
        };
        match self.inner.catalog.create_database(self.cx, database).await {
            Err(error) if error.kind == ErrorKind::Conflict => {
                if new.if_not_exists {
                    return Ok(Output::default());
                }
                Err(Failure::ddl_task(&format!("Database {} already exists", new.name)))
            }
            done => done.map(|()| Output::default()).map_err(|error| task_failure(&error)),
        }
    }

    pub(super) async fn drop_database(
        &self,
        name: &str,
        if_exists: bool,
        cascade: bool,
    ) -> Result<Output, Failure> {
        let Some(tables) = found(self.inner.catalog.tables(self.cx, name).await)? else {
            return if if_exists { Ok(Output::default()) } else { Err(no_database(name)) };
        };
        if !tables.is_empty() && !cascade {
            return Err(Failure::ddl_task(&format!(
                "InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
            )));
        }
        match found(self.inner.catalog.drop_database(self.cx, name).await)? {
            None if !if_exists => Err(no_database(name)),
            _ => Ok(Output::default()),
        }
    }

    pub(super) async fn create_table(&self, new: &CreateTable) -> Result<Output, Failure> {
        let database = self.database_of(&new.name);
        if found(self.inner.catalog.database(self.cx, database).await)?.is_none() {
            return Err(no_database(database));
        }
        let name = &new.name.table;
        let exists =
            || Failure::ddl_task(&format!("AlreadyExistsException(message:Table {name} already exists)"));
        if self.find_table(&new.name).await?.is_some() {
            return if new.if_not_exists { Ok(Output::default()) } else { Err(exists()) };
        }
        let table = self.new_table(new, database)?;
        match self.inner.catalog.create_table(self.cx, table).await {
            Err(error) if error.kind == ErrorKind::Conflict => {
                if new.if_not_exists {
                    Ok(Output::default())
                } else {
                    Err(exists())
                }
            }
            done => done.map(|()| Output::default()).map_err(|error| task_failure(&error)),
        }
    }

    fn new_table(&self, new: &CreateTable, database: &str) -> Result<Table, Failure> {
        let mut seen = std::collections::HashSet::new();
        for column in new.columns.iter().chain(&new.partition_columns) {
            if !seen.insert(&column.name) {
                let sentence = if new.partition_columns.iter().any(|key| key.name == column.name) {
                    "FAILED: SemanticException [Error 10035]: Column repeated in partitioning columns"
                        .to_owned()
                } else {
                    let name = &column.name;
                    format!("FAILED: SemanticException [Error 10036]: Duplicate column name: {name}")
                };
                return Err(Failure::ddl(sentence));
            }
        }
        let location = new.location.clone().ok_or_else(|| {
            Failure::ddl_task(&format!(
                "MetaException(message:No location was given for table {}: LOCATION is required)",
                new.name.table
            ))
        })?;
        check_location(&location)?;
        let now = self.inner.clock.now();
        let mut parameters = vec![
            ("EXTERNAL".to_owned(), "TRUE".to_owned()),
            ("transient_lastDdlTime".to_owned(), (now.as_millis() / 1000).to_string()),
        ];
        parameters.extend(new.comment.iter().map(|comment| ("comment".to_owned(), comment.clone())));
        parameters.extend(new.properties.iter().cloned());
        let storage = Storage::of(new);
        Ok(Table {
            database: database.to_owned(),
            name: new.name.table.clone(),
            table_type: Some("EXTERNAL_TABLE".to_owned()),
            description: None,
            columns: columns(&new.columns),
            partition_keys: columns(&new.partition_columns),
            storage: ports::Storage {
                location,
                input_format: Some(storage.input_format),
                output_format: Some(storage.output_format),
                serde: Some(storage.serde),
                serde_parameters: last_of_each(&storage.serde_properties),
            },
            parameters: last_of_each(&parameters),
            created_at: now,
        })
    }

    pub(super) async fn drop_table(&self, name: &TableName, if_exists: bool) -> Result<Output, Failure> {
        match self.find_table(name).await? {
            None if if_exists => Ok(Output::default()),
            None => self.table(name).await.map(|_| Output::default()),
            Some(table) if table.table_type.as_deref() == Some(VIEW) => {
                Err(Failure::ddl_task("Cannot drop a view with DROP TABLE"))
            }
            Some(table) => {
                found(self.inner.catalog.drop_table(self.cx, &table.database, &table.name).await)?;
                Ok(Output::default())
            }
        }
    }

    pub(super) async fn drop_view(&self, name: &TableName, if_exists: bool) -> Result<Output, Failure> {
        let full = format!("awsdatacatalog.{}.{}", self.database_of(name), name.table);
        match self.find_table(name).await? {
            None if if_exists => Ok(Output::default()),
            None => Err(Failure::user(format!("line 1:1: View '{full}' does not exist"))),
            Some(table) if table.table_type.as_deref() == Some(VIEW) => {
                found(self.inner.catalog.drop_table(self.cx, &table.database, &table.name).await)?;
                Ok(Output::default())
            }
            Some(_) => Err(Failure::user(format!(
                "line 1:1: View '{full}' does not exist, but a table with that name exists. Did you mean DROP TABLE \
                 {full}?"
            ))),
        }
    }
}

/// Columns as the catalog keeps them.
pub(super) fn columns(columns: &[Column]) -> Vec<ports::Column> {
    let column = |column: &Column| ports::Column {
        name: column.name.clone(),
        hive_type: column.ty.to_string(),
        comment: column.comment.clone(),
    };
    columns.iter().map(column).collect()
}

/// # Errors
/// Hive's sentence for a location that is not of S3.
pub(super) fn check_location(location: &str) -> Result<(), Failure> {
    let bucket = location.strip_prefix("s3://").and_then(|path| path.split('/').next());
    if bucket.is_some_and(|bucket| !bucket.is_empty()) {
        return Ok(());
    }
    let scheme = location.split_once("://").map_or("null", |(scheme, _)| scheme);
    Err(Failure::ddl_task(&format!(
        "MetaException(message:Got exception: java.io.IOException No FileSystem for scheme: {scheme})"
    )))
}

/// Properties with the last value of a key that is repeated, by key.
pub(super) fn last_of_each(properties: &[(String, String)]) -> Vec<(String, String)> {
    let map: std::collections::BTreeMap<_, _> = properties.iter().cloned().collect();
    map.into_iter().collect()
}
