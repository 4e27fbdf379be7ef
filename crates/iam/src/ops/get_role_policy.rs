//! `GetRolePolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Resource};

use crate::entity::Role;
use crate::names::{PolicyName, RoleName};
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct GetRolePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    policy_name: PolicyName,
}

impl Operation for GetRolePolicy {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetRolePolicy";
    const ACTION: &'static str = "iam:GetRolePolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        iam.inline::<Role>(&cx.account, &request.role_name, &request.policy_name)
    }
}
