//! `CreateDatabase`: <https://docs.aws.amazon.com/glue/latest/webapi/API_CreateDatabase.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use std::collections::BTreeMap;

use crate::database::Database;
use crate::input::{DatabaseInput, Raw};
use crate::{Error, Glue, names};

pub(super) struct CreateDatabase;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    catalog_id: Option<String>,
    database_input: Raw<DatabaseInput>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for CreateDatabase {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "CreateDatabase";
    const ACTION: &'static str = "glue:CreateDatabase";

    fn resource(cx: &Context, request: &Request) -> Resource {
        super::database_arn(cx, &request.database_input.read().name).into()
    }

    /// # Errors
    /// `AlreadyExistsException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        // In the model, CreateDatabase has no error for what is not there.
        names::catalog(cx, request.catalog_id.as_deref())
            .map_err(|error| Error::InvalidInput(error.to_string()))?;
        request.database_input.read().check()?;
        super::check_tags(&request.tags)?;
        let name = names::name(&request.database_input.read().name, "databaseInput.name")?;
        let database = Database {
            input: request.database_input.with("Name", name),
            tags: request.tags,
            created_at: glue.clock.now(),
        };
        glue.insert_database(cx, &database).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_database_is_created_once() {
        let glue = glue();
        let input = json!({"DatabaseInput": {"Name": "IoT", "Description": "d", "Parameters": {"a": "b"}}, "Tags": {"k": "v"}});
        assert_eq!(call(&glue, "CreateDatabase", input.clone()).await, json!({}));
        let fault = refused(&glue, "CreateDatabase", input).await;
        assert_eq!(
            (fault.status, fault.to_string().as_str()),
            (400, "AlreadyExistsException: Database already exists.")
        );
        for (input, expect) in [
            (
                json!({"DatabaseInput": {"Name": "default"}}),
                "AlreadyExistsException: Database already exists.",
            ),
            (
                json!({"DatabaseInput": {"Name": ""}}),
                "InvalidInputException: 1 validation error detected: Value '' at \
              'databaseInput.name' failed to satisfy constraint: Member must have length greater than or equal to 1",
            ),
            (
                json!({"DatabaseInput": {}}),
                "InvalidInputException: 1 validation error detected: Value null at 'name' failed \
              to satisfy constraint: Member must not be null",
            ),
            (
                json!({"CatalogId": "1", "DatabaseInput": {"Name": "x"}}),
                "InvalidInputException: Catalog 1 not found.",
            ),
        ] {
            assert_eq!(refused(&glue, "CreateDatabase", input).await.to_string(), expect);
        }
    }
}
