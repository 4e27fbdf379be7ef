//! `DescribeEndpoint`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeEndpoint.html>
//!
//! Differs from AWS: the endpoint is this node; `iot:Jobs` and `iot:CredentialProvider` are refused, since neither service is here.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::{Error, Iot};

pub(super) struct DescribeEndpoint;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// `iot:Data-ATS`, `iot:Data`, or none.
    endpoint_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    endpoint_address: String,
}

impl Operation for DescribeEndpoint {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DescribeEndpoint";
    const ACTION: &'static str = "iot:DescribeEndpoint";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        match request.endpoint_type.as_deref() {
            None | Some("iot:Data-ATS" | "iot:Data") => {
                tracing::trace!(account = %cx.account, "endpoint asked for");
                Ok(Response { endpoint_address: iot.config.endpoint_address.clone() })
            }
            Some(other) => Err(Error::InvalidRequest(format!("Endpoint type {other} is not supported."))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn the_data_endpoint_is_the_configured_address() {
        let iot = crate::ops::testing::iot();
        let answer = call(&iot, "DescribeEndpoint", json!({"endpointType": "iot:Data-ATS"})).await;
        assert_eq!(answer, json!({"endpointAddress": "localhost"}));
        let jobs = json!({"endpointType": "iot:Jobs"});
        assert_eq!(refused(&iot, "DescribeEndpoint", jobs).await.code, "InvalidRequestException");
    }
}
