//! Who a peer on a TLS port is: the certificate that it proves to own in the handshake.
//!
//! 1. What counts is that the certificate is registered, by its SHA-256, active, and within its validity; who signed it does not. So
//!    a certificate of the built-in CA that was deleted is refused, and one of another CA that was registered is not.
//! 2. There is no session resumption, as on AWS: each connection is looked up anew.
//! 3. The node's own certificate is renewed before it expires and when another CA signs; handshakes from then on present the new
//!    one, and connections that are open stay.
//!
//! Differs from AWS: a certificate is registered in one account and region of a node, which it says by itself, so the server name of
//! the handshake is not needed to tell accounts apart and not looked at.
//!
//! Source: <https://docs.aws.amazon.com/iot/latest/developerguide/transport-security.html>

use std::fmt;
use std::sync::{Arc, RwLock};

use kernel::{Clock, Timestamp};
use ports::{DeviceIdentity, Devices};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::Error;

/// Protocols of the MQTT port. A client that names none is taken as well.
/// <https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html>
pub(crate) const MQTT_ALPN: &[&[u8]] = &[b"x-amzn-mqtt-ca", b"mqtt"];

/// Protocols of the HTTPS port, likewise.
pub(crate) const HTTPS_ALPN: &[&[u8]] = &[b"x-amzn-http-ca", b"http/1.1"];

/// The id of a certificate: SHA-256 of its DER form, in lower-case hex.
pub(crate) fn certificate_id(certificate: &CertificateDer<'_>) -> String {
    hex::encode(Sha256::digest(certificate.as_ref()))
}

/// What the node presents on its TLS ports; another can take its place at any time.
pub(crate) struct Presented {
    provider: Arc<CryptoProvider>,
    current: RwLock<Option<Arc<CertifiedKey>>>,
}

impl Presented {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self { provider: Arc::new(rustls::crypto::ring::default_provider()), current: RwLock::default() }
    }

    /// Presents a new certificate for these names from now on. Returns when another should take its place.
    pub(crate) async fn renew(&self, devices: &dyn Devices, names: &[String]) -> Result<Timestamp, Error> {
        let issued = devices.server_certificate(names).await?;
        let chain = CertificateDer::pem_slice_iter(issued.chain_pem.as_bytes()).collect::<Result<_, _>>();
        let key = PrivateKeyDer::from_pem_slice(issued.key_pem.expose().as_bytes());
        let (chain, key) = (chain.map_err(Error::internal)?, key.map_err(Error::internal)?);
        let certified = CertifiedKey::from_der(chain, key, &self.provider).map_err(Error::internal)?;
        *self.current.write().expect("no holder of this lock panics") = Some(Arc::new(certified));
        Ok(issued.renew_at)
    }

    /// Accepts TLS 1.2 and 1.3 from registered certificates.
    pub(crate) fn acceptor(
        self: &Arc<Self>,
        devices: &Arc<dyn Devices>,
        clock: &Arc<dyn Clock>,
        alpn: &[&[u8]],
    ) -> Result<TlsAcceptor, Error> {
        let provider = Arc::clone(&self.provider);
        let verifier = Registered {
            devices: Arc::clone(devices),
            clock: Arc::clone(clock),
            provider: Arc::clone(&provider),
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::clone(self) as _);
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(TlsAcceptor::from(Arc::new(config)))
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

/// Why a certificate that was presented is not taken; none if it is.
pub(crate) fn refusal(identity: Option<&DeviceIdentity>, now: Timestamp) -> Option<CertificateError> {
    match identity {
        None => Some(CertificateError::UnknownIssuer),
        Some(identity) if !identity.active => Some(CertificateError::Revoked),
        Some(identity) if now < identity.not_before => Some(CertificateError::NotValidYet),
        Some(identity) if now > identity.not_after => Some(CertificateError::Expired),
        Some(_) => None,
    }
}

/// Takes certificates that are registered and active.
struct Registered {
    devices: Arc<dyn Devices>,
    clock: Arc<dyn Clock>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registered")
    }
}

impl ClientCertVerifier for Registered {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // No hints: a client must also offer a certificate that our CA did not sign.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let identity = self.devices.identity(&certificate_id(end_entity));
        match refusal(identity.as_deref(), self.clock.now()) {
            None => Ok(ClientCertVerified::assertion()),
            Some(error) => Err(error.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
