//! The runtime, signals, and logs.

use std::io::Write as _;

use anyhow::Context as _;
use node::Node;
use tracing_subscriber::EnvFilter;

/// Runs a command to its end.
pub(crate) fn block_on(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    logs();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(command);
    // Whatever still runs was told to end and did not, or a second signal said not to wait for it.
    runtime.shutdown_background();
    done
}

/// Logs go to standard error; `HEADWATER_LOG` says which: `info,gateway=debug`. `s3s` calls every refusal an error, and writes down the
/// body that it refused.
fn logs() {
    let filter = EnvFilter::builder()
        .with_env_var("HEADWATER_LOG")
        .try_from_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,s3s=off,headwater=info,node=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would say so on standard error, and end the program when that is closed.
        .log_internal_errors(false)
        .init();
}

/// Tells whoever started the program. That nobody listens any more is no reason to stop.
pub(crate) fn say(text: &str) {
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

/// Ends a node in order; at a second signal, at once. That is safe, since what was acknowledged is durable (invariant A5).
pub(crate) async fn shutdown(node: &Node) -> anyhow::Result<()> {
    tokio::select! {
        () = node.shutdown() => Ok(()),
        stopped = stopped() => stopped,
    }
}

/// Completes at the next SIGINT or SIGTERM.
pub(crate) async fn stopped() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
