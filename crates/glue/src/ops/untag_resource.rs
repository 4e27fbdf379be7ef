//! `UntagResource`: <https://docs.aws.amazon.com/glue/latest/webapi/API_UntagResource.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::database::Database;
use crate::{Error, Glue};

pub(super) struct UntagResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    pub(super) resource_arn: String,
    pub(super) tags_to_remove: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for UntagResource {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "UntagResource";
    const ACTION: &'static str = "glue:UntagResource";

    fn resource(_: &Context, request: &Request) -> Resource {
        super::tagged(&request.resource_arn)
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        let database = super::tagged_database(cx, &request.resource_arn)?;
        let remove = |database: &mut Database| {
            database.tags.retain(|key, _| !request.tags_to_remove.contains(key));
            Ok(())
        };
        glue.change_database(cx, &database, remove).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn tags_are_removed_by_key() {
        let glue = glue();
        call(
            &glue,
            "CreateDatabase",
            json!({"DatabaseInput": {"Name": "iot"}, "Tags": {"a": "1", "b": "1"}}),
        )
        .await;
        let arn = "arn:aws:glue:us-east-1:000000000000:database/iot";
        call(&glue, "UntagResource", json!({"ResourceArn": arn, "TagsToRemove": ["a", "x"]})).await;
        assert_eq!(call(&glue, "GetTags", json!({"ResourceArn": arn})).await["Tags"], json!({"b": "1"}));
        let arn = "arn:aws:glue:us-east-1:000000000000:database/x";
        let fault = refused(&glue, "UntagResource", json!({"ResourceArn": arn, "TagsToRemove": ["a"]})).await;
        assert_eq!(fault.to_string(), "EntityNotFoundException: Database x not found.");
    }
}
