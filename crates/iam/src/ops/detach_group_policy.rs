//! `DetachGroupPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachGroupPolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::Group;
use crate::names::{GroupName, PolicyArn};
use crate::shapes::on_group;
use crate::{Error, Iam};

pub(super) struct DetachGroupPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    policy_arn: PolicyArn,
}

impl Operation for DetachGroupPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DetachGroupPolicy";
    const ACTION: &'static str = "iam:DetachGroupPolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        iam.detach::<Group>(&cx.account, &request.group_name, &request.policy_arn.0).await
    }
}
