//! `UpdateThing`: <https://docs.aws.amazon.com/iot/latest/apireference/API_UpdateThing.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::thing::{AttributePayload, Thing, check_attributes};
use crate::{Error, Iot};

pub(super) struct UpdateThing;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    thing_name: String,
    attribute_payload: Option<AttributePayload>,
    /// The change is made only if the thing has this version.
    expected_version: Option<u64>,
    /// Thing types are absent.
    thing_type_name: Option<String>,
    /// There is never one to remove.
    #[serde(rename = "removeThingType")]
    _remove_thing_type: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for UpdateThing {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "UpdateThing";
    const ACTION: &'static str = "iot:UpdateThing";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Thing::arn(cx, &request.thing_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let stored = iot.thing(cx, &request.thing_name).await?;
        let mut thing = stored.entity;
        if let Some(thing_type) = request.thing_type_name {
            return Err(Error::NotFound(format!("Thing type {thing_type} not found.")));
        }
        if let Some(expected) = request.expected_version
            && expected != thing.version
        {
            return Err(Error::VersionConflict(format!(
                "The version for {} does not match the expected version. Current version: {}",
                thing.name, thing.version
            )));
        }
        if let Some(payload) = request.attribute_payload {
            if !payload.merge {
                thing.attributes.clear();
            }
            thing.attributes.extend(payload.attributes);
            // An empty value removes the attribute.
            thing.attributes.retain(|_, value| !value.is_empty());
        }
        check_attributes(&thing.attributes)?;
        thing.version += 1;
        let key = [cx.account.as_str(), cx.region.as_str(), &thing.name];
        iot.things.update(&key, &thing, stored.revision).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn attributes_are_replaced_or_merged_and_the_version_grows() {
        let iot = crate::ops::testing::iot();
        let attributes = json!({"attributes": {"a": "1", "b": "2"}});
        call(&iot, "CreateThing", json!({"thingName": "t", "attributePayload": attributes})).await;
        let merge =
            json!({"thingName": "t", "attributePayload": {"attributes": {"b": "", "c": "3"}, "merge": true}});
        call(&iot, "UpdateThing", merge).await;
        let thing = call(&iot, "DescribeThing", json!({"thingName": "t"})).await;
        assert_eq!((&thing["attributes"], &thing["version"]), (&json!({"a": "1", "c": "3"}), &json!(2)));
        let stale = json!({"thingName": "t", "expectedVersion": 1});
        assert_eq!(refused(&iot, "UpdateThing", stale).await.code, "VersionConflictException");
        assert_eq!(
            refused(&iot, "UpdateThing", json!({"thingName": "u"})).await.code,
            "ResourceNotFoundException"
        );
    }

    #[tokio::test]
    async fn there_are_no_thing_types() {
        let iot = crate::ops::testing::iot();
        call(&iot, "CreateThing", json!({"thingName": "t"})).await;
        let typed = json!({"thingName": "t", "thingTypeName": "x"});
        assert_eq!(refused(&iot, "UpdateThing", typed).await.message, "Thing type x not found.");
        call(&iot, "UpdateThing", json!({"thingName": "t", "removeThingType": true})).await;
    }
}
