//! `ListTopicRules`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListTopicRules.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use wire::EpochSeconds;

use super::listing;
use crate::limits::RULES_PAGE_MAX;
use crate::rule::Rule;
use crate::{Error, Iot, scope};

pub(super) struct ListTopicRules;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// Only rules whose FROM filter is this.
    topic: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
    /// Only rules that are disabled, or only those that are not.
    rule_disabled: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    rules: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    rule_arn: String,
    rule_name: String,
    topic_pattern: String,
    created_at: EpochSeconds,
    rule_disabled: bool,
}

impl Operation for ListTopicRules {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListTopicRules";
    const ACTION: &'static str = "iot:ListTopicRules";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let (after, limit) =
            listing::start(request.next_token.as_deref(), request.max_results, RULES_PAGE_MAX)?;
        let page = iot.rules.page(&scope(&cx.account, &cx.region), "", after.as_deref(), limit).await?;
        let next_token = listing::next(&page, limit);
        let rules = page
            .into_iter()
            .map(|(_, stored)| stored.entity)
            .map(|rule| Item {
                rule_arn: Rule::arn(cx, &rule.name).to_string(),
                topic_pattern: rule.topic_pattern(),
                rule_name: rule.name,
                created_at: rule.created_at.into(),
                rule_disabled: rule.disabled,
            })
            .filter(|item| request.topic.as_ref().is_none_or(|topic| *topic == item.topic_pattern))
            .filter(|item| request.rule_disabled.is_none_or(|disabled| disabled == item.rule_disabled))
            .collect();
        Ok(Response { rules, next_token })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn rules_are_listed_by_topic_and_state() {
        let iot = crate::ops::testing::iot();
        for (name, topic) in [("a", "x/#"), ("b", "y")] {
            let payload = json!({"sql": format!("SELECT * FROM '{topic}'"), "actions": []});
            call(&iot, "CreateTopicRule", json!({"ruleName": name, "topicRulePayload": payload})).await;
        }
        call(&iot, "DisableTopicRule", json!({"ruleName": "b"})).await;
        let names = |answer: serde_json::Value| {
            answer["rules"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["ruleName"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(call(&iot, "ListTopicRules", json!({})).await), ["a", "b"]);
        assert_eq!(names(call(&iot, "ListTopicRules", json!({"topic": "x/#"})).await), ["a"]);
        assert_eq!(names(call(&iot, "ListTopicRules", json!({"ruleDisabled": true})).await), ["b"]);
        call(&iot, "EnableTopicRule", json!({"ruleName": "b"})).await;
        assert!(names(call(&iot, "ListTopicRules", json!({"ruleDisabled": true})).await).is_empty());
        call(&iot, "DeleteTopicRule", json!({"ruleName": "b"})).await;
        assert_eq!(names(call(&iot, "ListTopicRules", json!({})).await), ["a"]);
        assert_eq!(
            refused(&iot, "EnableTopicRule", json!({"ruleName": "b"})).await.code,
            "UnauthorizedException"
        );
    }
}
