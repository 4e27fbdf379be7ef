//! `CreateTopicRule`: <https://docs.aws.amazon.com/iot/latest/apireference/API_CreateTopicRule.html>
//!
//! Differs from AWS: a rule takes effect at once, not within minutes.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use store::TableError;

use crate::limits::RULES_MAX;
use crate::rule::{Rule, TopicRulePayload};
use crate::{Error, Iot, scope, tags};

pub(super) struct CreateTopicRule;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// 1–128 characters of `[a-zA-Z0-9_]`.
    rule_name: String,
    topic_rule_payload: TopicRulePayload,
    /// Tags as a query string.
    tags: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for CreateTopicRule {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "CreateTopicRule";
    const ACTION: &'static str = "iot:CreateTopicRule";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Rule::arn(cx, &request.rule_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let mut rule = iot.rule_of(cx, &request.rule_name, request.topic_rule_payload)?;
        rule.tags = tags::of_header(request.tags.as_deref())?;
        let mut turn = iot.turn().await?;
        if iot.rules.list(&scope(&cx.account, &cx.region)).await?.len() >= RULES_MAX {
            return Err(Error::InvalidRequest(format!("An account can have at most {RULES_MAX} rules.")));
        }
        let key = [cx.account.as_str(), cx.region.as_str(), &rule.name];
        turn.touches_rules();
        match iot.rules.insert(&key, &rule).await {
            Ok(_) => {}
            Err(TableError::Conflict) => {
                return Err(Error::AlreadyExists(format!("Rule with name {} already exists", rule.name)));
            }
            Err(error) => return Err(error.into()),
        }
        turn.settle(iot).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn a_rule_is_in_force_the_moment_the_call_returns() {
        let iot = crate::ops::testing::iot();
        let payload = json!({"sql": "SELECT * FROM 'a/#'", "actions": [], "ruleDisabled": true});
        let input = json!({"ruleName": "r", "topicRulePayload": payload});
        call(&iot, "CreateTopicRule", input.clone()).await;
        let rules = ports::TopicRules::rules(&*iot.iot).borrow().clone();
        assert_eq!((rules[0].rule.name.as_str(), rules[0].rule.enabled), ("r", false));
        let fault = refused(&iot, "CreateTopicRule", input).await;
        assert_eq!((fault.status, fault.code.as_str()), (409, "ResourceAlreadyExistsException"));
        let hyphen = json!({"ruleName": "r-1", "topicRulePayload": {"sql": "SELECT *", "actions": []}});
        assert_eq!(refused(&iot, "CreateTopicRule", hyphen).await.code, "InvalidRequestException");
        let many =
            json!({"ruleName": "m", "topicRulePayload": {"sql": "SELECT *", "actions": vec![json!({}); 11]}});
        assert_eq!(refused(&iot, "CreateTopicRule", many).await.code, "InvalidRequestException");
    }
}
