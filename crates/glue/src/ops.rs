//! The operations of Glue's Data Catalog, and what their files share.

mod attributes;
mod batch_create_partition;
mod batch_delete_partition;
mod batch_delete_table;
mod batch_get_partition;
mod batch_update_partition;
mod create_database;
mod create_partition;
mod create_table;
mod delete_database;
mod delete_partition;
mod delete_table;
mod get_database;
mod get_databases;
mod get_partition;
mod get_partition_indexes;
mod get_partitions;
mod get_table;
mod get_tables;
mod get_tags;
mod listing;
mod tag_resource;
#[cfg(test)]
pub(crate) mod testing;
mod untag_resource;
mod update_database;
mod update_partition;
mod update_table;

use std::collections::BTreeMap;

use kernel::{Arn, Context, ServiceError};
use serde::{Deserialize, Serialize};
use wire::{Entry, Operation, Resource};

use batch_create_partition::BatchCreatePartition;
use batch_delete_partition::BatchDeletePartition;
use batch_delete_table::BatchDeleteTable;
use batch_get_partition::BatchGetPartition;
use batch_update_partition::BatchUpdatePartition;
use create_database::CreateDatabase;
use create_partition::CreatePartition;
use create_table::CreateTable;
use delete_database::DeleteDatabase;
use delete_partition::DeletePartition;
use delete_table::DeleteTable;
use get_database::GetDatabase;
use get_databases::GetDatabases;
use get_partition::GetPartition;
use get_partition_indexes::GetPartitionIndexes;
use get_partitions::GetPartitions;
use get_table::GetTable;
use get_tables::GetTables;
use get_tags::GetTags;
use tag_resource::TagResource;
use untag_resource::UntagResource;
use update_database::UpdateDatabase;
use update_partition::UpdatePartition;
use update_table::UpdateTable;

use crate::limits::TAGS_MAX;
use crate::{Error, Glue};

/// Every operation that is served.
pub const OPERATIONS: &[Entry<Glue>] = &[
    Entry::of::<CreateDatabase>(),
    Entry::of::<GetDatabase>(),
    Entry::of::<GetDatabases>(),
    Entry::of::<UpdateDatabase>(),
    Entry::of::<DeleteDatabase>(),
    Entry::of::<CreateTable>(),
    Entry::of::<GetTable>(),
    Entry::of::<GetTables>(),
    Entry::of::<UpdateTable>(),
    Entry::of::<DeleteTable>(),
    Entry::of::<BatchDeleteTable>(),
    Entry::of::<CreatePartition>(),
    Entry::of::<GetPartition>(),
    Entry::of::<GetPartitions>(),
    Entry::of::<UpdatePartition>(),
    Entry::of::<DeletePartition>(),
    Entry::of::<BatchCreatePartition>(),
    Entry::of::<BatchDeletePartition>(),
    Entry::of::<BatchGetPartition>(),
    Entry::of::<BatchUpdatePartition>(),
    Entry::of::<GetPartitionIndexes>(),
    Entry::of::<GetTags>(),
    Entry::of::<TagResource>(),
    Entry::of::<UntagResource>(),
];

/// Why one item of a batch failed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorDetail {
    error_code: String,
    error_message: String,
}

impl ErrorDetail {
    /// # Errors
    /// The error itself when it is not the item's but the catalog's.
    fn of(error: Error) -> Result<Self, Error> {
        match error {
            Error::Unavailable(_) | Error::Internal(_) => Err(error),
            error => Ok(Self { error_code: error.code().to_owned(), error_message: error.to_string() }),
        }
    }
}

/// A partition of a batch, by its values.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PartitionValueList {
    values: Vec<String>,
}

/// A partition of a batch that failed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PartitionError {
    partition_values: Vec<String>,
    error_detail: ErrorDetail,
}

fn catalog_arn(cx: &Context) -> Arn {
    cx.arn("glue", "catalog")
}

// A policy names resources as the catalog keeps them, so what a request names in capitals must not slip past a Deny.

fn database_arn(cx: &Context, database: &str) -> Arn {
    cx.arn("glue", &format!("database/{}", database.to_lowercase()))
}

fn table_arn(cx: &Context, database: &str, table: &str) -> Arn {
    cx.arn("glue", &format!("table/{}/{}", database.to_lowercase(), table.to_lowercase()))
}

/// The resource of a request that names it by its ARN.
fn tagged(arn: &str) -> Resource {
    let kept =
        |arn: Arn| Arn::new(arn.service(), arn.region(), arn.account(), &arn.resource().to_lowercase());
    arn.parse().map_or(Resource::Any, |arn| Resource::Arn(kept(arn)))
}

/// Adds tags, as TagResource does.
///
/// # Errors
/// As TagResource.
pub(crate) async fn add_tags(
    glue: &Glue,
    cx: &Context,
    arn: &str,
    tags_to_add: BTreeMap<String, String>,
) -> Result<(), Error> {
    let request = tag_resource::Request { resource_arn: arn.to_owned(), tags_to_add };
    TagResource::handle(glue, cx, request).await.map(drop)
}

