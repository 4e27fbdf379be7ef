//! `UntagResource`: <https://docs.aws.amazon.com/iot/latest/apireference/API_UntagResource.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::{Error, Iot, tags};

pub(super) struct UntagResource;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for UntagResource {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "UntagResource";
    const ACTION: &'static str = "iot:UntagResource";

    fn resource(_: &Context, request: &Request) -> Resource {
        tags::resource(&request.resource_arn)
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        iot.change_tags(cx, &request.resource_arn, |mut tags| {
            tags.retain(|key, _| !request.tag_keys.contains(key));
            Ok(tags)
        })
        .await?;
        Ok(Response {})
    }
}
