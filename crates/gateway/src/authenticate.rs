//! Who a peer on a TLS port is: the certificate that it proves to own in the handshake.
//!
//! 1. What counts is that the certificate is registered, by its SHA-256, and active; who signed it and until when does not. So a
//!    certificate of the built-in CA that was deleted is refused, and one of another CA that was registered is not.
//! 2. There is no session resumption, as on AWS: each connection is looked up anew.
//!
//! Source: <https://docs.aws.amazon.com/iot/latest/developerguide/transport-security.html>

use std::fmt;
use std::sync::Arc;

use ports::Devices;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
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

/// What the node presents on its TLS ports.
pub(crate) struct ServerCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl ServerCertificate {
    /// A new one for these names, signed by the built-in CA.
    pub(crate) async fn issue(devices: &dyn Devices, names: &[String]) -> Result<Self, Error> {
        let (chain, key) = devices.server_certificate(names).await?;
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
        Ok(Self { chain: chain.map_err(Error::internal)?, key: key.map_err(Error::internal)? })
    }

    /// Accepts TLS 1.2 and 1.3 from registered certificates.
    pub(crate) fn acceptor(&self, devices: &Arc<dyn Devices>, alpn: &[&[u8]]) -> Result<TlsAcceptor, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Registered { devices: Arc::clone(devices), provider: Arc::clone(&provider) };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .map_err(Error::internal)?;
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Takes certificates that are registered and active.
struct Registered {
    devices: Arc<dyn Devices>,
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
        match self.devices.identity(&certificate_id(end_entity)) {
            Some(identity) if identity.active => Ok(ClientCertVerified::assertion()),
            Some(_) => Err(CertificateError::Revoked.into()),
            None => Err(CertificateError::UnknownIssuer.into()),
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
