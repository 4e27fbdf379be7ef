//! `TagResource`: <https://docs.aws.amazon.com/iot/latest/apireference/API_TagResource.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::tags::{self, Tag};
use crate::{Error, Iot};

pub(super) struct TagResource;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    resource_arn: String,
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for TagResource {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "TagResource";
    const ACTION: &'static str = "iot:TagResource";

    fn resource(_: &Context, request: &Request) -> Resource {
        tags::resource(&request.resource_arn)
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        iot.change_tags(cx, &request.resource_arn, |tags| tags::with(tags, &request.tags)).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn policies_and_rules_have_tags_from_their_creation_on() {
        let iot = crate::ops::testing::iot();
        let document =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
        let tags = json!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]);
        let policy = json!({"policyName": "x", "policyDocument": document, "tags": tags});
        call(&iot, "CreatePolicy", policy).await;
        let payload = json!({"sql": "SELECT * FROM 'a'", "actions": []});
        let rule = json!({"ruleName": "x", "topicRulePayload": payload, "tags": "a=1&b=2"});
        call(&iot, "CreateTopicRule", rule).await;
        for kind in ["policy", "rule"] {
            let arn = format!("arn:aws:iot:us-east-1:000000000000:{kind}/x");
            let listed = json!({"resourceArn": arn});
            assert_eq!(call(&iot, "ListTagsForResource", listed.clone()).await, json!({"tags": tags}));
            let more = json!({"resourceArn": arn, "tags": [{"Key": "b", "Value": "3"}, {"Key": "c"}]});
            call(&iot, "TagResource", more).await;
            call(&iot, "UntagResource", json!({"resourceArn": arn, "tagKeys": ["a", "none"]})).await;
            let left = json!([{"Key": "b", "Value": "3"}, {"Key": "c", "Value": ""}]);
            assert_eq!(call(&iot, "ListTagsForResource", listed).await["tags"], left);
        }
        let payload = json!({"sql": "SELECT * FROM 'b'", "actions": []});
        call(&iot, "ReplaceTopicRule", json!({"ruleName": "x", "topicRulePayload": payload})).await;
        call(&iot, "DisableTopicRule", json!({"ruleName": "x"})).await;
        let arn = json!({"resourceArn": "arn:aws:iot:us-east-1:000000000000:rule/x"});
        assert_eq!(call(&iot, "ListTagsForResource", arn).await["tags"].as_array().map(Vec::len), Some(2));
    }

    #[tokio::test]
    async fn what_has_no_tags_is_refused() {
        let iot = crate::ops::testing::iot();
        let arn = |resource: &str| format!("arn:aws:iot:us-east-1:000000000000:{resource}");
        for (arn, code) in [
            (arn("policy/none"), "ResourceNotFoundException"),
            (arn("rule/none"), "ResourceNotFoundException"),
            (arn("thing/t"), "InvalidRequestException"),
            ("x".to_owned(), "InvalidRequestException"),
            ("arn:aws:iot:eu-west-1:000000000000:rule/x".to_owned(), "ResourceNotFoundException"),
            ("arn:aws:iot:us-east-1:111111111111:rule/x".to_owned(), "ResourceNotFoundException"),
        ] {
            let tag = json!({"resourceArn": arn, "tags": [{"Key": "k", "Value": "v"}]});
            assert_eq!(refused(&iot, "TagResource", tag).await.code, code, "{arn}");
            let untag = json!({"resourceArn": arn, "tagKeys": ["k"]});
            assert_eq!(refused(&iot, "UntagResource", untag).await.code, code, "{arn}");
            let list = json!({"resourceArn": arn});
            assert_eq!(refused(&iot, "ListTagsForResource", list).await.code, code, "{arn}");
        }
    }
}
