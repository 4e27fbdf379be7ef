//! `PutRolePolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::Role;
use crate::names::{PolicyName, RoleName};
use crate::shapes::on_role;
use crate::{Error, Iam};

pub(super) struct PutRolePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    role_name: RoleName,
    policy_name: PolicyName,
    policy_document: String,
}

impl Operation for PutRolePolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "PutRolePolicy";
    const ACTION: &'static str = "iam:PutRolePolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_role(cx, &request.role_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`, `UnmodifiableEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let Request { role_name, policy_name, policy_document } = request;
        iam.put_inline::<Role>(&cx.account, &role_name, &policy_name, policy_document).await
    }
}
