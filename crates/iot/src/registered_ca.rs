//! Certificate authorities that an account has registered: it has proved to own their keys, and may register the certificates that
//! they have signed.
//!
//! The proof is a certificate that the CA has signed and whose common name is the account's registration code.
//!
//! Differs from AWS: a CA is registered with that proof only (`certificateMode` `DEFAULT`), since all accounts of a node have one
//! endpoint; devices are not registered by connecting (`allowAutoRegistration`); a CA has no tags.
//!
//! Source: <https://docs.aws.amazon.com/iot/latest/developerguide/manage-your-CA-certs.html>

use kernel::{Context, Entropy, Timestamp};
use serde::{Deserialize, Serialize};
use store::Entity;
use store::table::Stored;

use crate::limits::CAS_PER_SUBJECT_MAX;
use crate::{Error, Iot, scope, x509};

/// Whether certificates that a CA has signed may be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum CaState {
    /// They may.
    Active,
    /// They may not. Those that are registered stay so.
    Inactive,
}

/// A registered CA. Key: account, region, id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegisteredCa {
    pub(crate) certificate_id: String,
    pub(crate) certificate_pem: String,
    pub(crate) status: CaState,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

impl Entity for RegisteredCa {
    const TABLE: &'static str = "iot_ca_certificate";
    const VERSION: u8 = 1;
}

/// What the common name of a verification certificate must be. Key: account, region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegistrationCode {
    /// 64 hex digits.
    pub(crate) code: String,
}

impl Entity for RegistrationCode {
    const TABLE: &'static str = "iot_registration_code";
    const VERSION: u8 = 1;
}

impl RegistrationCode {
    pub(crate) fn generate(entropy: &Entropy) -> Self {
        Self { code: hex::encode(entropy.bytes::<32>()) }
    }
}

impl RegisteredCa {
    pub(crate) fn arn(cx: &Context, id: &str) -> kernel::Arn {
        cx.arn("iot", &format!("cacert/{id}"))
    }
}

impl CaState {
    /// # Errors
    /// `InvalidRequestException`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "ACTIVE" => Ok(Self::Active),
            "INACTIVE" => Ok(Self::Inactive),
            other => Err(Error::InvalidRequest(format!("The certificate status {other} cannot be set."))),
        }
    }
}

impl Iot {
    /// The id of the registered and active CA that has signed a certificate.
    ///
    /// # Errors
    /// `CertificateValidationException` if none has, `CertificateConflictException` if several have.
    pub(crate) async fn signer_of(
        &self,
        cx: &Context,
        certificate_pem: &str,
        ca_id: Option<&str>,
    ) -> Result<String, Error> {
        let registered = self.registered_cas.list(&scope(&cx.account, &cx.region)).await?;
        let mut signers = registered
            .into_iter()
            .map(|(_, stored)| stored.entity)
            .filter(|ca| ca.status == CaState::Active)
            .filter(|ca| ca_id.is_none_or(|id| id == ca.certificate_id))
            .filter(|ca| x509::is_signed_by(certificate_pem, &ca.certificate_pem));
        let first = signers.next().ok_or_else(|| {
            Error::CertificateValidation("No registered and active CA has signed the certificate.".to_owned())
        })?;
        if signers.next().is_some() {
            return Err(Error::CertificateConflict(
                "Several registered CAs have the name and key that signed the certificate.".to_owned(),
            ));
        }
        Ok(first.certificate_id)
    }

    /// # Errors
    /// `ResourceAlreadyExistsException` for a CA that this account, or another in the region, has registered;
    /// `LimitExceededException` for too many of one name.
    pub(crate) async fn check_new_ca(&self, cx: &Context, id: &str, pem: &str) -> Result<(), Error> {
        let mut of_the_same_name = 0;
        for (parts, stored) in self.registered_cas.list(&[]).await? {
            let [account, region, _] = parts.as_slice() else { continue };
            if region == cx.region.as_str() && stored.entity.certificate_id == id {
                return Err(Error::AlreadyExists("The certificate is already registered".to_owned()));
            }
            let ours = account == cx.account.as_str() && region == cx.region.as_str();
            of_the_same_name += usize::from(ours && x509::same_subject(&stored.entity.certificate_pem, pem));
        }
        if of_the_same_name >= CAS_PER_SUBJECT_MAX {
            return Err(Error::LimitExceeded(format!(
                "An account can have at most {CAS_PER_SUBJECT_MAX} CA certificates of the same subject."
            )));
        }
        Ok(())
    }

