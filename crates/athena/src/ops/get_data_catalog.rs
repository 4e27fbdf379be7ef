//! `GetDataCatalog`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetDataCatalog.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::{Value, json};

use crate::{Athena, Error};

pub(super) struct GetDataCatalog;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    name: String,
    work_group: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    data_catalog: Value,
}

impl Operation for GetDataCatalog {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetDataCatalog";
    const ACTION: &'static str = "athena:GetDataCatalog";

    fn resource(cx: &Context, request: &Request) -> Resource {
        cx.arn("athena", &format!("datacatalog/{}", request.name)).into()
    }

    /// # Errors
    /// `InvalidRequestException`.
    async fn handle(_: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        super::metadata::check_catalog(&request.name)?;
        super::metadata::check_workgroup(request.work_group.as_deref())?;
        let parameters = json!({"catalog-id": cx.account.as_str()});
        let data_catalog =
            json!({"Name": super::metadata::CATALOG, "Type": "GLUE", "Parameters": parameters});
        Ok(Response { data_catalog })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn the_one_is_there_and_another_is_not() {
        let node = node().await;
        let got = node.ok("GetDataCatalog", json!({"Name": "awsdatacatalog"})).await;
        let expect =
            json!({"Name": "AwsDataCatalog", "Type": "GLUE", "Parameters": {"catalog-id": "000000000000"}});
        assert_eq!(got["DataCatalog"], expect);
        assert_eq!(
            node.said("GetDataCatalog", json!({"Name": "other"})).await,
            "InvalidRequestException: Data catalog other was not found"
        );
    }
}
