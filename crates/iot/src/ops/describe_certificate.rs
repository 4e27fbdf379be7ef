//! `DescribeCertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeCertificate.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use wire::EpochSeconds;

use crate::certificate::{Certificate, Status};
use crate::{Error, Iot, x509};

pub(super) struct DescribeCertificate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    certificate_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    certificate_description: CertificateDescription,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateDescription {
    certificate_arn: String,
    certificate_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_certificate_id: Option<String>,
    status: Status,
    certificate_pem: String,
    owned_by: String,
    creation_date: EpochSeconds,
    last_modified_date: EpochSeconds,
    certificate_mode: &'static str,
    validity: Validity,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Validity {
    not_before: EpochSeconds,
    not_after: EpochSeconds,
}

impl Validity {
    pub(super) fn of(pem: &str) -> Result<Self, Error> {
        let parsed =
            x509::parse(pem).ok_or_else(|| Error::internal("a stored certificate does not parse"))?;
        let (not_before, not_after) = parsed.validity.into_inner();
        Ok(Self { not_before: not_before.into(), not_after: not_after.into() })
    }
}

impl Operation for DescribeCertificate {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DescribeCertificate";
    const ACTION: &'static str = "iot:DescribeCertificate";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Certificate::arn(cx, &request.certificate_id).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let certificate = iot.certificate(cx, &request.certificate_id).await?.entity;
        let validity = Validity::of(&certificate.certificate_pem)?;
        // AWS's word for one that was registered without its CA.
        let without_ca = certificate.generation.is_none() && certificate.ca_certificate_id.is_none();
        let mode = if without_ca { "SNI_ONLY" } else { "DEFAULT" };
        Ok(Response {
            certificate_description: CertificateDescription {
                certificate_arn: Certificate::arn(cx, &certificate.certificate_id).to_string(),
                certificate_id: certificate.certificate_id,
                certificate_mode: mode,
                ca_certificate_id: certificate.ca_certificate_id,
                status: certificate.status,
                certificate_pem: certificate.certificate_pem,
                owned_by: cx.account.to_string(),
                creation_date: certificate.created_at.into(),
                last_modified_date: certificate.modified_at.into(),
                validity,
            },
        })
    }
}
