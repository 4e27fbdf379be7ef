//! `ListThingPrincipals`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListThingPrincipals.html>
//!
//! Differs from AWS: all principals are in one page.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::certificate::Certificate;
use crate::thing::Thing;
use crate::{Error, Iot, scope};

pub(super) struct ListThingPrincipals;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    thing_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    principals: Vec<String>,
}

impl Operation for ListThingPrincipals {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListThingPrincipals";
    const ACTION: &'static str = "iot:ListThingPrincipals";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Thing::arn(cx, &request.thing_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        iot.thing(cx, &request.thing_name).await?;
        let attached = iot.thing_principals.list(&scope(&cx.account, &cx.region)).await?;
        let principals = attached
            .into_iter()
            .filter(|(parts, _)| parts.last() == Some(&request.thing_name))
            .filter_map(|(parts, _)| parts.get(2).map(|id| Certificate::arn(cx, id).to_string()))
            .collect();
        Ok(Response { principals })
    }
}
