//! `ListPolicyVersions`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::authorize::iso;
use crate::entity::Version;
use crate::names::PolicyArn;
use crate::ops::policy;
use crate::shapes::{PageRequest, on_policy};
use crate::{Error, Iam};

pub(super) struct ListPolicyVersions;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_arn: PolicyArn,
    #[serde(flatten)]
    page: PageRequest,
}

impl Operation for ListPolicyVersions {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "ListPolicyVersions";
    const ACTION: &'static str = "iam:ListPolicyVersions";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_arn.0)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let arn = request.policy_arn.0;
        if iam.aws_managed.get(&arn).is_some() {
            let only = json!({
                "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "1970-01-01T00:00:00Z",
            });
            return request.page.cut("Versions", std::iter::once((String::new(), only)));
        }
        let held = policy(iam, cx, &arn)?;
        // The latest first.
        let row = |(number, version): (&u32, &Version)| {
            let shape = json!({
                "VersionId": format!("v{number}"), "IsDefaultVersion": held.entity.default_version == *number,
                "CreateDate": iso(version.created_at),
            });
            (format!("{:010}", u32::MAX - number), shape)
        };
        request.page.cut("Versions", held.entity.versions.iter().rev().map(row))
    }
}
