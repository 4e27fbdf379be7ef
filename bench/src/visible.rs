//! From publish to a row of SQL: the hot read, measured with one device and one analyst.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use bytes::BytesMut;
use kernel::{Clock, SystemClock};
use mqtt::{Client, ClientEvent, Connect, Message, Qos, Retain, Version};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ingest::create_pipeline;
use crate::process::Node;
use crate::spread;

const TABLE: &str = "CREATE EXTERNAL TABLE bench (n int, v string) \
    ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://bench-lake/bench/'";

/// How often a client asks whether its query has ended.
const ASK_EVERY: Duration = Duration::from_millis(2);

pub(crate) async fn measure(binary: &Path, trials: usize) -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let node = Node::start(binary, data.path()).await?;
    create_pipeline(&node).await?;
    query(&node, TABLE).await?;
    let mut device = Device::connect(node.mqtt_port).await?;
    let (mut acknowledged, mut visible) = (Vec::new(), Vec::new());
    for n in 0..trials {
        let started = Instant::now();
        device.publish(&json!({"n": n, "v": "beat"})).await?;
        acknowledged.push(started.elapsed().as_secs_f64() * 1000.0);
        let count = query(&node, &format!("SELECT count(*) FROM bench WHERE n = {n}")).await?;
        ensure!(count == "1", "message {n} is acknowledged and visible {count} times");
        visible.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    println!("publish → PUBACK            {}", spread(acknowledged));
    println!("publish → row of SQL        {}", spread(visible));
    node.stop().await
}

/// Runs a statement to its end; the first value of its first row, if it has one.
async fn query(node: &Node, sql: &str) -> anyhow::Result<String> {
    let started = node.api.json("athena", "StartQueryExecution", &json!({"QueryString": sql})).await?;
    let id = json!({"QueryExecutionId": started["QueryExecutionId"]});
    loop {
        let execution = node.api.json("athena", "GetQueryExecution", &id).await?;
        match execution["QueryExecution"]["Status"]["State"].as_str() {
            Some("SUCCEEDED") => break,
            Some("QUEUED" | "RUNNING") => SystemClock.sleep(ASK_EVERY).await,
            _ => bail!("{sql}: {}", execution["QueryExecution"]["Status"]),
        }
    }
    let results = node.api.json("athena", "GetQueryResults", &id).await?;
    let value = results.pointer("/ResultSet/Rows/1/Data/0/VarCharValue").and_then(Value::as_str);
    Ok(value.unwrap_or_default().to_owned())
}

struct Device {
    stream: TcpStream,
    mqtt: Client,
    input: BytesMut,
}

impl Device {
    async fn connect(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mqtt = Client::connect(Connect::new(Version::V311, "bench"))?;
        let mut device = Self { stream, mqtt, input: BytesMut::new() };
        device.next().await?;
        Ok(device)
    }

    async fn publish(&mut self, payload: &Value) -> anyhow::Result<()> {
        let message = Message::new("bench/visible", payload.to_string());
        self.mqtt.publish(message, Qos::AtLeastOnce, Retain::No, 1)?;
        self.next().await.map(drop)
    }

    async fn next(&mut self) -> anyhow::Result<ClientEvent> {
        let output = self.mqtt.output.split();
        self.stream.write_all(&output).await?;
        loop {
            if let Some(event) = self.mqtt.receive(&mut self.input).context("the node broke the protocol")? {
                return Ok(event);
            }
            ensure!(self.stream.read_buf(&mut self.input).await? > 0, "the node closed the connection");
        }
    }
}
