//! `DetachPolicy`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DetachPolicy.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::{Error, Iot, names, tags};

pub(super) struct DetachPolicy;

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

impl Operation for DetachPolicy {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DetachPolicy";
    const ACTION: &'static str = "iot:DetachPolicy";

    fn resource(_: &Context, request: &Request) -> Resource {
        tags::resource(&request.target)
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let id = names::certificate_of(cx, &request.target)?;
        let mut turn = iot.turn().await?;
        // In the model, DetachPolicy has no error for what is not there.
        iot.policy(cx, &request.policy_name).await.map_err(|error| match error {
            Error::NotFound(message) => Error::InvalidRequest(message),
            error => error,
        })?;
        let key = [cx.account.as_str(), cx.region.as_str(), id, &request.policy_name];
        turn.touches_certificate(cx, id);
        iot.attachments.delete(&key).await?;
        turn.settle(iot).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn a_policy_that_is_not_there_is_a_wrong_request() {
        let iot = crate::ops::testing::iot();
        let target = call(&iot, "CreateKeysAndCertificate", json!({})).await["certificateArn"].clone();
        let fault = refused(&iot, "DetachPolicy", json!({"policyName": "p", "target": target})).await;
        assert_eq!(fault.to_string(), "InvalidRequestException: Policy not found: p");
    }
}
