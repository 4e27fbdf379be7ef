//! `BatchDeletePartition`: <https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeletePartition.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::{ErrorDetail, PartitionError, PartitionValueList};
use crate::limits::BATCH_DELETE_PARTITIONS_MAX;
use crate::{Error, Glue, names};

pub(super) struct BatchDeletePartition;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    partitions_to_delete: Vec<PartitionValueList>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<PartitionError>,
}

impl Operation for BatchDeletePartition {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "BatchDeletePartition";
    const ACTION: &'static str = "glue:BatchDeletePartition";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException` for the table, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let table = names::name(&request.table_name, "tableName")?;
        names::length(&request.partitions_to_delete, "partitionsToDelete", BATCH_DELETE_PARTITIONS_MAX)?;
        glue.stored_table(cx, &database, &table).await?;
        let mut errors = Vec::new();
        for PartitionValueList { values: partition_values } in request.partitions_to_delete {
            if let Err(error) = glue.remove_partition(cx, (&database, &table), &partition_values).await {
                errors.push(PartitionError { partition_values, error_detail: ErrorDetail::of(error)? });
            }
        }
        Ok(Response { errors })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn each_partition_fails_for_itself() {
        let glue = with_table("iot", "t").await;
        add_partition(&glue, "iot", "t", &["2017", "8"]).await;
        let input = |table: &str, list| json!({"DatabaseName": "iot", "TableName": table, "PartitionsToDelete": list});
        let list = json!([{"Values": ["2017", "9"]}, {"Values": ["2017", "8"]}]);
        assert_eq!(
            call(&glue, "BatchDeletePartition", input("t", list)).await,
            json!({"Errors": [{"PartitionValues":
            ["2017", "9"], "ErrorDetail": {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Cannot find partition."}}]})
        );
        let found = call(&glue, "GetPartitions", json!({"DatabaseName": "iot", "TableName": "t"})).await;
        assert_eq!(found["Partitions"], json!([]));
        for (input, code) in [
            (input("x", json!([])), "EntityNotFoundException"),
            (input("t", json!(vec![json!({"Values": []}); 26])), "InvalidInputException"),
        ] {
            assert_eq!(refused(&glue, "BatchDeletePartition", input).await.code, code);
        }
    }
}
