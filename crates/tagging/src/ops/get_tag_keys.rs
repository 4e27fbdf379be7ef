//! `GetTagKeys`: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetTagKeys.html>

use std::collections::BTreeSet;

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::constraint::Violations;
use crate::{Error, Tagging, ops};

pub(super) struct GetTagKeys;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    pagination_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    /// Empty after the last page.
    pagination_token: String,
    tag_keys: Vec<String>,
}

impl Operation for GetTagKeys {
    type Service = Tagging;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetTagKeys";
    const ACTION: &'static str = "tag:GetTagKeys";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    /// # Errors
    /// `InvalidParameterException`, `InternalServiceException`.
    async fn handle(tagging: &Tagging, cx: &Context, request: Request) -> Result<Response, Error> {
        let mut violations = Violations::default();
        ops::constrain_token(request.pagination_token.as_deref(), &mut violations);
        violations.finish()?;
        let found = tagging.all(cx).await?;
        let keys: BTreeSet<String> =
            found.into_iter().flat_map(|resource| resource.tags).map(|(key, _)| key).collect();
        let (tag_keys, pagination_token) =
            ops::page_of_names(keys.into_iter(), request.pagination_token.as_deref())?;
        Ok(Response { pagination_token, tag_keys })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::limits::NAMES_PER_PAGE;
    use crate::testing::{Bench, stream};

    #[tokio::test]
    async fn keys_are_told_once_and_in_pages() {
        let bench = Bench::new();
        for n in 0..3 {
            let tags: serde_json::Map<_, _> =
                (0..40).map(|k| (format!("key-{n}-{k:02}"), json!("v"))).collect();
            bench
                .ok("TagResources", json!({"ResourceARNList": [stream("a"), stream("b")], "Tags": tags}))
                .await;
        }
        let first = bench.ok("GetTagKeys", json!({})).await;
        assert_eq!(first["TagKeys"].as_array().unwrap().len(), NAMES_PER_PAGE);
        let second = bench.ok("GetTagKeys", json!({"PaginationToken": first["PaginationToken"]})).await;
        assert_eq!(second["TagKeys"].as_array().unwrap().len(), 120 - NAMES_PER_PAGE);
        assert_eq!(second["PaginationToken"], "");
        assert!(first["TagKeys"][99].as_str() < second["TagKeys"][0].as_str());
        let said = bench.refused("GetTagKeys", json!({"PaginationToken": "x".repeat(2049)})).await;
        assert!(said.starts_with("InvalidParameterException: 1 validation error detected"), "{said}");
    }
}
