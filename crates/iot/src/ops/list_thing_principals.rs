//! `ListThingPrincipals`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListThingPrincipals.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::listing;
use crate::certificate::Certificate;
use crate::limits::PAGE_MAX;
use crate::thing::Thing;
use crate::{Error, Iot, scope};

pub(super) struct ListThingPrincipals;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    thing_name: String,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    principals: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
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
        let (after, limit) = listing::start(request.next_token.as_deref(), request.max_results, PAGE_MAX)?;
        let attached = iot.thing_principals.list(&scope(&cx.account, &cx.region)).await?;
        let mut ids = attached
            .iter()
            .filter(|(parts, _)| parts.last() == Some(&request.thing_name))
            .filter_map(|(parts, _)| parts.get(2))
            .filter(|id| after.as_ref().is_none_or(|after| *id > after));
        let page: Vec<&String> = ids.by_ref().take(limit).collect();
        let next_token = page.last().filter(|_| ids.next().is_some()).map(|id| wire::page::token(id));
        let principals = page.into_iter().map(|id| Certificate::arn(cx, id).to_string()).collect();
        Ok(Response { principals, next_token })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::call;

    #[tokio::test]
    async fn principals_come_in_pages() {
        let iot = crate::ops::testing::iot();
        call(&iot, "CreateThing", json!({"thingName": "t"})).await;
        let mut attached = Vec::new();
        for _ in 0..3 {
            let principal = call(&iot, "CreateKeysAndCertificate", json!({})).await["certificateArn"].clone();
            call(&iot, "AttachThingPrincipal", json!({"thingName": "t", "principal": principal})).await;
            attached.push(principal);
        }
        attached.sort_by_key(ToString::to_string);
        let page = call(&iot, "ListThingPrincipals", json!({"thingName": "t", "maxResults": 2})).await;
        assert_eq!(page["principals"], json!(attached[..2]));
        let next = json!({"thingName": "t", "maxResults": 2, "nextToken": page["nextToken"]});
        let page = call(&iot, "ListThingPrincipals", next).await;
        assert_eq!((&page["principals"], page.get("nextToken")), (&json!(attached[2..]), None));
    }
}
