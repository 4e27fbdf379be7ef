//! Partitions.

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Entity;

use crate::Error;
use crate::input::{PartitionInput, Raw, descriptor};
use crate::limits::VALUE_CHARS_MAX;
use crate::table::Table;

/// A partition. Key: account, region, database, table, [`key`] of its values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Partition {
    pub(crate) database: String,
    pub(crate) table: String,
    pub(crate) values: Vec<String>,
    /// As the client gave it.
    pub(crate) input: Raw<PartitionInput>,
    pub(crate) created_at: Timestamp,
}

impl Entity for Partition {
    const TABLE: &'static str = "glue_partition";
    const VERSION: u8 = 1;
}

/// The values as one part of a key: different for different values, and ordered as they are.
pub(crate) fn key(values: &[String]) -> String {
    let escaped = |value: &String| value.replace('%', "%25").replace('\0', "%00").replace('\u{1}', "%01");
    values.iter().map(escaped).collect::<Vec<_>>().join("\u{1}")
}

/// As many values as the table has partition keys, none of them empty.
///
/// # Errors
/// `InvalidInputException`.
pub(crate) fn check_values(table: &Table, values: &[String]) -> Result<(), Error> {
    if values.len() != table.partition_keys().len() {
        return Err(Error::InvalidInput(
            "The number of partition keys do not match the number of partition values".to_owned(),
        ));
    }
    if let Some(value) = values.iter().find(|value| !(1..=VALUE_CHARS_MAX).contains(&value.chars().count())) {
        return Err(Error::InvalidInput(format!(
            "1 validation error detected: Value '{value}' at 'partitionInput.values' failed to satisfy constraint: Member \
             must have length between 1 and {VALUE_CHARS_MAX}"
        )));
    }
    Ok(())
}

impl Partition {
    pub(crate) fn new(
        table: &Table,
        input: Raw<PartitionInput>,
        created_at: Timestamp,
    ) -> Result<Self, Error> {
        input.read().check()?;
        let values = input.read().values.unwrap_or_default();
        check_values(table, &values)?;
        Ok(Self { database: table.database.clone(), table: table.name(), values, input, created_at })
    }

    /// What Athena adds: the partition's columns are its table's at that moment.
    pub(crate) fn input_of(table: &Table, partition: &ports::Partition) -> Raw<PartitionInput> {
        let storage = descriptor(table.input.members().get("StorageDescriptor"), &partition.storage);
        let members = Map::from_iter([
            ("Values".to_owned(), partition.values.clone().into()),
            ("StorageDescriptor".to_owned(), storage),
        ]);
        Raw::new(members).expect("these are texts, as the model has them")
    }

    pub(crate) fn to_port(&self) -> ports::Partition {
        let storage = self.input.read().storage_descriptor.unwrap_or_default().storage();
        ports::Partition { values: self.values.clone(), storage }
    }

    /// As operations answer it.
    pub(crate) fn shape(&self, cx: &Context) -> Value {
        let mut out = self.input.members().clone();
        out.insert("Values".to_owned(), self.values.clone().into());
        out.insert("DatabaseName".to_owned(), self.database.as_str().into());
        out.insert("TableName".to_owned(), self.table.as_str().into());
        out.insert("CreationTime".to_owned(), self.created_at.as_epoch_seconds().into());
        out.insert("CatalogId".to_owned(), cx.account.as_str().into());
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn version_1_reads() {
        let json = include_str!("../entities/glue_partition/v1.json");
        let bytes = [b"\x01".as_slice(), json.as_bytes()].concat();
        let partition: Partition = store::entity::decode(&bytes).unwrap();
        assert_eq!(partition.to_port().storage.location, "s3://b/t/year=2017/");
        assert_eq!(partition.values, ["2017"]);
    }

    proptest! {
        #[test]
        fn keys_differ_as_values_do(a in prop::collection::vec("[\\x00-\\x03%a/]{0,3}", 2), b in prop::collection::vec("[\\x00-\\x03%a/]{0,3}", 2)) {
            prop_assert_eq!(key(&a) == key(&b), a == b);
            prop_assert!(!key(&a).contains('\0'));
        }

        #[test]
        fn keys_order_as_values_do(a in prop::collection::vec("[ -$a-c/]{0,3}", 2), b in prop::collection::vec("[ -$a-c/]{0,3}", 2)) {
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
        }
    }
}
