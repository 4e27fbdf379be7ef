//! What a gateway is given, in memory: certificates with a CA, rules that remember, a log that can be full.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{self, BoxFuture, FutureExt};
use kernel::{AccountId, Context, ErrorKind, Region, Secret, Timestamp};
use ports::{DeviceIdentity, Devices, OnMessage, PortError, PortFuture, ServerCertificate, tokio_watch};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use store::log::Bounds;
use store::{CommitLog, LogError, LogId, Offset, Record};
use tokio::sync::watch;

use crate::authenticate::certificate_id;

/// A policy that allows everything.
pub(crate) const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;

/// After how long a server certificate is to be renewed.
pub(crate) const CERTIFICATE_LIFE: Duration = Duration::from_secs(3600);

/// Certificates in memory, and the CA that signs them.
pub(crate) struct FakeDevices {
    identities: Mutex<HashMap<String, Arc<DeviceIdentity>>>,
    epoch: watch::Sender<u64>,
    pub(crate) ca_epoch: watch::Sender<u64>,
    /// Server certificates given so far.
    pub(crate) issued: watch::Sender<u32>,
    ca_pem: Arc<str>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: Arc<PrivateKeyDer<'static>>,
}

impl FakeDevices {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "CA");
        let ca_pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::from_ca_cert_pem(&ca_pem, key).unwrap();
        Self {
            identities: Mutex::default(),
            epoch: watch::Sender::new(0),
            ca_epoch: watch::Sender::new(0),
            issued: watch::Sender::new(0),
            ca_pem: ca_pem.into(),
            issuer,
        }
    }

    /// A certificate signed by the CA that nobody knows of yet.
    pub(crate) fn issue(&self) -> Keys {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().signed_by(&key, &self.issuer).unwrap();
        keys(&certificate.pem(), &key)
    }

    /// An active certificate with these policies and things.
    pub(crate) fn register(&self, policies: &[&str], things: &[&str]) -> Keys {
        let keys = self.issue();
        self.set(&keys, policies, things, true);
        keys
    }

    pub(crate) fn set(&self, keys: &Keys, policies: &[&str], things: &[&str], active: bool) {
        self.put(DeviceIdentity { active, ..identity(keys, policies, things) });
    }

    /// An active certificate of another account or region.
    pub(crate) fn set_in(&self, keys: &Keys, (account, region): (&AccountId, &Region), policies: &[&str]) {
        let (account, region) = (account.clone(), region.clone());
        self.put(DeviceIdentity { account, region, ..identity(keys, policies, &[]) });
    }

    /// An active certificate that is valid for so long.
    pub(crate) fn set_valid(&self, keys: &Keys, not_before: Timestamp, not_after: Timestamp) {
        self.put(DeviceIdentity { not_before, not_after, ..identity(keys, &[ALLOW_ALL], &[]) });
    }

    fn put(&self, identity: DeviceIdentity) {
        let id = identity.certificate_id.clone();
        self.identities.lock().unwrap().insert(id, Arc::new(identity));
        self.epoch.send_modify(|epoch| *epoch += 1);
    }
}

fn identity(keys: &Keys, policies: &[&str], things: &[&str]) -> DeviceIdentity {
    DeviceIdentity {
        certificate_id: keys.id.clone(),
        account: AccountId::default_account(),
        region: Region::default_region(),
        active: true,
        not_before: Timestamp::EPOCH,
        not_after: Timestamp::from_millis(i64::MAX),
        policies: policies.iter().map(|text| Arc::from(*text)).collect(),
        things: things.iter().map(|&thing| thing.to_owned()).collect(),
    }
}

/// A certificate that no CA has signed.
pub(crate) fn self_signed() -> Keys {
    let key = KeyPair::generate().unwrap();
    keys(&CertificateParams::default().self_signed(&key).unwrap().pem(), &key)
}

fn keys(pem: &str, key: &KeyPair) -> Keys {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    Keys { id: certificate_id(&chain[0]), chain, key: Arc::new(key) }
}

