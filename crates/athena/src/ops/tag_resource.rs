//! `TagResource`: <https://docs.aws.amazon.com/athena/latest/APIReference/API_TagResource.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use super::{Empty, Tag};
use crate::workgroup::WorkGroup;
use crate::{Athena, Error};

pub(super) struct TagResource;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "ResourceARN")]
    pub(super) resource_arn: String,
    pub(super) tags: Vec<Tag>,
}

impl Operation for TagResource {
    type Service = Athena;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "TagResource";
    const ACTION: &'static str = "athena:TagResource";

    fn resource(_: &Context, request: &Request) -> Resource {
        super::tagged(&request.resource_arn)
    }

    /// # Errors
    /// `ResourceNotFoundException`, `InvalidRequestException`.
    async fn handle(athena: &Athena, cx: &Context, request: Request) -> Result<Self::Response, Error> {
        let name = super::tagged_workgroup(cx, &request.resource_arn)?;
        let change = |mut workgroup: WorkGroup| {
            workgroup.tags = super::with_tags(workgroup.tags, &request.tags)?;
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
    async fn tags_of_create_and_tag_are_one_set() {
        let node = node().await;
        node.ok("CreateWorkGroup", json!({"Name": "w", "Tags": [{"Key": "a", "Value": "1"}]})).await;
        let arn = "arn:aws:athena:us-east-1:000000000000:workgroup/w";
        let tags = json!([{"Key": "a", "Value": "2"}, {"Key": "b"}]);
        assert_eq!(node.ok("TagResource", json!({"ResourceARN": arn, "Tags": tags})).await, json!({}));
        let listed = node.ok("ListTagsForResource", json!({"ResourceARN": arn})).await;
        assert_eq!(listed, json!({"Tags": [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]}));
    }

    #[tokio::test]
    async fn refusals() {
        let node = node().await;
        let primary = "arn:aws:athena:us-east-1:000000000000:workgroup/primary";
        let many: Vec<_> = (0..51).map(|n| json!({"Key": n.to_string()})).collect();
        for (arn, tags, expect) in [
            ("w", json!([]), "InvalidRequestException: w is not a valid ARN."),
            (
                "arn:aws:athena:us-east-1:000000000000:workgroup/w",
                json!([]),
                "ResourceNotFoundException: Resource arn:aws:athena:us-east-1:000000000000:workgroup/w was not found.",
            ),
            (
                "arn:aws:athena:eu-west-1:000000000000:workgroup/primary",
                json!([]),
                "ResourceNotFoundException: Resource arn:aws:athena:eu-west-1:000000000000:workgroup/primary was not \
                 found.",
            ),
            (primary, json!(many), "InvalidRequestException: A resource can have at most 50 tags."),
            (
                primary,
                json!([{"Key": ""}]),
                "InvalidRequestException: A tag's key must have 1 to 128 characters and its value at most 256.",
            ),
        ] {
            assert_eq!(node.said("TagResource", json!({"ResourceARN": arn, "Tags": tags})).await, expect);
        }
    }
}
