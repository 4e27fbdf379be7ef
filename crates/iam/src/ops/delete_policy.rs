//! `DeletePolicy`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html>

use kernel::Context;
use serde::Deserialize;
use wire::{Operation, Resource};

use crate::change::Described;
use crate::directory::Directory;
use crate::entity::{Named, Policy};
use crate::names::PolicyArn;
use crate::ops::{attachments, own_policy};
use crate::shapes::on_policy;
use crate::{Error, Iam};

pub(super) struct DeletePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_arn: PolicyArn,
}

impl Operation for DeletePolicy {
    type Service = Iam;
    type Request = Request;
    type Response = ();
    type Error = Error;

    const NAME: &'static str = "DeletePolicy";
    const ACTION: &'static str = "iam:DeletePolicy";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_arn.0)
    }

    /// # Errors
    /// `NoSuchEntity`, `DeleteConflict`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<(), Error> {
        let arn = request.policy_arn.0;
        let name = own_policy(cx, &arn)?;
        let check = |policy: &Policy, directory: &Directory| {
            if policy.arn(&cx.account) != arn {
                return Err(Error::NoSuchEntity(Policy::missing(&arn)));
            }
            let counts = attachments(directory, &cx.account).remove(&arn).unwrap_or_default();
            if counts.policies + counts.boundaries > 0 {
                return Err(Error::DeleteConflict("Cannot delete a policy attached to entities."));
            }
            if policy.versions.len() > 1 {
                return Err(Error::DeleteConflict(
                    "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                     versions. The default version is deleted with the policy.",
                ));
            }
            Ok(())
        };
        iam.remove::<Policy>(&cx.account, &name, check).await
    }
}
