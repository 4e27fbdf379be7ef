//! Requests to the world outside: guarded, since who names the address is not always who runs the node.
//!
//! 1. A name is resolved once, every address it has is checked, and the checked one is connected to: what the name means a moment later
//!    is of no interest. Addresses of this machine, of its network and of its provider's are refused ([`is_public`]).
//! 2. HTTPS only, to the named host; no redirect is followed; the answer is bounded in size and everything together in time.
//! 3. The certificate is of an authority that everybody trusts, or its chain has a certificate that the caller has pinned by its SHA-1,
//!    from which on it is verified as usual: host name, time and signatures.
//! 4. At most [`FETCHES_MAX`] requests are made at the same time.
//!
//! SHA-1 is what AWS's thumbprints are:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use iam::{Fetch, FetchError};
use kernel::Clock;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha1::{Digest, Sha1};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

/// How long a request may take, from the first question to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The largest answer: key sets are a few kilobytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// How many requests are made at the same time.
const FETCHES_MAX: usize = 8;

/// How many certificates of a chain are looked at.
const CHAIN_MAX: usize = 8;

/// Which addresses may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Those of the public internet.
    Public,
    /// Those of this machine and its networks too: for identity providers at home, and for tests.
    Anywhere,
}

/// Makes requests.
pub(crate) struct Outgoer {
    outgoing: Outgoing,
    clock: Arc<dyn Clock>,
    permits: Semaphore,
}

impl Outgoer {
    pub(crate) fn new(outgoing: Outgoing, clock: Arc<dyn Clock>) -> Self {
        Self { outgoing, clock, permits: Semaphore::new(FETCHES_MAX) }
    }
}

impl Fetch for Outgoer {
    fn get<'a>(
        &'a self,
        url: &'a str,
        thumbprints: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>> {
        Box::pin(async move {
            let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
            tokio::select! {
                answer = self.ask(url, thumbprints) => answer,
                () = self.clock.sleep(TIMEOUT) => Err(FetchError::Unreachable("it took too long".to_owned())),
            }
        })
    }
}

impl Outgoer {
    async fn ask(&self, url: &str, thumbprints: &[String]) -> Result<Vec<u8>, FetchError> {
        let target = Target::of(url)?;
        let address = self.resolve(&target).await?;
        let unreachable = |error: std::io::Error| FetchError::Unreachable(error.to_string());
        let stream = TcpStream::connect(address).await.map_err(unreachable)?;
        let config = tls(thumbprints, &self.clock)?;
        let name = ServerName::try_from(target.host.clone())
            .map_err(|_| FetchError::Forbidden("the host has no name".to_owned()))?;
        let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
            let of_certificate = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match of_certificate {
                Some(rustls::Error::InvalidCertificate(reason)) => {
                    FetchError::Untrusted(format!("{reason:?}"))
                }
                _ => FetchError::Unreachable(error.to_string()),
            }
        })?;
        let failed = |error: hyper::Error| FetchError::Unreachable(error.to_string());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
        let request = Request::get(target.path.as_str())
            .header(header::HOST, target.authority.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("headwater/", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())
            .map_err(|error| FetchError::Forbidden(error.to_string()))?;
        let answer = async move {
            let answer = sender.send_request(request).await.map_err(failed)?;
            if answer.status() != StatusCode::OK {
                return Err(FetchError::Useless(format!("the status is {}", answer.status().as_u16())));
            }
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| FetchError::Useless(error.to_string()))?;
            Ok(body.to_bytes().to_vec())
        };
        tokio::pin!(answer);
        // The connection moves the bytes that the answer waits for, and ends before or after it.
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            _ended = connection => answer.await,
        }
    }

    /// Invariant 1.
    async fn resolve(&self, target: &Target) -> Result<SocketAddr, FetchError> {
        let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
        let found: Vec<SocketAddr> =
            found.map_err(|error| FetchError::Unreachable(error.to_string()))?.collect();
        if self.outgoing == Outgoing::Public
            && let Some(refused) = found.iter().find(|address| !is_public(address.ip()))
        {
            return Err(FetchError::Forbidden(format!("{} is not a public address", refused.ip())));
        }
        found.into_iter().next().ok_or_else(|| FetchError::Unreachable("the host has no address".to_owned()))
    }
}

