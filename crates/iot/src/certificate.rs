//! Device certificates and the policies attached to them.

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::entity::DecodeError;
use store::table::Stored;
use store::{Entity, TableError};

use crate::limits::CERTIFICATE_PEM_CHARS_MAX;
use crate::{Error, Iot, x509};

/// Whether a certificate may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    /// It may.
    Active,
    /// It may not, until it is made active again.
    Inactive,
    /// It may not ever again.
    Revoked,
}

/// A registered certificate. Its private key is not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) certificate_id: String,
    pub(crate) certificate_pem: String,
    pub(crate) status: Status,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    /// Which of the node's CAs has signed it; none if it was none of them.
    pub(crate) generation: Option<u32>,
    /// The registered CA that has signed it, if it was registered as its.
    pub(crate) ca_certificate_id: Option<String>,
}

impl Entity for Certificate {
    const TABLE: &'static str = "iot_certificate";
    const VERSION: u8 = 2;

    /// In version 1 there was one CA, and it had signed every certificate.
    fn upgrade(version: u8, mut old: Value) -> Result<Value, DecodeError> {
        if version != 1 {
            return Err(DecodeError::UnknownVersion { table: Self::TABLE, version });
        }
        old["generation"] = 1.into();
        old["ca_certificate_id"] = Value::Null;
        Ok(old)
    }
}

/// A policy attached to a certificate. Key: account, region, certificate id, policy name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attachment {}

impl Entity for Attachment {
    const TABLE: &'static str = "iot_policy_attachment";
    const VERSION: u8 = 1;
}

impl Certificate {
    pub(crate) fn arn(cx: &Context, id: &str) -> kernel::Arn {
        cx.arn("iot", &format!("cert/{id}"))
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status == Status::Active
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.status == Status::Revoked
    }
}

/// # Errors
/// `InvalidRequestException` for what is no certificate's id.
pub(crate) fn check_id(id: &str) -> Result<(), Error> {
    if id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(Error::InvalidRequest(format!(
        "1 validation error detected: Value '{}' at 'certificateId' failed to satisfy constraint: Member must satisfy regular expression pattern: (0x)?[a-fA-F0-9]+",
        id.chars().take(256).collect::<String>()
    )))
}

/// A PEM that a caller gives.
///
/// # Errors
/// `InvalidRequestException` for one that is empty or too long.
pub(crate) fn check_pem(pem: &str) -> Result<(), Error> {
    if (1..=CERTIFICATE_PEM_CHARS_MAX).contains(&pem.chars().count()) {
        return Ok(());
    }
    Err(Error::InvalidRequest(format!(
        "A certificate's PEM has 1 to {CERTIFICATE_PEM_CHARS_MAX} characters."
    )))
}

impl Status {
    /// The status in which a certificate is registered.
    ///
    /// # Errors
    /// `InvalidRequestException`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "ACTIVE" => Ok(Self::Active),
            "INACTIVE" => Ok(Self::Inactive),
            "REVOKED" => Ok(Self::Revoked),
            other => Err(Error::InvalidRequest(format!("The certificate status {other} cannot be set."))),
        }
    }
}

impl Iot {
    /// Registers a certificate that somebody else has made.
    ///
    /// # Errors
    /// `ResourceAlreadyExistsException`, `CertificateValidationException` for one that the node has made.
    pub(crate) async fn register(
        &self,
        cx: &Context,
        parsed: x509::Parsed,
        certificate_pem: String,
        status: Status,
        ca_certificate_id: Option<String>,
    ) -> Result<String, Error> {
        let authorities = self.registry.authorities();
        if authorities.all().any(|ours| x509::is_signed_by(&certificate_pem, &ours.certificate_pem)) {
            // A device of another account whose certificate was deleted would come here.
            return Err(Error::CertificateValidation(
                "The certificate is one that CreateKeysAndCertificate has made.".to_owned(),
            ));
        }
        let now = self.clock.now();
        let certificate = Certificate {
            certificate_id: parsed.id.clone(),
            certificate_pem,
            status,
            created_at: now,
            modified_at: now,
            generation: None,
            ca_certificate_id,
        };
        let exists =
            || Error::AlreadyExists("The certificate is already provisioned or registered".to_owned());
        let mut turn = self.turn().await?;
        // In another account or region, too: a device would not know which it connects to.
        if self.registry.identity(&parsed.id).is_some() {
            return Err(exists());
        }
        turn.touches_certificate(cx, &parsed.id);
        let key = [cx.account.as_str(), cx.region.as_str(), &parsed.id];
        self.certificates.insert(&key, &certificate).await.map_err(|error| match error {
            TableError::Conflict => exists(),
            error => error.into(),
        })?;
        turn.settle(self).await?;
        Ok(parsed.id)
    }

    /// # Errors
    /// `ResourceNotFoundException`.
    pub(crate) async fn certificate(&self, cx: &Context, id: &str) -> Result<Stored<Certificate>, Error> {
        let missing = || Error::NotFound(format!("The certificate {id} does not exist."));
        check_id(id)?;
        let key = [cx.account.as_str(), cx.region.as_str(), id];
        self.certificates.get(&key).await?.ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_is_of_the_first_ca() {
        let stored = b"\x01{\"certificate_id\":\"a\",\"certificate_pem\":\"p\",\"status\":\"REVOKED\",\"created_at\":1,\"modified_at\":2}";
        let certificate: Certificate = store::entity::decode(stored).unwrap();
        assert_eq!((certificate.generation, certificate.status), (Some(1), Status::Revoked));
    }
}
