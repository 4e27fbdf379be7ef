//! Flow scripts: a whole story as text, so that a new one needs no compiler.
//!
//! ```text
//! # A comment.
//! aws firehose CreateDeliveryStream {"DeliveryStreamName": "beats", …}
//! mqtt publish /health/a {"heartRate": 71}
//! sql SELECT count(*) FROM beats
//!     _col0
//!     1
//! clock +60s
//! eventually objects s3://lake/beats/
//!     1
//! crash
//! ```
//!
//! 1. A command begins at the margin; what it says is below it, indented by four spaces. One that says nothing has succeeded.
//! 2. A command that ends in `\` goes on in the next line.
//! 3. `eventually` asks again until the answer is the expected one; every other command is asked once.
//! 4. `UPDATE=1` in the environment writes what was said in place of what was expected.
//!
//! | command | says |
//! |---|---|
//! | `aws SERVICE Operation {…}` | nothing, or the error; after `show`, the output |
//! | `bucket NAME` | nothing: creates a bucket |
//! | `put s3://BUCKET/KEY TEXT` | nothing; `\n` in the text is a line break |
//! | `objects s3://BUCKET/PREFIX` | how many objects there are |
//! | `lines s3://BUCKET/PREFIX` | what is in them |
//! | `mqtt publish TOPIC PAYLOAD` | nothing, once it is acknowledged |
//! | `mqtt subscribe FILTER` · `mqtt next` | nothing · the next message: topic and payload |
//! | `sql STATEMENT` | the rows, or why there are none |
//! | `clock +60s` | nothing; also `m` and `h` |
//! | `crash` · `restart` | nothing; the devices are gone |

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use kernel::{AccountId, Context, Principal, Region};
use mqtt::Qos;
use serde_json::Value;

use crate::{Device, Sandbox, Setup};

/// What begins a line of an expectation.
const INDENT: &str = "    ";

/// How long an answer must stay the same before `UPDATE=1` takes it for the last.
const SETTLED: Duration = Duration::from_millis(500);

/// A command with what is expected of it, or lines between commands.
enum Step {
    Text(String),
    Command { text: String, expected: String },
}

/// Runs the script in `path` on a sandbox of its own.
///
/// # Panics
/// If a command says something else than expected, unless `UPDATE=1`.
#[expect(clippy::disallowed_methods, reason = "whoever runs tests says it in the environment")]
pub async fn run(path: &Path, setup: Setup) {
    let update = std::env::var("UPDATE").is_ok_and(|value| value == "1");
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut stage = Stage { sandbox: Sandbox::with(setup).await, device: None };
    let mut written = String::new();
    for step in steps(&text) {
        let (command, expected) = match step {
            Step::Text(text) => {
                written.push_str(&text);
                continue;
            }
            Step::Command { text, expected } => (text, expected),
        };
        let said = stage.say(&command, &expected, update).await;
        assert!(
            update || said == expected,
            "{}: {command}\nexpected\n{expected}\nsaid\n{said}",
            path.display()
        );
        written.push_str(&command);
        written.push('\n');
        for line in said.lines() {
            written.push_str(&format!("{INDENT}{line}\n"));
        }
    }
    if update && written != text {
        std::fs::write(path, written).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        match (steps.last_mut(), line.strip_prefix(INDENT)) {
            (Some(Step::Command { text, .. }), _) if text.ends_with('\\') => {
                text.push('\n');
                text.push_str(line);
            }
            (Some(Step::Command { expected, .. }), Some(said)) => {
                expected.push_str(said);
                expected.push('\n');
            }
            _ if line.is_empty() || line.starts_with('#') => steps.push(Step::Text(format!("{line}\n"))),
            _ => steps.push(Step::Command { text: line.to_owned(), expected: String::new() }),
        }
    }
    steps
}

struct Stage {
    sandbox: Sandbox,
    device: Option<Device>,
}

impl Stage {
    async fn say(&mut self, command: &str, expected: &str, update: bool) -> String {
        let command = command.replace("\\\n", " ");
        let Some(command) = command.strip_prefix("eventually ") else {
            return self.once(&command).await;
        };
        let mut said = String::new();
        let mut last_change = std::time::Instant::now();
        // The sandbox's patience ends this; what was said last is shown then.
        let (sandbox, device) = (&self.sandbox, &mut self.device);
        let mut answer = async || {
            let now = look(sandbox, device, command).await;
            if now != said {
                said = now;
                last_change = std::time::Instant::now();
            }
            if update { last_change.elapsed() >= SETTLED } else { said == expected }
        };
        sandbox.until(&format!("{command}\n{expected}"), &mut answer).await;
        said
    }

    async fn once(&mut self, command: &str) -> String {
        match command {
            "crash" => {
                self.device = None;
                self.sandbox.crash().await;
                String::new()
            }
            "restart" => {
                self.device = None;
                self.sandbox.restart().await;
                String::new()
            }
            _ => look(&self.sandbox, &mut self.device, command).await,
        }
    }
}

