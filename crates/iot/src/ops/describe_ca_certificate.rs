//! `DescribeCACertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeCACertificate.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use wire::EpochSeconds;

use super::describe_certificate::Validity;
use crate::registered_ca::{CaState, RegisteredCa};
use crate::{Error, Iot};

pub(super) struct DescribeCaCertificate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    certificate_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    certificate_description: CaCertificateDescription,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CaCertificateDescription {
    certificate_arn: String,
    certificate_id: String,
    status: CaState,
    certificate_pem: String,
    owned_by: String,
    creation_date: EpochSeconds,
    last_modified_date: EpochSeconds,
    auto_registration_status: &'static str,
    certificate_mode: &'static str,
    validity: Validity,
}

impl Operation for DescribeCaCertificate {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DescribeCACertificate";
    const ACTION: &'static str = "iot:DescribeCACertificate";

    fn resource(cx: &Context, request: &Request) -> Resource {
        RegisteredCa::arn(cx, &request.certificate_id).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let ca = iot.registered_ca(cx, &request.certificate_id).await?.entity;
        let validity = Validity::of(&ca.certificate_pem)?;
        Ok(Response {
            certificate_description: CaCertificateDescription {
                certificate_arn: RegisteredCa::arn(cx, &ca.certificate_id).to_string(),
                certificate_id: ca.certificate_id,
                status: ca.status,
                certificate_pem: ca.certificate_pem,
                owned_by: cx.account.to_string(),
                creation_date: ca.created_at.into(),
                last_modified_date: ca.modified_at.into(),
                auto_registration_status: "DISABLE",
                certificate_mode: "DEFAULT",
                validity,
            },
        })
    }
}
