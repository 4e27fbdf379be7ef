//! What clients put into the catalog, kept as it came.
//!
//! An input structure is JSON of which the catalog reads a part. [`Raw`] keeps the JSON and vouches for the types of the
//! part: both when a request is decoded and when an entity is read.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use ports::{Column, Storage};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

/// The members of an input structure whose read part has the shape `S`.
#[derive(Debug)]
pub(crate) struct Raw<S> {
    members: Map<String, Value>,
    shape: PhantomData<fn() -> S>,
}

/// What is read of a DatabaseInput.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DatabaseInput {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) location_uri: Option<String>,
    pub(crate) parameters: Option<BTreeMap<String, String>>,
}

/// What is read of a TableInput.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TableInput {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) table_type: Option<String>,
    pub(crate) storage_descriptor: Option<StorageDescriptor>,
    pub(crate) partition_keys: Option<Vec<ColumnInput>>,
    pub(crate) parameters: Option<BTreeMap<String, String>>,
}

/// What is read of a PartitionInput.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PartitionInput {
    pub(crate) values: Option<Vec<String>>,
    pub(crate) storage_descriptor: Option<StorageDescriptor>,
}

/// What is read of a StorageDescriptor.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StorageDescriptor {
    pub(crate) columns: Option<Vec<ColumnInput>>,
    location: Option<String>,
    input_format: Option<String>,
    output_format: Option<String>,
    serde_info: Option<SerdeInfo>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SerdeInfo {
    serialization_library: Option<String>,
    parameters: Option<BTreeMap<String, String>>,
}

/// What is read of a Column.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ColumnInput {
    name: String,
    #[serde(rename = "Type")]
    hive_type: Option<String>,
    comment: Option<String>,
}

impl<S: DeserializeOwned> Raw<S> {
    /// # Errors
    /// When a member that is read has another type.
    pub(crate) fn new(mut members: Map<String, Value>) -> Result<Self, serde_json::Error> {
        members.retain(|_, value| !value.is_null());
        serde_json::from_value::<S>(Value::Object(members.clone()))?;
        Ok(Self { members, shape: PhantomData })
    }

    /// The part that is read.
    pub(crate) fn read(&self) -> S {
        serde_json::from_value(Value::Object(self.members.clone())).expect("the types were checked by `new`")
    }

    /// All members.
    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The same with one member replaced by a value of its type.
    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }
}

// Derived, these would ask the same of `S`, which is only a name for what was checked.
impl<S> Clone for Raw<S> {
    fn clone(&self) -> Self {
        Self { members: self.members.clone(), shape: PhantomData }
    }
}

impl<S> Serialize for Raw<S> {
    fn serialize<R: Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
        self.members.serialize(serializer)
    }
}

impl<'de, S: DeserializeOwned> Deserialize<'de> for Raw<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Map::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl StorageDescriptor {
    /// How and where rows are stored.
    pub(crate) fn storage(&self) -> Storage {
        let serde = self.serde_info.as_ref();
        Storage {
            location: self.location.clone().unwrap_or_default(),
            input_format: self.input_format.clone(),
            output_format: self.output_format.clone(),
            serde: serde.and_then(|serde| serde.serialization_library.clone()),
            serde_parameters: serde.and_then(|serde| serde.parameters.clone()).map(pairs).unwrap_or_default(),
        }
    }
}

/// Columns as the rest of the node sees them: names in lower case.
pub(crate) fn columns(columns: Option<Vec<ColumnInput>>) -> Vec<Column> {
    let column = |column: ColumnInput| Column {
        name: column.name.to_lowercase(),
        hive_type: column.hive_type.unwrap_or_default(),
        comment: column.comment,
    };
    columns.unwrap_or_default().into_iter().map(column).collect()
}

/// A map's keys and values, by key.
pub(crate) fn pairs(map: BTreeMap<String, String>) -> Vec<(String, String)> {
    map.into_iter().collect()
}

/// The JSON of a map of texts.
pub(crate) fn text_map(pairs: &[(String, String)]) -> Value {
    pairs.iter().map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect::<Map<_, _>>().into()
}

/// The JSON of a list of columns.
pub(crate) fn column_list(columns: &[Column]) -> Value {
    let column = |column: &Column| {
        let mut out = json!({"Name": column.name, "Type": column.hive_type});
        if let Some(comment) = &column.comment {
            out["Comment"] = comment.as_str().into();
        }
        out
    };
    columns.iter().map(column).collect::<Vec<_>>().into()
}

/// The storage descriptor `base`, saying what `storage` says and otherwise what it said.
pub(crate) fn descriptor(base: Option<&Value>, storage: &Storage) -> Value {
    let mut out = match base {
        Some(base) if base.is_object() => base.clone(),
        _ => json!({"Compressed": false, "NumberOfBuckets": -1, "StoredAsSubDirectories": false}),
    };
    out["Location"] = storage.location.as_str().into();
    for (member, value) in [("InputFormat", &storage.input_format), ("OutputFormat", &storage.output_format)]
    {
        if let Some(value) = value {
            out[member] = value.as_str().into();
        }
    }
    if let Some(serde) = &storage.serde {
        if !out["SerdeInfo"].is_object() {
            out["SerdeInfo"] = json!({});
        }
        out["SerdeInfo"]["SerializationLibrary"] = serde.as_str().into();
        out["SerdeInfo"]["Parameters"] = text_map(&storage.serde_parameters);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_written_as_a_list_is_replaced_by_one_that_is_none() {
        let storage =
            Storage { location: "s3://b/".to_owned(), serde: Some("x.Y".to_owned()), ..Storage::default() };
        for base in [json!([null, null, null, null, null]), json!({"SerdeInfo": ["x.Z", {}]})] {
            let out = descriptor(Some(&base), &storage);
            assert_eq!(out["SerdeInfo"], json!({"SerializationLibrary": "x.Y", "Parameters": {}}));
            assert_eq!(out["Location"], "s3://b/");
        }
    }

    #[test]
    fn what_is_not_read_is_kept_and_what_is_read_has_its_type() {
        let input = json!({"Name": "T", "StorageDescriptor": {"Columns": [{"Name": "Id", "Type": "int", "Parameters": {"a": "b"}}],
            "SortColumns": [{"Column": "id", "SortOrder": 1}], "SkewedInfo": {}}, "Owner": "me", "Description": null});
        let raw: Raw<TableInput> = serde_json::from_value(input.clone()).unwrap();
        let mut kept = input;
        kept.as_object_mut().unwrap().remove("Description");
        assert_eq!(serde_json::to_value(&raw).unwrap(), kept);
        let read = raw.read();
        assert_eq!(columns(read.storage_descriptor.unwrap().columns)[0].name, "id");
        for wrong in [json!({}), json!({"Name": 1}), json!({"Name": "a", "Parameters": {"a": 1}})] {
            serde_json::from_value::<Raw<TableInput>>(wrong).unwrap_err();
        }
    }
}
