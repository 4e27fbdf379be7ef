//! The built-in certificate authority: one self-signed CA per node, which signs the certificates of devices and of the
//! gateway itself.
//!
//! Keys are ECDSA P-256: as strong as the RSA 2048 that AWS makes and a third of the work at each handshake.
//! Differs from AWS: CreateKeysAndCertificate returns a P-256 key, not an RSA one.

use kernel::Clock;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Entity, TableError};

use crate::{Error, Iot};

/// The node's CA: its certificate and its key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Authority {
    pub(crate) certificate_pem: String,
    key_pem: String,
}

impl Entity for Authority {
    const TABLE: &'static str = "iot_authority";
    const VERSION: u8 = 1;
}

/// A device's new identity.
pub(crate) struct Issued {
    /// SHA-256 of the DER form, in hex.
    pub(crate) certificate_id: String,
    pub(crate) certificate_pem: String,
    pub(crate) public_key_pem: String,
    pub(crate) private_key_pem: String,
}

impl Iot {
    pub(crate) async fn load_or_create_authority(&self) -> Result<Authority, Error> {
        if let Some(stored) = self.authorities.get(&["ca"]).await? {
            return Ok(stored.entity);
        }
        let created = create().map_err(Error::internal)?;
        match self.authorities.insert(&["ca"], &created).await {
            Ok(_) => Ok(created),
            Err(TableError::Conflict) => {
                let stored = self.authorities.get(&["ca"]).await?;
                stored.map(|stored| stored.entity).ok_or(Error::Conflict)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn create() -> Result<Authority, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Headwater CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    let certificate = params.self_signed(&key)?;
    Ok(Authority { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
}

/// A certificate for a device, signed by the CA. Valid until 2049-12-31, as AWS's are.
pub(crate) fn issue(authority: &Authority) -> Result<Issued, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = name("AWS IoT Certificate");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer(authority)?)?;
    Ok(Issued {
        certificate_id: certificate_id(certificate.der()),
        certificate_pem: certificate.pem(),
        public_key_pem: key.public_key_pem(),
        private_key_pem: key.serialize_pem(),
    })
}

/// A certificate for the node's own listeners: chain and key, PEM.
pub(crate) fn server_certificate(
    authority: &Authority,
    names: &[String],
    clock: &dyn Clock,
) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = name(names.first().map_or("localhost", String::as_str));
    let year = chrono_year(clock);
    params.not_before = date_time_ymd(year - 1, 1, 1);
    params.not_after = date_time_ymd(year + 2, 1, 1);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer(authority)?)?;
    Ok((format!("{}{}", certificate.pem(), authority.certificate_pem), key.serialize_pem()))
}

/// A new certificate is made at each start, so its life follows the present year.
fn chrono_year(clock: &dyn Clock) -> i32 {
    clock.now().to_iso8601().split('-').next().and_then(|year| year.parse().ok()).unwrap_or(2026)
}

fn issuer(authority: &Authority) -> Result<Issuer<'static, KeyPair>, rcgen::Error> {
    Issuer::from_ca_cert_pem(&authority.certificate_pem, KeyPair::from_pem(&authority.key_pem)?)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Headwater");
    name.push(DnType::CommonName, common);
    name
}

/// The id of a certificate: SHA-256 of its DER form, in lower-case hex.
pub(crate) fn certificate_id(der: &[u8]) -> String {
    hex::encode(Sha256::digest(der))
}