impl Devices for FakeDevices {
    fn identity(&self, certificate_id: &str) -> Option<Arc<DeviceIdentity>> {
        self.identities.lock().unwrap().get(certificate_id).cloned()
    }

    fn epoch(&self) -> tokio_watch::Receiver<u64> {
        self.epoch.subscribe()
    }

    fn ca_certificate_pem(&self) -> Arc<str> {
        Arc::clone(&self.ca_pem)
    }

    fn ca_epoch(&self) -> tokio_watch::Receiver<u64> {
        self.ca_epoch.subscribe()
    }

    fn server_certificate<'a>(&'a self, names: &'a [String]) -> PortFuture<'a, ServerCertificate> {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        let (chain_pem, key_pem) = (certificate.pem(), Secret::new(key.serialize_pem()));
        self.issued.send_modify(|issued| *issued += 1);
        let renew_at = Timestamp::from_millis(1_700_000_000_000) + CERTIFICATE_LIFE * *self.issued.borrow();
        future::ready(Ok(ServerCertificate { chain_pem, key_pem, renew_at })).boxed()
    }
}

/// Whether messages become durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    AtOnce,
    NotYet,
    Never,
}

/// Rules that remember what they see.
pub(crate) struct FakeRules {
    pub(crate) seen: watch::Sender<Vec<(Context, ports::Message)>>,
    pub(crate) durability: watch::Sender<Durability>,
}

impl FakeRules {
    pub(crate) fn new() -> Self {
        Self { seen: watch::Sender::default(), durability: watch::Sender::new(Durability::AtOnce) }
    }

    /// Waits until so many messages were seen, and returns all.
    pub(crate) async fn wait(&self, count: usize) -> Vec<(Context, ports::Message)> {
        self.seen.subscribe().wait_for(|seen| seen.len() >= count).await.unwrap().clone()
    }
}

impl OnMessage for FakeRules {
    fn on_message<'a>(&'a self, cx: &'a Context, message: &'a ports::Message) -> PortFuture<'a, ()> {
        self.seen.send_modify(|seen| seen.push((cx.clone(), message.clone())));
        let mut durability = self.durability.subscribe();
        async move {
            let settled = durability.wait_for(|now| *now != Durability::NotYet).await;
            match *settled.unwrap() {
                Durability::Never => {
                    Err(PortError::new(ErrorKind::Unavailable, "ServiceUnavailable", "The queue is full."))
                }
                _ => Ok(()),
            }
        }
        .boxed()
    }
}

/// A log that can be full.
pub(crate) struct FakeLog {
    inner: Arc<dyn CommitLog>,
    pub(crate) full: AtomicBool,
}

impl FakeLog {
    pub(crate) fn new(inner: Arc<dyn CommitLog>) -> Self {
        Self { inner, full: AtomicBool::new(false) }
    }
}

impl CommitLog for FakeLog {
    fn append(&self, log: &LogId, records: Vec<Bytes>) -> BoxFuture<'static, Result<Offset, LogError>> {
        if self.full.load(Ordering::SeqCst) {
            return future::ready(Err(LogError::Full)).boxed();
        }
        self.inner.append(log, records)
    }

    fn read(
        &self,
        log: &LogId,
        from: Offset,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, LogError>> {
        self.inner.read(log, from, bytes_max)
    }

    fn trim(&self, log: &LogId, before: Offset) -> BoxFuture<'static, Result<(), LogError>> {
        self.inner.trim(log, before)
    }

    fn delete(&self, log: &LogId) -> BoxFuture<'static, Result<(), LogError>> {
        self.inner.delete(log)
    }

    fn bounds(&self, log: &LogId) -> Bounds {
        self.inner.bounds(log)
    }

    fn oldest(&self, log: &LogId) -> Option<Timestamp> {
        self.inner.oldest(log)
    }

    fn logs(&self, prefix: &str) -> Vec<LogId> {
        self.inner.logs(prefix)
    }

    fn changed(&self, log: &LogId) -> watch::Receiver<Offset> {
        self.inner.changed(log)
    }
}
