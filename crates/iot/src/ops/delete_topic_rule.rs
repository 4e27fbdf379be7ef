//! `DeleteTopicRule`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DeleteTopicRule.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::rule::Rule;
use crate::{Error, Iot, names};

pub(super) struct DeleteTopicRule;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    rule_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for DeleteTopicRule {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DeleteTopicRule";
    const ACTION: &'static str = "iot:DeleteTopicRule";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Rule::arn(cx, &request.rule_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        names::RULE.check(&request.rule_name)?;
        let mut turn = iot.turn().await?;
        turn.touches_rules();
        iot.rules.delete(&[cx.account.as_str(), cx.region.as_str(), &request.rule_name]).await?;
        turn.settle(iot).await?;
        Ok(Response {})
    }
}
