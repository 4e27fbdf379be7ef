//! `CreatePolicy`: <https://docs.aws.amazon.com/iot/latest/apireference/API_CreatePolicy.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use store::TableError;

use crate::policy_document::{Policy, check_document};
use crate::tags::{self, Tag, Tags};
use crate::{Error, Iot, names};

pub(super) struct CreatePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// 1–128 characters of `[\w+=,.@-]`.
    policy_name: String,
    /// JSON, at most 2,048 characters without white space.
    policy_document: String,
    tags: Option<Vec<Tag>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    policy_name: String,
    policy_arn: String,
    policy_document: String,
    policy_version_id: String,
}

impl Operation for CreatePolicy {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "CreatePolicy";
    const ACTION: &'static str = "iot:CreatePolicy";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Policy::arn(cx, &request.policy_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        names::POLICY.check(&request.policy_name)?;
        check_document(&request.policy_document)?;
        let tags = tags::with(Tags::new(), &request.tags.unwrap_or_default())?;
        let policy = Policy::new(request.policy_name, request.policy_document.clone(), tags, iot.clock.now());
        let key = [cx.account.as_str(), cx.region.as_str(), &policy.name];
        match iot.policies.insert(&key, &policy).await {
            Ok(_) => {}
            Err(TableError::Conflict) => {
                return Err(Error::AlreadyExists(format!(
                    "Policy cannot be created - name already exists (name={})",
                    policy.name
                )));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Response {
            policy_arn: Policy::arn(cx, &policy.name).to_string(),
            policy_name: policy.name,
            policy_document: request.policy_document,
            policy_version_id: policy.default_version.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn a_document_that_is_no_policy_and_a_second_of_the_name_are_refused() {
        let iot = crate::ops::testing::iot();
        let bad = json!({"policyName": "p", "policyDocument": "{"});
        assert_eq!(refused(&iot, "CreatePolicy", bad).await.code, "MalformedPolicyException");
        let document =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
        let tagged = json!({"policyName": "p", "policyDocument": document, "tags": [{"Key": "aws:k"}]});
        assert_eq!(refused(&iot, "CreatePolicy", tagged).await.code, "InvalidRequestException");
        let good = json!({"policyName": "p", "policyDocument": document});
        assert_eq!(call(&iot, "CreatePolicy", good.clone()).await["policyVersionId"], "1");
        assert_eq!(
            refused(&iot, "CreatePolicy", good).await.message,
            "Policy cannot be created - name already exists (name=p)"
        );
        assert_eq!(call(&iot, "GetPolicy", json!({"policyName": "p"})).await["policyDocument"], document);
        assert_eq!(
            refused(&iot, "GetPolicy", json!({"policyName": "q"})).await.message,
            "Policy not found: q"
        );
    }
}
