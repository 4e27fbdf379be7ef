//! `SetDefaultPolicyVersion`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::directory::Directory;
use crate::entity::Policy;
use crate::names::PolicyArn;
use crate::ops::{own_policy, version_number};
use crate::shapes::on_policy;
use crate::{Error, Iam};

pub(super) struct SetDefaultPolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_arn: PolicyArn,
    version_id: String,
}

impl Operation for SetDefaultPolicyVersion {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "SetDefaultPolicyVersion";
    const ACTION: &'static str = "iam:SetDefaultPolicyVersion";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_arn.0)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let (arn, id) = (request.policy_arn.0, request.version_id);
        let name = own_policy(cx, &arn)?;
        let now = iam.clock.now();
        let change = |policy: &mut Policy, _: &Directory| {
            policy.default_version = version_number(policy, &arn, &id)?;
            policy.updated_at = now;
            Ok(())
        };
        iam.update(&cx.account, &name, change).await.map(drop)
    }
}
