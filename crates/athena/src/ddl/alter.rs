//! ALTER TABLE.

use athena_sql::ddl::{Column, NewPartition, PartitionSpec, Properties, TableChange, TableName};
use kernel::ErrorKind;
use ports::{Existing, Partition, Storage, Table};

use super::create::{check_location, columns, last_of_each};
use super::{Output, Session, found, partition_spec, task_failure};
use crate::failure::Failure;

impl Session<'_> {
    pub(super) async fn alter_table(
        &self,
        name: &TableName,
        change: &TableChange,
    ) -> Result<Output, Failure> {
        let table = self.table(name).await?;
        match change {
            TableChange::AddPartitions { if_not_exists, partitions } => {
                let existing = if *if_not_exists { Existing::Keep } else { Existing::Refuse };
                self.add_partitions(&table, partitions, existing).await?;
            }
            TableChange::DropPartitions { if_exists, partitions } => {
                self.drop_partitions(&table, partitions, *if_exists).await?;
            }
            TableChange::SetProperties(properties) => self.set_properties(table, properties).await?,
            TableChange::AddColumns(added) => {
                let mut all = table.columns.clone();
                all.extend(columns(added));
                self.set_columns(table, all, added).await?;
            }
            TableChange::ReplaceColumns(replacing) => {
                self.set_columns(table, columns(replacing), replacing).await?;
            }
            TableChange::SetLocation { partition: None, location } => {
                check_location(location)?;
                let storage = Storage { location: location.clone(), ..table.storage };
                self.update(Table { storage, ..table }).await?;
            }
            TableChange::SetLocation { partition: Some(spec), location } => {
                check_location(location)?;
                self.move_partition(&table, spec, location).await?;
            }
        }
        Ok(Output::default())
    }

    async fn update(&self, table: Table) -> Result<(), Failure> {
        self.inner.catalog.update_table(self.cx, table).await.map_err(|error| task_failure(&error))
    }

    async fn set_properties(&self, table: Table, properties: &Properties) -> Result<(), Failure> {
        let mut parameters = table.parameters.clone();
        parameters.extend(properties.iter().cloned());
        self.update(Table { parameters: last_of_each(&parameters), ..table }).await
    }

    async fn set_columns(
        &self,
        table: Table,
        all: Vec<ports::Column>,
        new: &[Column],
    ) -> Result<(), Failure> {
        for column in new {
            let known = all.iter().chain(&table.partition_keys).filter(|known| known.name == column.name);
            if known.count() > 1 {
                return Err(Failure::ddl_task(&format!("Duplicate column name: {}", column.name)));
            }
        }
        self.update(Table { columns: all, ..table }).await
    }

    async fn add_partitions(
        &self,
        table: &Table,
        new: &[NewPartition],
        existing: Existing,
    ) -> Result<(), Failure> {
        let mut partitions = Vec::with_capacity(new.len());
        for partition in new {
            let values = partition_spec::values(table, &partition.spec)?;
            let location = match &partition.location {
                Some(location) => {
                    check_location(location)?;
                    location.clone()
                }
                None => partition_location(table, &values),
            };
            partitions.push(Partition { values, storage: Storage { location, ..table.storage.clone() } });
        }
        let added =
            self.inner.catalog.add_partitions(self.cx, &table.database, &table.name, partitions, existing);
        added.await.map_err(|error| match error.kind {
            ErrorKind::Conflict => {
                Failure::ddl_task("AlreadyExistsException(message:Partition already exists.)")
            }
            _ => task_failure(&error),
        })
    }

    async fn drop_partitions(
        &self,
        table: &Table,
        specs: &[PartitionSpec],
        if_exists: bool,
    ) -> Result<(), Failure> {
        for spec in specs {
            partition_spec::check_keys(table, spec)?;
        }
        let catalog = &self.inner.catalog;
        let all = catalog.partitions(self.cx, &table.database, &table.name).await;
        let all = all.map_err(|error| task_failure(&error))?;
        for spec in specs {
            let dropped: Vec<&Partition> =
                all.iter().filter(|one| partition_spec::matches(table, spec, &one.values)).collect();
            if dropped.is_empty() && !if_exists {
                return Err(no_partition(spec));
            }
            for partition in dropped {
                found(
                    catalog.drop_partition(self.cx, &table.database, &table.name, &partition.values).await,
                )?;
            }
        }
        Ok(())
    }

    /// The catalog knows no change of a partition: it is taken out and put back. Whoever is stopped in between adds it again with
    /// ADD PARTITION.
    async fn move_partition(
        &self,
        table: &Table,
        spec: &PartitionSpec,
        location: &str,
    ) -> Result<(), Failure> {
        let values = partition_spec::values(table, spec)?;
        let catalog = &self.inner.catalog;
        let all = catalog.partitions(self.cx, &table.database, &table.name).await;
        let all = all.map_err(|error| task_failure(&error))?;
        let Some(mut partition) = all.into_iter().find(|one| one.values == values) else {
            return Err(no_partition(spec));
        };
        let dropped = catalog.drop_partition(self.cx, &table.database, &table.name, &values).await;
        dropped.map_err(|error| task_failure(&error))?;
        location.clone_into(&mut partition.storage.location);
        let added =
            catalog.add_partitions(self.cx, &table.database, &table.name, vec![partition], Existing::Keep);
        added.await.map_err(|error| task_failure(&error))
    }
}

/// Where a partition is when nobody says otherwise.
pub(super) fn partition_location(table: &Table, values: &[String]) -> String {
    let folder = table.storage.location.trim_end_matches('/');
    format!("{folder}/{}/", partition_spec::path(table, values))
}

fn no_partition(spec: &PartitionSpec) -> Failure {
    let pairs: Vec<String> = spec.iter().map(|(key, value)| format!("{key} = '{value}'")).collect();
    Failure::ddl(format!(
        "FAILED: SemanticException [Error 10006]: Partition not found ({})",
        pairs.join(", ")
    ))
}
