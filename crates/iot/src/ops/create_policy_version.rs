//! `CreatePolicyVersion`: <https://docs.aws.amazon.com/iot/latest/apireference/API_CreatePolicyVersion.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::policy_document::{Policy, check_document};
use crate::{Error, Iot};

pub(super) struct CreatePolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    policy_name: String,
    policy_document: String,
    /// Whether the version is in force from now on.
    set_as_default: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    policy_arn: String,
    policy_document: String,
    policy_version_id: String,
    is_default_version: bool,
}

impl Operation for CreatePolicyVersion {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "CreatePolicyVersion";
    const ACTION: &'static str = "iot:CreatePolicyVersion";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Policy::arn(cx, &request.policy_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        check_document(&request.policy_document)?;
        let is_default_version = request.set_as_default.unwrap_or(false);
        let now = iot.clock.now();
        let document = request.policy_document.clone();
        let added = iot.change_policy(cx, &request.policy_name, |policy| {
            let added = policy.add_version(document, now)?;
            if is_default_version {
                policy.default_version = added;
            }
            Ok(added)
        });
        Ok(Response {
            policy_version_id: added.await?.to_string(),
            policy_arn: Policy::arn(cx, &request.policy_name).to_string(),
            policy_document: request.policy_document,
            is_default_version,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    fn document(action: &str) -> String {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
            .to_string()
    }

    #[tokio::test]
    async fn the_default_version_is_in_force_at_once_and_a_number_is_given_once() {
        let iot = crate::ops::testing::iot();
        let [one, two, three] = ["iot:Connect", "iot:Publish", "iot:Subscribe"].map(document);
        call(&iot, "CreatePolicy", json!({"policyName": "p", "policyDocument": one})).await;
        let certificate = call(&iot, "CreateKeysAndCertificate", json!({"setAsActive": true})).await;
        let attach = json!({"policyName": "p", "target": certificate["certificateArn"]});
        call(&iot, "AttachPolicy", attach).await;
        let in_force = || {
            let id = certificate["certificateId"].as_str().unwrap();
            ports::Devices::identity(&*iot.iot, id).unwrap().policies[0].to_string()
        };
        let add = json!({"policyName": "p", "policyDocument": two});
        let added = call(&iot, "CreatePolicyVersion", add).await;
        assert_eq!((&added["policyVersionId"], &added["isDefaultVersion"]), (&json!("2"), &json!(false)));
        assert_eq!(in_force(), one);
        let add = json!({"policyName": "p", "policyDocument": three, "setAsDefault": true});
        let added = call(&iot, "CreatePolicyVersion", add).await;
        assert_eq!(added["policyArn"], "arn:aws:iot:us-east-1:000000000000:policy/p");
        assert_eq!(in_force(), three);
        let policy = call(&iot, "GetPolicy", json!({"policyName": "p"})).await;
        assert_eq!((&policy["policyDocument"], &policy["defaultVersionId"]), (&json!(three), &json!("3")));
        let listed = call(&iot, "ListPolicyVersions", json!({"policyName": "p"})).await;
        let versions: Vec<_> = listed["policyVersions"].as_array().unwrap().iter().collect();
        assert_eq!(versions.len(), 3);
        assert_eq!(
            (&versions[0]["versionId"], &versions[0]["isDefaultVersion"]),
            (&json!("3"), &json!(true))
        );
        let second = json!({"policyName": "p", "policyVersionId": "2"});
        let got = call(&iot, "GetPolicyVersion", second.clone()).await;
        assert_eq!((&got["policyDocument"], &got["isDefaultVersion"]), (&json!(two), &json!(false)));
        call(&iot, "SetDefaultPolicyVersion", second.clone()).await;
        assert_eq!(in_force(), two);
        assert_eq!(refused(&iot, "DeletePolicyVersion", second).await.code, "DeleteConflictException");
        let third = json!({"policyName": "p", "policyVersionId": "3"});
        call(&iot, "DeletePolicyVersion", third.clone()).await;
        assert_eq!(refused(&iot, "GetPolicyVersion", third).await.code, "ResourceNotFoundException");
        let add = json!({"policyName": "p", "policyDocument": one});
        assert_eq!(call(&iot, "CreatePolicyVersion", add).await["policyVersionId"], "4");
    }

    #[tokio::test]
    async fn a_sixth_version_a_bad_document_and_a_policy_that_is_not_there_are_refused() {
        let iot = crate::ops::testing::iot();
        let document = document("iot:*");
        let add = json!({"policyName": "p", "policyDocument": document});
        assert_eq!(refused(&iot, "CreatePolicyVersion", add.clone()).await.message, "Policy not found: p");
        call(&iot, "CreatePolicy", add.clone()).await;
        for _ in 0..4 {
            call(&iot, "CreatePolicyVersion", add.clone()).await;
        }
        let fault = refused(&iot, "CreatePolicyVersion", add).await;
        assert_eq!((fault.status, fault.code.as_str()), (409, "VersionsLimitExceededException"));
        assert_eq!(
            refused(&iot, "DeletePolicy", json!({"policyName": "p"})).await.message,
            "Cannot delete the policy because it has one or more policy versions attached to it (name=p)"
        );
        let bad = json!({"policyName": "p", "policyDocument": "{"});
        assert_eq!(refused(&iot, "CreatePolicyVersion", bad).await.code, "MalformedPolicyException");
    }
}
