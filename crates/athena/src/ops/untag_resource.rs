//! `UntagResource`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_UntagResource.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use super::Empty;
use crate::workgroup::WorkGroup;
use crate::{Athena, Error};

pub(super) struct UntagResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "ResourceARN")]
    pub(super) resource_arn: String,
    pub(super) tag_keys: Vec<String>,
}

impl Operation for UntagResource {
    type Service = Athena;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "UntagResource";
    const ACTION: &'static str = "athena:UntagResource";

    fn resource(_: &Context, request: &Request) -> Resource {
        super::tagged(&request.resource_arn)
    }

    /// # Errors
    /// `ResourceNotFoundException`, `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let name = super::tagged_workgroup(cx, &request.resource_arn)?;
        let change = |mut workgroup: WorkGroup| {
            workgroup.tags.retain(|key, _| !request.tag_keys.contains(key));
            Ok(workgroup)
        };
        super::of_resource(&request.resource_arn, athena.inner.change_workgroup(cx, &name, change).await)?;
        Ok(Empty {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::*;

    #[tokio::test]
    async fn named_tags_go() {
        let node = node().await;
        let arn = "arn:aws:athena:us-east-1:000000000000:workgroup/primary";
        node.ok("TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "a"}, {"Key": "b"}]})).await;
        let input = json!({"ResourceARN": arn, "TagKeys": ["a", "none"]});
        assert_eq!(node.ok("UntagResource", input).await, json!({}));
        let listed = node.ok("ListTagsForResource", json!({"ResourceARN": arn})).await;
        assert_eq!(listed["Tags"], json!([{"Key": "b", "Value": ""}]));
        let gone = "arn:aws:athena:us-east-1:000000000000:workgroup/w";
        assert_eq!(
            node.said("UntagResource", json!({"ResourceARN": gone, "TagKeys": []})).await,
            format!("ResourceNotFoundException: Resource {gone} was not found.")
        );
    }
}
