//! The operator's port: `/metrics` for Prometheus, `/livez` and `/readyz` for whoever restarts the node and sends it traffic.
//!
//! It says what every tenant does, so that it is on loopback unless the operator says otherwise, and asks nobody who they are. On loopback
//! it answers to `localhost` and to addresses only: a page in a browser that has its own name lead to this machine reads nothing.
//!
//! 1. `/livez` answers as long as there is a thread to answer.
//! 2. `/readyz` is 503 until everything is recovered, while a reset runs, and while a store takes no writes. It writes, and so at most
//!    every [`PROBE_EVERY`].
//! 3. `/metrics` is Prometheus's text format, or OpenMetrics for who asks for it.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>, <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::request::Parts as Head;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use kernel::{Clock, Metrics, TaskGroup, Timestamp};
use store::{Batch, LogId, Offset};
use wire::Fault;

use crate::exposition::{self, Format};
use crate::front::Front;
use crate::http::{Body, Handler, Peer, full};
use crate::metrics::DISK_FREE;
use crate::parts::{Parts, Stores};
use crate::tasks;

/// How long the outcome of a probe holds.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// How long a store may take to write one byte.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the room on the disk is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// What a probe writes in the metadata store, and where in the log.
const PROBE: &str = "node-probe";

/// Answers the operator's port.
pub(crate) struct Operator {
    front: Arc<Front>,
    metrics: Metrics,
    stores: Stores,
    clock: Arc<dyn Clock>,
    /// Whether only names of this machine are answered.
    loopback: bool,
    probed: tokio::sync::Mutex<Option<(Timestamp, Result<(), &'static str>)>>,
}

impl Operator {
    pub(crate) fn new(parts: &Parts, front: Arc<Front>, loopback: bool) -> Self {
        Self {
            front,
            metrics: parts.metrics.clone(),
            stores: parts.stores.clone(),
            clock: Arc::clone(&parts.clock),
            loopback,
            probed: tokio::sync::Mutex::default(),
        }
    }

    async fn answer(&self, head: &Head) -> Response<Body> {
        if self.loopback && !is_of_this_machine(head) {
            return text(StatusCode::FORBIDDEN, "This port is reached by address or as localhost.\n");
        }
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "GET it.\n");
        }
        match head.uri.path() {
            "/metrics" => {
                let format = Format::of(head.headers.get(header::ACCEPT));
                let mut response =
                    Response::new(full(Bytes::from(exposition::render(&self.metrics, format))));
                let content_type = HeaderValue::from_static(format.content_type());
                response.headers_mut().insert(header::CONTENT_TYPE, content_type);
                response
            }
            "/livez" => text(StatusCode::OK, "ok\n"),
            "/readyz" => match self.ready().await {
                Ok(()) => text(StatusCode::OK, "ok\n"),
                Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, &format!("{reason}\n")),
            },
            _ => text(StatusCode::NOT_FOUND, "There are /metrics, /livez and /readyz.\n"),
        }
    }

    async fn ready(&self) -> Result<(), &'static str> {
        if !self.front.is_open() {
            return Err("the node is starting");
        }
        // Who asks meanwhile waits for the same answer.
        let mut probed = self.probed.lock().await;
        let now = self.clock.now();
        if let Some((at, outcome)) = *probed
            && now.since(at) < PROBE_EVERY
        {
            return outcome;
        }
        let outcome = tokio::select! {
            outcome = self.probe() => outcome,
            () = self.clock.sleep(PROBE_TIMEOUT) => Err("the stores take too long to write"),
        };
        *probed = Some((now, outcome));
        outcome
    }

    /// Writes a byte into the metadata store and one into the log.
    async fn probe(&self) -> Result<(), &'static str> {
        let batch = Batch::default().put(PROBE, Bytes::from_static(b"1"));
        let committed = self.stores.meta.commit(batch).await;
        committed.map_err(|_| "the metadata store takes no writes")?;
        let log = LogId::new(PROBE, &[]);
        let appended = self.stores.log.append(&log, vec![Bytes::from_static(b"1")]).await;
        let offset = appended.map_err(|_| "the log takes no writes")?;
        let trimmed = self.stores.log.trim(&log, Offset(offset.0 + 1)).await;
        trimmed.map_err(|_| "the log takes no writes")
    }
}

impl Handler for Operator {
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        _: Arc<Peer>,
    ) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move {
            let (head, _) = request.into_parts();
            self.answer(&head).await
        })
    }

    fn refuse(&self, _: &Head, fault: &Fault) -> Response<Body> {
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_REQUEST);
        text(status, &format!("{}\n", fault.message))
    }
}

/// Whether the host of a request is an address or `localhost`.
fn is_of_this_machine(head: &Head) -> bool {
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.or_else(|| head.uri.host()) else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(full(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// Measures the room on the disk, until the group is cancelled.
pub(crate) fn measure(group: &TaskGroup, parts: &Parts) {
    let Some(free_bytes) = parts.free_bytes.clone() else { return };
    let gauge = parts.metrics.gauge(&DISK_FREE, &[]);
    let clock = Arc::clone(&parts.clock);
    group.spawn(&tasks::MEASURE, |_| async move {
        loop {
            let measure = Arc::clone(&free_bytes);
            match kernel::blocking(move || measure()).await {
                Ok(bytes) => gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX)),
                Err(error) => tracing::warn!(%error, "the room on the disk is not known"),
            }
            clock.sleep(MEASURE_EVERY).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_others_gave_this_machine_are_not_its_own() {
        let of = |host: &str| {
            let request = Request::builder().header(header::HOST, host).body(()).unwrap();
            is_of_this_machine(&request.into_parts().0)
        };
        for host in ["localhost", "LOCALHOST:9464", "127.0.0.1", "127.0.0.1:9464", "[::1]:9464", "10.0.0.7"] {
            assert!(of(host), "{host}");
        }
        for host in ["", "example.com", "localhost.example.com:9464", "127.0.0.1.example.com", "[x]"] {
            assert!(!of(host), "{host}");
        }
    }
}
