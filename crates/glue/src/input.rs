//! What clients put into the catalog, kept as it came.
//!
//! An input structure is JSON of which the catalog reads a part. [`Raw`] keeps the JSON and vouches that its members are the
//! model's and of the model's types: both when a request is decoded and when an entity is read. Other members are dropped, as
//! AWS drops them.
//!
//! Differs from AWS: links to databases and tables elsewhere, Glue's own views and schemas of a registry are refused;
//! CreateTableDefaultPermissions are told back and grant nothing.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use ports::{Column, Storage};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Number, Value, json};

use crate::{Error, names};

/// The members of an input structure that has the shape `S`.
#[derive(Debug)]
pub(crate) struct Raw<S> {
    members: Map<String, Value>,
    shape: PhantomData<fn() -> S>,
}

/// A DatabaseInput.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DatabaseInput {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) location_uri: Option<String>,
    pub(crate) parameters: Option<BTreeMap<String, String>>,
    create_table_default_permissions: Option<Vec<PrincipalPermissions>>,
    target_database: Option<Value>,
    federated_database: Option<Value>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PrincipalPermissions {
    principal: Option<DataLakePrincipal>,
    permissions: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DataLakePrincipal {
    data_lake_principal_identifier: Option<String>,
}

/// A TableInput.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TableInput {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    owner: Option<String>,
    last_access_time: Option<Number>,
    last_analyzed_time: Option<Number>,
    retention: Option<u32>,
    pub(crate) table_type: Option<String>,
    pub(crate) storage_descriptor: Option<StorageDescriptor>,
    pub(crate) partition_keys: Option<Vec<ColumnInput>>,
    view_original_text: Option<String>,
    view_expanded_text: Option<String>,
    pub(crate) parameters: Option<BTreeMap<String, String>>,
    target_table: Option<Value>,
    federated_table: Option<Value>,
    view_definition: Option<Value>,
}

/// A PartitionInput.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PartitionInput {
    pub(crate) values: Option<Vec<String>>,
    last_access_time: Option<Number>,
    pub(crate) storage_descriptor: Option<StorageDescriptor>,
    parameters: Option<BTreeMap<String, String>>,
    last_analyzed_time: Option<Number>,
}

/// A StorageDescriptor.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StorageDescriptor {
    pub(crate) columns: Option<Vec<ColumnInput>>,
    location: Option<String>,
    additional_locations: Option<Vec<String>>,
    input_format: Option<String>,
    output_format: Option<String>,
    compressed: Option<bool>,
    number_of_buckets: Option<i32>,
    serde_info: Option<SerdeInfo>,
    bucket_columns: Option<Vec<String>>,
    sort_columns: Option<Vec<Order>>,
    parameters: Option<BTreeMap<String, String>>,
    skewed_info: Option<SkewedInfo>,
    stored_as_sub_directories: Option<bool>,
    schema_reference: Option<Value>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SerdeInfo {
    name: Option<String>,
    serialization_library: Option<String>,
    parameters: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Order {
    column: String,
    sort_order: u8,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SkewedInfo {
    skewed_column_names: Option<Vec<String>>,
    skewed_column_values: Option<Vec<String>>,
    skewed_column_value_location_maps: Option<BTreeMap<String, String>>,
}

/// A Column.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ColumnInput {
    name: String,
    #[serde(rename = "Type")]
    hive_type: Option<String>,
    comment: Option<String>,
    parameters: Option<BTreeMap<String, String>>,
}

/// The permissions of Lake Formation.
const PERMISSIONS: [&str; 9] = [
    "ALL",
    "SELECT",
    "ALTER",
    "DROP",
    "DELETE",
    "INSERT",
    "CREATE_DATABASE",
    "CREATE_TABLE",
    "DATA_LOCATION_ACCESS",
];

impl DatabaseInput {
    /// # Errors
    /// `InvalidInputException` for a member that is not supported, or a permission that there is not.
    pub(crate) fn check(&self) -> Result<(), Error> {
        names::absent("TargetDatabase", self.target_database.as_ref())?;
        names::absent("FederatedDatabase", self.federated_database.as_ref())?;
        let given = self.create_table_default_permissions.iter().flatten();
        let mut permissions = given.flat_map(|given| given.permissions.iter().flatten());
        let is_none = |permission: &&String| !PERMISSIONS.contains(&permission.as_str());
        permissions.find(is_none).map_or(Ok(()), |permission| {
            Err(names::outside("createTableDefaultPermissions.permissions", permission, &PERMISSIONS))
        })
    }
}

impl TableInput {
    /// # Errors
    /// `InvalidInputException` for a member that is not supported.
    pub(crate) fn check(&self) -> Result<(), Error> {
        names::absent("TargetTable", self.target_table.as_ref())?;
        names::absent("FederatedTable", self.federated_table.as_ref())?;
        names::absent("ViewDefinition", self.view_definition.as_ref())?;
        self.storage_descriptor.as_ref().map_or(Ok(()), StorageDescriptor::check)
    }
}

impl PartitionInput {
    /// # Errors
    /// `InvalidInputException` for a member that is not supported.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.storage_descriptor.as_ref().map_or(Ok(()), StorageDescriptor::check)
    }
}

