//! `ListCertificatesByCA`: <https://docs.aws.amazon.com/iot/latest/apireference/API_ListCertificatesByCA.html>
//!
//! Differs from AWS: certificates are ordered by id; `ascendingOrder` is not looked at.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::list_certificates::Summary;
use super::listing;
use crate::certificate::check_id;
use crate::limits::PAGE_MAX;
use crate::registered_ca::RegisteredCa;
use crate::{Error, Iot, scope};

pub(super) struct ListCertificatesByCa;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    ca_certificate_id: String,
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

impl Operation for ListCertificatesByCa {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "ListCertificatesByCA";
    const ACTION: &'static str = "iot:ListCertificatesByCA";

    fn resource(cx: &Context, request: &Request) -> Resource {
        RegisteredCa::arn(cx, &request.ca_certificate_id).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let (after, limit) = listing::start(request.marker.as_deref(), request.page_size, PAGE_MAX)?;
        check_id(&request.ca_certificate_id)?;
        let all = iot.certificates.list(&scope(&cx.account, &cx.region)).await?;
        let ca = Some(&request.ca_certificate_id);
        let mut of_ca = all
            .into_iter()
            .map(|(_, stored)| stored.entity)
            .filter(|certificate| certificate.ca_certificate_id.as_ref() == ca)
            .filter(|certificate| after.as_ref().is_none_or(|after| certificate.certificate_id > *after));
        let page: Vec<_> = of_ca.by_ref().take(limit).collect();
        let last = page.last().filter(|_| of_ca.next().is_some());
        let next_marker = last.map(|certificate| wire::page::token(&certificate.certificate_id));
        let certificates = page.into_iter().map(|certificate| Summary::of(cx, certificate)).collect();
        Ok(Response { certificates, next_marker })
    }
}
