//! `CreateTable`: <https://docs.aws.amazon.com/glue/latest/webapi/API_CreateTable.html>
//!
//! Differs from AWS: partition indexes and Iceberg tables made by this operation are refused.

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use crate::input::{Raw, TableInput};
use crate::{Error, Glue, names};

pub(super) struct CreateTable;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_input: Raw<TableInput>,
    partition_indexes: Option<Vec<Value>>,
    open_table_format_input: Option<Value>,
    name: Option<Value>,
    transaction_id: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for CreateTable {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "CreateTable";
    const ACTION: &'static str = "glue:CreateTable";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_input.read().name).into()
    }

    /// # Errors
    /// `EntityNotFoundException` for the database, `AlreadyExistsException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        names::absent("Name", request.name.as_ref())?;
        names::absent("TransactionId", request.transaction_id.as_ref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        request.table_input.read().check()?;
        let name = names::name(&request.table_input.read().name, "tableInput.name")?;
        if request.partition_indexes.is_some_and(|indexes| !indexes.is_empty()) {
            return Err(Error::InvalidInput("Partition indexes are not supported.".to_owned()));
        }
        if request.open_table_format_input.is_some() {
            return Err(Error::InvalidInput("Open table formats are not supported.".to_owned()));
        }
        glue.insert_table(cx, &database, request.table_input.with("Name", name)).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_table_is_created_once_and_in_a_database() {
        let glue = with_table("iot", "T").await;
        let input = |database: &str, table| json!({"DatabaseName": database, "TableInput": table});
        for (input, expect) in [
            (input("IOT", json!({"Name": "t"})), "AlreadyExistsException: Table already exists."),
            (input("nope", json!({"Name": "t"})), "EntityNotFoundException: Database nope not found."),
            (
                input("iot", json!({"Name": ""})),
                "InvalidInputException: 1 validation error detected: Value '' at \
              'tableInput.name' failed to satisfy constraint: Member must have length greater than or equal to 1",
            ),
        ] {
            assert_eq!(refused(&glue, "CreateTable", input).await.to_string(), expect);
        }
        for (member, value, expect) in [
            (
                "PartitionIndexes",
                json!([{"Keys": ["year"], "IndexName": "i"}]),
                "Partition indexes are not supported.",
            ),
            ("OpenTableFormatInput", json!({"IcebergInput": {}}), "Open table formats are not supported."),
        ] {
            let mut input = input("iot", json!({"Name": "u"}));
            input[member] = value;
            assert_eq!(refused(&glue, "CreateTable", input).await.message, expect);
        }
        let fault =
            refused(&glue, "CreateTable", input("iot", json!({"Name": "u", "Parameters": {"a": 1}}))).await;
        assert_eq!(fault.code, "SerializationException");
    }
}
