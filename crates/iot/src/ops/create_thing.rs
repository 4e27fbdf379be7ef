//! `CreateThing`: <https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use store::TableError;

use crate::thing::{AttributePayload, Thing, check_attributes};
use crate::{Error, Iot, names};

pub(super) struct CreateThing;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// 1–128 characters of `[a-zA-Z0-9:_-]`.
    thing_name: String,
    attribute_payload: Option<AttributePayload>,
    /// Thing types are absent.
    thing_type_name: Option<String>,
    /// Billing groups are absent.
    billing_group_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    thing_name: String,
    thing_arn: String,
    thing_id: String,
}

impl Operation for CreateThing {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "CreateThing";
    const ACTION: &'static str = "iot:CreateThing";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Thing::arn(cx, &request.thing_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        names::THING.check(&request.thing_name)?;
        if let Some(thing_type) = request.thing_type_name {
            return Err(Error::NotFound(format!("Thing type {thing_type} not found.")));
        }
        if let Some(group) = request.billing_group_name {
            return Err(Error::NotFound(format!("Billing group {group} not found.")));
        }
        let thing = Thing {
            name: request.thing_name,
            id: iot.entropy.uuid(),
            attributes: request.attribute_payload.unwrap_or_default().attributes,
            version: 1,
            created_at: iot.clock.now(),
        };
        check_attributes(&thing.attributes)?;
        let arn = Thing::arn(cx, &thing.name).to_string();
        let key = [cx.account.as_str(), cx.region.as_str(), &thing.name];
        match iot.things.insert(&key, &thing).await {
            Ok(_) => {}
            Err(TableError::Conflict) => {
                let existing = iot.thing(cx, &thing.name).await?.entity;
                if existing.attributes != thing.attributes {
                    return Err(Error::AlreadyExists(format!(
                        "Thing {} already exists in account with different attributes",
                        thing.name
                    )));
                }
                return Ok(Response { thing_name: existing.name, thing_arn: arn, thing_id: existing.id });
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Response { thing_name: thing.name, thing_arn: arn, thing_id: thing.id })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn creating_the_same_thing_again_returns_it_and_a_different_one_is_refused() {
        let iot = crate::ops::testing::iot();
        let input = json!({"thingName": "t", "attributePayload": {"attributes": {"a": "1"}}});
        let first = call(&iot, "CreateThing", input.clone()).await;
        assert_eq!(first["thingArn"], "arn:aws:iot:us-east-1:000000000000:thing/t");
        assert_eq!(call(&iot, "CreateThing", input).await, first);
        let fault = refused(&iot, "CreateThing", json!({"thingName": "t"})).await;
        assert_eq!(fault.code, "ResourceAlreadyExistsException");
        let many =
            json!({"thingName": "u", "attributePayload": {"attributes": {"a":"1","b":"1","c":"1","d":"1"}}});
        assert_eq!(refused(&iot, "CreateThing", many).await.code, "InvalidRequestException");
        let nope = json!({"thingName": "u", "thingTypeName": "x"});
        assert_eq!(refused(&iot, "CreateThing", nope).await.message, "Thing type x not found.");
        let nope = json!({"thingName": "u", "billingGroupName": "x"});
        assert_eq!(refused(&iot, "CreateThing", nope).await.message, "Billing group x not found.");
    }
}
