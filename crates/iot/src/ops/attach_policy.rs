//! `AttachPolicy`: <https://docs.aws.amazon.com/iot/latest/apireference/API_AttachPolicy.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::certificate::Attachment;
use crate::limits::POLICIES_PER_PRINCIPAL_MAX;
use crate::{Error, Iot, names, tags};

pub(super) struct AttachPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    policy_name: String,
    /// The certificate's ARN.
    target: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for AttachPolicy {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "AttachPolicy";
    const ACTION: &'static str = "iot:AttachPolicy";

    fn resource(_: &Context, request: &Request) -> Resource {
        tags::resource(&request.target)
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let id = names::certificate_of(cx, &request.target)?;
        let mut turn = iot.turn().await?;
        iot.policy(cx, &request.policy_name).await?;
        iot.certificate(cx, id).await?;
        let certificate = [cx.account.as_str(), cx.region.as_str(), id];
        let attached = iot.attachments.list(&certificate).await?;
        let present = attached.iter().any(|(parts, _)| parts.last() == Some(&request.policy_name));
        if !present && attached.len() >= POLICIES_PER_PRINCIPAL_MAX {
            return Err(Error::LimitExceeded(format!(
                "The number of policies attached to a principal cannot exceed {POLICIES_PER_PRINCIPAL_MAX}"
            )));
        }
        let key = [certificate[0], certificate[1], id, &request.policy_name];
        turn.touches_certificate(cx, id);
        iot.attachments.put(&key, &Attachment {}).await?;
        turn.settle(iot).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn an_attached_policy_is_in_the_identity_until_it_is_detached() {
        let iot = crate::ops::testing::iot();
        let created = call(&iot, "CreateKeysAndCertificate", json!({"setAsActive": true})).await;
        let document =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
        call(&iot, "CreatePolicy", json!({"policyName": "p", "policyDocument": document})).await;
        let attach = json!({"policyName": "p", "target": created["certificateArn"]});
        call(&iot, "AttachPolicy", attach.clone()).await;
        let id = created["certificateId"].as_str().unwrap();
        assert_eq!(*ports::Devices::identity(&*iot.iot, id).unwrap().policies[0], *document);
        let listed = call(&iot, "ListAttachedPolicies", json!({"target": created["certificateArn"]})).await;
        assert_eq!(listed["policies"][0]["policyName"], "p");
        assert_eq!(
            refused(&iot, "DeletePolicy", json!({"policyName": "p"})).await.code,
            "DeleteConflictException"
        );
        call(&iot, "DetachPolicy", attach).await;
        assert!(ports::Devices::identity(&*iot.iot, id).unwrap().policies.is_empty());
        call(&iot, "DeletePolicy", json!({"policyName": "p"})).await;
        for n in 0..11 {
            let name = format!("p{n}");
            call(&iot, "CreatePolicy", json!({"policyName": name, "policyDocument": document})).await;
            let attach = json!({"policyName": name, "target": created["certificateArn"]});
            if n < 10 {
                call(&iot, "AttachPolicy", attach).await;
            } else {
                assert_eq!(refused(&iot, "AttachPolicy", attach).await.code, "LimitExceededException");
            }
        }
    }
}
