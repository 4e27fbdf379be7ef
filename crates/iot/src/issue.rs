//! What the CA signs: certificates of devices and of the node's own listeners.
//!
//! Differs from AWS: CreateKeysAndCertificate returns a P-256 key, not an RSA one.

use std::time::Duration;

use kernel::{Secret, Timestamp};
use ports::ServerCertificate;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use time::OffsetDateTime;

use crate::authority::{Authorities, Authority};
use crate::limits::{CLOCK_SKEW, SERVER_LIFE, SERVER_RENEW_AFTER};
use crate::x509::certificate_id;

/// A device's new identity.
pub(crate) struct Issued {
    /// SHA-256 of the DER form, in hex.
    pub(crate) certificate_id: String,
    pub(crate) certificate_pem: String,
    pub(crate) public_key_pem: String,
    pub(crate) private_key_pem: Secret<String>,
}

/// A certificate for a device, signed by the CA. Valid until the end of 2049, as AWS's are.
pub(crate) fn device(authority: &Authority, now: Timestamp) -> Result<Issued, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = params(CertificateParams::default(), ExtendedKeyUsagePurpose::ClientAuth);
    params.distinguished_name = common_name("AWS IoT Certificate");
    params.not_before = date(now) - CLOCK_SKEW;
    params.not_after = date_time_ymd(2050, 1, 1) - Duration::from_secs(1);
    let certificate = params.signed_by(&key, &authority.issuer)?;
    Ok(Issued {
        certificate_id: certificate_id(certificate.der()),
        certificate_pem: certificate.pem(),
        public_key_pem: key.public_key_pem(),
        private_key_pem: Secret::new(key.serialize_pem()),
    })
}

/// A certificate for the node's own listeners.
pub(crate) fn server(
    authorities: &Authorities,
    names: &[String],
    now: Timestamp,
) -> Result<ServerCertificate, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = params(CertificateParams::new(names)?, ExtendedKeyUsagePurpose::ServerAuth);
    params.distinguished_name = common_name(names.first().map_or("localhost", String::as_str));
    params.not_before = date(now) - CLOCK_SKEW;
    params.not_after = date(now) + SERVER_LIFE;
    let certificate = params.signed_by(&key, &authorities.signing.issuer)?;
    Ok(ServerCertificate {
        chain_pem: format!("{}{}", certificate.pem(), authorities.chain_pem()),
        key_pem: Secret::new(key.serialize_pem()),
        renew_at: now + SERVER_RENEW_AFTER,
    })
}

fn params(mut params: CertificateParams, purpose: ExtendedKeyUsagePurpose) -> CertificateParams {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    params
}

pub(crate) fn common_name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Headwater");
    name.push(DnType::CommonName, common);
    name
}

/// A moment as certificates write it.
pub(crate) fn date(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.as_millis().div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
