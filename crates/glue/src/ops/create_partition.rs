//! `CreatePartition`: <https://docs.aws.amazon.com/glue/latest/webapi/API_CreatePartition.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::input::{PartitionInput, Raw};
use crate::{Error, Glue, names};

pub(super) struct CreatePartition;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    partition_input: Raw<PartitionInput>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for CreatePartition {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "CreatePartition";
    const ACTION: &'static str = "glue:CreatePartition";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `AlreadyExistsException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let table = names::name(&request.table_name, "tableName")?;
        glue.insert_partition(cx, (&database, &table), request.partition_input).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_partition_is_created_once_and_with_a_value_for_each_key() {
        let glue = with_table("iot", "t").await;
        add_partition(&glue, "iot", "t", &["2017", "8"]).await;
        let input = |table: &str, values| json!({"DatabaseName": "iot", "TableName": table, "PartitionInput": {"Values": values}});
        for (input, expect) in [
            (input("t", json!(["2017", "8"])), "AlreadyExistsException: Partition already exists."),
            (input("x", json!(["2017", "8"])), "EntityNotFoundException: Table x not found."),
            (
                input("t", json!(["2017"])),
                "InvalidInputException: The number of partition keys do not match the number of \
              partition values",
            ),
            (
                input("t", json!(["2017", ""])),
                "InvalidInputException: 1 validation error detected: Value '' at \
              'partitionInput.values' failed to satisfy constraint: Member must have length between 1 and 1024",
            ),
        ] {
            assert_eq!(refused(&glue, "CreatePartition", input).await.to_string(), expect);
        }
    }
}
