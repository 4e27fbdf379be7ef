//! The console's port: its own origin, so that nothing S3 serves shares it.

use std::net::SocketAddr;
use std::sync::Arc;

use console::Console;
use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;

use crate::http::{Body, Handler, collect, full};
use crate::parts::Parts;

/// How the console of this node is set up.
pub(crate) fn config(parts: &Parts) -> console::Config {
    let api = parts.listeners.api.as_ref().and_then(|listener| listener.local_addr().ok());
    console::Config {
        account: parts.config.account.clone(),
        region: parts.config.region.clone(),
        hosts: parts.config.names.iter().map(|name| name.to_lowercase()).collect(),
        endpoint: api.map(|address| format!("http://{address}")),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Puts the console behind HTTP.
pub(crate) struct ConsolePort(pub(crate) Arc<Console>);

impl Handler for ConsolePort {
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = match collect(body, console::BODY_BYTES_MAX).await {
                Ok(body) => body,
                Err(answer) => return answer,
            };
            self.0.handle(Request::from_parts(parts, body), Some(peer.ip().to_string())).await.map(full)
        })
    }
}
