//! `ReplaceTopicRule`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ReplaceTopicRule.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::rule::{Rule, TopicRulePayload};
use crate::{Error, Iot};

pub(super) struct ReplaceTopicRule;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    rule_name: String,
    topic_rule_payload: TopicRulePayload,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for ReplaceTopicRule {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ReplaceTopicRule";
    const ACTION: &'static str = "iot:ReplaceTopicRule";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Rule::arn(cx, &request.rule_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let mut rule = iot.rule_of(cx, &request.rule_name, request.topic_rule_payload)?;
        let mut turn = iot.turn().await?;
        let stored = iot.rule(cx, &request.rule_name).await?;
        rule.created_at = stored.entity.created_at;
        rule.tags = stored.entity.tags;
        let key = [cx.account.as_str(), cx.region.as_str(), &rule.name];
        turn.touches_rules();
        iot.rules.update(&key, &rule, stored.revision).await?;
        turn.settle(iot).await?;
        Ok(Response {})
    }
}
