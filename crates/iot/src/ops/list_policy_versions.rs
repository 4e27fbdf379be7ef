//! `ListPolicyVersions`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListPolicyVersions.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{EpochSeconds, Operation, Resource};

use crate::policy_document::{Policy, Version};
use crate::{Error, Iot};

pub(super) struct ListPolicyVersions;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    policy_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    policy_versions: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    version_id: String,
    is_default_version: bool,
    create_date: EpochSeconds,
}

impl Operation for ListPolicyVersions {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListPolicyVersions";
    const ACTION: &'static str = "iot:ListPolicyVersions";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Policy::arn(cx, &request.policy_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let policy = iot.policy(cx, &request.policy_name).await?.entity;
        let item = |version: &Version| Item {
            version_id: version.number.to_string(),
            is_default_version: version.number == policy.default_version,
            create_date: version.created_at.into(),
        };
        Ok(Response { policy_versions: policy.versions.iter().rev().map(item).collect() })
    }
}
