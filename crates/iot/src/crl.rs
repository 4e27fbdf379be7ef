//! Revocation lists: for each CA of the node the certificates that it has signed and that are `REVOKED`.
//!
//! They are for others than the gateway, which asks the registry.
//!
//! 1. A list is signed by the CA that signed the certificates on it, so a replaced CA has a list as well, until it is retired.
//! 2. A certificate that was revoked and then deleted stays on the list; one that is made active again leaves it.
//! 3. Only certificates that the node itself has signed are on it: whoever registers a certificate with another's serial number and
//!    revokes it has revoked nothing.
//!
//! Source: <https://datatracker.ietf.org/doc/html/rfc5280#section-5>

use std::collections::HashMap;
use std::sync::Arc;

use kernel::Timestamp;
use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use serde::{Deserialize, Serialize};
use store::{Batch, Entity};

use crate::authority::Authority;
use crate::certificate::{Certificate, Status};
use crate::issue::date;
use crate::limits::{CRL_LIFE, CRL_RENEW_AFTER};
use crate::{Error, Iot, x509};

/// A revoked certificate. Key: generation of the CA, serial number in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Revocation {
    revoked_at: Timestamp,
}

impl Entity for Revocation {
    const TABLE: &'static str = "iot_revocation";
    const VERSION: u8 = 1;
}

/// The lists that were signed, by the generation of the CA. Emptied when a certificate is revoked.
#[derive(Default)]
pub(crate) struct Lists {
    signed: HashMap<u32, Arc<List>>,
    last_number: u64,
}

struct List {
    made_at: Timestamp,
    der: Vec<u8>,
    pem: String,
}

impl Iot {
    /// The revocation list of the CA that signs: DER.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn crl_der(&self) -> Result<Vec<u8>, Error> {
        let signing = self.registry.authorities().signing;
        Ok(self.list(&signing).await?.der.clone())
    }

    /// The revocation lists of all CAs by which clients may know the node, that of the one that signs first: PEM.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn crl_pem(&self) -> Result<String, Error> {
        let mut pem = String::new();
        for authority in self.registry.authorities().all() {
            pem.push_str(&self.list(authority).await?.pem);
        }
        Ok(pem)
    }

    async fn list(&self, authority: &Arc<Authority>) -> Result<Arc<List>, Error> {
        let now = self.clock.now();
        let mut lists = self.lists.lock().await;
        let signed = lists.signed.get(&authority.generation);
        if let Some(list) = signed.filter(|list| now.since(list.made_at) < CRL_RENEW_AFTER) {
            return Ok(Arc::clone(list));
        }
        let generation = generation_part(authority.generation);
        let revoked = self.revocations.list(&[&generation]).await?;
        lists.last_number = u64::try_from(now.as_millis()).unwrap_or_default().max(lists.last_number + 1);
        let number = lists.last_number;
        let signer = Arc::clone(authority);
        let list = kernel::blocking(move || {
            let revoked = revoked.iter().filter_map(|(parts, stored)| {
                let serial = hex::decode(parts.last()?).ok()?;
                Some((serial, stored.entity.revoked_at))
            });
            sign(&signer, revoked, number, now)
        });
        let list = Arc::new(list.await.map_err(Error::internal)?);
        lists.signed.insert(authority.generation, Arc::clone(&list));
        Ok(list)
    }

    /// Adds to a change of a certificate's status what it means for the list.
    pub(crate) fn with_revocation(
        &self,
        batch: Batch,
        certificate: &Certificate,
        revoked_at: Timestamp,
    ) -> Batch {
        let Some((generation, serial)) = list_key(certificate) else { return batch };
        let key = [generation.as_str(), serial.as_str()];
        match certificate.status {
            Status::Revoked => self.revocations.with_put(batch, &key, &Revocation { revoked_at }),
            Status::Active | Status::Inactive => self.revocations.with_delete(batch, &key),
        }
    }

    /// Has the lists signed anew when they are next asked for.
    pub(crate) async fn forget_lists(&self) {
        self.lists.lock().await.signed.clear();
    }

    /// Puts a certificate on the list that an earlier release has revoked.
    pub(crate) async fn recover_revocation(&self, certificate: &Certificate) -> Result<(), Error> {
        let Some((generation, serial)) = list_key(certificate).filter(|_| certificate.is_revoked()) else {
            return Ok(());
        };
        let key = [generation.as_str(), serial.as_str()];
        if self.revocations.get(&key).await?.is_none() {
            self.revocations.put(&key, &Revocation { revoked_at: certificate.modified_at }).await?;
        }
        Ok(())
    }
}

