//! `DeletePartition`: <https://docs.aws.amazon.com/glue/latest/webapi/API_DeletePartition.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::{Error, Glue, names};

pub(super) struct DeletePartition;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    partition_values: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for DeletePartition {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DeletePartition";
    const ACTION: &'static str = "glue:DeletePartition";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let table = names::name(&request.table_name, "tableName")?;
        glue.remove_partition(cx, (&database, &table), &request.partition_values).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_partition_is_deleted_once() {
        let glue = with_table("iot", "t").await;
        add_partition(&glue, "iot", "t", &["2017", "8"]).await;
        let input = json!({"DatabaseName": "IoT", "TableName": "T", "PartitionValues": ["2017", "8"]});
        call(&glue, "DeletePartition", input.clone()).await;
        assert_eq!(
            refused(&glue, "DeletePartition", input).await.to_string(),
            "EntityNotFoundException: Cannot find partition."
        );
    }
}
