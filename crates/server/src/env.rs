//! `headwater env` and `headwater version`.

use std::path::Path;

use anyhow::Context as _;
use iam::RootKey;

use crate::cli::EnvArguments;
use crate::config;
use crate::serve::{CA_CERTIFICATE, CREDENTIALS, ENDPOINTS, Endpoints};

/// Prints what an AWS client needs, as lines for a shell.
#[expect(clippy::print_stdout, reason = "the lines are the command's result")]
pub(crate) fn print(arguments: &EnvArguments) -> anyhow::Result<()> {
    let data = std::path::absolute(&arguments.data).context("cannot tell where the data directory is")?;
    let key = match config::key_from_environment()? {
        Some(key) => key,
        None => RootKey::load(&data.join(CREDENTIALS)).with_context(|| {
            format!("no node has been started on {}; start one with `headwater serve`", data.display())
        })?,
    };
    let endpoints = endpoints(&data)?;
    let ca = data.join(CA_CERTIFICATE);
    // A certificate that the node was given is for its operator's clients to know.
    let bundle = endpoints.trust.filter(|file| *file == ca).map(|file| file.display().to_string());
    let lines = [
        ("AWS_ENDPOINT_URL", endpoints.api),
        ("AWS_ACCESS_KEY_ID", key.access_key_id.clone()),
        ("AWS_SECRET_ACCESS_KEY", key.secret_access_key.expose().clone()),
        ("AWS_REGION", endpoints.region.clone()),
        ("AWS_DEFAULT_REGION", endpoints.region),
        ("HEADWATER_CA", ca.display().to_string()),
    ];
    for (name, value) in lines.into_iter().chain(bundle.map(|file| ("AWS_CA_BUNDLE", file))) {
        println!("export {name}={}", quoted(&value));
    }
    Ok(())
}

/// Where the node on a data directory is reached.
pub(crate) fn endpoints(data: &Path) -> anyhow::Result<Endpoints> {
    let endpoints = std::fs::read(data.join(ENDPOINTS)).with_context(|| {
        format!("no node has been started on {}; start one with `headwater serve`", data.display())
    })?;
    serde_json::from_slice(&endpoints).context("endpoints.json does not parse")
}

/// A word of a POSIX shell, whatever it contains.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:+=@,%".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', "'\\''"))
}

/// Prints the version.
#[expect(clippy::print_stdout, reason = "the version is the command's result")]
#[expect(clippy::unnecessary_wraps, reason = "a command like the others")]
pub(crate) fn version() -> anyhow::Result<()> {
    println!("headwater {}", env!("CARGO_PKG_VERSION"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word_to_a_shell() {
        assert_eq!(quoted("http://127.0.0.1:4566"), "http://127.0.0.1:4566");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $(x)"), "'it'\\''s $(x)'");
        assert_eq!(quoted(""), "''");
    }
}
