//! `EnableTopicRule`: <https://docs.aws.amazon.com/iot/latest/apireference/API_EnableTopicRule.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::rule::Rule;
use crate::{Error, Iot};

pub(super) struct EnableTopicRule;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    rule_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for EnableTopicRule {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "EnableTopicRule";
    const ACTION: &'static str = "iot:EnableTopicRule";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Rule::arn(cx, &request.rule_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        iot.set_disabled(cx, &request.rule_name, false).await?;
        Ok(Response {})
    }
}
