//! `GetPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::names::PolicyArn;
use crate::ops::{attachments, policy};
use crate::shapes::on_policy;
use crate::{Error, Iam, shapes};

pub(super) struct GetPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_arn: PolicyArn,
}

impl Operation for GetPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetPolicy";
    const ACTION: &'static str = "iam:GetPolicy";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_arn.0)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let arn = request.policy_arn.0;
        let counts = attachments(&iam.directory(), &cx.account).remove(&arn).unwrap_or_default();
        if let Some(policy) = iam.aws_managed.get(&arn) {
            return Ok(json!({"Policy": shapes::aws_policy(policy, counts)}));
        }
        let held = policy(iam, cx, &arn)?;
        Ok(json!({"Policy": shapes::policy(&cx.account, &held.entity, counts)}))
    }
}
