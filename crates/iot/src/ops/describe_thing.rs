//! `DescribeThing`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeThing.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use std::collections::BTreeMap;

use crate::thing::Thing;
use crate::{Error, Iot};

pub(super) struct DescribeThing;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    thing_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    default_client_id: String,
    thing_name: String,
    thing_id: String,
    thing_arn: String,
    attributes: BTreeMap<String, String>,
    version: u64,
}

impl Operation for DescribeThing {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DescribeThing";
    const ACTION: &'static str = "iot:DescribeThing";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Thing::arn(cx, &request.thing_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let thing = iot.thing(cx, &request.thing_name).await?.entity;
        Ok(Response {
            default_client_id: thing.name.clone(),
            thing_arn: Thing::arn(cx, &thing.name).to_string(),
            thing_name: thing.name,
            thing_id: thing.id,
            attributes: thing.attributes,
            version: thing.version,
        })
    }
}
