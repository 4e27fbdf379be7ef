//! `UpdateCertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_UpdateCertificate.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::certificate::{Certificate, Status};
use crate::{Error, Iot};

pub(super) struct UpdateCertificate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    certificate_id: String,
    /// `ACTIVE`, `INACTIVE` or `REVOKED`.
    new_status: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for UpdateCertificate {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "UpdateCertificate";
    const ACTION: &'static str = "iot:UpdateCertificate";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Certificate::arn(cx, &request.certificate_id).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let status = match request.new_status.as_str() {
            "ACTIVE" => Status::Active,
            "INACTIVE" => Status::Inactive,
            "REVOKED" => Status::Revoked,
            other => {
                return Err(Error::InvalidRequest(format!("The certificate status {other} cannot be set.")));
            }
        };
        let _changing = iot.changing.lock().await;
        let stored = iot.certificate(cx, &request.certificate_id).await?;
        let certificate = Certificate { status, modified_at: iot.clock.now(), ..stored.entity };
        let key = [cx.account.as_str(), cx.region.as_str(), &request.certificate_id];
        iot.certificates.update(&key, &certificate, stored.revision).await?;
        iot.refresh_certificate(&cx.account, &cx.region, &request.certificate_id).await?;
        Ok(Response {})
    }
}