/// Every command that leaves the sandbox where it is.
async fn look(sandbox: &Sandbox, device: &mut Option<Device>, command: &str) -> String {
    let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
    match word {
        "aws" => aws(sandbox, rest).await.err().unwrap_or_default(),
        "show" => match aws(sandbox, rest.strip_prefix("aws ").expect("show aws …")).await {
            Ok(output) => lines(&serde_json::to_string_pretty(&output).expect("JSON is text")),
            Err(error) => error,
        },
        "bucket" => s3(sandbox, Method::PUT, &format!("/{rest}"), Bytes::new()).await,
        "put" => {
            let (location, text) = rest.split_once(' ').expect("put LOCATION TEXT");
            let text = text.replace("\\n", "\n");
            s3(sandbox, Method::PUT, location.strip_prefix("s3:/").expect("s3://…"), text.into()).await
        }
        "objects" => format!("{}\n", objects(sandbox, rest).await.len()),
        "lines" => contents(sandbox, rest).await,
        "mqtt" => mqtt(sandbox, device, rest).await,
        "sql" => sql(sandbox, rest).await,
        "clock" => {
            sandbox.advance(duration(rest));
            String::new()
        }
        _ => panic!("no such command: {command}"),
    }
}

async fn aws(sandbox: &Sandbox, command: &str) -> Result<Value, String> {
    let mut words = command.splitn(3, ' ');
    let (service, operation) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let input = words.next().unwrap_or("{}");
    let input = serde_json::from_str(input).unwrap_or_else(|error| panic!("{input}: {error}"));
    let account = AccountId::default_account();
    let cx = Context {
        principal: Principal::Root { account: account.clone() },
        account,
        region: Region::default_region(),
        request_id: sandbox.node().dispatcher().request_id(),
        source_ip: None,
        secure: false,
    };
    let answer = sandbox.node().dispatcher().call_as(&cx, service, operation, input).await;
    answer.map_err(|fault| format!("{}: {}\n", fault.code, fault.message))
}

async fn s3(sandbox: &Sandbox, method: Method, path: &str, body: Bytes) -> String {
    let answer = sandbox.api().send("s3", method, path, &[], body).await;
    let answer = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
    if answer.status.is_success() { String::new() } else { lines(&String::from_utf8_lossy(&answer.body)) }
}

/// The keys below a location, in order.
async fn objects(sandbox: &Sandbox, location: &str) -> Vec<String> {
    let (bucket, prefix) = split(location);
    sandbox.keys(bucket, prefix).await
}

async fn contents(sandbox: &Sandbox, location: &str) -> String {
    let (bucket, _) = split(location);
    let mut text = String::new();
    for key in objects(sandbox, location).await {
        text.push_str(&lines(&String::from_utf8_lossy(&sandbox.object(bucket, &key).await)));
    }
    text
}

fn split(location: &str) -> (&str, &str) {
    let location = location.strip_prefix("s3://").expect("s3://BUCKET/PREFIX");
    location.split_once('/').unwrap_or((location, ""))
}

async fn mqtt(sandbox: &Sandbox, device: &mut Option<Device>, command: &str) -> String {
    let device = match device {
        Some(device) => device,
        none => none.insert(sandbox.device("flow").await),
    };
    let mut words = command.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some("publish"), Some(topic), payload) => {
            device.publish(topic, payload.unwrap_or_default().to_owned()).await;
            String::new()
        }
        (Some("subscribe"), Some(filter), None) => match device.subscribe(filter, Qos::AtLeastOnce).await {
            Ok(mqtt::ReasonCode::GrantedQos1) => String::new(),
            other => format!("{other:?}\n"),
        },
        (Some("next"), None, None) => match device.message().await {
            Ok(publish) => {
                let payload = String::from_utf8_lossy(&publish.message.payload);
                format!("{} {payload}\n", publish.message.topic)
            }
            Err(closed) => format!("{closed:?}\n"),
        },
        _ => panic!("no such command: mqtt {command}"),
    }
}

async fn sql(sandbox: &Sandbox, statement: &str) -> String {
    let executed = sandbox.sql(statement).await;
    if executed.outcome != "SUCCEEDED" {
        return format!("{}\n", executed.outcome);
    }
    executed.rows.iter().map(|row| format!("{}\n", row.join(" | "))).collect()
}

fn duration(text: &str) -> Duration {
    let text = text.strip_prefix('+').expect("clock +60s");
    let digits = text.trim_end_matches(char::is_alphabetic);
    let count: u64 = digits.parse().expect("clock +60s");
    let unit = match text.strip_prefix(digits) {
        Some("s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        _ => panic!("{text}: seconds, minutes or hours"),
    };
    Duration::from_secs(count * unit)
}

/// The text with every line ended.
fn lines(text: &str) -> String {
    text.lines().map(|line| format!("{line}\n")).collect()
}
