//! `GetPartitionIndexes`: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitionIndexes.html>
//!
//! A table has none, since CreateTable refuses them.

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use super::listing::Page;
use crate::{Error, Glue, names};

pub(super) struct GetPartitionIndexes;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    partition_index_descriptor_list: Vec<Value>,
}

impl Operation for GetPartitionIndexes {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetPartitionIndexes";
    const ACTION: &'static str = "glue:GetPartitionIndexes";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        Page::of(request.next_token.as_deref(), None, 1)?;
        let database = names::name(&request.database_name, "databaseName")?;
        let table = names::name(&request.table_name, "tableName")?;
        glue.stored_table(cx, &database, &table).await?;
        Ok(Response { partition_index_descriptor_list: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_table_has_none() {
        let glue = with_table("iot", "t").await;
        let found =
            call(&glue, "GetPartitionIndexes", json!({"DatabaseName": "iot", "TableName": "T"})).await;
        assert_eq!(found, json!({"PartitionIndexDescriptorList": []}));
        let fault =
            refused(&glue, "GetPartitionIndexes", json!({"DatabaseName": "iot", "TableName": "x"})).await;
        assert_eq!(fault.to_string(), "EntityNotFoundException: Table x not found.");
    }
}
