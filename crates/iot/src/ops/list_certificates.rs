//! `ListCertificates`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListCertificates.html>
//!
//! Differs from AWS: certificates are ordered by id; `ascendingOrder` is not looked at.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use wire::EpochSeconds;

use super::listing;
use crate::certificate::{Certificate, Status};
use crate::limits::PAGE_MAX;
use crate::{Error, Iot, scope};

pub(super) struct ListCertificates;

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
    certificates: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    certificate_arn: String,
    certificate_id: String,
    status: Status,
    creation_date: EpochSeconds,
}

impl Summary {
    pub(super) fn of(cx: &Context, certificate: Certificate) -> Self {
        Self {
            certificate_arn: Certificate::arn(cx, &certificate.certificate_id).to_string(),
            certificate_id: certificate.certificate_id,
            status: certificate.status,
            creation_date: certificate.created_at.into(),
        }
    }
}

impl Operation for ListCertificates {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListCertificates";
    const ACTION: &'static str = "iot:ListCertificates";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let (after, limit) = listing::start(request.marker.as_deref(), request.page_size, PAGE_MAX)?;
        let page =
            iot.certificates.page(&scope(&cx.account, &cx.region), "", after.as_deref(), limit).await?;
        let next_marker = listing::next(&page, limit);
        let certificates = page.into_iter().map(|(_, stored)| Summary::of(cx, stored.entity)).collect();
        Ok(Response { certificates, next_marker })
    }
}
