//! `GetTagValues`: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetTagValues.html>

use std::collections::BTreeSet;

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::constraint::Violations;
use crate::limits::KEY_CHARS_MAX;
use crate::{Error, Tagging, ops};

pub(super) struct GetTagValues;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    pagination_token: Option<String>,
    key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    /// Empty after the last page.
    pagination_token: String,
    tag_values: Vec<String>,
}

impl Operation for GetTagValues {
    type Service = Tagging;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetTagValues";
    const ACTION: &'static str = "tag:GetTagValues";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidParameterException`, `InternalServiceException`.
    async fn handle(tagging: &Tagging, cx: &Context, request: Request) -> Result<Response, Error> {
        let mut violations = Violations::default();
        ops::constrain_token(request.pagination_token.as_deref(), &mut violations);
        violations.text("key", &request.key, (1, KEY_CHARS_MAX));
        violations.finish()?;
        let tags = tagging.all(cx).await?.into_iter().flat_map(|resource| resource.tags);
        let values: BTreeSet<String> =
            tags.filter(|(key, _)| *key == request.key).map(|(_, value)| value).collect();
        let (tag_values, pagination_token) =
            ops::page_of_names(values.into_iter(), request.pagination_token.as_deref())?;
        Ok(Response { pagination_token, tag_values })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Bench, stream};

    #[tokio::test]
    async fn values_of_one_key() {
        let bench = Bench::new();
        for (name, tags) in
            [("a", json!({"k": "2", "l": "x"})), ("b", json!({"k": ""})), ("c", json!({"k": "2"}))]
        {
            bench.ok("TagResources", json!({"ResourceARNList": [stream(name)], "Tags": tags})).await;
        }
        let expect = json!({"PaginationToken": "", "TagValues": ["", "2"]});
        assert_eq!(bench.ok("GetTagValues", json!({"Key": "k"})).await, expect);
        assert_eq!(bench.ok("GetTagValues", json!({"Key": "none"})).await["TagValues"], json!([]));
        let said = bench.refused("GetTagValues", json!({"Key": ""})).await;
        assert!(said.contains("Value at 'key'"), "{said}");
    }
}
