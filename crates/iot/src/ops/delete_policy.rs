//! `DeletePolicy`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DeletePolicy.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::policy_document::Policy;
use crate::{Error, Iot, scope};

pub(super) struct DeletePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    policy_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for DeletePolicy {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DeletePolicy";
    const ACTION: &'static str = "iot:DeletePolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Policy::arn(cx, &request.policy_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let _turn = iot.turn().await?;
        let stored = iot.policy(cx, &request.policy_name).await?;
        if stored.entity.versions.len() > 1 {
            return Err(Error::DeleteConflict(format!(
                "Cannot delete the policy because it has one or more policy versions attached to it (name={})",
                request.policy_name
            )));
        }
        let attached = iot.attachments.list(&scope(&cx.account, &cx.region)).await?;
        if attached.iter().any(|(parts, _)| parts.last() == Some(&request.policy_name)) {
            return Err(Error::DeleteConflict(format!(
                "The policy cannot be deleted as the policy is attached to one or more principals (name={})",
                request.policy_name
            )));
        }
        let key = [cx.account.as_str(), cx.region.as_str(), &request.policy_name];
        iot.policies.delete_at(&key, stored.revision).await?;
        Ok(Response {})
    }
}
