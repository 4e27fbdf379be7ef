//! `GetTags`: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetTags.html>
//!
//! Differs from AWS: of what is here, only databases have tags.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use std::collections::BTreeMap;

use crate::{Error, Glue};

pub(super) struct GetTags;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    tags: BTreeMap<String, String>,
}

impl Operation for GetTags {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetTags";
    const ACTION: &'static str = "glue:GetTags";

    fn resource(_: &Context, request: &Request) -> Resource {
        super::tagged(&request.resource_arn)
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        let database = super::tagged_database(cx, &request.resource_arn)?;
        Ok(Response { tags: glue.database(cx, &database).await?.tags })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn a_database_has_the_tags_it_was_created_with() {
        let glue = glue();
        call(&glue, "CreateDatabase", json!({"DatabaseInput": {"Name": "iot"}, "Tags": {"k": "v"}})).await;
        let arn = |resource: &str| json!({"ResourceArn": format!("arn:aws:glue:us-east-1:000000000000:{resource}")});
        assert_eq!(call(&glue, "GetTags", arn("database/iot")).await, json!({"Tags": {"k": "v"}}));
        for (input, expect) in [
            (arn("database/x"), "EntityNotFoundException: Database x not found."),
            (
                arn("crawler/x"),
                "InvalidInputException: Resource arn:aws:glue:us-east-1:000000000000:crawler/x has no tags.",
            ),
            (json!({"ResourceArn": "x"}), "InvalidInputException: Resource x has no tags."),
            (
                json!({"ResourceArn": "arn:aws:glue:us-east-1:111111111111:database/iot"}),
                "InvalidInputException: Resource arn:aws:glue:us-east-1:111111111111:database/iot has no tags.",
            ),
        ] {
            assert_eq!(refused(&glue, "GetTags", input).await.to_string(), expect);
        }
    }
}
