//! `GetPolicyVersion`: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html>

use kernel::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Operation, Resource};

use crate::authorize::iso;
use crate::documents::encoded;
use crate::names::PolicyArn;
use crate::ops::{policy, version_number};
use crate::shapes::on_policy;
use crate::{Error, Iam};

pub(super) struct GetPolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    policy_arn: PolicyArn,
    version_id: String,
}

impl Operation for GetPolicyVersion {
    type Service = Iam;
    type Request = Request;
    type Response = Value;
    type Error = Error;

    const NAME: &'static str = "GetPolicyVersion";
    const ACTION: &'static str = "iam:GetPolicyVersion";

    fn resource(_: &Context, request: &Request) -> Resource {
        on_policy(&request.policy_arn.0)
    }

    /// # Errors
    /// `NoSuchEntity`.
    async fn handle(iam: &Iam, cx: &Context, request: Request) -> Result<Value, Error> {
        let (arn, id) = (request.policy_arn.0, request.version_id);
        if let Some(policy) = iam.aws_managed.get(&arn).filter(|_| id == "v1") {
            return Ok(json!({"PolicyVersion": {
                "Document": encoded(policy.text), "VersionId": "v1", "IsDefaultVersion": true,
                "CreateDate": "1970-01-01T00:00:00Z",
            }}));
        }
        let held = policy(iam, cx, &arn)?;
        let number = version_number(&held.entity, &arn, &id)?;
        let version = &held.entity.versions[&number];
        Ok(json!({"PolicyVersion": {
            "Document": encoded(&version.text), "VersionId": id,
            "IsDefaultVersion": held.entity.default_version == number, "CreateDate": iso(version.created_at),
        }}))
    }
}
