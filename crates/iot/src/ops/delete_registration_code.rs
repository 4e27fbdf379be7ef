//! `DeleteRegistrationCode`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DeleteRegistrationCode.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::{Error, Iot};

pub(super) struct DeleteRegistrationCode;

#[derive(Deserialize)]
pub(super) struct Request {}

#[derive(Serialize)]
pub(super) struct Response {}

impl Operation for DeleteRegistrationCode {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DeleteRegistrationCode";
    const ACTION: &'static str = "iot:DeleteRegistrationCode";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let Request {} = request;
        let key = [cx.account.as_str(), cx.region.as_str()];
        let _turn = iot.turn().await?;
        if iot.registration_codes.get(&key).await?.is_none() {
            return Err(Error::NotFound("The account has no registration code.".to_owned()));
        }
        iot.registration_codes.delete(&key).await?;
        Ok(Response {})
    }
}
