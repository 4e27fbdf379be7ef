//! `DeleteDatabase`: <https://docs.aws.amazon.com/glue/latest/webapi/API_DeleteDatabase.html>
//!
//! Differs from AWS: tables and partitions are gone when this answers, not later; deleting `default` empties it.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::{Error, Glue, names};

pub(super) struct DeleteDatabase;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for DeleteDatabase {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DeleteDatabase";
    const ACTION: &'static str = "glue:DeleteDatabase";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::database_arn(cx, &request.name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        let name = names::name(&request.name, "name")?;
        glue.remove_database(cx, &name).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn tables_and_partitions_go_with_their_database() {
        let glue = with_table("iot", "t").await;
        add_partition(&glue, "iot", "t", &["2017", "8"]).await;
        call(&glue, "DeleteDatabase", json!({"Name": "IOT"})).await;
        let fault = refused(&glue, "DeleteDatabase", json!({"Name": "iot"})).await;
        assert_eq!(fault.to_string(), "EntityNotFoundException: Database iot not found.");
        call(&glue, "CreateDatabase", json!({"DatabaseInput": {"Name": "iot"}})).await;
        assert_eq!(call(&glue, "GetTables", json!({"DatabaseName": "iot"})).await["TableList"], json!([]));
        create_table(&glue, "iot", "t").await;
        let partitions = call(&glue, "GetPartitions", json!({"DatabaseName": "iot", "TableName": "t"})).await;
        assert_eq!(partitions["Partitions"], json!([]));
        create_table(&glue, "default", "t").await;
        call(&glue, "DeleteDatabase", json!({"Name": "default"})).await;
        assert_eq!(
            call(&glue, "GetTables", json!({"DatabaseName": "default"})).await["TableList"],
            json!([])
        );
    }
}
