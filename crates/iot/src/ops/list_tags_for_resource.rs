//! `ListTagsForResource`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListTagsForResource.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::tags::{self, Tag};
use crate::{Error, Iot};

pub(super) struct ListTagsForResource;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    resource_arn: String,
    /// There is one page: a resource has at most 50 tags.
    #[serde(rename = "nextToken")]
    _next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    tags: Vec<Tag>,
}

impl Operation for ListTagsForResource {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListTagsForResource";
    const ACTION: &'static str = "iot:ListTagsForResource";

    fn resource(_: &Context, request: &Request) -> Resource {
        tags::resource(&request.resource_arn)
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let tags = iot.tags(cx, &request.resource_arn).await?;
        Ok(Response { tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect() })
    }
}
