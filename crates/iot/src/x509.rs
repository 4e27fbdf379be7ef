//! What is read out of an X.509 certificate.
//!
//! Source: <https://datatracker.ietf.org/doc/html/rfc5280#section-4.1>

use std::ops::RangeInclusive;

use kernel::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::{Pem, parse_x509_pem};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Bits of the smallest RSA key that is taken.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/x509-client-certs.html>
const RSA_BITS_MIN: usize = 2048;

/// The curves that the gateway's TLS verifies: P-256 and P-384.
const CURVES: [&str; 2] = ["1.2.840.10045.3.1.7", "1.3.132.0.34"];

/// What is needed of a certificate.
pub(crate) struct Parsed {
    /// SHA-256 of the DER form, in lower-case hex: the id of a certificate.
    pub(crate) id: String,
    /// Its first and its last moment.
    pub(crate) validity: RangeInclusive<Timestamp>,
    /// Big-endian, as it is encoded.
    pub(crate) serial: Vec<u8>,
}

/// Reads the first certificate of a PEM text. None for what is not one.
pub(crate) fn parse(pem: &str) -> Option<Parsed> {
    let (_, pem) = parse_x509_pem(pem.as_bytes()).ok()?;
    read(&pem)
}

/// Reads a certificate that somebody else has made.
///
/// # Errors
/// Why a device could not connect with it.
pub(crate) fn parse_foreign(pem: &str) -> Result<Parsed, &'static str> {
    let malformed = "The certificate is not an X.509 certificate in PEM.";
    let (rest, pem) = parse_x509_pem(pem.as_bytes()).map_err(|_| malformed)?;
    if !rest.trim_ascii().is_empty() {
        return Err("The certificate must be one, without others.");
    }
    let parsed = read(&pem).ok_or(malformed)?;
    let certificate = pem.parse_x509().map_err(|_| malformed)?;
    if !is_supported(certificate.public_key()) {
        return Err("The certificate's key must be RSA of at least 2048 bits, P-256 or P-384.");
    }
    Ok(parsed)
}

fn is_supported(key: &SubjectPublicKeyInfo<'_>) -> bool {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => rsa.key_size() >= RSA_BITS_MIN,
        Ok(PublicKey::EC(_)) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            curve.is_some_and(|curve| CURVES.contains(&curve.to_id_string().as_str()))
        }
        _ => false,
    }
}

/// Reads a CA's certificate that somebody else has made.
///
/// # Errors
/// Why it is not one.
pub(crate) fn parse_foreign_ca(pem: &str) -> Result<Parsed, &'static str> {
    let parsed = parse_foreign(pem)?;
    let is_ca = with(pem, |certificate| certificate.is_ca()).unwrap_or_default();
    if is_ca {
        Ok(parsed)
    } else {
        Err("The certificate is not a CA's: its basic constraints do not say so.")
    }
}

/// Whether the CA's certificate names the issuer of the other, and its key has signed it.
pub(crate) fn is_signed_by(pem: &str, ca_pem: &str) -> bool {
    let signed = with(ca_pem, |ca| {
        with(pem, |certificate| {
            certificate.issuer() == ca.subject()
                && certificate.verify_signature(Some(ca.public_key())).is_ok()
        })
    });
    signed.flatten().unwrap_or_default()
}

/// Whether two certificates have the same subject.
pub(crate) fn same_subject(pem: &str, other: &str) -> bool {
    let subject = |pem: &str| with(pem, |certificate| certificate.subject().as_raw().to_vec());
    subject(pem) == subject(other)
}

/// The common name of a certificate's subject.
pub(crate) fn common_name(pem: &str) -> Option<String> {
    with(pem, |certificate| {
        let mut names = certificate.subject().iter_common_name();
        names.next().and_then(|name| name.as_str().ok()).map(str::to_owned)
    })
    .flatten()
}

fn with<T>(pem: &str, read: impl FnOnce(&X509Certificate<'_>) -> T) -> Option<T> {
    let (_, pem) = parse_x509_pem(pem.as_bytes()).ok()?;
    Some(read(&pem.parse_x509().ok()?))
}

fn read(pem: &Pem) -> Option<Parsed> {
    if pem.label != "CERTIFICATE" {
        return None;
    }
    let certificate = pem.parse_x509().ok()?;
    let validity = certificate.validity();
    let at = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
    Some(Parsed {
        id: certificate_id(&pem.contents),
        validity: at(validity.not_before.timestamp())..=at(validity.not_after.timestamp()),
        serial: certificate.tbs_certificate.raw_serial().to_vec(),
    })
}

/// The id of a certificate: SHA-256 of its DER form, in lower-case hex.
pub(crate) fn certificate_id(der: &[u8]) -> String {
    hex::encode(Sha256::digest(der))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_not_read() {
        for pem in [
            "",
            "x",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert!(parse(pem).is_none(), "{pem}");
        }
    }
}
