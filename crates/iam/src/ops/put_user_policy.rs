//! `PutUserPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::User;
use crate::names::{PolicyName, UserName};
use crate::shapes::on_user;
use crate::{Error, Iam};

pub(super) struct PutUserPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    user_name: UserName,
    policy_name: PolicyName,
    policy_document: String,
}

impl Operation for PutUserPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "PutUserPolicy";
    const ACTION: &'static str = "iam:PutUserPolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_user(cx, &request.user_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let Request { user_name, policy_name, policy_document } = request;
        iam.put_inline::<User>(&cx.account, &user_name, &policy_name, policy_document).await
    }
}
