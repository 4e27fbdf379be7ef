//! `GetTable`: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetTable.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use super::attributes::Attributes;
use crate::{Error, Glue, names};

pub(super) struct GetTable;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    name: String,
    transaction_id: Option<Value>,
    query_as_of_time: Option<Value>,
    audit_context: Option<Value>,
    /// There is never anything that is still going on.
    #[serde(rename = "IncludeStatusDetails")]
    _include_status_details: Option<bool>,
    attributes_to_get: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    table: Value,
}

impl Operation for GetTable {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetTable";
    const ACTION: &'static str = "glue:GetTable";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        names::absent("TransactionId", request.transaction_id.as_ref())?;
        names::absent("QueryAsOfTime", request.query_as_of_time.as_ref())?;
        names::absent("AuditContext", request.audit_context.as_ref())?;
        let attributes = Attributes::of_table(request.attributes_to_get.as_deref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        let name = names::name(&request.name, "name")?;
        Ok(Response { table: attributes.of(glue.stored_table(cx, &database, &name).await?.entity.shape(cx)) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_table_is_answered_as_it_was_given() {
        let glue = glue();
        call(&glue, "CreateDatabase", json!({"DatabaseInput": {"Name": "iot"}})).await;
        let input = json!({"Name": "HeartRate", "Owner": "hadoop", "Retention": 0, "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Columns": [{"Name": "heartRate", "Type": "int", "Parameters": {"p": "q"}}], "Location": "s3://b/t/",
                "InputFormat": "i", "OutputFormat": "o", "Compressed": false, "NumberOfBuckets": -1,
                "SerdeInfo": {"Name": "s", "SerializationLibrary": "x.Y", "Parameters": {"ignore.malformed.json": "true"}},
                "BucketColumns": [], "SortColumns": [{"Column": "heartRate", "SortOrder": 1}], "Parameters": {"c": "D"},
                "SkewedInfo": {"SkewedColumnNames": []}, "StoredAsSubDirectories": false},
            "PartitionKeys": [], "ViewOriginalText": "/* Presto View: e30= */", "Parameters": {"EXTERNAL": "TRUE"}});
        call(&glue, "CreateTable", json!({"DatabaseName": "iot", "TableInput": input})).await;
        let mut expect = input;
        for (member, value) in [
            ("Name", json!("heartrate")),
            ("DatabaseName", json!("iot")),
            ("CreateTime", json!(1_503_733_632.345)),
            ("UpdateTime", json!(1_503_733_632.345)),
            ("CreatedBy", json!("arn:aws:iam::000000000000:root")),
            ("IsRegisteredWithLakeFormation", json!(false)),
            ("CatalogId", json!("000000000000")),
            ("VersionId", json!("0")),
        ] {
            expect[member] = value;
        }
        let shown = call(&glue, "GetTable", json!({"DatabaseName": "IOT", "Name": "HEARTRATE"})).await;
        assert_eq!(shown["Table"], expect);
        for (input, expect) in [
            (
                json!({"DatabaseName": "iot", "Name": "nope"}),
                "EntityNotFoundException: Table nope not found.",
            ),
            (
                json!({"DatabaseName": "nope", "Name": "t"}),
                "EntityNotFoundException: Database nope not found.",
            ),
        ] {
            assert_eq!(refused(&glue, "GetTable", input).await.to_string(), expect);
        }
    }
}
