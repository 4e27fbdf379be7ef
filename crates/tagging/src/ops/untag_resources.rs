//! `UntagResources`: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_UntagResources.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::constraint::Violations;
use crate::limits::{KEY_CHARS_MAX, TAGS_MAX};
use crate::ops::Changed;
use crate::resources::{Change, arns};
use crate::{Error, Tagging};

pub(super) struct UntagResources;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "ResourceARNList")]
    resource_arn_list: Vec<String>,
    tag_keys: Vec<String>,
}

impl Operation for UntagResources {
    type Service = Tagging;
    type Request = Request;
    type Response = Changed;
    type Error = Error;

    const NAME: &'static str = "UntagResources";
    const ACTION: &'static str = "tag:UntagResources";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    fn condition_keys(request: &Request) -> Vec<(&'static str, Vec<String>)> {
        vec![("aws:TagKeys", request.tag_keys.clone())]
    }

    /// # Errors
    /// `InvalidParameterException`. What a service refuses is told of each resource.
    async fn handle(tagging: &Tagging, cx: &Context, request: Request) -> Result<Changed, Error> {
        let mut violations = Violations::default();
        violations.length("tagKeys", request.tag_keys.len(), (1, TAGS_MAX));
        for (n, key) in request.tag_keys.iter().enumerate() {
            violations.text(&format!("tagKeys.{}.member", n + 1), key, (1, KEY_CHARS_MAX));
        }
        let arns = arns(&request.resource_arn_list, violations)?;
        let change = Change::Untag(request.tag_keys);
        Ok(Changed { failed_resources_map: tagging.change(cx, arns, &change).await })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Bench, stream};

    #[tokio::test]
    async fn keys_go_and_a_resource_without_tags_is_not_listed() {
        let bench = Bench::new();
        let input = json!({"ResourceARNList": [stream("a")], "Tags": {"k": "v", "l": "w"}});
        bench.ok("TagResources", input).await;
        let untag = |keys: &[&str]| json!({"ResourceARNList": [stream("a")], "TagKeys": keys});
        assert_eq!(
            bench.ok("UntagResources", untag(&["k", "none"])).await,
            json!({"FailedResourcesMap": {}})
        );
        let found = bench.ok("GetResources", json!({})).await;
        assert_eq!(found["ResourceTagMappingList"][0]["Tags"], json!([{"Key": "l", "Value": "w"}]));
        bench.ok("UntagResources", untag(&["l"])).await;
        assert_eq!(bench.ok("GetResources", json!({})).await["ResourceTagMappingList"], json!([]));
        let missing = json!({"ResourceARNList": [stream("missing")], "TagKeys": ["k"]});
        let failed = bench.ok("UntagResources", missing).await;
        assert_eq!(failed["FailedResourcesMap"][stream("missing")]["ErrorCode"], "ResourceNotFoundException");
        let none = json!({"ResourceARNList": [], "TagKeys": ["k"]});
        assert_eq!(
            bench.refused("UntagResources", none).await,
            "InvalidParameterException: 1 validation error detected: Value at 'resourceARNList' failed to satisfy constraint: \
             Member must have length greater than or equal to 1"
        );
    }
}
