//! `GetDatabase`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetDatabase.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::Value;

use super::metadata;
use crate::{Athena, Error};

pub(super) struct GetDatabase;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_name: String,
    database_name: String,
    work_group: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    database: Value,
}

impl Operation for GetDatabase {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetDatabase";
    const ACTION: &'static str = "athena:GetDatabase";

    fn resource(cx: &Context, request: &Request) -> Resource {
        metadata::resource(cx, &request.catalog_name)
    }

    /// # Errors
    /// `InvalidRequestException`, `MetadataException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        metadata::check_catalog(&request.catalog_name)?;
        metadata::check_workgroup(request.work_group.as_deref())?;
        metadata::check_name("databaseName", &request.database_name)?;
        let found = athena.inner.catalog.database(cx, &request.database_name).await;
        Ok(Response { database: metadata::database(&found.map_err(Error::of_catalog)?) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn a_database_of_a_statement_is_there() {
        let node = node().await;
        node.run("create database iot comment 'about' with dbproperties ('k' = 'v');").await;
        let input = |name: &str| json!({"CatalogName": "AwsDataCatalog", "DatabaseName": name});
        let got = node.ok("GetDatabase", input("iot")).await;
        assert_eq!(
            got,
            json!({"Database": {"Name": "iot", "Description": "about", "Parameters": {"k": "v"}}})
        );
        assert_eq!(
            node.said("GetDatabase", input("gone")).await,
            "MetadataException: Database gone not found."
        );
    }
}
