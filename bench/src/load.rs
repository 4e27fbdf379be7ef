//! The load generator: many MQTT connections, each with as many unacknowledged QoS 1 publishes as the protocol allows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::{Bytes, BytesMut};
use kernel::{OnCancel, OnError, SystemClock, TaskGroup, TaskKind};
use mqtt::{Client, ClientError, ClientEvent, Connect, Message, Qos, ReasonCode, Retain, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

static CONNECTION: TaskKind =
    TaskKind { name: "load", on_cancel: OnCancel::Abort, on_error: OnError::StopNode };

/// How many publishes of a connection wait for their acknowledgement.
const IN_FLIGHT: usize = 100;

/// What is published.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
    pub(crate) payload_bytes: usize,
}

/// What came of it.
pub(crate) struct Figures {
    pub(crate) acknowledged: u64,
    pub(crate) elapsed: Duration,
    /// Publish to acknowledgement of every hundredth message, in milliseconds.
    pub(crate) latencies_ms: Vec<f64>,
}

/// Publishes from all connections for the whole time.
pub(crate) async fn run(port: u16, load: Load) -> anyhow::Result<Figures> {
    let group = TaskGroup::root(Arc::new(SystemClock));
    let (done, mut results) = mpsc::channel(load.connections);
    let started = Instant::now();
    for number in 0..load.connections {
        let done = done.clone();
        group.spawn(&CONNECTION, |_| async move {
            // The receiver waits for as many results as there are connections.
            done.send(connection(port, number, load).await).await.ok();
        });
    }
    let mut figures = Figures { acknowledged: 0, elapsed: Duration::ZERO, latencies_ms: Vec::new() };
    for _ in 0..load.connections {
        let (acknowledged, latencies) = results.recv().await.context("a connection was lost")??;
        figures.acknowledged += acknowledged;
        figures.latencies_ms.extend(latencies);
    }
    figures.elapsed = started.elapsed();
    Ok(figures)
}

async fn connection(port: u16, number: usize, load: Load) -> anyhow::Result<(u64, Vec<f64>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.context("nobody listens")?;
    stream.set_nodelay(true)?;
    let mut mqtt = Client::connect(Connect::new(Version::V311, format!("bench-{number}")))?;
    let topic = format!("bench/{number}");
    let payload = Bytes::from(format!("{{\"v\":\"{}\"}}", "x".repeat(load.payload_bytes.saturating_sub(8))));
    let mut input = BytesMut::with_capacity(64 * 1024);
    let ends_at = Instant::now() + Duration::from_secs(load.seconds);
    let (mut is_connected, mut token, mut acknowledged, mut waiting) = (false, 0_u64, 0_u64, 0_usize);
    let mut sent_at = None;
    let mut latencies = Vec::new();
    loop {
        while let Some(event) = mqtt.receive(&mut input).context("the peer broke the protocol")? {
            match event {
                ClientEvent::Connack(connack) if connack.reason == ReasonCode::Success => is_connected = true,
                ClientEvent::Published { reason: ReasonCode::Success, token } => {
                    acknowledged += 1;
                    waiting -= 1;
                    if let Some((_, at)) = sent_at.take_if(|(sampled, _)| *sampled == token) {
                        let at: Instant = at;
                        latencies.push(at.elapsed().as_secs_f64() * 1000.0);
                    }
                }
                other => bail!("unexpected: {other:?}"),
            }
        }
        let now = Instant::now();
        while is_connected && now < ends_at && waiting < IN_FLIGHT {
            token += 1;
            let message = Message::new(topic.as_str(), payload.clone());
            match mqtt.publish(message, Qos::AtLeastOnce, Retain::No, token) {
                Ok(()) => waiting += 1,
                Err(ClientError::Blocked) => break,
                Err(error) => return Err(error.into()),
            }
            if token.is_multiple_of(100) && sent_at.is_none() {
                sent_at = Some((token, now));
            }
        }
        if is_connected && waiting == 0 && now >= ends_at {
            return Ok((acknowledged, latencies));
        }
        let output = mqtt.output.split();
        stream.write_all(&output).await.context("the peer closed the connection")?;
        if stream.read_buf(&mut input).await? == 0 {
            bail!("the peer closed the connection");
        }
    }
}
