//! `AttachRolePolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::Role;
use crate::names::{PolicyArn, RoleName};
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct AttachRolePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    policy_arn: PolicyArn,
}

impl Operation for AttachRolePolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "AttachRolePolicy";
    const ACTION: &'static str = "iam:AttachRolePolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        iam.attach::<Role>(&cx.account, &request.role_name, &request.policy_arn.0).await
    }
}
