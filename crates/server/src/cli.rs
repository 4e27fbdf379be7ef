//! The command line: what may be typed, and nothing of what it means.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The serverless IoT pipeline as one binary: devices → MQTT → rules → delivery streams → S3 → SQL → dashboards, behind AWS's own APIs.
#[derive(Parser)]
#[command(name = "headwater", disable_version_flag = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a node.
    Serve(ServeArguments),
    /// Run a node with a whole pipeline and simulated devices, and show where to look.
    Demo(DemoArguments),
    /// Simulate devices: recorded heart-beats over MQTT and TLS.
    Devices(DevicesArguments),
    /// Print `export` lines for AWS clients: eval "$(headwater env)".
    Env(EnvArguments),
    /// Print the version.
    Version,
}

#[derive(Args, Clone)]
pub(crate) struct ServeArguments {
    /// The data directory; created if missing.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) listen: IpAddr,
    /// The port of every AWS API; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 4566)]
    pub(crate) api_port: u16,
    /// The port of the console; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 4567)]
    pub(crate) console_port: u16,
    /// The port of MQTT in the clear, on loopback only; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 1883)]
    pub(crate) mqtt_port: u16,
    /// The port of MQTT over TLS with client certificates; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 8883)]
    pub(crate) mqtts_port: u16,
    /// The port of HTTPS publish with client certificates; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    pub(crate) https_port: u16,
    /// The account: twelve digits.
    #[arg(long, value_name = "NUMBER", default_value = "000000000000")]
    pub(crate) account: String,
    /// The region of devices.
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
    /// A host name by which devices reach this node; may be given more than once. The first is what DescribeEndpoint answers.
    #[arg(long = "name", value_name = "HOST")]
    pub(crate) names: Vec<String>,
    /// What IAM policies mean; without it `audit` on loopback and `enforce` elsewhere.
    #[arg(long, value_enum, value_name = "MODE")]
    pub(crate) auth: Option<Auth>,
    /// Let `POST /_headwater/reset` empty the node: for test suites.
    #[arg(long)]
    pub(crate) allow_reset: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// What they say: the root may everything, others what their policies allow.
    Enforce,
    /// Whoever is authenticated may; what would be denied is recorded.
    Audit,
    /// Whoever is authenticated may. On loopback only.
    Off,
}

#[derive(Args)]
pub(crate) struct DemoArguments {
    #[command(flatten)]
    pub(crate) serve: ServeArguments,
    /// How many devices.
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    pub(crate) devices: usize,
    /// How many seconds of a recording pass in one second.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(crate) speed: f64,
}

#[derive(Args)]
pub(crate) struct DevicesArguments {
    /// The node's data directory: where its key and CA certificate are.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// The node's API.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4566")]
    pub(crate) endpoint: String,
    /// The host devices connect to.
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    pub(crate) host: String,
    /// The port devices connect to.
    #[arg(long, value_name = "PORT", default_value_t = 8883)]
    pub(crate) port: u16,
    /// The region in which the devices are registered.
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
    /// How many devices.
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    pub(crate) devices: usize,
    /// How many seconds of a recording pass in one second.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(crate) speed: f64,
    /// Begin again at the end of a recording.
    #[arg(long = "loop")]
    pub(crate) repeat: bool,
}

#[derive(Args)]
pub(crate) struct EnvArguments {
    /// The node's data directory.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
}
