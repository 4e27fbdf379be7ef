//! `GetDatabase`: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetDatabase.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use crate::{Error, Glue, names};

pub(super) struct GetDatabase;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    database: Value,
}

impl Operation for GetDatabase {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetDatabase";
    const ACTION: &'static str = "glue:GetDatabase";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::database_arn(cx, &request.name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        let name = names::name(&request.name, "name")?;
        Ok(Response { database: glue.database(cx, &name).await?.shape(cx) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_database_is_answered_as_it_was_given() {
        let glue = glue();
        let input = json!({"Name": "IoT", "LocationUri": "s3://b/", "Parameters": {"a": "B"}, "CreateTableDefaultPermissions": []});
        call(&glue, "CreateDatabase", json!({"DatabaseInput": input})).await;
        let database = call(&glue, "GetDatabase", json!({"Name": "IOT"})).await;
        assert_eq!(
            database["Database"],
            json!({"Name": "iot", "LocationUri": "s3://b/", "Parameters": {"a": "B"},
            "CreateTableDefaultPermissions": [], "CreateTime": 1_503_733_632.345, "CatalogId": "000000000000"})
        );
        let default = call(&glue, "GetDatabase", json!({"Name": "default"})).await;
        assert_eq!(default["Database"]["Name"], "default");
        assert_eq!(
            default["Database"]["CreateTableDefaultPermissions"],
            json!([{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}])
        );
        let fault = refused(&glue, "GetDatabase", json!({"Name": "nope"})).await;
        assert_eq!(
            (fault.status, fault.to_string().as_str()),
            (400, "EntityNotFoundException: Database nope not found.")
        );
    }
}
