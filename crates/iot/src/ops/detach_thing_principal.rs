//! `DetachThingPrincipal`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DetachThingPrincipal.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::thing::Thing;
use crate::{Error, Iot, names};

pub(super) struct DetachThingPrincipal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    thing_name: String,
    /// The certificate's ARN.
    principal: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for DetachThingPrincipal {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DetachThingPrincipal";
    const ACTION: &'static str = "iot:DetachThingPrincipal";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Thing::arn(cx, &request.thing_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let id = names::certificate_of(cx, &request.principal)?;
        let mut turn = iot.turn().await?;
        iot.thing(cx, &request.thing_name).await?;
        let key = [cx.account.as_str(), cx.region.as_str(), id, &request.thing_name];
        turn.touches_certificate(cx, id);
        iot.thing_principals.delete(&key).await?;
        turn.settle(iot).await?;
        Ok(Response {})
    }
}
