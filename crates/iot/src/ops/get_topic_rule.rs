//! `GetTopicRule`: <https://docs.aws.amazon.com/iot/latest/apireference/API_GetTopicRule.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use serde_json::Value;
use wire::EpochSeconds;

use crate::rule::Rule;
use crate::{Error, Iot};

pub(super) struct GetTopicRule;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    rule_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    rule_arn: String,
    rule: Description,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    rule_name: String,
    sql: String,
    description: String,
    created_at: EpochSeconds,
    actions: Vec<Value>,
    rule_disabled: bool,
    aws_iot_sql_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_action: Option<Value>,
}

impl Operation for GetTopicRule {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetTopicRule";
    const ACTION: &'static str = "iot:GetTopicRule";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Rule::arn(cx, &request.rule_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let rule = iot.rule(cx, &request.rule_name).await?.entity;
        Ok(Response {
            rule_arn: Rule::arn(cx, &rule.name).to_string(),
            rule: Description {
                rule_name: rule.name,
                sql: rule.sql,
                description: rule.description.unwrap_or_default(),
                created_at: rule.created_at.into(),
                actions: rule.actions,
                rule_disabled: rule.disabled,
                aws_iot_sql_version: rule.sql_version,
                error_action: rule.error_action,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn what_was_created_or_replaced_is_echoed_with_the_defaults() {
        let iot = crate::ops::testing::iot();
        let payload = json!({"sql": "SELECT * FROM 'a'", "actions": []});
        call(&iot, "CreateTopicRule", json!({"ruleName": "r", "topicRulePayload": payload})).await;
        let rule = call(&iot, "GetTopicRule", json!({"ruleName": "r"})).await;
        assert_eq!(rule["ruleArn"], "arn:aws:iot:us-east-1:000000000000:rule/r");
        assert_eq!(rule["rule"]["awsIotSqlVersion"], "2015-10-08");
        assert_eq!(rule["rule"]["ruleDisabled"], false);
        let payload = json!({"sql": "SELECT a FROM 'b'", "actions": [], "awsIotSqlVersion": "2016-03-23"});
        call(&iot, "ReplaceTopicRule", json!({"ruleName": "r", "topicRulePayload": payload})).await;
        let replaced = call(&iot, "GetTopicRule", json!({"ruleName": "r"})).await;
        assert_eq!(replaced["rule"]["sql"], "SELECT a FROM 'b'");
        assert_eq!(replaced["rule"]["createdAt"], rule["rule"]["createdAt"]);
        let fault = refused(&iot, "GetTopicRule", json!({"ruleName": "nope"})).await;
        assert_eq!((fault.status, fault.message.as_str()), (401, "Access to topic rule 'nope' was denied"));
    }
}
