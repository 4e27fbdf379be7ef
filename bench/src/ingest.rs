//! QoS 1 messages through a rule into a delivery stream's intake: acknowledged when they are on disk.
//!
//! Mosquitto, where it is installed, takes the same load in the same call and acknowledges from memory: the yardstick for what the
//! protocol costs without a rule and without a disk.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::Method;
use kernel::{Clock, SystemClock};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::load::{self, Figures, Load};
use crate::process::{Node, cpu_seconds, resident_mib};
use crate::spread;

const ROLE: &str = "arn:aws:iam::000000000000:role/bench";

pub(crate) async fn measure(binary: &Path, load: Load) -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let node = Node::start(binary, data.path()).await?;
    create_pipeline(&node).await?;
    let before = node.cpu_seconds()?;
    let figures = load::run(node.mqtt_port, load).await?;
    let cpu = node.cpu_seconds()? - before;
    report("headwater: rule → durable intake", &figures, cpu, node.resident_mib()?);
    node.stop().await?;
    match mosquitto(load).await? {
        Some((peer, peer_cpu, resident)) => {
            report("mosquitto: memory, no rule", &peer, peer_cpu, resident);
            let ratio = micros(cpu, &figures) / micros(peer_cpu, &peer);
            println!("processor time a message    {ratio:.2} × mosquitto");
        }
        None => println!("mosquitto                   not installed, not compared"),
    }
    Ok(())
}

/// A bucket, a delivery stream and a rule that leads to it.
pub(crate) async fn create_pipeline(node: &Node) -> anyhow::Result<()> {
    let bucket = node.api.send("s3", Method::PUT, "/bench-lake", &[], Bytes::new()).await?;
    ensure!(bucket.status.is_success(), "the bucket cannot be created");
    let stream = json!({
        "DeliveryStreamName": "bench",
        "ExtendedS3DestinationConfiguration": {
            "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::bench-lake", "Prefix": "bench/",
            "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
        },
    });
    node.api.json("firehose", "CreateDeliveryStream", &stream).await?;
    let action = json!({"firehose": {"roleArn": ROLE, "deliveryStreamName": "bench", "separator": "\n"}});
    let rule =
        json!({"sql": "SELECT * FROM 'bench/#'", "awsIotSqlVersion": "2016-03-23", "actions": [action]});
    node.api.rest("iot", Method::POST, "/rules/bench", rule.to_string()).await?;
    Ok(())
}

async fn mosquitto(load: Load) -> anyhow::Result<Option<(Figures, f64, f64)>> {
    let mut config = tempfile::NamedTempFile::new()?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let limits = "max_inflight_messages 1000\nmax_queued_messages 0\n";
    write!(config, "listener {port} 127.0.0.1\nallow_anonymous true\n{limits}set_tcp_nodelay true\n")?;
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(config.path()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let Ok(child) = command.spawn() else { return Ok(None) };
    let pid = child.id().context("mosquitto has ended")?;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        SystemClock.sleep(std::time::Duration::from_millis(10)).await;
    }
    let before = cpu_seconds(pid)?;
    let figures = load::run(port, load).await?;
    Ok(Some((figures, cpu_seconds(pid)? - before, resident_mib(pid)?)))
}

fn micros(cpu_seconds: f64, figures: &Figures) -> f64 {
    cpu_seconds * 1e6 / figures.acknowledged as f64
}

fn report(what: &str, figures: &Figures, cpu_seconds: f64, resident_mib: f64) {
    let rate = figures.acknowledged as f64 / figures.elapsed.as_secs_f64();
    println!("{what}");
    println!("  acknowledged              {rate:.0} messages/s  ({} in all)", figures.acknowledged);
    println!("  processor time            {:.1} µs a message", micros(cpu_seconds, figures));
    println!("  publish → PUBACK          {}", spread(figures.latencies_ms.clone()));
    println!("  memory afterwards         {resident_mib:.1} MiB");
}
