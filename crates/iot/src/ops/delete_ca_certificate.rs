//! `DeleteCACertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DeleteCACertificate.html>
//!
//! Certificates that were registered as the CA's stay registered.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::registered_ca::{CaState, RegisteredCa};
use crate::{Error, Iot};

pub(super) struct DeleteCaCertificate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    certificate_id: String,
}

#[derive(Serialize)]
pub(super) struct Response {}

impl Operation for DeleteCaCertificate {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DeleteCACertificate";
    const ACTION: &'static str = "iot:DeleteCACertificate";

    fn resource(cx: &Context, request: &Request) -> Resource {
        RegisteredCa::arn(cx, &request.certificate_id).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let _turn = iot.turn().await?;
        let stored = iot.registered_ca(cx, &request.certificate_id).await?;
        if stored.entity.status == CaState::Active {
            return Err(Error::CertificateState(format!(
                "CA certificate must be deactivated (not ACTIVE) before deletion. Certificate: {}",
                request.certificate_id
            )));
        }
        let key = [cx.account.as_str(), cx.region.as_str(), &request.certificate_id];
        iot.registered_cas.delete_at(&key, stored.revision).await?;
        Ok(Response {})
    }
}
