//! `BatchCreatePartition`: <https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::{ErrorDetail, PartitionError};
use crate::input::{PartitionInput, Raw};
use crate::limits::BATCH_PARTITIONS_MAX;
use crate::{Error, Glue, names};

pub(super) struct BatchCreatePartition;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    partition_input_list: Vec<Raw<PartitionInput>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<PartitionError>,
}

impl Operation for BatchCreatePartition {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "BatchCreatePartition";
    const ACTION: &'static str = "glue:BatchCreatePartition";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException` for the table, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let table = names::name(&request.table_name, "tableName")?;
        names::length(&request.partition_input_list, "partitionInputList", BATCH_PARTITIONS_MAX)?;
        glue.stored_table(cx, &database, &table).await?;
        let mut errors = Vec::new();
        for input in request.partition_input_list {
            let partition_values = input.read().values.unwrap_or_default();
            if let Err(error) = glue.insert_partition(cx, (&database, &table), input).await {
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
        let list = json!([{"Values": ["2017", "8"]}, {"Values": ["2017", "8"]}, {"Values": ["2017"]}, {"Values": ["2017", "9"]}]);
        let input = |table: &str, list| json!({"DatabaseName": "iot", "TableName": table, "PartitionInputList": list});
        let created = call(&glue, "BatchCreatePartition", input("t", list)).await;
        assert_eq!(
            created["Errors"][0],
            json!({"PartitionValues": ["2017", "8"], "ErrorDetail":
            {"ErrorCode": "AlreadyExistsException", "ErrorMessage": "Partition already exists."}})
        );
        assert_eq!(created["Errors"][1]["ErrorDetail"]["ErrorCode"], "InvalidInputException");
        assert_eq!(created["Errors"].as_array().unwrap().len(), 2);
        for (input, code) in [
            (input("x", json!([])), "EntityNotFoundException"),
            (input("t", json!(vec![json!({}); 101])), "InvalidInputException"),
        ] {
            assert_eq!(refused(&glue, "BatchCreatePartition", input).await.code, code);
        }
    }
}
