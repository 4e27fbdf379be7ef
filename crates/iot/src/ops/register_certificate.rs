//! `RegisterCertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_RegisterCertificate.html>
//!
//! Differs from AWS: keys are RSA of at least 2048 bits, P-256 or P-384; not P-521.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::certificate::{Certificate, Status, check_pem};
use crate::{Error, Iot, x509};

pub(super) struct RegisterCertificate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    certificate_pem: String,
    /// The CA that has signed it, if there are several of the same name.
    ca_certificate_pem: Option<String>,
    /// An older way to say that it is `ACTIVE`.
    set_as_active: Option<bool>,
    /// `ACTIVE`, `INACTIVE` or `REVOKED`; `INACTIVE` if nothing is said.
    status: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    certificate_arn: String,
    certificate_id: String,
}

impl Operation for RegisterCertificate {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "RegisterCertificate";
    const ACTION: &'static str = "iot:RegisterCertificate";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let status = match (request.status.as_deref(), request.set_as_active) {
            (Some(status), _) => Status::parse(status)?,
            (None, Some(true)) => Status::Active,
            (None, _) => Status::Inactive,
        };
        check_pem(&request.certificate_pem)?;
        let parsed = x509::parse_foreign(&request.certificate_pem)
            .map_err(|reason| Error::CertificateValidation(reason.to_owned()))?;
        let ca_id = match &request.ca_certificate_pem {
            None => None,
            Some(pem) => {
                check_pem(pem)?;
                let ca = x509::parse_foreign_ca(pem);
                Some(ca.map_err(|reason| Error::CertificateValidation(reason.to_owned()))?.id)
            }
        };
        let ca = iot.signer_of(cx, &request.certificate_pem, ca_id.as_deref()).await?;
        let certificate_id = iot.register(cx, parsed, request.certificate_pem, status, Some(ca)).await?;
        Ok(Response { certificate_arn: Certificate::arn(cx, &certificate_id).to_string(), certificate_id })
    }
}
