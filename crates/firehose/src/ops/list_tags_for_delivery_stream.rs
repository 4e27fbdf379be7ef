//! `ListTagsForDeliveryStream`: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ListTagsForDeliveryStream.html>
//!
//! Differs from AWS: tags are in the order of their keys; AWS promises none.

use std::ops::Bound;

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::{Tag, named};
use crate::constraint::Violations;
use crate::error::Error;
use crate::limits;
use crate::service::Firehose;

pub(super) struct ListTagsForDeliveryStream;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    delivery_stream_name: Option<String>,
    exclusive_start_tag_key: Option<String>,
    /// 1–50; all when omitted.
    limit: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    tags: Vec<Tag>,
    has_more_tags: bool,
}

impl Operation for ListTagsForDeliveryStream {
    type Service = Firehose;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListTagsForDeliveryStream";
    const ACTION: &'static str = "firehose:ListTagsForDeliveryStream";

    fn resource(cx: &Context, request: &Request) -> Resource {
        named(cx, request.delivery_stream_name.as_deref().unwrap_or_default())
    }

    /// # Errors
    /// `ResourceNotFoundException`, `ValidationException`.
    async fn handle(service: &Firehose, cx: &Context, request: Request) -> Result<Response, Error> {
        let mut violations = Violations::default();
        violations.name(request.delivery_stream_name.as_ref());
        if let Some(limit) = request.limit {
            violations.range("limit", limit, (1, limits::TAGS_MAX as i64));
        }
        violations.finish()?;
        let state = service.inner.stream(cx, &request.delivery_stream_name.unwrap_or_default())?.state();
        let after = request.exclusive_start_tag_key.map_or(Bound::Unbounded, Bound::Excluded);
        let limit = request.limit.and_then(|limit| limit.try_into().ok()).unwrap_or(limits::TAGS_MAX);
        let mut rest = state.stored.entity.tags.range((after, Bound::Unbounded));
        let tag =
            |(key, value): (&String, &String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
        let tags = rest.by_ref().take(limit).map(tag).collect();
        Ok(Response { tags, has_more_tags: rest.next().is_some() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn tags_come_in_pages() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let tags: Vec<_> = ["x", "y", "z"].map(|key| json!({"Key": key, "Value": ""})).to_vec();
        let request = json!({"DeliveryStreamName": "a", "Tags": tags});
        world.call(&firehose, "TagDeliveryStream", request).await.unwrap();
        for (request, expect) in [
            (json!({"Limit": 2}), json!({"Tags": tags[..2], "HasMoreTags": true})),
            (
                json!({"Limit": 2, "ExclusiveStartTagKey": "y"}),
                json!({"Tags": tags[2..], "HasMoreTags": false}),
            ),
            (json!({}), json!({"Tags": tags, "HasMoreTags": false})),
        ] {
            let mut request = request;
            request["DeliveryStreamName"] = "a".into();
            let listed = world.call(&firehose, "ListTagsForDeliveryStream", request).await.unwrap();
            assert_eq!(listed, expect);
        }
    }

    #[tokio::test]
    async fn refusals() {
        let world = World::new();
        let firehose = world.start().await;
        for (request, expect) in [
            (
                json!({"DeliveryStreamName": "b"}),
                "ResourceNotFoundException: Firehose b under account 000000000000 not found.",
            ),
            (
                json!({"DeliveryStreamName": "b", "Limit": 51}),
                "ValidationException: 1 validation error detected: Value at 'limit' failed to satisfy constraint: \
                 Member must have value less than or equal to 50",
            ),
        ] {
            let fault = world.call(&firehose, "ListTagsForDeliveryStream", request).await.unwrap_err();
            assert_eq!(fault.to_string(), expect);
        }
    }
}
