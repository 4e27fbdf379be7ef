//! `TagDeliveryStream`: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_TagDeliveryStream.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use super::{Empty, Tag, constrain_tags, named};
use crate::constraint::Violations;
use crate::error::Error;
use crate::limits;
use crate::service::Firehose;

pub(super) struct TagDeliveryStream;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    pub(super) delivery_stream_name: Option<String>,
    /// 1–50; a key that is there gets the new value.
    pub(super) tags: Option<Vec<Tag>>,
}

impl Operation for TagDeliveryStream {
    type Service = Firehose;
    type Request = Request;
    type Response = Empty;
    type Error = Error;

    const NAME: &'static str = "TagDeliveryStream";
    const ACTION: &'static str = "firehose:TagDeliveryStream";

    fn resource(cx: &Context, request: &Request) -> Resource {
        named(cx, request.delivery_stream_name.as_deref().unwrap_or_default())
    }

    /// # Errors
    /// `ResourceNotFoundException`, `LimitExceededException`, `ValidationException`.
    async fn handle(service: &Firehose, cx: &Context, request: Request) -> Result<Empty, Error> {
        let mut violations = Violations::default();
        violations.name(request.delivery_stream_name.as_ref());
        violations.required("tags", request.tags.as_ref());
        if let Some(tags) = &request.tags {
            constrain_tags(tags, &mut violations);
        }
        violations.finish()?;
        let name = request.delivery_stream_name.unwrap_or_default();
        let tags = request.tags.unwrap_or_default();
        let change = |stream: &mut crate::delivery_stream::DeliveryStream| {
            for tag in &tags {
                stream
                    .tags
                    .insert(tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default());
            }
            if stream.tags.len() > limits::TAGS_MAX {
                let (name, max) = (&stream.name, limits::TAGS_MAX);
                return Err(Error::LimitExceeded(format!(
                    "Firehose {name} cannot have more than {max} tags."
                )));
            }
            Ok(())
        };
        service.inner.update(cx, &name, change).await?;
        Ok(Empty {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn tags_of_create_and_tag_are_one_set_and_change_no_version() {
        let world = World::new();
        let firehose = world.start().await;
        let request = json!({"DeliveryStreamName": "a", "Tags": [{"Key": "k", "Value": "1"}, {"Key": "only"}],
            "S3DestinationConfiguration": {"RoleARN": "arn:aws:iam::1:role/r", "BucketARN": "arn:aws:s3:::lake"}});
        world.call(&firehose, "CreateDeliveryStream", request).await.unwrap();
        let tags = json!([{"Key": "k", "Value": "2"}, {"Key": "ä ö", "Value": "x/y"}]);
        let request = json!({"DeliveryStreamName": "a", "Tags": tags});
        assert_eq!(world.call(&firehose, "TagDeliveryStream", request).await.unwrap(), json!({}));
        let firehose = world.start().await;
        let request = json!({"DeliveryStreamName": "a"});
        let listed = world.call(&firehose, "ListTagsForDeliveryStream", request.clone()).await.unwrap();
        assert_eq!(
            listed["Tags"],
            json!([{"Key": "k", "Value": "2"}, {"Key": "only", "Value": ""}, {"Key": "ä ö", "Value": "x/y"}])
        );
        let described = world.call(&firehose, "DescribeDeliveryStream", request).await.unwrap();
        assert_eq!(described["DeliveryStreamDescription"]["VersionId"], "1");
    }

    #[tokio::test]
    async fn refusals() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let fifty: Vec<_> = (0..50).map(|n| json!({"Key": n.to_string()})).collect();
        let request = json!({"DeliveryStreamName": "a", "Tags": fifty});
        world.call(&firehose, "TagDeliveryStream", request).await.unwrap();
        let at = |member: &str| {
            format!(
                "ValidationException: 1 validation error detected: Value at 'tags{member}' failed to satisfy \
                 constraint: Member must"
            )
        };
        for (name, tags, expect) in [
            (
                "a",
                json!([{"Key": "more"}]),
                "LimitExceededException: Firehose a cannot have more than 50 tags.".to_owned(),
            ),
            (
                "b",
                json!([{"Key": "k"}]),
                "ResourceNotFoundException: Firehose b under account 000000000000 not found.".to_owned(),
            ),
            ("a", json!([]), format!("{} have length greater than or equal to 1", at(""))),
            (
                "a",
                json!([{"Key": "aws:x"}]),
                format!(
                    r"{} satisfy regular expression pattern: ^(?!aws:)[\p{{L}}\p{{Z}}\p{{N}}_.:\/=+\-@%]*$",
                    at(".1.member.key")
                ),
            ),
            ("a", json!([{"Value": "v"}]), format!("{} not be null", at(".1.member.key"))),
            (
                "a",
                json!([{"Key": "k", "Value": "x".repeat(257)}]),
                format!("{} have length less than or equal to 256", at(".1.member.value")),
            ),
        ] {
            let request = json!({"DeliveryStreamName": name, "Tags": tags});
            let fault = world.call(&firehose, "TagDeliveryStream", request).await.unwrap_err();
            assert_eq!(fault.to_string(), expect);
        }
    }
}
