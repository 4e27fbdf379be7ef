//! `RegisterCertificateWithoutCA`: <https://docs.aws.amazon.com/iot/latest/apireference/API_RegisterCertificateWithoutCA.html>
//!
//! Whoever has seen a certificate can register it so: that its key is owned is proved to the gateway alone. AWS therefore has a
//! device say in its handshake whose endpoint it means.
//!
//! Differs from AWS: all accounts of a node have one endpoint, so only the node's first account, whose root is the operator, may
//! register certificates without their CA, and in one region each; to others it is `InvalidRequestException`. Keys are RSA of at
//! least 2048 bits, P-256 or P-384; not P-521.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::certificate::{Certificate, Status, check_pem};
use crate::{Error, Iot, x509};

pub(super) struct RegisterCertificateWithoutCa;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    certificate_pem: String,
    /// `ACTIVE`, `INACTIVE` or `REVOKED`; `INACTIVE` if nothing is said.
    status: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    certificate_arn: String,
    certificate_id: String,
}

impl Operation for RegisterCertificateWithoutCa {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "RegisterCertificateWithoutCA";
    const ACTION: &'static str = "iot:RegisterCertificateWithoutCA";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let status = request.status.as_deref().map_or(Ok(Status::Inactive), Status::parse)?;
        if cx.account != iot.config.account {
            return Err(Error::InvalidRequest(
                "Only the first account of the node may register certificates without their CA.".to_owned(),
            ));
        }
        check_pem(&request.certificate_pem)?;
        let parsed = x509::parse_foreign(&request.certificate_pem)
            .map_err(|reason| Error::CertificateValidation(reason.to_owned()))?;
        let certificate_id = iot.register(cx, parsed, request.certificate_pem, status, None).await?;
        Ok(Response { certificate_arn: Certificate::arn(cx, &certificate_id).to_string(), certificate_id })
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
    use serde_json::json;

    use crate::ops::testing::{call, iot, refused};

    fn self_signed(key: &KeyPair) -> String {
        CertificateParams::default().self_signed(key).unwrap().pem()
    }

    #[tokio::test]
    async fn a_certificate_of_anybody_s_is_an_identity_from_now_on() {
        let iot = iot();
        for (key, status, active) in [
            (KeyPair::generate().unwrap(), json!("ACTIVE"), true),
            (KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(), json!(null), false),
            (KeyPair::generate().unwrap(), json!("REVOKED"), false),
        ] {
            let pem = self_signed(&key);
            let input = json!({"certificatePem": pem, "status": status});
            let made = call(&iot, "RegisterCertificateWithoutCA", input.clone()).await;
            let id = made["certificateId"].as_str().unwrap();
            assert_eq!(ports::Devices::identity(&*iot.iot, id).unwrap().active, active);
            let described = call(&iot, "DescribeCertificate", json!({"certificateId": id})).await;
            let described = &described["certificateDescription"];
            assert_eq!(
                (&described["certificatePem"], &described["certificateMode"]),
                (&json!(pem), &json!("SNI_ONLY"))
            );
            assert_eq!(described["validity"]["notBefore"], 157_766_400.0);
            let again = refused(&iot, "RegisterCertificateWithoutCA", input).await;
            assert_eq!(
                again.to_string(),
                "ResourceAlreadyExistsException: The certificate is already provisioned or registered"
            );
        }
    }

    #[tokio::test]
    async fn what_is_no_certificate_or_was_one_of_ours_is_refused() {
        let iot = iot();
        let ours = call(&iot, "CreateKeysAndCertificate", json!({})).await;
        call(&iot, "DeleteCertificate", json!({"certificateId": ours["certificateId"]})).await;
        let two = self_signed(&KeyPair::generate().unwrap()).repeat(2);
        let ed25519 = self_signed(&KeyPair::generate_for(&PKCS_ED25519).unwrap());
        for (pem, code) in [
            (json!("x"), "CertificateValidationException"),
            (json!(two), "CertificateValidationException"),
            (json!(ed25519), "CertificateValidationException"),
            (ours["certificatePem"].clone(), "CertificateValidationException"),
            (json!(""), "InvalidRequestException"),
            (json!("x".repeat(65_537)), "InvalidRequestException"),
        ] {
            let fault = refused(&iot, "RegisterCertificateWithoutCA", json!({"certificatePem": pem})).await;
            assert_eq!(fault.code, code, "{}", fault.message);
        }
        let input = json!({"certificatePem": "x", "status": "PENDING_TRANSFER"});
        assert_eq!(
            refused(&iot, "RegisterCertificateWithoutCA", input).await.code,
            "InvalidRequestException"
        );
    }
}
