//! `GetPartition`: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartition.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use crate::{Error, Glue, names};

pub(super) struct GetPartition;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
    partition_values: Vec<String>,
    audit_context: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    partition: Value,
}

impl Operation for GetPartition {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetPartition";
    const ACTION: &'static str = "glue:GetPartition";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        names::absent("AuditContext", request.audit_context.as_ref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let table = names::name(&request.table_name, "tableName")?;
        let table = glue.stored_table(cx, &database, &table).await?.entity;
        let partition = glue.partition(cx, &table, &request.partition_values).await?.entity;
        Ok(Response { partition: partition.shape(cx) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_partition_is_answered_as_it_was_given() {
        let glue = with_table("iot", "t").await;
        let input = json!({"Values": ["2017", "a/B"], "StorageDescriptor": {"Location": "s3://b/", "SkewedInfo": {}}, "Parameters": {"k": "v"}});
        call(
            &glue,
            "CreatePartition",
            json!({"DatabaseName": "iot", "TableName": "T", "PartitionInput": input}),
        )
        .await;
        let get = |values| json!({"DatabaseName": "iot", "TableName": "t", "PartitionValues": values});
        let mut expect = input;
        for (member, value) in [
            ("DatabaseName", json!("iot")),
            ("TableName", json!("t")),
            ("CreationTime", json!(1_503_733_632.345)),
            ("CatalogId", json!("000000000000")),
        ] {
            expect[member] = value;
        }
        assert_eq!(call(&glue, "GetPartition", get(json!(["2017", "a/B"]))).await["Partition"], expect);
        let fault = refused(&glue, "GetPartition", get(json!(["2017", "a/b"]))).await;
        assert_eq!(fault.to_string(), "EntityNotFoundException: Cannot find partition.");
        assert_eq!(refused(&glue, "GetPartition", get(json!([]))).await.code, "InvalidInputException");
    }
}
