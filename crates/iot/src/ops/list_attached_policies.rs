//! `ListAttachedPolicies`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListAttachedPolicies.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::list_policies::Summary;
use super::listing;
use crate::limits::PAGE_MAX;
use crate::{Error, Iot, names, tags};

pub(super) struct ListAttachedPolicies;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// The certificate's ARN.
    target: String,
    marker: Option<String>,
    page_size: Option<usize>,
    /// Certificates are in no group from which they could have more.
    #[serde(rename = "recursive")]
    _recursive: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    policies: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

impl Operation for ListAttachedPolicies {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListAttachedPolicies";
    const ACTION: &'static str = "iot:ListAttachedPolicies";

    fn resource(_: &Context, request: &Request) -> Resource {
        tags::resource(&request.target)
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let id = names::certificate_of(cx, &request.target)?;
        iot.certificate(cx, id).await?;
        let (after, limit) = listing::start(request.marker.as_deref(), request.page_size, PAGE_MAX)?;
        let target = [cx.account.as_str(), cx.region.as_str(), id];
        let page = iot.attachments.page(&target, "", after.as_deref(), limit).await?;
        let next_marker = listing::next(&page, limit);
        let policies =
            page.into_iter().filter_map(|(parts, _)| Some(Summary::new(cx, parts.last()?.clone()))).collect();
        Ok(Response { policies, next_marker })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::call;

    #[tokio::test]
    async fn policies_come_in_pages() {
        let iot = crate::ops::testing::iot();
        let target = call(&iot, "CreateKeysAndCertificate", json!({})).await["certificateArn"].clone();
        let document =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
        for name in ["p", "q", "r"] {
            call(&iot, "CreatePolicy", json!({"policyName": name, "policyDocument": document})).await;
            call(&iot, "AttachPolicy", json!({"policyName": name, "target": target})).await;
        }
        let page = call(&iot, "ListAttachedPolicies", json!({"target": target, "pageSize": 2})).await;
        assert_eq!(page["policies"][1]["policyName"], "q");
        let next = json!({"target": target, "pageSize": 2, "marker": page["nextMarker"]});
        let page = call(&iot, "ListAttachedPolicies", next).await;
        assert_eq!(page["policies"][0]["policyName"], "r");
        assert_eq!(page.get("nextMarker"), None);
    }
}