/// Removes tags, as UntagResource does.
///
/// # Errors
/// As UntagResource.
pub(crate) async fn remove_tags(glue: &Glue, cx: &Context, arn: &str, keys: &[String]) -> Result<(), Error> {
    let request = untag_resource::Request { resource_arn: arn.to_owned(), tags_to_remove: keys.to_vec() };
    UntagResource::handle(glue, cx, request).await.map(drop)
}

/// The database that an ARN of this account and region names.
///
/// # Errors
/// `InvalidInputException` for anything else.
fn tagged_database(cx: &Context, arn: &str) -> Result<String, Error> {
    let none = || Error::InvalidInput(format!("Resource {arn} has no tags."));
    let parsed: Arn = arn.parse().map_err(|_| none())?;
    let ours = parsed.service() == "glue"
        && (parsed.region(), parsed.account()) == (cx.region.as_str(), cx.account.as_str());
    let name = parsed.resource().strip_prefix("database/").filter(|_| ours).ok_or_else(none)?;
    crate::names::name(name, "resourceArn")
}

/// # Errors
/// `InvalidInputException` for too many or too long tags.
fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::InvalidInput(format!("A resource can have at most {TAGS_MAX} tags.")));
    }
    let legal = |(key, value): (&String, &String)| {
        (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256
    };
    if tags.iter().all(legal) {
        return Ok(());
    }
    let said = "A tag's key must have 1 to 128 characters and its value at most 256.";
    Err(Error::InvalidInput(said.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_in_capitals_is_authorised_as_the_resource_it_means() {
        let cx = wire::testing::context();
        let arn = |resource: &str| format!("arn:aws:glue:us-east-1:000000000000:{resource}");
        assert_eq!(database_arn(&cx, "IoT").as_str(), arn("database/iot"));
        assert_eq!(table_arn(&cx, "IoT", "HeartRate").as_str(), arn("table/iot/heartrate"));
        let Resource::Arn(tagged) = tagged(&arn("database/IoT")) else { panic!("an ARN is a resource") };
        assert_eq!(tagged.as_str(), arn("database/iot"));
    }

    #[tokio::test]
    async fn what_is_not_supported_is_refused_by_name() {
        let glue = testing::with_table("iot", "t").await;
        let of_table = json!({"DatabaseName": "iot", "Name": "t"});
        let of_partition = json!({"DatabaseName": "iot", "TableName": "t", "PartitionValues": []});
        let new_table = json!({"DatabaseName": "iot", "TableInput": {"Name": "t"}});
        for (operation, input, members) in [
            ("GetTable", &of_table, &["TransactionId", "QueryAsOfTime", "AuditContext"][..]),
            ("GetTables", &of_table, &["TransactionId", "QueryAsOfTime", "AuditContext"]),
            ("DeleteTable", &of_table, &["TransactionId"]),
            ("CreateTable", &new_table, &["Name", "TransactionId"]),
            (
                "UpdateTable",
                &new_table,
                &["Name", "TransactionId", "ViewUpdateAction", "UpdateOpenTableFormatInput"],
            ),
            ("GetPartition", &of_partition, &["AuditContext"]),
            ("GetPartitions", &of_partition, &["TransactionId", "QueryAsOfTime", "AuditContext"]),
        ] {
            for member in members {
                let mut input = input.clone();
                input[member] = "x".into();
                let said = testing::refused(&glue, operation, input).await.to_string();
                assert_eq!(said, format!("InvalidInputException: {member} is not supported."), "{operation}");
            }
        }
        let batch = json!({"DatabaseName": "iot", "TablesToDelete": [], "TransactionId": "x"});
        assert_eq!(
            testing::refused(&glue, "BatchDeleteTable", batch).await.message,
            "TransactionId is not supported."
        );
        for member in ["AuditContext", "QuerySessionContext"] {
            let mut batch = json!({"DatabaseName": "iot", "TableName": "t", "PartitionsToGet": []});
            batch[member] = json!({});
            let said = testing::refused(&glue, "BatchGetPartition", batch).await.message;
            assert_eq!(said, format!("{member} is not supported."));
        }
    }

    #[tokio::test]
    async fn nothing_is_shared_or_federated() {
        let glue = testing::with_table("iot", "t").await;
        for (operation, list, kind, expect) in [
            ("GetTables", "TableList", "ALL", 1),
            ("GetTables", "TableList", "FEDERATED", 0),
            ("GetDatabases", "DatabaseList", "ALL", 2),
            ("GetDatabases", "DatabaseList", "FOREIGN", 0),
            ("GetDatabases", "DatabaseList", "FEDERATED", 0),
        ] {
            let input = json!({"DatabaseName": "iot", "ResourceShareType": kind});
            let found = testing::call(&glue, operation, input).await;
            assert_eq!(found[list].as_array().map(Vec::len), Some(expect), "{operation} {kind}");
        }
        let input = json!({"DatabaseName": "iot", "ResourceShareType": "MINE"});
        assert_eq!(testing::refused(&glue, "GetTables", input).await.code, "InvalidInputException");
    }
}
