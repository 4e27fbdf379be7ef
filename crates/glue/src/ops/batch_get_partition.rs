//! `BatchGetPartition`: <https://docs.aws.amazon.com/glue/latest/webapi/API_BatchGetPartition.html>
//!
//! A partition that is not there is missing from the answer.

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use super::PartitionValueList;
use crate::limits::BATCH_GET_PARTITIONS_MAX;
use crate::{Error, Glue, names};

pub(super) struct BatchGetPartition;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    partitions_to_get: Vec<PartitionValueList>,
    audit_context: Option<Value>,
    query_session_context: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    partitions: Vec<Value>,
    /// Nothing is ever left for later.
    unprocessed_keys: Vec<Value>,
}

impl Operation for BatchGetPartition {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "BatchGetPartition";
    const ACTION: &'static str = "glue:BatchGetPartition";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException` for the table, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        names::absent("AuditContext", request.audit_context.as_ref())?;
        names::absent("QuerySessionContext", request.query_session_context.as_ref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let table = names::name(&request.table_name, "tableName")?;
        names::length(&request.partitions_to_get, "partitionsToGet", BATCH_GET_PARTITIONS_MAX)?;
        let table = glue.stored_table(cx, &database, &table).await?.entity;
        let mut partitions = Vec::new();
        for PartitionValueList { values } in request.partitions_to_get {
            match glue.partition(cx, &table, &values).await {
                Ok(stored) => partitions.push(stored.entity.shape(cx)),
                Err(Error::EntityNotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Response { partitions, unprocessed_keys: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn those_that_are_there_are_answered() {
        let glue = with_table("iot", "t").await;
        add_partition(&glue, "iot", "t", &["2017", "8"]).await;
        let input =
            |table: &str, list| json!({"DatabaseName": "iot", "TableName": table, "PartitionsToGet": list});
        let list = json!([{"Values": ["2017", "9"]}, {"Values": ["2017", "8"]}]);
        let found = call(&glue, "BatchGetPartition", input("t", list)).await;
        assert_eq!(found["Partitions"].as_array().unwrap().len(), 1);
        assert_eq!(
            (&found["Partitions"][0]["Values"], &found["UnprocessedKeys"]),
            (&json!(["2017", "8"]), &json!([]))
        );
        for (input, code) in [
            (input("x", json!([])), "EntityNotFoundException"),
            (input("t", json!([{"Values": ["1"]}])), "InvalidInputException"),
            (input("t", json!(vec![json!({"Values": []}); 1001])), "InvalidInputException"),
        ] {
            assert_eq!(refused(&glue, "BatchGetPartition", input).await.code, code);
        }
    }
}
