//! `DeleteGroupPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroupPolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::Group;
use crate::names::{GroupName, PolicyName};
use crate::shapes::on_group;
use crate::{Error, Iam};

pub(super) struct DeleteGroupPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    policy_name: PolicyName,
}

impl Operation for DeleteGroupPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteGroupPolicy";
    const ACTION: &'static str = "iam:DeleteGroupPolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        iam.delete_inline::<Group>(&cx.account, &request.group_name, &request.policy_name).await
    }
}
