//! MSCK REPAIR TABLE: folders `key=value/` below the table's location become partitions.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/msck-repair-table.html>
//!
//! Differs from AWS: everything below the location is listed at once, up to a bound, rather than folder by folder.

use std::collections::BTreeSet;

use athena_sql::ddl::TableName;
use ports::{Existing, Partition, Storage, Table};

use super::{Output, Session, partition_spec, task_failure};
use crate::failure::Failure;
use crate::{limits, result_configuration};

impl Session<'_> {
    pub(super) async fn repair_table(&self, name: &TableName) -> Result<Output, Failure> {
        let table = self.table(name).await?;
        if table.partition_keys.is_empty() {
            return Err(partition_spec::not_partitioned(&table));
        }
        let catalog = &self.inner.catalog;
        let known = catalog.partitions(self.cx, &table.database, &table.name).await;
        let known: BTreeSet<_> =
            known.map_err(|error| task_failure(&error))?.into_iter().map(|one| one.values).collect();
        let missing: Vec<(Vec<String>, String)> =
            self.folders(&table).await?.into_iter().filter(|(values, _)| !known.contains(values)).collect();
        if missing.is_empty() {
            return Ok(Output::default());
        }
        let named: Vec<String> = missing
            .iter()
            .map(|(values, _)| format!("{}:{}", table.name, partition_spec::path(&table, values)))
            .collect();
        for some in missing.chunks(limits::PARTITIONS_AT_ONCE) {
            let partitions = some
                .iter()
                .map(|(values, location)| Partition {
                    values: values.clone(),
                    storage: Storage { location: location.clone(), ..table.storage.clone() },
                })
                .collect();
            let added =
                catalog.add_partitions(self.cx, &table.database, &table.name, partitions, Existing::Keep);
            added.await.map_err(|error| task_failure(&error))?;
        }
        let mut lines = vec![format!("Partitions not in metastore:\t{}", named.join("\t"))];
        lines.extend(named.iter().map(|one| format!("Repair: Added partition to metastore {one}")));
        Ok(Output { columns: &["result"], lines })
    }

    /// The values and location of every folder that is named like a partition.
    async fn folders(&self, table: &Table) -> Result<BTreeSet<(Vec<String>, String)>, Failure> {
        let folder = result_configuration::folder(&table.storage.location);
        let (bucket, prefix) =
            result_configuration::split(&folder).map_err(|error| Failure::user(error.to_string()))?;
        let objects = self.inner.objects.list(self.cx, bucket, prefix).await;
        let objects = objects.map_err(|error| Failure::of_port(&error))?;
        if objects.len() > limits::REPAIR_OBJECTS_MAX {
            return Err(Failure::exhausted(format!(
                "More than {} objects are below the table's location. Please add its partitions with ALTER TABLE ADD \
                 PARTITION.",
                limits::REPAIR_OBJECTS_MAX
            )));
        }
        let mut folders = BTreeSet::new();
        for object in &objects {
            let path = object.key.strip_prefix(prefix).unwrap_or_default();
            let Some(values) = partition_spec::values_of_path(table, path) else { continue };
            let own: Vec<&str> = path.split('/').take(table.partition_keys.len()).collect();
            folders.insert((values, format!("{folder}{}/", own.join("/"))));
        }
        Ok(folders)
    }
}
