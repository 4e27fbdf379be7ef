//! `UpdateTable`: <https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html>
//!
//! Differs from AWS: no earlier version is kept, as if SkipArchive were always true; a table cannot be renamed.

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use crate::input::{Raw, TableInput};
use crate::{Error, Glue, names};

pub(super) struct UpdateTable;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_name: String,
    table_input: Raw<TableInput>,
    /// The version that must be there.
    version_id: Option<String>,
    /// No earlier version is ever kept.
    #[serde(rename = "SkipArchive")]
    _skip_archive: Option<bool>,
    /// Only of a view could something be forced.
    #[serde(rename = "Force")]
    _force: Option<bool>,
    name: Option<Value>,
    transaction_id: Option<Value>,
    view_update_action: Option<Value>,
    update_open_table_format_input: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for UpdateTable {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "UpdateTable";
    const ACTION: &'static str = "glue:UpdateTable";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::table_arn(cx, &request.database_name, &request.table_input.read().name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `ConcurrentModificationException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        names::absent("Name", request.name.as_ref())?;
        names::absent("TransactionId", request.transaction_id.as_ref())?;
        names::absent("ViewUpdateAction", request.view_update_action.as_ref())?;
        names::absent("UpdateOpenTableFormatInput", request.update_open_table_format_input.as_ref())?;
        let database = names::name(&request.database_name, "databaseName")?;
        request.table_input.read().check()?;
        let name = names::name(&request.table_input.read().name, "tableInput.name")?;
        let input = request.table_input.with("Name", name.as_str());
        glue.change_table(cx, (&database, &name), request.version_id.as_deref(), |_| input).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn an_update_replaces_the_table_and_counts_its_versions() {
        let glue = with_table("iot", "t").await;
        let input = json!({"DatabaseName": "iot", "TableInput": {"Name": "T", "Parameters": {"k": "v"}}, "SkipArchive": true});
        call(&glue, "UpdateTable", input.clone()).await;
        let shown = call(&glue, "GetTable", json!({"DatabaseName": "iot", "Name": "t"})).await;
        assert_eq!(shown["Table"]["VersionId"], "1");
        assert_eq!(shown["Table"].get("StorageDescriptor"), None);
        let mut stale = input.clone();
        stale["VersionId"] = "0".into();
        let fault = refused(&glue, "UpdateTable", stale).await;
        assert_eq!(
            fault.to_string(),
            "ConcurrentModificationException: Update table failed due to concurrent modifications."
        );
        let mut fresh = input;
        fresh["VersionId"] = "1".into();
        call(&glue, "UpdateTable", fresh).await;
        let nope = json!({"DatabaseName": "iot", "TableInput": {"Name": "nope"}});
        assert_eq!(
            refused(&glue, "UpdateTable", nope).await.to_string(),
            "EntityNotFoundException: Table nope not found."
        );
    }
}
