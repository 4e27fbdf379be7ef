//! `DeleteUserPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::User;
use crate::names::{PolicyName, UserName};
use crate::shapes::on_user;
use crate::{Error, Iam};

pub(super) struct DeleteUserPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    policy_name: PolicyName,
}

impl Operation for DeleteUserPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeleteUserPolicy";
    const ACTION: &'static str = "iam:DeleteUserPolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        iam.delete_inline::<User>(&cx.account, &request.user_name, &request.policy_name).await
    }
}
