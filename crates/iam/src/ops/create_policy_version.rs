//! `CreatePolicyVersion`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::authorize::iso;
use crate::directory::Directory;
use crate::documents::check_managed;
use crate::entity::{Policy, Version};
use crate::limits::VERSIONS_MAX;
use crate::names::{Flag, PolicyArn};
use crate::ops::own_policy;
use crate::shapes::on_policy;
use crate::{Error, Iam};

pub(super) struct CreatePolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_arn: PolicyArn,
    policy_document: String,
    #[serde(default)]
    set_as_default: Flag,
}

impl Operation for CreatePolicyVersion {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "CreatePolicyVersion";
    const ACTION: &'static str = "iam:CreatePolicyVersion";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_arn.0)
    }

    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`, `MalformedPolicyDocument`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        check_managed(&request.policy_document)?;
        let name = own_policy(cx, &request.policy_arn.0)?;
        let now = iam.clock.now();
        let text = request.policy_document;
        let mut number = 0;
        let change = |policy: &mut Policy, _: &Directory| {
            if policy.versions.len() >= VERSIONS_MAX {
                let said = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an \
                            existing version.";
                return Err(Error::LimitExceeded(said.to_owned()));
            }
            number = policy.next_version;
            policy.next_version += 1;
            policy.versions.insert(number, Version { text, created_at: now });
            policy.updated_at = now;
            if request.set_as_default == Flag::Set {
                policy.default_version = number;
            }
            Ok(())
        };
        let held = iam.update(&cx.account, &name, change).await?;
        let is_default = held.entity.default_version == number;
        Ok(json!({"PolicyVersion": {
            "VersionId": format!("v{number}"), "IsDefaultVersion": is_default, "CreateDate": iso(now),
        }}))
    }
}
