//! `GetPolicy`: <https://docs.aws.amazon.com/iot/latest/apireference/API_GetPolicy.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use wire::EpochSeconds;

use crate::policy_document::Policy;
use crate::{Error, Iot};

pub(super) struct GetPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    policy_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    policy_name: String,
    policy_arn: String,
    policy_document: String,
    default_version_id: String,
    creation_date: EpochSeconds,
    last_modified_date: EpochSeconds,
    generation_id: String,
}

impl Operation for GetPolicy {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetPolicy";
    const ACTION: &'static str = "iot:GetPolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Policy::arn(cx, &request.policy_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let policy = iot.policy(cx, &request.policy_name).await?.entity;
        Ok(Response {
            policy_arn: Policy::arn(cx, &policy.name).to_string(),
            policy_document: policy.document().to_owned(),
            policy_name: policy.name,
            default_version_id: policy.default_version.to_string(),
            creation_date: policy.created_at.into(),
            last_modified_date: policy.modified_at.into(),
            generation_id: policy.last_version.to_string(),
        })
    }
}
