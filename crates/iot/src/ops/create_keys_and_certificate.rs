//! `CreateKeysAndCertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_CreateKeysAndCertificate.html>
//!
//! Differs from AWS: the key is ECDSA P-256, not RSA 2048.

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use crate::certificate::{Certificate, Status};
use crate::{Error, Iot, issue};

pub(super) struct CreateKeysAndCertificate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// Whether the certificate may connect at once.
    #[serde(default)]
    set_as_active: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    certificate_arn: String,
    certificate_id: String,
    certificate_pem: String,
    key_pair: KeyPair,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyPair {
    public_key: String,
    private_key: String,
}

impl Operation for CreateKeysAndCertificate {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "CreateKeysAndCertificate";
    const ACTION: &'static str = "iot:CreateKeysAndCertificate";

    fn resource(_: &Context, _: &Request) -> Resource {
        Resource::Any
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let authority = iot.registry.authorities().signing;
        let (generation, now) = (authority.generation, iot.clock.now());
        let issued =
            kernel::blocking(move || issue::device(&authority, now)).await.map_err(Error::internal)?;
        let certificate = Certificate {
            certificate_id: issued.certificate_id.clone(),
            certificate_pem: issued.certificate_pem.clone(),
            status: if request.set_as_active { Status::Active } else { Status::Inactive },
            created_at: now,
            modified_at: now,
            generation: Some(generation),
            ca_certificate_id: None,
        };
        let mut turn = iot.turn().await?;
        turn.touches_certificate(cx, &issued.certificate_id);
        let key = [cx.account.as_str(), cx.region.as_str(), &issued.certificate_id];
        iot.certificates.insert(&key, &certificate).await?;
        turn.settle(iot).await?;
        Ok(Response {
            certificate_arn: Certificate::arn(cx, &issued.certificate_id).to_string(),
            certificate_id: issued.certificate_id,
            certificate_pem: issued.certificate_pem,
            key_pair: KeyPair {
                public_key: issued.public_key_pem,
                private_key: issued.private_key_pem.expose().clone(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::call;

    #[tokio::test]
    async fn the_identity_is_known_the_moment_the_call_returns() {
        let iot = crate::ops::testing::iot();
        let created = call(&iot, "CreateKeysAndCertificate", json!({"setAsActive": true})).await;
        let id = created["certificateId"].as_str().unwrap();
        assert!(created["certificatePem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(created["keyPair"]["PrivateKey"].as_str().unwrap().contains("PRIVATE KEY-----"));
        let identity = ports::Devices::identity(&*iot.iot, id).unwrap();
        assert!(identity.active && identity.policies.is_empty());
        let inactive = call(&iot, "CreateKeysAndCertificate", json!({})).await;
        let id = inactive["certificateId"].as_str().unwrap();
        assert!(!ports::Devices::identity(&*iot.iot, id).unwrap().active);
    }
}
