//! `ListPolicyTags`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::entity::Policy;
use crate::names::PolicyArn;
use crate::ops::own_policy;
use crate::shapes::{PageRequest, on_policy};
use crate::{Error, Iam};

pub(super) struct ListPolicyTags;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_arn: PolicyArn,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListPolicyTags {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListPolicyTags";
    const ACTION: &'static str = "iam:ListPolicyTags";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_arn.0)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let name = own_policy(cx, &request.policy_arn.0)?;
        let held = iam.entity::<Policy>(&cx.account, &name)?;
        let row = |(key, value): (&String, &String)| (key.clone(), json!({"Key": key, "Value": value}));
        request.page.cut("Tags", held.entity.tags.iter().map(row))
    }
}
