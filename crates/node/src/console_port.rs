//! The console's port: its own origin, so that nothing S3 serves shares it.

use std::sync::Arc;

use console::Console;
use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;

use crate::http::{Body, Handler, Peer, full};
use crate::parts::Parts;

/// How the console of this node is set up.
pub(crate) fn config(parts: &Parts) -> console::Config {
    let api = parts.listeners.api.as_ref().and_then(|listener| listener.local_addr().ok());
    console::Config {
        account: parts.config.account.clone(),
        region: parts.config.region.clone(),
        hosts: parts.config.names.iter().map(|name| name.to_lowercase()).collect(),
        endpoint: api.map(|address| format!("{}://{address}", crate::scheme(&parts.config))),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Puts the console behind HTTP.
pub(crate) struct ConsolePort(pub(crate) Arc<Console>);

impl Handler for ConsolePort {
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Arc<Peer>,
    ) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = match peer.collect(body, console::BODY_BYTES_MAX).await {
                Ok(body) => body,
                Err(fault) => return self.refuse(&parts, &fault),
            };
            let request = Request::from_parts(parts, body.bytes.clone());
            self.0.handle(request, peer.arrival()).await.map(full)
        })
    }

    fn refuse(&self, _: &http::request::Parts, fault: &wire::Fault) -> Response<Body> {
        self.0.refuse(fault.http_status(), &fault.message).map(full)
    }
}
