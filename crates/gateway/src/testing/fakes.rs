//! What a gateway is given, in memory: certificates with a CA, rules that remember, a log that can be full.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::future::{self, BoxFuture, FutureExt};
use kernel::{AccountId, Context, ErrorKind, Region, Timestamp};
use ports::{DeviceIdentity, Devices, OnMessage, PortError, PortFuture, tokio_watch};
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

/// Certificates in memory, and the CA that signs them.
pub(crate) struct FakeDevices {
    identities: Mutex<HashMap<String, Arc<DeviceIdentity>>>,
    epoch: watch::Sender<u64>,
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
        Self { identities: Mutex::default(), epoch: watch::Sender::new(0), ca_pem: ca_pem.into(), issuer }
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
        let identity = DeviceIdentity {
            certificate_id: keys.id.clone(),
            account: AccountId::default_account(),
            region: Region::default_region(),
            active,
            policies: policies.iter().map(|text| Arc::from(*text)).collect(),
            things: things.iter().map(|&thing| thing.to_owned()).collect(),
        };
        self.identities.lock().unwrap().insert(keys.id.clone(), Arc::new(identity));
        self.epoch.send_modify(|epoch| *epoch += 1);
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

    fn server_certificate<'a>(&'a self, names: &'a [String]) -> PortFuture<'a, (String, String)> {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        future::ready(Ok((certificate.pem(), key.serialize_pem()))).boxed()
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
