//! `AttachUserPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::User;
use crate::names::{PolicyArn, UserName};
use crate::shapes::on_user;
use crate::{Error, Iam};

pub(super) struct AttachUserPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    policy_arn: PolicyArn,
}

impl Operation for AttachUserPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "AttachUserPolicy";
    const ACTION: &'static str = "iam:AttachUserPolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        iam.attach::<User>(&cx.account, &request.user_name, &request.policy_arn.0).await
    }
}
