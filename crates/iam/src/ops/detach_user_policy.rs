//! `DetachUserPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::User;
use crate::names::{PolicyArn, UserName};
use crate::shapes::on_user;
use crate::{Error, Iam};

pub(super) struct DetachUserPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    policy_arn: PolicyArn,
}

impl Operation for DetachUserPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DetachUserPolicy";
    const ACTION: &'static str = "iam:DetachUserPolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        iam.detach::<User>(&cx.account, &request.user_name, &request.policy_arn.0).await
    }
}
