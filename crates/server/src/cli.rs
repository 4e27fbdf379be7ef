//! The command line: what may be typed, and nothing of what it means.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

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
    /// Make accounts on a running node, and list them.
    #[command(subcommand)]
    Account(AccountCommand),
    /// See, rotate and retire the certificate authorities of a running node.
    Ca(CaArguments),
    /// Put new keys in the place of old ones.
    #[command(subcommand)]
    Key(KeyCommand),
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
    /// The port of metrics for Prometheus and of health checks; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 9464)]
    pub(crate) metrics_port: u16,
    /// The address of that port. It asks nobody who they are and shows what every account does: off loopback for a network that only
    /// operators are in.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) metrics_listen: IpAddr,
    /// The first account, whose root owns the node: twelve digits.
    #[arg(long, value_name = "NUMBER", default_value = "000000000000")]
    pub(crate) account: String,
    /// A file with the master key, 32 bytes in base64, that only its owner may read. Without it, and without HEADWATER_MASTER_KEY, the
    /// key is master.key in the data directory, generated at the first start.
    #[arg(long, value_name = "FILE")]
    pub(crate) master_key_file: Option<PathBuf>,
    /// The region of devices.
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
    /// A host name by which devices reach this node; may be given more than once. The first is what DescribeEndpoint answers.
    #[arg(long = "name", value_name = "HOST")]
    pub(crate) names: Vec<String>,
    /// What IAM policies mean; without it `audit` on loopback and `enforce` elsewhere.
    #[arg(long, value_enum, value_name = "MODE")]
    pub(crate) auth: Option<Auth>,
    /// Let identity providers be at addresses of this machine and its networks, which otherwise are not asked for keys.
    #[arg(long)]
    pub(crate) allow_private_providers: bool,
    /// How much devices may send; the root over loopback may always send anything.
    #[arg(long, value_enum, value_name = "WHICH", default_value = "aws")]
    pub(crate) quotas: QuotasArgument,
    /// How many requests a second one principal may make of the APIs; its account may make twice as many.
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) requests_per_second: u32,
    /// Speak HTTPS on the ports of the APIs and the console, with a certificate of the node's own CA for its names (ca.pem in the data
    /// directory).
    #[arg(long)]
    pub(crate) tls: bool,
    /// Speak HTTPS there with this certificate and those that signed it: PEM. It is read anew when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of that certificate: PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Speak HTTP in the clear off loopback, behind something that ends TLS.
    #[arg(long, conflicts_with_all = ["tls", "tls_cert"])]
    pub(crate) insecure_http: bool,
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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum QuotasArgument {
    /// As AWS IoT: 100 publishes a second of a connection, 20,000 of an account; 500 connects.
    Aws,
    /// Anything: for measurements.
    Off,
}

#[derive(Args)]
pub(crate) struct CaArguments {
    /// The node's data directory: where its key is.
    #[arg(long, value_name = "DIR", default_value = "data", global = true)]
    pub(crate) data: PathBuf,
    #[command(subcommand)]
    pub(crate) command: CaCommand,
}

#[derive(Clone, Copy, Subcommand)]
pub(crate) enum CaCommand {
    /// Say which CA signs, and which it has replaced.
    Status,
    /// Have a new CA sign. Clients know the node by the old one as well until it is retired; give them the new ca.pem meanwhile.
    Rotate,
    /// Forget the CAs that were replaced.
    Retire,
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

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account, and print the key of its root once, as a profile of a credentials file.
    Create {
        /// The node's data directory: where its key is.
        #[arg(long, value_name = "DIR", default_value = "data")]
        data: PathBuf,
        /// The account's number: twelve digits; one is drawn if none is given.
        #[arg(long, value_name = "NUMBER")]
        account: Option<String>,
        /// What to call it.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// List the accounts: number, key of the root, since when, name.
    List {
        /// The node's data directory: where its key is.
        #[arg(long, value_name = "DIR", default_value = "data")]
        data: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Give a root another key, on a running node.
    Rotate(RotateArguments),
    /// Seal the data key with another master key, while no node runs on the data.
    RotateMaster(RotateMasterArguments),
}

#[derive(Args)]
pub(crate) struct RotateArguments {
    /// The node's data directory: where its key is, and the new one will be.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// The account whose root it is, if it is not the first; then the new key is printed once.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) account: Option<String>,
    /// How long the old key stays good: 90s, 30m, 1h, 7d.
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = crate::operator::duration)]
    pub(crate) overlap: Duration,
}

#[derive(Args)]
pub(crate) struct RotateMasterArguments {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// A file with the old key, if neither HEADWATER_MASTER_KEY nor master.key in the data directory is it.
    #[arg(long, value_name = "FILE")]
    pub(crate) master_key_file: Option<PathBuf>,
    /// A file with the new key; HEADWATER_NEW_MASTER_KEY may hold it too. If neither is given, and the old one is in the data directory,
    /// the new one is generated there.
    #[arg(long, value_name = "FILE")]
    pub(crate) new_master_key_file: Option<PathBuf>,
}
