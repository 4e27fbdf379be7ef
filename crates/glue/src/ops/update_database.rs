//! `UpdateDatabase`: <https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateDatabase.html>
//!
//! Differs from AWS: a database cannot be renamed.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::input::{DatabaseInput, Raw};
use crate::{Error, Glue, names};

pub(super) struct UpdateDatabase;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    name: String,
    database_input: Raw<DatabaseInput>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for UpdateDatabase {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "UpdateDatabase";
    const ACTION: &'static str = "glue:UpdateDatabase";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::database_arn(cx, &request.name).into()
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        names::catalog(cx, request.catalog_id.as_deref())?;
        request.database_input.read().check()?;
        let name = names::name(&request.name, "name")?;
        if names::name(&request.database_input.read().name, "databaseInput.name")? != name {
            return Err(Error::InvalidInput("A database cannot be renamed.".to_owned()));
        }
        let input = request.database_input.with("Name", name.as_str());
        glue.replace_database(cx, &name, input).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn an_update_replaces_what_was_said() {
        let glue = glue();
        call(&glue, "CreateDatabase", json!({"DatabaseInput": {"Name": "iot", "Description": "d"}})).await;
        for name in ["iot", "default"] {
            let input = json!({"Name": name, "DatabaseInput": {"Name": name.to_uppercase(), "LocationUri": "s3://b/"}});
            call(&glue, "UpdateDatabase", input).await;
            let shown = call(&glue, "GetDatabase", json!({"Name": name})).await;
            assert_eq!(
                (shown["Database"].get("Description"), &shown["Database"]["LocationUri"]),
                (None, &json!("s3://b/"))
            );
        }
        assert_eq!(call(&glue, "GetDatabases", json!({})).await["DatabaseList"].as_array().unwrap().len(), 2);
        for (input, expect) in [
            (
                json!({"Name": "x", "DatabaseInput": {"Name": "x"}}),
                "EntityNotFoundException: Database x not found.",
            ),
            (
                json!({"Name": "iot", "DatabaseInput": {"Name": "x"}}),
                "InvalidInputException: A database cannot be renamed.",
            ),
        ] {
            assert_eq!(refused(&glue, "UpdateDatabase", input).await.to_string(), expect);
        }
    }
}
