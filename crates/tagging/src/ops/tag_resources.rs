//! `TagResources`: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html>

use std::collections::BTreeMap;

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::constraint::Violations;
use crate::limits::{KEY_CHARS_MAX, TAGS_MAX, VALUE_CHARS_MAX};
use crate::ops::Changed;
use crate::resources::{Change, arns};
use crate::{Error, Tagging};

pub(super) struct TagResources;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(rename = "ResourceARNList")]
    resource_arn_list: Vec<String>,
    tags: BTreeMap<String, String>,
}

impl Operation for TagResources {
    type Service = Tagging;
    type Request = Request;
    type Response = Changed;
    type Error = Error;

    const NAME: &'static str = "TagResources";
    const ACTION: &'static str = "tag:TagResources";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    fn condition_keys(request: &Request) -> Vec<(&'static str, Vec<String>)> {
        vec![("aws:TagKeys", request.tags.keys().cloned().collect())]
    }

    /// # Errors
    /// `InvalidParameterException`. What a service refuses is told of each resource.
    async fn handle(tagging: &Tagging, cx: &Context, request: Request) -> Result<Changed, Error> {
        let mut violations = Violations::default();
        violations.length("tags", request.tags.len(), (1, TAGS_MAX));
        for (key, value) in &request.tags {
            violations.text("tags", key, (1, KEY_CHARS_MAX));
            violations.text(&format!("tags.{key}.member"), value, (0, VALUE_CHARS_MAX));
        }
        let arns = arns(&request.resource_arn_list, violations)?;
        if request.tags.keys().any(|key| key.starts_with("aws:")) {
            return Err(Error::invalid("A tag's key must not begin with aws:"));
        }
        let change = Change::Tag(request.tags.into_iter().collect());
        Ok(Changed { failed_resources_map: tagging.change(cx, arns, &change).await })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Bench, DENIED, stream};

    #[tokio::test]
    async fn each_resource_fails_for_itself() {
        let bench = Bench::new();
        let elsewhere = "arn:aws:firehose:eu-west-1:000000000000:deliverystream/a";
        let foreign = "arn:aws:firehose:us-east-1:111111111111:deliverystream/a";
        let instance = "arn:aws:ec2:us-east-1:000000000000:instance/i-1";
        let input = json!({
            "ResourceARNList": [stream("a"), stream("missing"), stream(DENIED), elsewhere, foreign, instance, stream("a")],
            "Tags": {"k": "v"},
        });
        let failure = |status: u16, code: &str, message: &str| json!({"StatusCode": status, "ErrorCode": code, "ErrorMessage": message});
        let not_here = |arn: &str| {
            let said = format!("{arn} is not a resource of this account in this region.");
            failure(400, "InvalidParameterException", &said)
        };
        let denied = format!(
            "User: arn:aws:iam::000000000000:root is not authorized to perform: firehose:TagDeliveryStream on resource: {} \
             because no identity-based policy allows the firehose:TagDeliveryStream action",
            stream(DENIED)
        );
        assert_eq!(
            bench.ok("TagResources", input).await["FailedResourcesMap"],
            json!({
                stream("missing"): failure(400, "ResourceNotFoundException", "There is no missing."),
                stream(DENIED): failure(403, "AccessDeniedException", &denied),
                elsewhere: not_here(elsewhere),
                foreign: not_here(foreign),
                instance: failure(
                    400,
                    "InvalidParameterException",
                    "Resources of the service ec2 cannot be tagged by this API.",
                ),
            })
        );
        let found = bench.ok("GetResources", json!({})).await;
        assert_eq!(found["ResourceTagMappingList"].as_array().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn conditions_on_tags_reach_the_services_decision() {
        let bench = Bench::new();
        bench
            .ok("TagResources", json!({"ResourceARNList": [stream("a")], "Tags": {"k": "v", "l": ""}}))
            .await;
        assert_eq!(
            bench.asked(),
            [
                ("aws:TagKeys".to_owned(), vec!["k".to_owned(), "l".to_owned()]),
                ("aws:RequestTag/k".to_owned(), vec!["v".to_owned()]),
                ("aws:RequestTag/l".to_owned(), vec![String::new()]),
            ]
        );
    }

    #[tokio::test]
    async fn a_broken_service_tells_nothing_of_itself() {
        let bench = Bench::new();
        bench.break_down();
        let answer =
            bench.ok("TagResources", json!({"ResourceARNList": [stream("a")], "Tags": {"k": "v"}})).await;
        let failure = &answer["FailedResourcesMap"][stream("a")];
        assert_eq!(
            (&failure["StatusCode"], &failure["ErrorCode"]),
            (&json!(500), &json!("InternalServiceException"))
        );
        assert!(!answer.to_string().contains("disk"), "{answer}");
    }

    #[tokio::test]
    async fn refusals() {
        let bench = Bench::new();
        let many: Vec<String> = (0..21).map(|n| stream(&n.to_string())).collect();
        for (input, expect) in [
            (json!({"ResourceARNList": ["x"], "Tags": {"k": "v"}}), "x is not a valid ARN."),
            (
                json!({"ResourceARNList": [stream("a")], "Tags": {"aws:k": "v"}}),
                "A tag's key must not begin with aws:",
            ),
            (
                json!({"ResourceARNList": [stream("a")], "Tags": {}}),
                "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length greater \
                 than or equal to 1",
            ),
            (
                json!({"ResourceARNList": many, "Tags": {"k": "x".repeat(257)}}),
                "2 validation errors detected: Value at 'tags.k.member' failed to satisfy constraint: Member must have length \
                 less than or equal to 256; Value at 'resourceARNList' failed to satisfy constraint: Member must have length \
                 less than or equal to 20",
            ),
        ] {
            let expect = format!("InvalidParameterException: {expect}");
            assert_eq!(bench.refused("TagResources", input).await, expect);
        }
    }
}
