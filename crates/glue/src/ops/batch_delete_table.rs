//! `BatchDeleteTable`: <https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeleteTable.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use super::ErrorDetail;
use crate::limits::BATCH_DELETE_TABLES_MAX;
use crate::{Error, Glue, names};

pub(super) struct BatchDeleteTable;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    tables_to_delete: Vec<String>,
    transaction_id: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<TableError>,
}

impl Operation for BatchDeleteTable {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "BatchDeleteTable";
    const ACTION: &'static str = "glue:BatchDeleteTable";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::database_arn(cx, &request.database_name).into()
    }

    /// # Errors
    /// `EntityNotFoundException` for the database, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        names::absent("TransactionId", request.transaction_id.as_ref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        names::length(&request.tables_to_delete, "tablesToDelete", BATCH_DELETE_TABLES_MAX)?;
        glue.database(cx, &database).await?;
        let mut errors = Vec::new();
        for table_name in request.tables_to_delete {
            let removed = async {
                glue.remove_table(cx, &database, &names::name(&table_name, "tablesToDelete")?).await
            };
            if let Err(error) = removed.await {
                errors.push(TableError { table_name, error_detail: ErrorDetail::of(error)? });
            }
        }
        Ok(Response { errors })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TableError {
    table_name: String,
    error_detail: ErrorDetail,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn each_table_fails_for_itself() {
        let glue = with_table("iot", "t").await;
        let deleted =
            call(&glue, "BatchDeleteTable", json!({"DatabaseName": "iot", "TablesToDelete": ["x", "T"]}))
                .await;
        assert_eq!(
            deleted,
            json!({"Errors": [{"TableName": "x", "ErrorDetail":
            {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Table x not found."}}]})
        );
        let tables = call(&glue, "GetTables", json!({"DatabaseName": "iot"})).await;
        assert_eq!(tables["TableList"], json!([]));
        for (input, expect) in [
            (
                json!({"DatabaseName": "nope", "TablesToDelete": []}),
                "EntityNotFoundException: Database nope not found.",
            ),
            (
                json!({"DatabaseName": "iot", "TablesToDelete": vec!["x"; 101]}),
                "InvalidInputException: 1 validation error \
              detected: Value at 'tablesToDelete' failed to satisfy constraint: Member must have length less than or equal to 100",
            ),
        ] {
            assert_eq!(refused(&glue, "BatchDeleteTable", input).await.to_string(), expect);
        }
    }
}
