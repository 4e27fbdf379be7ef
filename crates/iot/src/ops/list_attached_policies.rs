//! `ListAttachedPolicies`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListAttachedPolicies.html>
//!
//! Differs from AWS: all policies, at most ten, are in one page.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::list_policies::Summary;
use crate::{Error, Iot, names};

pub(super) struct ListAttachedPolicies;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// The certificate's ARN.
    target: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    policies: Vec<Summary>,
}

impl Operation for ListAttachedPolicies {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListAttachedPolicies";
    const ACTION: &'static str = "iot:ListAttachedPolicies";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let id = names::certificate_of(&request.target)?;
        iot.certificate(cx, id).await?;
        let attached = iot.attachments.list(&[cx.account.as_str(), cx.region.as_str(), id]).await?;
        let policies = attached
            .into_iter()
            .filter_map(|(parts, _)| Some(Summary::new(cx, parts.last()?.clone())))
            .collect();
        Ok(Response { policies })
    }
}
