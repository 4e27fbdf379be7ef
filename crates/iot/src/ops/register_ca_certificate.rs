//! `RegisterCACertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_RegisterCACertificate.html>
//!
//! Differs from AWS: only with a verification certificate; `allowAutoRegistration`, `registrationConfig` and `tags` are refused.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::certificate::check_pem;
use crate::registered_ca::{CaState, RegisteredCa};
use crate::tags::Tag;
use crate::{Error, Iot, scope, x509};

pub(super) struct RegisterCaCertificate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    ca_certificate: String,
    verification_certificate: Option<String>,
    #[serde(default)]
    set_as_active: bool,
    /// `DEFAULT`, or none.
    certificate_mode: Option<String>,
    /// Devices are not registered by connecting.
    allow_auto_registration: Option<bool>,
    registration_config: Option<RegistrationConfig>,
    tags: Option<Vec<Tag>>,
}

/// How devices would be registered by connecting.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegistrationConfig {
    #[serde(rename = "templateBody")]
    _template_body: Option<String>,
    #[serde(rename = "roleArn")]
    _role_arn: Option<String>,
    #[serde(rename = "templateName")]
    _template_name: Option<String>,
}

/// # Errors
/// `InvalidRequestException` for what there is not.
pub(super) fn no_auto_registration(wanted: bool, config: Option<&RegistrationConfig>) -> Result<(), Error> {
    if wanted || config.is_some() {
        return Err(Error::InvalidRequest(
            "Registration of devices by connecting is not supported.".to_owned(),
        ));
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    certificate_arn: String,
    certificate_id: String,
}

impl Operation for RegisterCaCertificate {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "RegisterCACertificate";
    const ACTION: &'static str = "iot:RegisterCACertificate";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let auto = request.allow_auto_registration.unwrap_or_default();
        no_auto_registration(auto, request.registration_config.as_ref())?;
        if request.tags.is_some_and(|tags| !tags.is_empty()) {
            return Err(Error::InvalidRequest("CA certificates cannot have tags.".to_owned()));
        }
        match request.certificate_mode.as_deref() {
            None | Some("DEFAULT") => {}
            Some(other) => {
                return Err(Error::InvalidRequest(format!("Certificate mode {other} is not supported.")));
            }
        }
        let Some(verification) = &request.verification_certificate else {
            return Err(Error::InvalidRequest("A verification certificate is required.".to_owned()));
        };
        check_pem(&request.ca_certificate)?;
        check_pem(verification)?;
        let invalid = |reason: &str| Error::CertificateValidation(reason.to_owned());
        let parsed = x509::parse_foreign_ca(&request.ca_certificate).map_err(invalid)?;
        x509::parse_foreign(verification).map_err(invalid)?;
        if !x509::is_signed_by(verification, &request.ca_certificate) {
            return Err(invalid("The CA has not signed the verification certificate."));
        }
        let _turn = iot.turn().await?;
        let code = iot.registration_codes.get(&scope(&cx.account, &cx.region)).await?;
        let code = code.map(|stored| stored.entity.code);
        if code.is_none() || x509::common_name(verification) != code {
            return Err(Error::RegistrationCode(
                "The common name of the verification certificate is not the account's registration code."
                    .to_owned(),
            ));
        }
        iot.check_new_ca(cx, &parsed.id, &request.ca_certificate).await?;
        let now = iot.clock.now();
        let ca = RegisteredCa {
            certificate_id: parsed.id.clone(),
            certificate_pem: request.ca_certificate,
            status: if request.set_as_active { CaState::Active } else { CaState::Inactive },
            created_at: now,
            modified_at: now,
        };
        iot.registered_cas.insert(&[cx.account.as_str(), cx.region.as_str(), &parsed.id], &ca).await?;
        Ok(Response {
            certificate_arn: RegisteredCa::arn(cx, &parsed.id).to_string(),
            certificate_id: parsed.id,
        })
    }
}
