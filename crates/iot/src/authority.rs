//! The certificate authorities of the node: the one that signs, and those that it has replaced.
//!
//! ```text
//!  first start ─► signing ── rotate ──► replaced ── retire ──► gone
//! ```
//!
//! 1. One CA signs: the certificates of devices and of the node's own listeners.
//! 2. A replaced CA is still one by which clients know the node: its certificate stays in `ca.pem`. Its successor's certificate is
//!    signed by it too, and the listeners present that, so that a device which was given the old CA alone connects until the old
//!    one is retired.
//! 3. Who signed a device's certificate does not matter to the gateway (the registry does), so a device of a CA that is gone
//!    connects as before, once it trusts the new one.
//! 4. A CA's private key is sealed in the store, and gone with the CA.
//!
//! Keys are ECDSA P-256: as strong as the RSA 2048 that AWS makes and a third of the work at each handshake.

use std::sync::Arc;

use kernel::{Secret, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::entity::DecodeError;
use store::{Entity, TableError};

use crate::issue::{common_name, date};
use crate::limits::{AUTHORITIES_REPLACED_MAX, CA_LIFE, CLOCK_SKEW};
use crate::{Error, Iot, x509};

/// The key of the one entity.
const KEY: &[&str] = &["ca"];

/// What a CA's private key is sealed for.
const PURPOSE: &str = "iot: private key of the certificate authority";

/// The node's CAs, as they are stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredAuthorities {
    signing: StoredAuthority,
    /// The newest first.
    replaced: Vec<StoredAuthority>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredAuthority {
    /// Counts the node's CAs.
    generation: u32,
    certificate_pem: String,
    /// The same key and name, signed by the CA before.
    cross_pem: Option<String>,
    key: StoredKey,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredKey {
    Sealed(String),
    /// PEM, as earlier releases kept it: sealed when it is found.
    Clear(String),
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Entity for StoredAuthorities {
    const TABLE: &'static str = "iot_authority";
    const VERSION: u8 = 2;

    /// In version 1 there was one CA, with its key in clear.
    fn upgrade(version: u8, old: Value) -> Result<Value, DecodeError> {
        if version != 1 {
            return Err(DecodeError::UnknownVersion { table: Self::TABLE, version });
        }
        let signing = json!({
            "generation": 1,
            "certificate_pem": old["certificate_pem"],
            "cross_pem": null,
            "key": {"clear": old["key_pem"]},
        });
        Ok(json!({"signing": signing, "replaced": []}))
    }
}

/// A CA in use.
pub(crate) struct Authority {
    pub(crate) generation: u32,
    pub(crate) certificate_pem: String,
    cross_pem: Option<String>,
    pub(crate) issuer: Issuer<'static, KeyPair>,
}

/// The node's CAs.
#[derive(Clone)]
pub(crate) struct Authorities {
    pub(crate) signing: Arc<Authority>,
    /// The newest first.
    pub(crate) replaced: Vec<Arc<Authority>>,
}

/// What there is to know of the node's CAs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaStatus {
    /// The one that signs.
    pub signing: CaCertificate,
    /// Those it has replaced, the newest first; clients may still know the node by them.
    pub replaced: Vec<CaCertificate>,
}

/// A CA's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaCertificate {
    /// SHA-256 of the DER form, in hex.
    pub certificate_id: String,
    /// The first moment of its validity, ISO 8601.
    pub not_before: String,
    /// The last moment of its validity, ISO 8601.
    pub not_after: String,
}

impl Authorities {
    /// Every CA by which clients may know the node: PEM.
    pub(crate) fn trusted_pem(&self) -> String {
        self.all().map(|authority| authority.certificate_pem.as_str()).collect()
    }

    /// What a listener presents after its own certificate: PEM.
    pub(crate) fn chain_pem(&self) -> String {
        if self.replaced.is_empty() {
            return self.signing.certificate_pem.clone();
        }
        // Not the CA's own: OpenSSL would stop there, at a root that it may not know. The oldest that is left has nobody behind it.
        let vouched = self.all().take(self.replaced.len());
        vouched.filter_map(|authority| authority.cross_pem.as_deref()).collect()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Authority>> {
        std::iter::once(&self.signing).chain(&self.replaced)
    }

    fn status(&self) -> CaStatus {
        let certificate = |authority: &Arc<Authority>| {
            let parsed = x509::parse(&authority.certificate_pem).expect("rcgen has read it");
            CaCertificate {
                certificate_id: parsed.id,
                not_before: parsed.validity.start().to_iso8601(),
                not_after: parsed.validity.end().to_iso8601(),
            }
        };
        CaStatus {
            signing: certificate(&self.signing),
            replaced: self.replaced.iter().map(certificate).collect(),
        }
    }
}

impl Iot {
    /// The node's CAs.
    pub fn ca_status(&self) -> CaStatus {
        self.registry.authorities().status()
    }

    /// Has a new CA sign from now on. Clients know the node by the old one as well until [`Iot::retire_ca`].
    ///
    /// # Errors
    /// `LimitExceededException` when as many were replaced as may be; when the store cannot be written.
    pub async fn rotate_ca(&self) -> Result<CaStatus, Error> {
        let mut turn = self.turn().await?;
        let stored = self.stored_authorities().await?;
        let (before, revision) = (stored.entity, stored.revision);
        if before.replaced.len() >= AUTHORITIES_REPLACED_MAX {
            return Err(Error::LimitExceeded(format!(
                "{AUTHORITIES_REPLACED_MAX} certificate authorities were replaced and not retired yet."
            )));
        }
        let (now, sealer) = (self.clock.now(), self.sealer.clone());
        let signing = self.registry.authorities().signing;
        let new = kernel::blocking(move || create(signing.generation + 1, now, Some(&signing), &sealer));
        let new = new.await.map_err(Error::internal)?;
        let replaced = std::iter::once(before.signing).chain(before.replaced).collect();
        let after = StoredAuthorities { signing: new, replaced };
        turn.touches_authorities();
        self.authorities.update(KEY, &after, revision).await?;
        turn.settle(self).await?;
        tracing::info!(generation = after.signing.generation, "another certificate authority signs");
        Ok(self.ca_status())
    }

    /// Forgets the CAs that were replaced: clients that know the node by one of them are no longer served.
    ///
    /// # Errors
    /// `InvalidRequestException` when there is none; when the store cannot be written.
    pub async fn retire_ca(&self) -> Result<CaStatus, Error> {
        let mut turn = self.turn().await?;
        let stored = self.stored_authorities().await?;
        if stored.entity.replaced.is_empty() {
            return Err(Error::InvalidRequest("No certificate authority was replaced.".to_owned()));
        }
        let after = StoredAuthorities { signing: stored.entity.signing, replaced: Vec::new() };
        turn.touches_authorities();
        self.authorities.update(KEY, &after, stored.revision).await?;
        turn.settle(self).await?;
        tracing::info!("replaced certificate authorities are retired");
        Ok(self.ca_status())
    }

    async fn stored_authorities(&self) -> Result<store::table::Stored<StoredAuthorities>, Error> {
        self.authorities.get(KEY).await?.ok_or(Error::Conflict)
    }

    /// Creates the CA at the first start, and seals keys that are kept in clear.
    pub(crate) async fn prepare_authorities(&self) -> Result<(), Error> {
        let Some(stored) = self.authorities.get(KEY).await? else {
            let (now, sealer) = (self.clock.now(), self.sealer.clone());
            let signing = kernel::blocking(move || create(1, now, None, &sealer)).await;
            let first =
                StoredAuthorities { signing: signing.map_err(Error::internal)?, replaced: Vec::new() };
            return match self.authorities.insert(KEY, &first).await {
                Ok(_) | Err(TableError::Conflict) => Ok(()),
                Err(error) => Err(error.into()),
            };
        };
        let mut sealed = stored.entity.clone();
        let mut found = false;
        for authority in std::iter::once(&mut sealed.signing).chain(&mut sealed.replaced) {
            if let StoredKey::Clear(pem) = &authority.key {
                authority.key = StoredKey::Sealed(self.sealer.seal(PURPOSE, pem.as_bytes()));
                found = true;
            }
        }
        if found {
            self.authorities.update(KEY, &sealed, stored.revision).await?;
        }
        Ok(())
    }

    /// Reads the CAs again. Callers hold the turn, or are the only ones yet.
    pub(crate) async fn refresh_authorities(&self) -> Result<(), Error> {
        let stored = self.stored_authorities().await?.entity;
        let open = |stored: &StoredAuthority| self.open_authority(stored).map(Arc::new);
        let signing = open(&stored.signing)?;
        let replaced = stored.replaced.iter().map(open).collect::<Result<_, _>>()?;
        self.registry.set_authorities(Authorities { signing, replaced });
        Ok(())
    }

    fn open_authority(&self, stored: &StoredAuthority) -> Result<Authority, Error> {
        let pem = match &stored.key {
            StoredKey::Clear(pem) => Some(Secret::new(pem.clone())),
            StoredKey::Sealed(sealed) => self
                .sealer
                .open(PURPOSE, sealed)
                .and_then(|bytes| String::from_utf8(bytes.expose().clone()).ok())
                .map(Secret::new),
        };
        let pem = pem.ok_or_else(|| Error::internal("the key of the certificate authority does not open"))?;
        let key = KeyPair::from_pem(pem.expose()).map_err(Error::internal)?;
        let issuer = Issuer::from_ca_cert_pem(&stored.certificate_pem, key).map_err(Error::internal)?;
        Ok(Authority {
            generation: stored.generation,
            certificate_pem: stored.certificate_pem.clone(),
            cross_pem: stored.cross_pem.clone(),
            issuer,
        })
    }
}

fn create(
    generation: u32,
    now: Timestamp,
    before: Option<&Authority>,
    sealer: &store::Sealer,
) -> Result<StoredAuthority, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    // Names differ, so that whoever looks for an issuer by name finds the right one.
    params.distinguished_name = match generation {
        1 => common_name("Headwater CA"),
        _ => common_name(&format!("Headwater CA {generation}")),
    };
    let length = u8::try_from(AUTHORITIES_REPLACED_MAX).expect("it is small");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
    params.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.not_before = date(now) - CLOCK_SKEW;
    params.not_after = date(now + CA_LIFE);
    let certificate_pem = params.self_signed(&key)?.pem();
    let cross_pem = match before {
        None => None,
        Some(before) => {
            params.use_authority_key_identifier_extension = true;
            Some(params.signed_by(&key, &before.issuer)?.pem())
        }
    };
    let key = Secret::new(key.serialize_pem());
    let key = StoredKey::Sealed(sealer.seal(PURPOSE, key.expose().as_bytes()));
    Ok(StoredAuthority { generation, certificate_pem, cross_pem, key })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::{Clock, ManualClock, ServiceError, Timestamp};
    use ports::Devices;
    use store::MetaStore;
    use store::meta::memory::MemoryMetaStore;

    use super::*;
    use crate::ops::testing::{iot, iot_on};

    const NOW: Timestamp = Timestamp::from_millis(1_500_000_000_000);

    #[tokio::test]
    async fn a_rotated_ca_signs_and_the_old_one_is_trusted_until_it_is_retired() {
        let tested = iot();
        let iot = &tested.iot;
        let mut epoch = iot.ca_epoch();
        epoch.borrow_and_update();
        let first = iot.ca_status().signing;
        assert_eq!(
            (first.not_before.as_str(), first.not_after.as_str()),
            ("2017-07-14T01:40:00.000Z", "2027-07-12T02:40:00.000Z")
        );
        assert_eq!(iot.retire_ca().await.unwrap_err().code(), "InvalidRequestException");
        let status = iot.rotate_ca().await.unwrap();
        assert!(epoch.has_changed().unwrap());
        assert_ne!(status.signing, first);
        assert_eq!(status.replaced, std::slice::from_ref(&first));
        assert_eq!(iot.ca_certificate_pem().matches("BEGIN CERTIFICATE").count(), 2);
        // The listener's own, and that of the CA that signed it, signed by the old CA.
        let names = ["localhost".to_owned()];
        let server = iot.server_certificate(&names).await.unwrap();
        assert_eq!(server.chain_pem.matches("BEGIN CERTIFICATE").count(), 2);
        assert_eq!(server.renew_at, NOW + crate::limits::SERVER_RENEW_AFTER);
        let status = iot.retire_ca().await.unwrap();
        assert_eq!(status.replaced, []);
        assert_eq!(iot.ca_certificate_pem().matches("BEGIN CERTIFICATE").count(), 1);
        assert_eq!(
            iot.server_certificate(&names).await.unwrap().chain_pem.matches("BEGIN CERTIFICATE").count(),
            2
        );
    }

    #[tokio::test]
    async fn so_many_may_be_replaced_and_no_more() {
        let tested = iot();
        for _ in 0..AUTHORITIES_REPLACED_MAX {
            tested.iot.rotate_ca().await.unwrap();
        }
        assert_eq!(tested.iot.rotate_ca().await.unwrap_err().code(), "LimitExceededException");
        assert_eq!(tested.iot.ca_status().replaced.len(), AUTHORITIES_REPLACED_MAX);
        tested.iot.retire_ca().await.unwrap();
        tested.iot.rotate_ca().await.unwrap();
    }

    #[tokio::test]
    async fn every_ca_is_there_after_a_start_and_no_key_is_in_the_store() {
        let meta: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::new());
        let clock = ManualClock::new(NOW);
        let first = iot_on(&meta, &clock).await;
        let status = first.iot.rotate_ca().await.unwrap();
        let second = iot_on(&meta, &clock).await;
        assert_eq!(second.iot.ca_status(), status);
        for (_, value) in meta.scan(&[], None, 100).await.unwrap() {
            assert!(!String::from_utf8_lossy(&value.value).contains("PRIVATE KEY"));
        }
        assert_eq!(clock.now(), NOW);
    }

    #[tokio::test]
    async fn a_key_that_an_earlier_release_kept_in_clear_is_sealed_at_the_start() {
        let meta: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::new());
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let pem = params.self_signed(&key).unwrap().pem();
        let old = json!({"certificate_pem": pem, "key_pem": key.serialize_pem()}).to_string();
        let at = store::Table::<StoredAuthorities>::key(KEY);
        meta.commit(store::Batch::default().put(at.clone(), [b"\x01".as_slice(), old.as_bytes()].concat()))
            .await
            .unwrap();
        let tested = iot_on(&meta, &ManualClock::new(NOW)).await;
        assert_eq!(*tested.iot.ca_certificate_pem(), *pem);
        let stored = meta.get(&at).await.unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&stored.value).contains("PRIVATE KEY"));
        tested.iot.server_certificate(&["localhost".to_owned()]).await.unwrap();
    }
}
