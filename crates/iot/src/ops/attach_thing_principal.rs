//! `AttachThingPrincipal`: <https://docs.aws.amazon.com/iot/latest/apireference/API_AttachThingPrincipal.html>
//!
//! Differs from AWS: a principal cannot be attached to one thing exclusively.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::thing::{Thing, ThingPrincipal};
use crate::{Error, Iot, names};

pub(super) struct AttachThingPrincipal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    thing_name: String,
    /// The certificate's ARN.
    principal: String,
    /// Whether the certificate may be another thing's as well; so it is unless said otherwise.
    thing_principal_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for AttachThingPrincipal {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "AttachThingPrincipal";
    const ACTION: &'static str = "iot:AttachThingPrincipal";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Thing::arn(cx, &request.thing_name).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let id = names::certificate_of(cx, &request.principal)?;
        match request.thing_principal_type.as_deref() {
            None | Some("NON_EXCLUSIVE_THING") => {}
            Some("EXCLUSIVE_THING") => {
                return Err(Error::InvalidRequest("Exclusive things are not supported.".to_owned()));
            }
            Some(other) => {
                return Err(Error::InvalidRequest(format!(
                    "1 validation error detected: Value '{other}' at 'thingPrincipalType' failed to satisfy constraint: Member \
                     must satisfy enum value set: [EXCLUSIVE_THING, NON_EXCLUSIVE_THING]"
                )));
            }
        }
        let mut turn = iot.turn().await?;
        iot.thing(cx, &request.thing_name).await?;
        iot.certificate(cx, id).await?;
        let key = [cx.account.as_str(), cx.region.as_str(), id, &request.thing_name];
        turn.touches_certificate(cx, id);
        iot.thing_principals.put(&key, &ThingPrincipal {}).await?;
        turn.settle(iot).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn a_certificate_knows_its_things_and_things_their_principals() {
        let iot = crate::ops::testing::iot();
        let created = call(&iot, "CreateKeysAndCertificate", json!({"setAsActive": true})).await;
        call(&iot, "CreateThing", json!({"thingName": "t"})).await;
        let attach = json!({"thingName": "t", "principal": created["certificateArn"]});
        call(&iot, "AttachThingPrincipal", attach.clone()).await;
        let id = created["certificateId"].as_str().unwrap();
        assert_eq!(ports::Devices::identity(&*iot.iot, id).unwrap().things, ["t"]);
        let listed = call(&iot, "ListThingPrincipals", json!({"thingName": "t"})).await;
        assert_eq!(listed["principals"], json!([created["certificateArn"]]));
        let fault = refused(&iot, "DeleteThing", json!({"thingName": "t"})).await;
        assert_eq!(fault.message, "Cannot delete. Thing t is still attached to one or more principals");
        call(&iot, "DetachThingPrincipal", attach).await;
        assert!(ports::Devices::identity(&*iot.iot, id).unwrap().things.is_empty());
        call(&iot, "DeleteThing", json!({"thingName": "t"})).await;
        let odd = json!({"thingName": "t", "principal": "nobody"});
        assert_eq!(refused(&iot, "AttachThingPrincipal", odd).await.message, "Invalid principal: nobody");
    }

    #[tokio::test]
    async fn a_thing_is_not_exclusive() {
        let iot = crate::ops::testing::iot();
        let created = call(&iot, "CreateKeysAndCertificate", json!({})).await;
        call(&iot, "CreateThing", json!({"thingName": "t"})).await;
        let attach = |kind: &str| json!({"thingName": "t", "principal": created["certificateArn"], "thingPrincipalType": kind});
        call(&iot, "AttachThingPrincipal", attach("NON_EXCLUSIVE_THING")).await;
        for (kind, expect) in [
            ("EXCLUSIVE_THING", "Exclusive things are not supported."),
            (
                "X",
                "1 validation error detected: Value 'X' at 'thingPrincipalType' failed to satisfy constraint: Member must \
                 satisfy enum value set: [EXCLUSIVE_THING, NON_EXCLUSIVE_THING]",
            ),
        ] {
            assert_eq!(refused(&iot, "AttachThingPrincipal", attach(kind)).await.message, expect);
        }
    }
}