    /// # Errors
    /// `ResourceNotFoundException`.
    pub(crate) async fn registered_ca(&self, cx: &Context, id: &str) -> Result<Stored<RegisteredCa>, Error> {
        crate::certificate::check_id(id)?;
        let stored = self.registered_cas.get(&[cx.account.as_str(), cx.region.as_str(), id]).await?;
        stored.ok_or_else(|| Error::NotFound(format!("CA certificate {id} does not exist.")))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    use serde_json::json;

    use super::*;
    use crate::ops::testing::{Tested, call, iot, refused};

    /// A CA that somebody has.
    struct Theirs {
        pem: String,
        issuer: Issuer<'static, KeyPair>,
    }

    fn ca(name: &str) -> Theirs {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key).unwrap().pem();
        Theirs { issuer: Issuer::from_ca_cert_pem(&pem, key).unwrap(), pem }
    }

    fn signed(ca: &Theirs, name: &str) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.signed_by(&KeyPair::generate().unwrap(), &ca.issuer).unwrap().pem()
    }

    async fn code(iot: &Tested) -> String {
        let answer = call(iot, "GetRegistrationCode", json!({})).await;
        answer["registrationCode"].as_str().unwrap().to_owned()
    }

    async fn registered(iot: &Tested, ca: &Theirs) -> String {
        let verification = signed(ca, &code(iot).await);
        let input =
            json!({"caCertificate": ca.pem, "verificationCertificate": verification, "setAsActive": true});
        call(iot, "RegisterCACertificate", input).await["certificateId"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn who_has_the_key_of_a_ca_registers_it_and_what_it_has_signed() {
        let iot = iot();
        let theirs = ca("theirs");
        let id = registered(&iot, &theirs).await;
        let described = call(&iot, "DescribeCACertificate", json!({"certificateId": id})).await;
        let described = &described["certificateDescription"];
        assert_eq!(
            (&described["status"], &described["certificatePem"]),
            (&json!("ACTIVE"), &json!(theirs.pem))
        );
        let device = signed(&theirs, "device");
        let input = json!({"certificatePem": device, "status": "ACTIVE"});
        let made = call(&iot, "RegisterCertificate", input.clone()).await;
        let device_id = made["certificateId"].as_str().unwrap();
        assert!(ports::Devices::identity(&*iot.iot, device_id).unwrap().active);
        let described = call(&iot, "DescribeCertificate", json!({"certificateId": device_id})).await;
        let described = &described["certificateDescription"];
        assert_eq!(
            (&described["caCertificateId"], &described["certificateMode"]),
            (&json!(id), &json!("DEFAULT"))
        );
        let listed = call(&iot, "ListCertificatesByCA", json!({"caCertificateId": id})).await;
        assert_eq!(listed["certificates"][0]["certificateId"], device_id);
        let again = refused(&iot, "RegisterCertificate", input).await;
        assert_eq!(again.code, "ResourceAlreadyExistsException");
        // An inactive CA's certificates stay, and no more come.
        let active = refused(&iot, "DeleteCACertificate", json!({"certificateId": id})).await;
        assert_eq!(active.code, "CertificateStateException");
        call(&iot, "UpdateCACertificate", json!({"certificateId": id, "newStatus": "INACTIVE"})).await;
        let second = json!({"certificatePem": signed(&theirs, "second"), "caCertificatePem": theirs.pem});
        assert_eq!(refused(&iot, "RegisterCertificate", second).await.code, "CertificateValidationException");
        call(&iot, "DeleteCACertificate", json!({"certificateId": id})).await;
        assert!(ports::Devices::identity(&*iot.iot, device_id).is_some());
        let listed = call(&iot, "ListCACertificates", json!({})).await;
        assert_eq!(listed["certificates"], json!([]));
        for operation in ["DescribeCACertificate", "UpdateCACertificate", "DeleteCACertificate"] {
            let fault = refused(&iot, operation, json!({"certificateId": id})).await;
            assert_eq!(fault.code, "ResourceNotFoundException", "{operation}");
        }
    }

    #[tokio::test]
    async fn a_ca_is_not_registered_without_its_key() {
        let iot = iot();
        let (theirs, other) = (ca("theirs"), ca("theirs"));
        let right = signed(&theirs, &code(&iot).await);
        let by_another = signed(&other, &code(&iot).await);
        let leaf = signed(&theirs, "leaf");
        for (ca, verification, code) in [
            (json!(theirs.pem), json!(null), "InvalidRequestException"),
            (json!(theirs.pem), json!(by_another), "CertificateValidationException"),
            (
                json!(theirs.pem),
                json!(signed(&theirs, "another code")),
                "RegistrationCodeValidationException",
            ),
            (json!(leaf), json!(right), "CertificateValidationException"),
            (json!("x"), json!(right), "CertificateValidationException"),
            (json!(theirs.pem), json!("x"), "CertificateValidationException"),
        ] {
            let input = json!({"caCertificate": ca, "verificationCertificate": verification});
            let fault = refused(&iot, "RegisterCACertificate", input).await;
            assert_eq!(fault.code, code, "{}", fault.message);
        }
        let mut input = json!({"caCertificate": theirs.pem, "verificationCertificate": right});
        input["certificateMode"] = json!("SNI_ONLY");
        assert_eq!(
            refused(&iot, "RegisterCACertificate", input.clone()).await.code,
            "InvalidRequestException"
        );
        for (member, value) in [
            ("allowAutoRegistration", json!(true)),
            ("registrationConfig", json!({"roleArn": "r"})),
            ("tags", json!([{"Key": "k", "Value": "v"}])),
        ] {
            let mut input = json!({"caCertificate": theirs.pem, "verificationCertificate": right});
            input[member] = value;
            let fault = refused(&iot, "RegisterCACertificate", input).await;
            assert_eq!(fault.code, "InvalidRequestException", "{member}");
        }
        // With a new code the old proof is none.
        call(&iot, "DeleteRegistrationCode", json!({})).await;
        assert_eq!(
            refused(&iot, "DeleteRegistrationCode", json!({})).await.code,
            "ResourceNotFoundException"
        );
        input["certificateMode"] = json!("DEFAULT");
        let fault = refused(&iot, "RegisterCACertificate", input).await;
        assert_eq!(fault.code, "RegistrationCodeValidationException");
        registered(&iot, &theirs).await;
        let input = json!({"caCertificate": theirs.pem, "verificationCertificate": signed(&theirs, &code(&iot).await)});
        let fault = refused(&iot, "RegisterCACertificate", input).await;
        assert_eq!(fault.code, "ResourceAlreadyExistsException");
    }

    #[tokio::test]
    async fn a_certificate_is_registered_as_of_the_ca_that_has_signed_it() {
        let iot = iot();
        // Of the same name.
        let (first, second) = (ca("ca"), ca("ca"));
        let stranger = signed(&ca("ca"), "device");
        registered(&iot, &first).await;
        let id = registered(&iot, &second).await;
        let fault = refused(&iot, "RegisterCertificate", json!({"certificatePem": stranger})).await;
        assert_eq!(fault.code, "CertificateValidationException");
        let device = signed(&second, "device");
        let wrong = json!({"certificatePem": device, "caCertificatePem": first.pem});
        assert_eq!(refused(&iot, "RegisterCertificate", wrong).await.code, "CertificateValidationException");
        let right = json!({"certificatePem": device, "caCertificatePem": second.pem, "setAsActive": true});
        call(&iot, "RegisterCertificate", right).await;
        let listed = call(&iot, "ListCertificatesByCA", json!({"caCertificateId": id})).await;
        assert_eq!(listed["certificates"][0]["status"], "ACTIVE");
    }

    #[test]
    fn version_1_reads() {
        let ca = b"\x01{\"certificate_id\":\"a\",\"certificate_pem\":\"p\",\"status\":\"ACTIVE\",\"created_at\":1,\"modified_at\":2}";
        assert_eq!(store::entity::decode::<RegisteredCa>(ca).unwrap().status, CaState::Active);
        let code = b"\x01{\"code\":\"c\"}";
        assert_eq!(store::entity::decode::<RegistrationCode>(code).unwrap().code, "c");
    }
}
