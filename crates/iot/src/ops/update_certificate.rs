//! `UpdateCertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_UpdateCertificate.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use store::{Batch, Expect};
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
        let status = Status::parse(&request.new_status)?;
        let mut turn = iot.turn().await?;
        let stored = iot.certificate(cx, &request.certificate_id).await?;
        let now = iot.clock.now();
        let certificate = Certificate { status, modified_at: now, ..stored.entity };
        let key = [cx.account.as_str(), cx.region.as_str(), &request.certificate_id];
        let mut batch = iot.certificates.with_put(Batch::default(), &key, &certificate);
        batch = iot.certificates.with_check(batch, &key, Expect::At(stored.revision));
        turn.touches_certificate(cx, &request.certificate_id);
        turn.touches_revocations();
        iot.certificates.commit(iot.with_revocation(batch, &certificate, now)).await?;
        turn.settle(iot).await?;
        Ok(Response {})
    }
}
