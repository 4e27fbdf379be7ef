//! `AttachGroupPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::Group;
use crate::names::{GroupName, PolicyArn};
use crate::shapes::on_group;
use crate::{Error, Iam};

pub(super) struct AttachGroupPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    policy_arn: PolicyArn,
}

impl Operation for AttachGroupPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "AttachGroupPolicy";
    const ACTION: &'static str = "iam:AttachGroupPolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        iam.attach::<Group>(&cx.account, &request.group_name, &request.policy_arn.0).await
    }
}
