//! The certificate that a device shows in the TLS handshake: any bytes, over a real connection.
//!
//! None that is not registered is let in, and the next good one still is.

use std::sync::Arc;

use mqtt::{Connect, Version};
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};

use super::node::World;
use crate::{Body, Memory, Target};

pub(super) static TARGET: Target = Target {
    name: "certificate",
    about: "what a device shows as its certificate in the TLS handshake",
    words: &["\u{30}\u{3}", "\u{6}\u{3}\u{55}\u{1d}", "\u{2}\u{1}\u{0}"],
    // Most of it is the client's own side of the handshake.
    memory: Memory { bytes: 4 << 20, per_byte: 1024 },
    mutations: 300,
    start,
    seeds,
};

fn start() -> Body {
    let world = World::new();
    let key = rcgen::KeyPair::generate().expect("a key can be made");
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("the key is PEM");
    let key = rustls::crypto::ring::sign::any_supported_type(&key).expect("the key is of a known type");
    Box::new(move |input| {
        let shown = CertifiedKey::new(vec![CertificateDer::from(input.to_vec())], Arc::clone(&key));
        let connect = Connect::new(Version::V5, "stranger");
        let config = config(Shows(Arc::new(shown)));
        let connected = world.runtime.block_on(world.sandbox.connect_over(config, connect));
        assert!(connected.is_err(), "a stranger is let in");
        assert_eq!(world.sandbox.connections(), 0);
    })
}

/// A client that believes every server and shows one certificate.
fn config(shows: Shows) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(BelievesAll))
        .with_client_cert_resolver(Arc::new(shows));
    Arc::new(config)
}

#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct BelievesAll;

impl ServerCertVerifier for BelievesAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![b"".to_vec(), b"no certificate".to_vec(), vec![0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]];
    for names in [vec!["localhost".to_owned()], Vec::new(), vec!["a".repeat(60); 8]] {
        let key = rcgen::KeyPair::generate().expect("a key can be made");
        let params = rcgen::CertificateParams::new(names).expect("the names are names");
        seeds.push(params.self_signed(&key).expect("it can be signed").der().to_vec());
    }
    seeds
}
