//! Measurements of the binary as users run it: a process of its own, reached through its sockets.
//!
//! ```text
//! cargo build --release -p server && cargo run --release -p bench -- all
//! ```
//!
//! Figures depend on the machine. A claim is a ratio: against a peer that runs in the same call (`ingest` measures mosquitto too where it
//! is installed), or against an earlier build (`--binary`). Nothing here asserts.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are the program's result")]

mod ingest;
mod load;
mod process;
mod start;
mod visible;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

/// Measures a node.
#[derive(Parser)]
struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value = "all")]
    what: What,
    /// The binary to measure.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// How long a load lasts, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many devices publish at the same time.
    #[arg(long, default_value_t = 50)]
    connections: usize,
    /// How many times what is short is measured.
    #[arg(long, default_value_t = 100)]
    trials: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    All,
    /// Size of the binary, start to ready, idle memory, start on 10,000 objects.
    Start,
    /// QoS 1 messages through a rule into a delivery stream's durable intake.
    Ingest,
    /// From publish to a row of SQL.
    Visible,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(&arguments)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let binary = process::binary(arguments.binary.clone())?;
    let wanted = |what| arguments.what == What::All || arguments.what == what;
    if wanted(What::Start) {
        start::measure(&binary, 5).await?;
    }
    if wanted(What::Ingest) {
        let load =
            load::Load { connections: arguments.connections, seconds: arguments.seconds, payload_bytes: 100 };
        ingest::measure(&binary, load).await?;
    }
    if wanted(What::Visible) {
        visible::measure(&binary, arguments.trials).await?;
    }
    Ok(())
}

/// The value below which `percent` of the sorted values lie.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let index = ((sorted.len() as f64 - 1.0) * percent / 100.0).round();
    sorted.get(index as usize).copied().unwrap_or(f64::NAN)
}

/// `p50 … p99 … max …` of milliseconds.
fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let of = |percent| percentile(&values, percent);
    format!(
        "p50 {:.2} ms · p99 {:.2} ms · max {:.2} ms  (n = {})",
        of(50.0),
        of(99.0),
        of(100.0),
        values.len()
    )
}
