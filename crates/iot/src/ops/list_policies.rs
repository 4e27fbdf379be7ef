//! `ListPolicies`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListPolicies.html>
//!
//! Differs from AWS: policies are ordered by name; `ascendingOrder` is not looked at.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::listing;
use crate::limits::PAGE_MAX;
use crate::policy_document::Policy;
use crate::{Error, Iot, scope};

pub(super) struct ListPolicies;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    marker: Option<String>,
    page_size: Option<usize>,
    #[serde(rename = "ascendingOrder")]
    _ascending_order: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    policies: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

/// A policy in a listing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    policy_name: String,
    policy_arn: String,
}

impl Summary {
    pub(super) fn new(cx: &Context, name: String) -> Self {
        Self { policy_arn: Policy::arn(cx, &name).to_string(), policy_name: name }
    }
}

impl Operation for ListPolicies {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListPolicies";
    const ACTION: &'static str = "iot:ListPolicies";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let (after, limit) = listing::start(request.marker.as_deref(), request.page_size, PAGE_MAX)?;
        let page = iot.policies.page(&scope(&cx.account, &cx.region), "", after.as_deref(), limit).await?;
        let next_marker = listing::next(&page, limit);
        let policies = page.into_iter().map(|(_, stored)| Summary::new(cx, stored.entity.name)).collect();
        Ok(Response { policies, next_marker })
    }
}