fn list_key(certificate: &Certificate) -> Option<(String, String)> {
    let generation = generation_part(certificate.generation?);
    Some((generation, hex::encode(x509::parse(&certificate.certificate_pem)?.serial)))
}

fn generation_part(generation: u32) -> String {
    format!("{generation:010}")
}

fn sign(
    authority: &Authority,
    revoked: impl Iterator<Item = (Vec<u8>, Timestamp)>,
    number: u64,
    now: Timestamp,
) -> Result<List, rcgen::Error> {
    let params = CertificateRevocationListParams {
        this_update: date(now),
        next_update: date(now + CRL_LIFE),
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: revoked
            .map(|(serial, revoked_at)| RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: date(revoked_at),
                reason_code: None,
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = params.signed_by(&authority.issuer)?;
    Ok(List { made_at: now, pem: list.pem()?, der: list.der().to_vec() })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use x509_parser::pem::parse_x509_pem;
    use x509_parser::prelude::{CertificateRevocationList, FromDer};

    use super::*;
    use crate::ops::testing::{Tested, call, iot};

    async fn created(tested: &Tested) -> Value {
        call(tested, "CreateKeysAndCertificate", json!({"setAsActive": true})).await
    }

    async fn set_status(tested: &Tested, created: &Value, status: &str) {
        let update = json!({"certificateId": created["certificateId"], "newStatus": status});
        call(tested, "UpdateCertificate", update).await;
    }

    fn serial(created: &Value) -> Vec<u8> {
        x509::parse(created["certificatePem"].as_str().unwrap()).unwrap().serial
    }

    /// The serial numbers on a list, which the CA must have signed.
    fn on_list(der: &[u8], ca_pem: &str) -> Vec<Vec<u8>> {
        let (_, list) = CertificateRevocationList::from_der(der).unwrap();
        let (_, ca) = parse_x509_pem(ca_pem.as_bytes()).unwrap();
        list.verify_signature(ca.parse_x509().unwrap().public_key()).unwrap();
        let life = list.next_update().unwrap().timestamp() - list.last_update().timestamp();
        assert_eq!(life.unsigned_abs(), CRL_LIFE.as_secs());
        list.iter_revoked_certificates().map(|revoked| revoked.raw_serial().to_vec()).collect()
    }

    #[tokio::test]
    async fn the_list_has_what_is_revoked_and_nothing_else() {
        let tested = iot();
        let ca = ports::Devices::ca_certificate_pem(&*tested.iot);
        let (first, second) = (created(&tested).await, created(&tested).await);
        assert!(on_list(&tested.iot.crl_der().await.unwrap(), &ca).is_empty());
        set_status(&tested, &first, "REVOKED").await;
        set_status(&tested, &second, "INACTIVE").await;
        assert_eq!(on_list(&tested.iot.crl_der().await.unwrap(), &ca), [serial(&first)]);
        // Deleted, it stays revoked; active, it does not.
        call(&tested, "DeleteCertificate", json!({"certificateId": first["certificateId"]})).await;
        set_status(&tested, &second, "REVOKED").await;
        assert_eq!(on_list(&tested.iot.crl_der().await.unwrap(), &ca).len(), 2);
        set_status(&tested, &second, "ACTIVE").await;
        assert_eq!(on_list(&tested.iot.crl_der().await.unwrap(), &ca), [serial(&first)]);
    }

    #[tokio::test]
    async fn each_ca_has_a_list_of_its_own() {
        let tested = iot();
        let old = created(&tested).await;
        tested.iot.rotate_ca().await.unwrap();
        let new = created(&tested).await;
        set_status(&tested, &old, "REVOKED").await;
        set_status(&tested, &new, "REVOKED").await;
        let cas = ports::Devices::ca_certificate_pem(&*tested.iot);
        let old_ca = format!("-----BEGIN{}", cas.rsplit_once("-----BEGIN").unwrap().1);
        assert_eq!(on_list(&tested.iot.crl_der().await.unwrap(), &cas), [serial(&new)]);
        let lists = tested.iot.crl_pem().await.unwrap();
        let (rest, list) = parse_x509_pem(lists.as_bytes()).unwrap();
        assert_eq!((list.label.as_str(), on_list(&list.contents, &cas)), ("X509 CRL", vec![serial(&new)]));
        let (rest, list) = parse_x509_pem(rest).unwrap();
        assert_eq!(on_list(&list.contents, &old_ca), [serial(&old)]);
        assert!(rest.is_empty());
    }

    #[test]
    fn version_1_reads() {
        let stored: Revocation = store::entity::decode(b"\x01{\"revoked_at\":5}").unwrap();
        assert_eq!(stored.revoked_at, Timestamp::from_millis(5));
    }
}
