//! One HTTP connection that a test holds in its hands: it says what is written as it is, and knows when it was closed.
//!
//! [`client::Client`] pools and signs; this does neither, for tests that are about the connection or about requests no client would send.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Closed;

/// How long an answer may take, in real time, before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection, in the clear or over TLS.
pub struct HttpConnection {
    sender: SendRequest<Full<Bytes>>,
    /// Moves the bytes while an answer is waited for; none once it has ended.
    connection: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
}

impl HttpConnection {
    /// Connects in the clear.
    ///
    /// # Panics
    /// If nobody listens there: the test has failed.
    pub async fn plain(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the node listens");
        let begun = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = begun.expect("an HTTP/1.1 connection begins without a word");
        Self { sender, connection: Some(Box::pin(connection)) }
    }

    /// Connects over TLS.
    ///
    /// # Errors
    /// [`Closed::Handshake`] when the node, or the set-up, refuses.
    ///
    /// # Panics
    /// If nobody listens there: the test has failed.
    pub async fn tls(address: SocketAddr, config: Arc<rustls::ClientConfig>) -> Result<Self, Closed> {
        let stream = TcpStream::connect(address).await.expect("the node listens");
        let name = ServerName::try_from("localhost").expect("localhost is a name");
        let stream = TlsConnector::from(config).connect(name, stream).await;
        let stream = stream.map_err(|error| Closed::Handshake(error.to_string()))?;
        let begun = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = begun.expect("an HTTP/1.1 connection begins without a word");
        Ok(Self { sender, connection: Some(Box::pin(connection)) })
    }

    /// Sends a request and waits for its whole answer.
    ///
    /// # Errors
    /// How the connection ended instead.
    ///
    /// # Panics
    /// If neither comes: the test has failed.
    pub async fn send(&mut self, request: Request<Bytes>) -> Result<Response<Bytes>, Closed> {
        let sending = self.sender.send_request(request.map(Full::new));
        let exchange = async {
            let (parts, body) = sending.await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(Response::from_parts(parts, body))
        };
        let driven = async {
            tokio::pin!(exchange);
            let Some(connection) = &mut self.connection else { return exchange.await };
            let ended = tokio::select! {
                biased;
                answer = &mut exchange => return answer,
                ended = connection => ended,
            };
            self.connection = None;
            // What had arrived by then is still to be taken.
            match ended {
                Ok(()) => exchange.await,
                Err(error) => Err(error),
            }
        };
        let answered = tokio::time::timeout(PATIENCE, driven).await;
        answered.unwrap_or_else(|_| panic!("no answer within {PATIENCE:?}")).map_err(|error| {
            // TLS 1.3 tells a client that its certificate is refused only when it reads.
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            if source.contains("alert") { Closed::Handshake(source) } else { Closed::Silently }
        })
    }
}
