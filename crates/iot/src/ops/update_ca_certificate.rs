//! `UpdateCACertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_UpdateCACertificate.html>
//!
//! Differs from AWS: devices are not registered by connecting, so `ENABLE` and `registrationConfig` are refused.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use super::register_ca_certificate::{RegistrationConfig, no_auto_registration};
use crate::registered_ca::{CaState, RegisteredCa};
use crate::{Error, Iot};

pub(super) struct UpdateCaCertificate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    certificate_id: String,
    /// `ACTIVE` or `INACTIVE`.
    new_status: Option<String>,
    /// `DISABLE`, or none.
    new_auto_registration_status: Option<String>,
    registration_config: Option<RegistrationConfig>,
    /// There is none to remove.
    #[serde(rename = "removeAutoRegistration")]
    _remove_auto_registration: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct Response {}

impl Operation for UpdateCaCertificate {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "UpdateCACertificate";
    const ACTION: &'static str = "iot:UpdateCACertificate";

    fn resource(cx: &Context, request: &Request) -> Resource {
        RegisteredCa::arn(cx, &request.certificate_id).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let auto = match request.new_auto_registration_status.as_deref() {
            None | Some("DISABLE") => false,
            Some("ENABLE") => true,
            Some(other) => {
                return Err(Error::InvalidRequest(format!(
                    "The auto registration status {other} is not one."
                )));
            }
        };
        no_auto_registration(auto, request.registration_config.as_ref())?;
        let status = request.new_status.as_deref().map(CaState::parse).transpose()?;
        let _turn = iot.turn().await?;
        let stored = iot.registered_ca(cx, &request.certificate_id).await?;
        let status = status.unwrap_or(stored.entity.status);
        let ca = RegisteredCa { status, modified_at: iot.clock.now(), ..stored.entity };
        let key = [cx.account.as_str(), cx.region.as_str(), &request.certificate_id];
        iot.registered_cas.update(&key, &ca, stored.revision).await?;
        Ok(Response {})
    }
}
