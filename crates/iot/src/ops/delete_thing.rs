//! `DeleteThing`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DeleteThing.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::thing::Thing;
use crate::{Error, Iot, names};

pub(super) struct DeleteThing;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    thing_name: String,
    expected_version: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for DeleteThing {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DeleteThing";
    const ACTION: &'static str = "iot:DeleteThing";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Thing::arn(cx, &request.thing_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let _turn = iot.turn().await?;
        let key = [cx.account.as_str(), cx.region.as_str(), request.thing_name.as_str()];
        names::THING.check(&request.thing_name)?;
        let Some(stored) = iot.things.get(&key).await? else { return Ok(Response {}) };
        if let Some(expected) = request.expected_version
            && expected != stored.entity.version
        {
            return Err(Error::VersionConflict(format!(
                "The version for {} does not match the expected version. Current version: {}",
                stored.entity.name, stored.entity.version
            )));
        }
        let attached = iot.thing_principals.list(&[key[0], key[1]]).await?;
        if attached.iter().any(|(parts, _)| parts.last() == Some(&request.thing_name)) {
            return Err(Error::InvalidRequest(format!(
                "Cannot delete. Thing {} is still attached to one or more principals",
                request.thing_name
            )));
        }
        iot.things.delete_at(&key, stored.revision).await?;
        Ok(Response {})
    }
}
