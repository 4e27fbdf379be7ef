//! Tables.

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::Entity;

use crate::input::{Raw, TableInput, column_list, columns, descriptor, pairs, text_map};

/// A table. Key: account, region, database, name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) database: String,
    /// As the client gave it, but for the name in lower case.
    pub(crate) input: Raw<TableInput>,
    /// Grows with each update; 0 for the first.
    pub(crate) version: u64,
    /// ARN of who created it.
    pub(crate) created_by: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Entity for Table {
    const TABLE: &'static str = "glue_table";
    const VERSION: u8 = 1;
}

impl Table {
    pub(crate) fn name(&self) -> String {
        self.input.read().name
    }

    /// How many values a partition has.
    pub(crate) fn partition_keys(&self) -> Vec<ports::Column> {
        columns(self.input.read().partition_keys)
    }

    pub(crate) fn to_port(&self) -> ports::Table {
        let read = self.input.read();
        let descriptor = read.storage_descriptor.unwrap_or_default();
        ports::Table {
            database: self.database.clone(),
            name: read.name,
            table_type: read.table_type,
            description: read.description,
            storage: descriptor.storage(),
            columns: columns(descriptor.columns),
            partition_keys: columns(read.partition_keys),
            parameters: read.parameters.map(pairs).unwrap_or_default(),
            created_at: self.created_at,
        }
    }

    /// The input of a table that says what `table` says and otherwise what `base` said.
    pub(crate) fn input_of(base: Option<&Self>, table: &ports::Table) -> Raw<TableInput> {
        let mut members = match base {
            Some(base) => base.input.members().clone(),
            None => Map::from_iter([
                ("Retention".to_owned(), json!(0)),
                ("PartitionKeys".to_owned(), column_list(&table.partition_keys)),
            ]),
        };
        members.insert("Name".to_owned(), table.name.to_lowercase().into());
        for (member, value) in [("TableType", &table.table_type), ("Description", &table.description)] {
            if let Some(value) = value {
                members.insert(member.to_owned(), value.as_str().into());
            }
        }
        let mut storage = descriptor(members.get("StorageDescriptor"), &table.storage);
        storage["Columns"] = column_list(&table.columns);
        members.insert("StorageDescriptor".to_owned(), storage);
        members.insert("Parameters".to_owned(), text_map(&table.parameters));
        Raw::new(members).expect("these are texts and columns, as the model has them")
    }

    /// As operations answer it.
    pub(crate) fn shape(&self, cx: &Context) -> Value {
        let mut out = self.input.members().clone();
        out.insert("DatabaseName".to_owned(), self.database.as_str().into());
        out.insert("CreateTime".to_owned(), self.created_at.as_epoch_seconds().into());
        out.insert("UpdateTime".to_owned(), self.updated_at.as_epoch_seconds().into());
        out.insert("CreatedBy".to_owned(), self.created_by.as_str().into());
        out.insert("IsRegisteredWithLakeFormation".to_owned(), false.into());
        out.insert("CatalogId".to_owned(), cx.account.as_str().into());
        out.insert("VersionId".to_owned(), self.version.to_string().into());
        out.entry("Retention").or_insert(0.into());
        out.entry("PartitionKeys").or_insert_with(|| json!([]));
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads() {
        let json = include_str!("../entities/glue_table/v1.json");
        let bytes = [b"\x01".as_slice(), json.as_bytes()].concat();
        let table: Table = store::entity::decode(&bytes).unwrap();
        let port = table.to_port();
        assert_eq!((port.name.as_str(), port.columns.len(), port.partition_keys.len()), ("t", 1, 1));
        assert_eq!(port.storage.serde.as_deref(), Some("org.apache.hive.hcatalog.data.JsonSerDe"));
        assert_eq!(port.storage.serde_parameters, [("ignore.malformed.json".to_owned(), "true".to_owned())]);
        // Through the port and back nothing is lost that the port does not know.
        assert_eq!(Table::input_of(Some(&table), &port).members(), table.input.members());
    }
}
