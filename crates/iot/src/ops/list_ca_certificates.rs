//! `ListCACertificates`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListCACertificates.html>
//!
//! Differs from AWS: certificates are ordered by id; `ascendingOrder` is not looked at.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use wire::EpochSeconds;

use super::listing;
use crate::limits::PAGE_MAX;
use crate::registered_ca::{CaState, RegisteredCa};
use crate::{Error, Iot, scope};

pub(super) struct ListCaCertificates;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    marker: Option<String>,
    /// Provisioning templates are absent.
    template_name: Option<String>,
    page_size: Option<usize>,
    #[serde(rename = "ascendingOrder")]
    _ascending_order: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    certificates: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    certificate_arn: String,
    certificate_id: String,
    status: CaState,
    creation_date: EpochSeconds,
}

impl Operation for ListCaCertificates {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListCACertificates";
    const ACTION: &'static str = "iot:ListCACertificates";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        if request.template_name.is_some() {
            return Ok(Response { certificates: Vec::new(), next_marker: None });
        }
        let (after, limit) = listing::start(request.marker.as_deref(), request.page_size, PAGE_MAX)?;
        let scope = scope(&cx.account, &cx.region);
        let page = iot.registered_cas.page(&scope, "", after.as_deref(), limit).await?;
        let next_marker = listing::next(&page, limit);
        let certificates = page
            .into_iter()
            .map(|(_, stored)| Summary {
                certificate_arn: RegisteredCa::arn(cx, &stored.entity.certificate_id).to_string(),
                certificate_id: stored.entity.certificate_id,
                status: stored.entity.status,
                creation_date: stored.entity.created_at.into(),
            })
            .collect();
        Ok(Response { certificates, next_marker })
    }
}
