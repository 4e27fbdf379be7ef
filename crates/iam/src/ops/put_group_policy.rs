//! `PutGroupPolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::entity::Group;
use crate::names::{GroupName, PolicyName};
use crate::shapes::on_group;
use crate::{Error, Iam};

pub(super) struct PutGroupPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    group_name: GroupName,
    policy_name: PolicyName,
    policy_document: String,
}

impl Operation for PutGroupPolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "PutGroupPolicy";
    const ACTION: &'static str = "iam:PutGroupPolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        on_group(cx, &request.group_name)
    }

    /// # Errors
    /// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let Request { group_name, policy_name, policy_document } = request;
        iam.put_inline::<Group>(&cx.account, &group_name, &policy_name, policy_document).await
    }
}
