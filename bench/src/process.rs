//! The measured process: started on free ports and an empty folder, watched through `/proc`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use client::Client;
use kernel::{Secret, SystemClock};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The key of every measured node.
const KEY: [&str; 2] = ["AKIABENCHBENCHBENCH0", "bench-secret"];

/// Clock ticks a second in `/proc/<pid>/stat`: fixed in the kernel's interface to user space.
const TICKS_A_SECOND: f64 = 100.0;

/// The binary to measure: the given one, or the release build beside this program.
pub(crate) fn binary(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let binary = match given {
        Some(binary) => binary,
        None => std::env::current_exe().context("this program has no path")?.with_file_name("headwater"),
    };
    ensure!(binary.exists(), "{} is not there; cargo build --release -p server", binary.display());
    Ok(binary)
}

/// A running node.
pub(crate) struct Node {
    child: Child,
    /// Kept open: the node may have more to say.
    _output: Lines<BufReader<ChildStdout>>,
    /// Spawn to the line that says it is ready.
    pub(crate) ready_after: Duration,
    pub(crate) api: Client,
    pub(crate) mqtt_port: u16,
}

impl Node {
    /// Starts `headwater serve` on a data directory.
    pub(crate) async fn start(binary: &Path, data: &Path) -> anyhow::Result<Self> {
        let started = Instant::now();
        let mut command = Command::new(binary);
        command.arg("serve").arg("--data").arg(data);
        for port in ["api", "console", "mqtt", "mqtts", "https", "metrics"] {
            command.args([&format!("--{port}-port"), "0"]);
        }
        command
            .env("HEADWATER_ACCESS_KEY_ID", KEY[0])
            .env("HEADWATER_SECRET_ACCESS_KEY", KEY[1])
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().context("the binary does not start")?;
        let output = child.stdout.take().context("its output is piped")?;
        let mut lines = BufReader::new(output).lines();
        let (mut api, mut mqtt) = (None, None);
        while api.is_none() || mqtt.is_none() {
            let Some(line) = lines.next_line().await? else { bail!("the node ended before it was ready") };
            let second =
                line.split_whitespace().find(|word| word.contains(':')).unwrap_or_default().to_owned();
            if line.contains("AWS APIs") {
                api = Some(second);
            } else if line.trim_start().starts_with("MQTT") {
                mqtt = second.rsplit(':').next().and_then(|port| port.parse().ok());
            }
        }
        let ready_after = started.elapsed();
        let endpoint = api.unwrap_or_default();
        let secret = Secret::new(KEY[1].to_owned());
        let api = Client::new(&endpoint, KEY[0], secret, "us-east-1", Arc::new(SystemClock));
        Ok(Self { child, _output: lines, ready_after, api, mqtt_port: mqtt.unwrap_or_default() })
    }

    /// Asks it to end and waits.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.pid()?.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await.context("cannot run kill")?;
        self.child.wait().await.context("the node does not end")?;
        Ok(())
    }

    fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the node has ended")
    }

    /// Resident memory, in MiB.
    pub(crate) fn resident_mib(&self) -> anyhow::Result<f64> {
        resident_mib(self.pid()?)
    }

    /// Processor time used so far, user and system, in seconds.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        cpu_seconds(self.pid()?)
    }
}

/// Resident memory of a process, in MiB.
pub(crate) fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the process has ended")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).unwrap_or_default().parse().context("VmRSS is a number")?;
    Ok(kib / 1024.0)
}

/// Processor time of a process, user and system, in seconds.
pub(crate) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("the process has ended")?;
    // The name in parentheses may hold anything; fields are counted after it.
    let (_, fields) = stat.rsplit_once(')').context("stat has a name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().unwrap_or(0.0));
    Ok(ticks.sum::<f64>() / TICKS_A_SECOND)
}
