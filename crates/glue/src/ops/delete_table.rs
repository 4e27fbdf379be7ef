//! `DeleteTable`: <https://docs.aws.amazon.com/glue/latest/webapi/API_DeleteTable.html>
//!
//! Differs from AWS: partitions are gone when this answers, not later.

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use crate::{Error, Glue, names};

pub(super) struct DeleteTable;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    name: String,
    transaction_id: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for DeleteTable {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DeleteTable";
    const ACTION: &'static str = "glue:DeleteTable";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        names::absent("TransactionId", request.transaction_id.as_ref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let name = names::name(&request.name, "name")?;
        glue.remove_table(cx, &database, &name).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_table_is_deleted_once() {
        let glue = with_table("iot", "t").await;
        create_table(&glue, "iot", "t2").await;
        add_partition(&glue, "iot", "t2", &["2017", "8"]).await;
        call(&glue, "DeleteTable", json!({"DatabaseName": "iot", "Name": "T"})).await;
        let fault = refused(&glue, "DeleteTable", json!({"DatabaseName": "iot", "Name": "t"})).await;
        assert_eq!(fault.to_string(), "EntityNotFoundException: Table t not found.");
        let partitions =
            call(&glue, "GetPartitions", json!({"DatabaseName": "iot", "TableName": "t2"})).await;
        assert_eq!(partitions["Partitions"].as_array().unwrap().len(), 1, "a neighbour's partitions stay");
    }
}
