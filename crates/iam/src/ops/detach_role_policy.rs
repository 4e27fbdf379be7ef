//! `DetachRolePolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::Role;
use crate::names::{PolicyArn, RoleName};
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct DetachRolePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    policy_arn: PolicyArn,
}

impl Operation for DetachRolePolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DetachRolePolicy";
    const ACTION: &'static str = "iam:DetachRolePolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        iam.detach::<Role>(&cx.account, &request.role_name, &request.policy_arn.0).await
    }
}