impl<S: DeserializeOwned + Serialize> Raw<S> {
    /// # Errors
    /// When a member has another type.
    pub(crate) fn new(members: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let shape = serde_json::from_value::<S>(Value::Object(members))?;
        let members = match given(serde_json::to_value(shape)?) {
            Value::Object(members) => members,
            _ => Map::new(),
        };
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

/// The members that are there.
fn given(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let there = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(name, value)| (name, given(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(given).collect()),
        other => other,
    }
}

impl<'de, S: DeserializeOwned + Serialize> Deserialize<'de> for Raw<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Map::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl StorageDescriptor {
    fn check(&self) -> Result<(), Error> {
        names::absent("SchemaReference", self.schema_reference.as_ref())
    }

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
            "SortColumns": [{"Column": "id", "SortOrder": 1}], "SkewedInfo": {}}, "Owner": "me", "Description": null, "LastAccessTime": 1.5});
        let raw: Raw<TableInput> = serde_json::from_value(input.clone()).unwrap();
        let mut kept = input;
        kept.as_object_mut().unwrap().remove("Description");
        assert_eq!(serde_json::to_value(&raw).unwrap(), kept);
        let read = raw.read();
        assert_eq!(columns(read.storage_descriptor.unwrap().columns)[0].name, "id");
        for wrong in [
            json!({}),
            json!({"Name": 1}),
            json!({"Name": "a", "Parameters": {"a": 1}}),
            json!({"Name": "a", "Owner": {}}),
            json!({"Name": "a", "StorageDescriptor": {"Compressed": "no"}}),
        ] {
            serde_json::from_value::<Raw<TableInput>>(wrong).unwrap_err();
        }
    }

    #[test]
    fn a_member_that_is_none_of_the_models_is_dropped() {
        let raw: Raw<TableInput> = serde_json::from_value(json!({"Name": "t", "Nothing": 1})).unwrap();
        assert_eq!(serde_json::to_value(&raw).unwrap(), json!({"Name": "t"}));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let table = |input| serde_json::from_value::<TableInput>(input).unwrap().check();
        let database = |input| serde_json::from_value::<DatabaseInput>(input).unwrap().check();
        for (refused, expect) in [
            (table(json!({"Name": "t", "TargetTable": {}})), "TargetTable is not supported."),
            (
                table(json!({"Name": "t", "StorageDescriptor": {"SchemaReference": {}}})),
                "SchemaReference is not supported.",
            ),
            (database(json!({"Name": "d", "TargetDatabase": {}})), "TargetDatabase is not supported."),
            (
                database(
                    json!({"Name": "d", "CreateTableDefaultPermissions": [{"Permissions": ["ALL", "FLY"]}]}),
                ),
                "1 validation error detected: Value 'FLY' at 'createTableDefaultPermissions.permissions' failed to satisfy \
                 constraint: Member must satisfy enum value set: [ALL, SELECT, ALTER, DROP, DELETE, INSERT, CREATE_DATABASE, \
                 CREATE_TABLE, DATA_LOCATION_ACCESS]",
            ),
        ] {
            assert_eq!(refused.unwrap_err().to_string(), expect);
        }
    }
}
