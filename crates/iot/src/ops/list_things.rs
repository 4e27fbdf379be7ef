//! `ListThings`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListThings.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use std::collections::BTreeMap;

use super::listing;
use crate::limits::PAGE_MAX;
use crate::thing::Thing;
use crate::{Error, Iot, scope};

pub(super) struct ListThings;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    next_token: Option<String>,
    max_results: Option<usize>,
    attribute_name: Option<String>,
    attribute_value: Option<String>,
    /// The value need only begin so.
    #[serde(default)]
    use_prefix_attribute_value: bool,
    /// Thing types are absent: no thing has one.
    thing_type_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    things: Vec<ThingAttribute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ThingAttribute {
    thing_name: String,
    thing_arn: String,
    attributes: BTreeMap<String, String>,
    version: u64,
}

impl Operation for ListThings {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListThings";
    const ACTION: &'static str = "iot:ListThings";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let (after, limit) = listing::start(request.next_token.as_deref(), request.max_results, PAGE_MAX)?;
        let page = iot.things.page(&scope(&cx.account, &cx.region), "", after.as_deref(), limit).await?;
        let next_token = listing::next(&page, limit);
        let is = |found: &str, value: &str| match request.use_prefix_attribute_value {
            true => found.starts_with(value),
            false => found == value,
        };
        let matches = |thing: &Thing| match (&request.attribute_name, &request.attribute_value) {
            _ if request.thing_type_name.is_some() => false,
            (Some(name), value) => thing
                .attributes
                .get(name)
                .is_some_and(|found| value.as_ref().is_none_or(|value| is(found, value))),
            (None, _) => true,
        };
        let things = page
            .into_iter()
            .map(|(_, stored)| stored.entity)
            .filter(matches)
            .map(|thing| ThingAttribute {
                thing_arn: Thing::arn(cx, &thing.name).to_string(),
                thing_name: thing.name,
                attributes: thing.attributes,
                version: thing.version,
            })
            .collect();
        Ok(Response { things, next_token })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::call;

    #[tokio::test]
    async fn pages_follow_each_other_and_end() {
        let iot = crate::ops::testing::iot();
        for n in 0..5 {
            call(&iot, "CreateThing", json!({"thingName": format!("t{n}")})).await;
        }
        let mut names = Vec::new();
        let mut token = None;
        loop {
            let page = call(&iot, "ListThings", json!({"maxResults": 2, "nextToken": token})).await;
            names.extend(
                page["things"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|t| t["thingName"].as_str().unwrap().to_owned()),
            );
            token = page["nextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        assert_eq!(names, ["t0", "t1", "t2", "t3", "t4"]);
    }

    #[tokio::test]
    async fn attributes_are_matched_whole_or_by_their_beginning() {
        let iot = crate::ops::testing::iot();
        for (name, floor) in [("a", "north"), ("b", "north-east"), ("c", "south")] {
            let attributes = json!({"attributes": {"floor": floor}});
            call(&iot, "CreateThing", json!({"thingName": name, "attributePayload": attributes})).await;
        }
        for (more, expect) in [
            (json!({}), vec!["a"]),
            (json!({"usePrefixAttributeValue": true}), vec!["a", "b"]),
            (json!({"thingTypeName": "none"}), vec![]),
        ] {
            let mut input = json!({"attributeName": "floor", "attributeValue": "north"});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let listed = call(&iot, "ListThings", input.clone()).await;
            let names: Vec<_> =
                listed["things"].as_array().unwrap().iter().map(|thing| &thing["thingName"]).collect();
            assert_eq!(names, expect, "{input}");
        }
    }
}
