//! What it costs to have a node: size, start, memory.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use http::Method;

use crate::process::Node;
use crate::spread;

/// How many objects the full data directory has.
const OBJECTS: usize = 10_000;

/// How many puts are under way at once while it is filled.
const PUTS_AT_ONCE: usize = 32;

pub(crate) async fn measure(binary: &Path, trials: usize) -> anyhow::Result<()> {
    let size = std::fs::metadata(binary)?.len();
    println!("binary                      {:.1} MiB", size as f64 / f64::from(1 << 20));
    let data = tempfile::tempdir()?;
    let mut first = Vec::new();
    for trial in 0..trials {
        let node = Node::start(binary, &data.path().join(format!("new-{trial}"))).await?;
        first.push(ms(node.ready_after));
        if trial + 1 == trials {
            println!("idle memory                 {:.1} MiB", node.resident_mib()?);
        }
        node.stop().await?;
    }
    println!("start, new directory        {}", spread(first));

    let full = data.path().join("full");
    let node = Node::start(binary, &full).await?;
    let bucket = node.api.send("s3", Method::PUT, "/bench", &[], Bytes::new()).await?;
    ensure!(bucket.status.is_success(), "the bucket cannot be created");
    let api = &node.api;
    stream::iter(0..OBJECTS)
        .map(|n| async move {
            let path = format!("/bench/2026/01/{:02}/object-{n}", n % 28);
            let answer =
                api.send("s3", Method::PUT, &path, &[], Bytes::from(format!("{{\"n\":{n}}}\n"))).await?;
            ensure!(answer.status.is_success(), "{path}: {}", answer.status);
            Ok(())
        })
        .buffer_unordered(PUTS_AT_ONCE)
        .try_collect::<()>()
        .await?;
    node.stop().await?;
    let mut again = Vec::new();
    for _ in 0..trials {
        let node = Node::start(binary, &full).await?;
        again.push(ms(node.ready_after));
        node.stop().await?;
    }
    println!("start, {OBJECTS} objects       {}", spread(again));
    Ok(())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
