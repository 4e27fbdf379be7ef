//! `UntagDeliveryStream`: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_UntagDeliveryStream.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use super::{Empty, named};
use crate::constraint::Violations;
use crate::error::Error;
use crate::limits;
use crate::service::Firehose;

pub(super) struct UntagDeliveryStream;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    pub(super) delivery_stream_name: Option<String>,
    /// 1–50; keys that are not there are passed over.
    pub(super) tag_keys: Option<Vec<String>>,
}

impl Operation for UntagDeliveryStream {
    type Service = Firehose;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "UntagDeliveryStream";
    const ACTION: &'static str = "firehose:UntagDeliveryStream";

    fn resource(cx: &Context, request: &Request) -> Resource {
        named(cx, request.delivery_stream_name.as_deref().unwrap_or_default())
    }

    /// # Errors
    /// `ResourceNotFoundException`, `ValidationException`.
    async fn handle(service: &Firehose, cx: &Context, request: Request) -> Result<Empty, Error> {
        let mut violations = Violations::default();
        violations.name(request.delivery_stream_name.as_ref());
        violations.required("tagKeys", request.tag_keys.as_ref());
        if let Some(keys) = &request.tag_keys {
            violations.length("tagKeys", keys.len(), 1, limits::TAGS_MAX);
        }
        violations.finish()?;
        let keys = request.tag_keys.unwrap_or_default();
        let change = |stream: &mut crate::delivery_stream::DeliveryStream| {
            stream.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        };
        service.inner.update(cx, &request.delivery_stream_name.unwrap_or_default(), change).await?;
        Ok(Empty {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn keys_that_are_named_go_and_others_stay() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let tags = json!([{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}]);
        let request = json!({"DeliveryStreamName": "a", "Tags": tags});
        world.call(&firehose, "TagDeliveryStream", request).await.unwrap();
        let request = json!({"DeliveryStreamName": "a", "TagKeys": ["k", "nope"]});
        assert_eq!(world.call(&firehose, "UntagDeliveryStream", request).await.unwrap(), json!({}));
        let request = json!({"DeliveryStreamName": "a"});
        let listed = world.call(&firehose, "ListTagsForDeliveryStream", request).await.unwrap();
        assert_eq!(listed, json!({"Tags": [{"Key": "l", "Value": "w"}], "HasMoreTags": false}));
    }

    #[tokio::test]
    async fn refusals() {
        let world = World::new();
        let firehose = world.start().await;
        for (request, expect) in [
            (
                json!({"DeliveryStreamName": "b", "TagKeys": ["k"]}),
                "ResourceNotFoundException: Firehose b under account 000000000000 not found.",
            ),
            (
                json!({"DeliveryStreamName": "b"}),
                "ValidationException: 1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: \
                 Member must not be null",
            ),
        ] {
            let fault = world.call(&firehose, "UntagDeliveryStream", request).await.unwrap_err();
            assert_eq!(fault.to_string(), expect);
        }
    }
}
