//! `DeletePolicyVersion`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DeletePolicyVersion.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::policy_document::Policy;
use crate::{Error, Iot};

pub(super) struct DeletePolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    policy_name: String,
    policy_version_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for DeletePolicyVersion {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DeletePolicyVersion";
    const ACTION: &'static str = "iot:DeletePolicyVersion";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Policy::arn(cx, &request.policy_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let now = iot.clock.now();
        iot.change_policy(cx, &request.policy_name, |policy| {
            let number = policy.version(&request.policy_version_id)?.number;
            if number == policy.default_version {
                return Err(Error::DeleteConflict(format!(
                    "Cannot delete the default version of a policy (name={})",
                    policy.name
                )));
            }
            policy.versions.retain(|version| version.number != number);
            policy.modified_at = now;
            Ok(())
        })
        .await?;
        Ok(Response {})
    }
}
