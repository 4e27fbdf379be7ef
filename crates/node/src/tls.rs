//! What the HTTP ports present when they speak TLS: a certificate of the node's own CA, or one from files.
//!
//! 1. Handshakes from now on see a new certificate as soon as there is one; open connections stay. The own certificate is renewed before it
//!    expires and when another CA signs; files are looked at every half minute.
//! 2. Files that do not fit together are said in the log, and the certificate that was good stays.
//! 3. TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1. Clients show no certificate: they sign their requests.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use kernel::{Clock, Stop, TaskGroup, Timestamp};
use ports::Devices;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::limits::CERTIFICATE_LOOK_EVERY;
use crate::parts::TlsConfig;
use crate::tasks;

/// Why there is no certificate to present.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the HTTP ports present.
pub(crate) struct Tls {
    source: TlsConfig,
    names: Vec<String>,
    presented: Arc<Presented>,
    acceptor: TlsAcceptor,
}

struct Presented {
    provider: Arc<CryptoProvider>,
    current: RwLock<Option<Arc<CertifiedKey>>>,
}

impl Presented {
    fn set(&self, chain_pem: &[u8], key_pem: &[u8]) -> Result<(), BoxError> {
        let chain = CertificateDer::pem_slice_iter(chain_pem).collect::<Result<Vec<_>, _>>()?;
        if chain.is_empty() {
            return Err("there is no certificate in the certificate file".into());
        }
        let key = PrivateKeyDer::from_pem_slice(key_pem)?;
        let certified = CertifiedKey::from_der(chain, key, &self.provider)?;
        *self.current.write().expect("no holder of this lock panics") = Some(Arc::new(certified));
        Ok(())
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented")
    }
}

impl ResolvesServerCert for Presented {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.read().expect("no holder of this lock panics").clone()
    }
}

impl Tls {
    /// Presents nothing until [`Tls::start`]; none where the ports speak HTTP in the clear.
    ///
    /// # Errors
    /// When TLS cannot be set up at all.
    pub(crate) fn new(source: &TlsConfig, names: &[String]) -> Result<Option<Arc<Self>>, rustls::Error> {
        if matches!(source, TlsConfig::Off) {
            return Ok(None);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let presented = Arc::new(Presented { provider: Arc::clone(&provider), current: RwLock::default() });
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&presented) as _);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Some(Arc::new(Self { source: source.clone(), names: names.to_vec(), presented, acceptor })))
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Presents a certificate, and from then on one that is good, until the group is cancelled.
    ///
    /// # Errors
    /// When there is none to begin with.
    pub(crate) async fn start(
        self: &Arc<Self>,
        group: &TaskGroup,
        devices: Arc<dyn Devices>,
        clock: Arc<dyn Clock>,
    ) -> Result<(), BoxError> {
        let tls = Arc::clone(self);
        match &self.source {
            TlsConfig::Off => {}
            TlsConfig::Own => {
                let renew_at = self.renew(&*devices).await?;
                group.spawn(&tasks::CERTIFICATE, |stop| async move {
                    tls.keep_own(devices, clock, renew_at, stop).await;
                });
            }
            TlsConfig::Files { certificate, key } => {
                let (certificate, key) = (certificate.clone(), key.clone());
                let seen = self.load(&certificate, &key)?;
                group.spawn(&tasks::CERTIFICATE, |stop| async move {
                    tls.keep_files((certificate, key), clock, seen, stop).await;
                });
            }
        }
        Ok(())
    }

    async fn renew(&self, devices: &dyn Devices) -> Result<Timestamp, BoxError> {
        let issued = devices.server_certificate(&self.names).await?;
        self.presented.set(issued.chain_pem.as_bytes(), issued.key_pem.expose().as_bytes())?;
        Ok(issued.renew_at)
    }

    async fn keep_own(
        &self,
        devices: Arc<dyn Devices>,
        clock: Arc<dyn Clock>,
        mut renew_at: Timestamp,
        mut stop: Stop,
    ) {
        let mut epoch = devices.ca_epoch();
        loop {
            tokio::select! {
                () = clock.sleep_until(renew_at) => {}
                changed = epoch.changed() => if changed.is_err() { return },
                () = stop.stopped() => return,
            }
            renew_at = match self.renew(&*devices).await {
                Ok(renew_at) => renew_at,
                Err(error) => {
                    tracing::error!(error, "the node's certificate was not renewed");
                    clock.now() + CERTIFICATE_LOOK_EVERY
                }
            };
        }
    }

    /// Presents what the files hold; returns when they were written.
    fn load(&self, certificate: &Path, key: &Path) -> Result<Option<[SystemTime; 2]>, BoxError> {
        let written = written([certificate, key]);
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
        };
        let (chain_pem, key_pem) = (read(certificate)?, kernel::Secret::new(read(key)?));
        self.presented.set(&chain_pem, key_pem.expose())?;
        Ok(written)
    }

    async fn keep_files(
        &self,
        (certificate, key): (PathBuf, PathBuf),
        clock: Arc<dyn Clock>,
        mut seen: Option<[SystemTime; 2]>,
        mut stop: Stop,
    ) {
        loop {
            tokio::select! {
                () = clock.sleep(CERTIFICATE_LOOK_EVERY) => {}
                () = stop.stopped() => return,
            }
            let now = written([&certificate, &key]);
            if now == seen {
                continue;
            }
            // Also when it fails: it is said once for each change.
            seen = now;
            match self.load(&certificate, &key) {
                Ok(_) => tracing::info!("the certificate was read anew"),
                Err(error) => tracing::error!(error, "the certificate is not read anew; the old one stays"),
            }
        }
    }
}

/// When files were written; none while one is missing.
fn written(paths: [&Path; 2]) -> Option<[SystemTime; 2]> {
    let of = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    Some([of(paths[0])?, of(paths[1])?])
}
