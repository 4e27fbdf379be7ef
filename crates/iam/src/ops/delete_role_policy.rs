//! `DeleteRolePolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::Role;
use crate::names::{PolicyName, RoleName};
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct DeleteRolePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    policy_name: PolicyName,
}

impl Operation for DeleteRolePolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteRolePolicy";
    const ACTION: &'static str = "iam:DeleteRolePolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        iam.delete_inline::<Role>(&cx.account, &request.role_name, &request.policy_name).await
    }
}
