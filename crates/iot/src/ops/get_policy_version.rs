//! `GetPolicyVersion`: <https://docs.aws.amazon.com/iot/latest/apireference/API_GetPolicyVersion.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{EpochSeconds, Operation, Resource};

use crate::policy_document::Policy;
use crate::{Error, Iot};

pub(super) struct GetPolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    policy_name: String,
    policy_version_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    policy_arn: String,
    policy_name: String,
    policy_document: String,
    policy_version_id: String,
    is_default_version: bool,
    creation_date: EpochSeconds,
    last_modified_date: EpochSeconds,
    generation_id: String,
}

impl Operation for GetPolicyVersion {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetPolicyVersion";
    const ACTION: &'static str = "iot:GetPolicyVersion";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Policy::arn(cx, &request.policy_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let policy = iot.policy(cx, &request.policy_name).await?.entity;
        let version = policy.version(&request.policy_version_id)?;
        Ok(Response {
            policy_arn: Policy::arn(cx, &policy.name).to_string(),
            policy_document: version.document.clone(),
            policy_version_id: version.number.to_string(),
            is_default_version: version.number == policy.default_version,
            creation_date: version.created_at.into(),
            last_modified_date: version.created_at.into(),
            generation_id: version.number.to_string(),
            policy_name: request.policy_name,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn a_version_that_is_not_there_and_what_is_no_number_are_refused() {
        let iot = crate::ops::testing::iot();
        let document =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
        call(&iot, "CreatePolicy", json!({"policyName": "p", "policyDocument": document})).await;
        let version = |id: &str| json!({"policyName": "p", "policyVersionId": id});
        let first = call(&iot, "GetPolicyVersion", version("1")).await;
        assert_eq!((&first["policyDocument"], &first["isDefaultVersion"]), (&json!(document), &json!(true)));
        let fault = refused(&iot, "GetPolicyVersion", version("2")).await;
        assert_eq!((fault.status, fault.message.as_str()), (404, "Policy version not found: 2 (name=p)"));
        assert_eq!(refused(&iot, "GetPolicyVersion", version("v1")).await.code, "InvalidRequestException");
        let huge = version("99999999999999999999");
        assert_eq!(refused(&iot, "GetPolicyVersion", huge).await.code, "ResourceNotFoundException");
    }
}
