//! `GetTableMetadata`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetTableMetadata.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::Value;

use super::metadata;
use crate::{Athena, Error};

pub(super) struct GetTableMetadata;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_name: String,
    database_name: String,
    table_name: String,
    work_group: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    table_metadata: Value,
}

impl Operation for GetTableMetadata {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetTableMetadata";
    const ACTION: &'static str = "athena:GetTableMetadata";

    fn resource(cx: &Context, request: &Request) -> Resource {
        metadata::resource(cx, &request.catalog_name)
    }

    /// # Errors
    /// `InvalidRequestException`, `MetadataException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        metadata::check_catalog(&request.catalog_name)?;
        metadata::check_workgroup(request.work_group.as_deref())?;
        metadata::check_name("databaseName", &request.database_name)?;
        metadata::check_name("tableName", &request.table_name)?;
        let found = athena.inner.catalog.table(cx, &request.database_name, &request.table_name).await;
        Ok(Response { table_metadata: metadata::table(&found.map_err(Error::of_catalog)?) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn a_table_of_a_statement_is_described() {
        let node = node().await;
        let sql = "CREATE EXTERNAL TABLE T (heartRate int COMMENT 'bpm', b string) PARTITIONED BY (year string) \
                   ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/t/'";
        node.run(sql).await;
        let input = |table: &str| json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "default", "TableName": table});
        let got = node.ok("GetTableMetadata", input("t")).await;
        let parameters = json!({
            "EXTERNAL": "TRUE",
            "transient_lastDdlTime": "1503733632",
            "location": "s3://lake/t/",
            "inputformat": "org.apache.hadoop.mapred.TextInputFormat",
            "outputformat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "serde.serialization.lib": "org.openx.data.jsonserde.JsonSerDe",
            "serde.param.serialization.format": "1",
        });
        let expect = json!({
            "Name": "t",
            "CreateTime": 1_503_733_632.345,
            "LastAccessTime": 0.0,
            "TableType": "EXTERNAL_TABLE",
            "Columns": [{"Name": "heartrate", "Type": "int", "Comment": "bpm"}, {"Name": "b", "Type": "string"}],
            "PartitionKeys": [{"Name": "year", "Type": "string"}],
            "Parameters": parameters,
        });
        assert_eq!(got["TableMetadata"], expect);
        assert_eq!(
            node.said("GetTableMetadata", input("gone")).await,
            "MetadataException: Table gone not found."
        );
        assert_eq!(
            node.said("GetTableMetadata", input("")).await,
            "InvalidRequestException: 1 validation error detected: Value '' at 'tableName' failed to satisfy constraint: \
             Member must have length greater than or equal to 1"
        );
    }
}
