//! What the operations of the catalog share: its one name, and the shapes of a database and a table.

use kernel::{Context, Timestamp};
use ports::{Column, Database, Table};
use serde_json::{Map, Value, json};
use wire::{EpochSeconds, Resource};

use crate::Error;
use crate::constraint::Violations;

/// The one data catalog.
pub(super) const CATALOG: &str = "AwsDataCatalog";

/// # Errors
/// `InvalidRequestException` for another catalog.
pub(super) fn check_catalog(name: &str) -> Result<(), Error> {
    if name.eq_ignore_ascii_case(CATALOG) {
        return Ok(());
    }
    Err(Error::invalid(format!("Data catalog {name} was not found")))
}

/// # Errors
/// `InvalidRequestException` for a name that is empty or too long.
pub(super) fn check_name(path: &str, name: &str) -> Result<(), Error> {
    let mut violations = Violations::default();
    violations.text(path, Some(name), (1, 128));
    violations.finish()?;
    if name.contains('\0') {
        return Err(Error::invalid(format!("The value at '{path}' is not a name.")));
    }
    Ok(())
}

/// The workgroup a request names, in which catalogs are the same as in every other.
///
/// # Errors
/// `InvalidRequestException` for what cannot be one's name.
pub(super) fn check_workgroup(name: Option<&str>) -> Result<(), Error> {
    let mut violations = Violations::default();
    violations.workgroup("workGroup", name);
    violations.finish()
}

/// The members that a request wants to see of each item; None is all.
///
/// # Errors
/// `InvalidRequestException` for a value that is not one of `values`, or a list without `NAME`.
pub(super) fn attributes<'a>(
    given: Option<&'a [String]>,
    values: &[&str],
) -> Result<Option<&'a [String]>, Error> {
    let Some(given) = given else { return Ok(None) };
    let mut violations = Violations::default();
    given.iter().for_each(|value| violations.one_of("attributesToGet", Some(value), values));
    violations.finish()?;
    if !given.iter().any(|value| value == "NAME") {
        return Err(Error::invalid("AttributesToGet must include NAME."));
    }
    Ok(Some(given))
}

/// What is shown of an item.
pub(super) fn shown(shape: Value, attributes: Option<&[String]>) -> Value {
    let (Some(attributes), Value::Object(members)) = (attributes, &shape) else { return shape };
    let wanted = |name: &str| match name {
        "Name" => true,
        "TableType" => attributes.iter().any(|value| value == "TABLE_TYPE"),
        _ => false,
    };
    members
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

pub(super) fn resource(cx: &Context, catalog: &str) -> Resource {
    cx.arn("athena", &format!("datacatalog/{catalog}")).into()
}

/// Database.
pub(super) fn database(database: &Database) -> Value {
    let mut shape = json!({"Name": database.name});
    if let Some(description) = &database.description {
        shape["Description"] = description.as_str().into();
    }
    if !database.parameters.is_empty() {
        shape["Parameters"] = map(database.parameters.iter().cloned());
    }
    shape
}

/// TableMetadata: what is said of the storage stands among the parameters.
pub(super) fn table(table: &Table) -> Value {
    let storage = &table.storage;
    let named = [
        ("location", Some(&storage.location)),
        ("inputformat", storage.input_format.as_ref()),
        ("outputformat", storage.output_format.as_ref()),
        ("serde.serialization.lib", storage.serde.as_ref()),
    ];
    let of_storage = named.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.clone())));
    let of_serde =
        storage.serde_parameters.iter().map(|(key, value)| (format!("serde.param.{key}"), value.clone()));
    let parameters = map(table.parameters.iter().cloned().chain(of_storage).chain(of_serde));
    json!({
        "Name": table.name,
        "CreateTime": EpochSeconds(table.created_at),
        "LastAccessTime": EpochSeconds(Timestamp::EPOCH),
        "TableType": table.table_type.as_deref().unwrap_or("EXTERNAL_TABLE"),
        "Columns": columns(&table.columns),
        "PartitionKeys": columns(&table.partition_keys),
        "Parameters": parameters,
    })
}

fn map(pairs: impl Iterator<Item = (String, String)>) -> Value {
    pairs.map(|(key, value)| (key, Value::from(value))).collect::<Map<_, _>>().into()
}

fn columns(columns: &[Column]) -> Vec<Value> {
    let column = |column: &Column| {
        let mut shape = json!({"Name": column.name, "Type": column.hive_type});
        if let Some(comment) = &column.comment {
            shape["Comment"] = comment.as_str().into();
        }
        shape
    };
    columns.iter().map(column).collect()
}
