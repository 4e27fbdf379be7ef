//! `ListTagsForResource`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_ListTagsForResource.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::Tag;
use super::page::Page;
use crate::{Athena, Error};

pub(super) struct ListTagsForResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for ListTagsForResource {
    type Service = Athena;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListTagsForResource";
    const ACTION: &'static str = "athena:ListTagsForResource";

    fn resource(_: &Context, request: &Request) -> Resource {
        super::tagged(&request.resource_arn)
    }

    /// # Errors
    /// `ResourceNotFoundException`, `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        // AWS has no pages of fewer than 75 tags.
        let page = Page::of(request.next_token.as_deref(), request.max_results, (75, usize::MAX >> 1))?;
        let name = super::tagged_workgroup(cx, &request.resource_arn)?;
        let (workgroup, _) =
            super::of_resource(&request.resource_arn, athena.inner.workgroup(cx, &name).await)?;
        let tags = workgroup.tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
        let (tags, next_token) = page.cut_all(tags, |tag| tag.key.clone());
        Ok(Response { tags, next_token })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn a_workgroup_without_tags_has_none_and_what_is_not_there_is_refused() {
        let node = node().await;
        let arn = "arn:aws:athena:us-east-1:000000000000:workgroup/primary";
        assert_eq!(node.ok("ListTagsForResource", json!({"ResourceARN": arn})).await, json!({"Tags": []}));
        assert_eq!(
            node.said("ListTagsForResource", json!({"ResourceARN": arn, "MaxResults": 74})).await,
            "InvalidRequestException: 1 validation error detected: Value '74' at 'maxResults' failed to satisfy \
             constraint: Member must have value greater than or equal to 75"
        );
        let gone = "arn:aws:athena:us-east-1:000000000000:datacatalog/x";
        assert_eq!(
            node.said("ListTagsForResource", json!({"ResourceARN": gone})).await,
            format!("ResourceNotFoundException: Resource {gone} was not found.")
        );
    }
}
