//! `DescribeCertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeCertificate.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use wire::EpochSeconds;

use crate::certificate::{Certificate, Status};
use crate::{Error, Iot};

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
    status: Status,
    certificate_pem: String,
    owned_by: String,
    creation_date: EpochSeconds,
    last_modified_date: EpochSeconds,
    certificate_mode: &'static str,
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
        Ok(Response {
            certificate_description: CertificateDescription {
                certificate_arn: Certificate::arn(cx, &certificate.certificate_id).to_string(),
                certificate_id: certificate.certificate_id,
                status: certificate.status,
                certificate_pem: certificate.certificate_pem,
                owned_by: cx.account.to_string(),
                creation_date: certificate.created_at.into(),
                last_modified_date: certificate.modified_at.into(),
                certificate_mode: "DEFAULT",
            },
        })
    }
}
