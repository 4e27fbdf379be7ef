//! `GetRegistrationCode`: <https://docs.aws.amazon.com/iot/latest/apireference/API_GetRegistrationCode.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::registered_ca::RegistrationCode;
use crate::{Error, Iot};

pub(super) struct GetRegistrationCode;

#[derive(Deserialize)]
pub(super) struct Request {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    registration_code: String,
}

impl Operation for GetRegistrationCode {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "GetRegistrationCode";
    const ACTION: &'static str = "iot:GetRegistrationCode";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let Request {} = request;
        let key = [cx.account.as_str(), cx.region.as_str()];
        let _turn = iot.turn().await?;
        let code = match iot.registration_codes.get(&key).await? {
            Some(stored) => stored.entity,
            None => {
                let code = RegistrationCode::generate(&iot.entropy);
                iot.registration_codes.insert(&key, &code).await?;
                code
            }
        };
        Ok(Response { registration_code: code.code })
    }
}
