//! `TagResource`: <https://docs.aws.amazon.com/glue/latest/webapi/API_TagResource.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use std::collections::BTreeMap;

use crate::database::Database;
use crate::{Error, Glue};

pub(super) struct TagResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    pub(super) resource_arn: String,
    pub(super) tags_to_add: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {}

impl Operation for TagResource {
    type Service = Glue;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "TagResource";
    const ACTION: &'static str = "glue:TagResource";

    fn resource(_: &Context, request: &Request) -> Resource {
        super::tagged(&request.resource_arn)
    }

    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    async fn handle(glue: &Glue, cx: &Context, request: Request) -> Result<Response, Error> {
        let database = super::tagged_database(cx, &request.resource_arn)?;
        let add = |database: &mut Database| {
            database.tags.extend(request.tags_to_add);
            super::check_tags(&database.tags)
        };
        glue.change_database(cx, &database, add).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::*;

    #[tokio::test]
    async fn tags_are_added_up_to_fifty() {
        let glue = glue();
        let tag = |tags| json!({"ResourceArn": "arn:aws:glue:us-east-1:000000000000:database/default", "TagsToAdd": tags});
        call(&glue, "TagResource", tag(json!({"a": "1", "b": "1"}))).await;
        call(&glue, "TagResource", tag(json!({"b": "2"}))).await;
        let tags = call(&glue, "GetTags", tag(json!({}))).await;
        assert_eq!(tags["Tags"], json!({"a": "1", "b": "2"}));
        let many: serde_json::Map<_, _> = (0..49).map(|n| (n.to_string(), json!(""))).collect();
        for (tags, expect) in [
            (json!(many), "A resource can have at most 50 tags."),
            (json!({"": ""}), "A tag's key must have 1 to 128 characters and its value at most 256."),
            (
                json!({"k": "x".repeat(257)}),
                "A tag's key must have 1 to 128 characters and its value at most 256.",
            ),
        ] {
            assert_eq!(refused(&glue, "TagResource", tag(tags)).await.message, expect);
        }
    }
}
