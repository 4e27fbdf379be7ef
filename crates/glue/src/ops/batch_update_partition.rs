//! `BatchUpdatePartition`: <https://docs.aws.amazon.com/glue/latest/webapi/API_BatchUpdatePartition.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::ErrorDetail;
use crate::input::{PartitionInput, Raw};
use crate::limits::BATCH_PARTITIONS_MAX;
use crate::{Error, Glue, names};

pub(super) struct BatchUpdatePartition;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    entries: Vec<EntryInput>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Failure>,
}

impl Operation for BatchUpdatePartition {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "BatchUpdatePartition";
    const ACTION: &'static str = "glue:BatchUpdatePartition";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException` for the table, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let table = names::name(&request.table_name, "tableName")?;
        names::length(&request.entries, "entries", BATCH_PARTITIONS_MAX)?;
        glue.stored_table(cx, &database, &table).await?;
        let mut errors = Vec::new();
        for EntryInput { partition_value_list, partition_input } in request.entries {
            let replaced =
                glue.replace_partition(cx, (&database, &table), &partition_value_list, partition_input);
            if let Err(error) = replaced.await {
                errors.push(Failure { partition_value_list, error_detail: ErrorDetail::of(error)? });
            }
        }
        Ok(Response { errors })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EntryInput {
    partition_value_list: Vec<String>,
    partition_input: Raw<PartitionInput>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    partition_value_list: Vec<String>,
    error_detail: ErrorDetail,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn each_partition_fails_for_itself() {
        let glue = with_table("iot", "t").await;
        add_partition(&glue, "iot", "t", &["2017", "8"]).await;
        let entry =
            |values| json!({"PartitionValueList": values, "PartitionInput": {"Parameters": {"k": "v"}}});
        let input =
            |table: &str, entries| json!({"DatabaseName": "iot", "TableName": table, "Entries": entries});
        let entries = json!([entry(json!(["2017", "9"])), entry(json!(["2017", "8"]))]);
        assert_eq!(
            call(&glue, "BatchUpdatePartition", input("t", entries)).await,
            json!({"Errors": [{"PartitionValueList":
            ["2017", "9"], "ErrorDetail": {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Cannot find partition."}}]})
        );
        let get = json!({"DatabaseName": "iot", "TableName": "t", "PartitionValues": ["2017", "8"]});
        assert_eq!(call(&glue, "GetPartition", get).await["Partition"]["Parameters"], json!({"k": "v"}));
        for (input, code) in [
            (input("x", json!([])), "EntityNotFoundException"),
            (input("t", json!(vec![entry(json!([])); 101])), "InvalidInputException"),
        ] {
            assert_eq!(refused(&glue, "BatchUpdatePartition", input).await.code, code);
        }
    }
}