/// Where a request goes.
struct Target {
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Target {
    fn of(url: &str) -> Result<Self, FetchError> {
        let forbidden = |what: &str| FetchError::Forbidden(what.to_owned());
        let uri: Uri = url.parse().map_err(|_| forbidden("it is no address"))?;
        if uri.scheme_str() != Some("https") {
            return Err(forbidden("it is not https"));
        }
        let authority = uri.authority().ok_or_else(|| forbidden("there is no host"))?;
        if authority.as_str().contains('@') {
            return Err(forbidden("there is a user in it"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let port = authority.port_u16().unwrap_or(443);
        Ok(Self { host, port, authority: authority.as_str().to_owned(), path })
    }
}

/// Whether an address is one of the public internet, rather than of a machine, a network or a provider of machines.
///
/// <https://www.iana.org/assignments/iana-ipv4-special-registry/>, <https://www.iana.org/assignments/iana-ipv6-special-registry/>
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a >= 224
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // IPv4 in other clothes: mapped, translated (NAT64), and 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Protocol assignments (Teredo among them), and documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Only this is given out.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

fn tls(thumbprints: &[String], clock: &Arc<dyn Clock>) -> Result<Arc<ClientConfig>, FetchError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unusable = |error: String| FetchError::Untrusted(error);
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let trusted = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| unusable(error.to_string()))?;
    let verifier = Pinned { trusted, thumbprints: thumbprints.to_vec(), provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_details(provider, Arc::new(Now(Arc::clone(clock))))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The node's time.
struct Now(Arc<dyn Clock>);

impl std::fmt::Debug for Now {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Now")
    }
}

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.0.now().as_millis()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(ms)))
    }
}

/// Invariant 3.
#[derive(Debug)]
struct Pinned {
    trusted: Arc<WebPkiServerVerifier>,
    thumbprints: Vec<String>,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl Pinned {
    /// A verifier that trusts the certificates of this chain that are pinned, and no others.
    fn of_chain(&self, chain: &[&CertificateDer<'_>]) -> Option<Arc<WebPkiServerVerifier>> {
        let mut roots = RootCertStore::empty();
        for certificate in chain.iter().take(CHAIN_MAX) {
            let thumbprint = hex(&Sha1::digest(certificate.as_ref()));
            if self.thumbprints.contains(&thumbprint) {
                roots.add((*certificate).clone().into_owned()).ok()?;
            }
        }
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider));
        builder.build().ok()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verify = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        let refused = match verify(&self.trusted) {
            Ok(verified) => return Ok(verified),
            Err(refused) => refused,
        };
        let chain: Vec<&CertificateDer<'_>> = std::iter::once(end_entity).chain(intermediates).collect();
        match self.of_chain(&chain) {
            Some(pinned) => verify(&pinned),
            None => Err(refused),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trusted.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trusted.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trusted.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use kernel::SystemClock;

    use super::*;

    #[test]
    fn addresses_of_machines_networks_and_providers_are_not_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "52.0.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "223.255.255.1",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_is_https_and_names_a_host_and_no_user() {
        let target = Target::of("https://idp.example:8443/a/b?c=d").unwrap();
        assert_eq!(
            (target.host.as_str(), target.port, target.authority.as_str(), target.path.as_str()),
            ("idp.example", 8443, "idp.example:8443", "/a/b?c=d")
        );
        assert_eq!(Target::of("https://[::1]/").unwrap().host, "::1");
        assert_eq!(Target::of("https://idp.example").unwrap().path, "/");
        for bad in
            ["", "idp.example", "http://idp.example/", "file:///etc/passwd", "https://", "https://u:p@h/"]
        {
            assert!(matches!(Target::of(bad), Err(FetchError::Forbidden(_))), "{bad}");
        }
    }

    #[tokio::test]
    async fn nothing_at_home_is_asked_unless_it_is_allowed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let guarded = Outgoer::new(Outgoing::Public, Arc::clone(&clock));
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"] {
            let refused = guarded.get(&format!("https://{host}:{port}/"), &[]).await;
            assert!(matches!(refused, Err(FetchError::Forbidden(_))), "{host}: {refused:?}");
        }
        let allowed = Outgoer::new(Outgoing::Anywhere, clock);
        let url = format!("https://127.0.0.1:{port}/");
        let accept = async {
            // Whoever was refused would be first in the queue.
            let (stream, _) = listener.accept().await.unwrap();
            drop(stream);
        };
        let (answer, ()) = tokio::join!(allowed.get(&url, &[]), accept);
        assert!(matches!(answer, Err(FetchError::Unreachable(_))), "{answer:?}");
    }
}
