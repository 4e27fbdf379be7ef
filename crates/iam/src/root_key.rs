//! The root access key: given by the operator, or generated at the first start into a file only its owner can read.
//!
//! The file has the form of an AWS shared credentials file, so that clients may read it as it is:
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>. Beside the key, which is the default profile's, it may hold the
//! one before, for as long as both are good ([`crate::root_keys`]).

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kernel::{Entropy, Secret, Timestamp};

/// Characters of an access key id: upper-case letters and the digits 2–7, as AWS draws them.
const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Characters of a secret access key.
const SECRET_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Larger than any credentials file we have written.
const FILE_BYTES_MAX: u64 = 4096;

/// The profile of the key of now, which clients take unless told otherwise.
const DEFAULT: &str = "default";

/// The profile of the key before.
const PREVIOUS: &str = "previous";

/// An access key and its secret.
#[derive(Clone, Debug)]
pub struct RootKey {
    /// 20 characters when generated: `AKIA…`.
    pub access_key_id: String,
    /// 40 characters when generated.
    pub secret_access_key: Secret<String>,
}

/// Why there is no root key.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The file cannot be read or written.
    #[error("cannot {action} the credentials file {path}")]
    Io {
        /// `read`, `write`.
        action: &'static str,
        /// The file.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is there but holds no key.
    #[error("{path} holds no aws_access_key_id and aws_secret_access_key")]
    Malformed {
        /// The file.
        path: String,
    },
    /// Others may read the file.
    #[error("{path} is readable by others (mode {mode:o}); it must be 600")]
    Exposed {
        /// The file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
}

impl RootKey {
    /// A key chosen by the operator.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self { access_key_id: access_key_id.into(), secret_access_key: Secret::new(secret_access_key.into()) }
    }

    /// A new key.
    pub fn generate(entropy: &Entropy) -> Self {
        Self::new(format!("AKIA{}", entropy.text(ID_ALPHABET, 16)), entropy.text(SECRET_ALPHABET, 40))
    }

    /// The key in `path`.
    ///
    /// # Errors
    /// `Io` with [`ErrorKind::NotFound`] as source when there is no such file.
    pub fn load(path: &Path) -> Result<Self, RootKeyError> {
        read(path).map(|stored| stored.current)
    }
}

/// What the file holds.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) current: RootKey,
    pub(crate) previous: Option<Previous>,
}

/// The key before, and when it is over.
#[derive(Clone, Debug)]
pub(crate) struct Previous {
    pub(crate) key: RootKey,
    pub(crate) until: Timestamp,
}

/// The keys in `path`.
///
/// # Errors
/// `Io` with [`ErrorKind::NotFound`] as source when there is no such file.
pub(crate) fn read(path: &Path) -> Result<Stored, RootKeyError> {
    let io = |source| RootKeyError::Io { action: "read", path: path.display().to_string(), source };
    let file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(RootKeyError::Exposed { path: path.display().to_string(), mode });
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(io)?;
    parse(Secret::new(text).expose())
        .ok_or_else(|| RootKeyError::Malformed { path: path.display().to_string() })
}

/// None without a key in the default profile; a file without any profile is taken for it.
fn parse(text: &str) -> Option<Stored> {
    let profile = |wanted: &str| {
        let (mut within, mut found) = (wanted == DEFAULT, Vec::new());
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                within = name.trim() == wanted;
            } else if let Some((name, value)) = line.split_once('=').filter(|_| within) {
                found.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        found
    };
    let value = |profile: &[(String, String)], name: &str| {
        let found = profile.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        found.filter(|value| !value.is_empty())
    };
    let key = |profile: &[(String, String)]| {
        Some(RootKey::new(value(profile, "aws_access_key_id")?, value(profile, "aws_secret_access_key")?))
    };
    let before = profile(PREVIOUS);
    let until = value(&before, "good_until_ms").and_then(|ms| ms.parse().ok()).map(Timestamp::from_millis);
    let previous = key(&before).zip(until).map(|(key, until)| Previous { key, until });
    Some(Stored { current: key(&profile(DEFAULT))?, previous })
}

/// Writes the keys durably with mode 0600. The file appears whole or not at all, also after a crash.
///
/// # Errors
/// `Io`.
pub(crate) fn write(path: &Path, stored: &Stored) -> Result<(), RootKeyError> {
    let section = |name: &str, key: &RootKey| {
        let (id, secret) = (&key.access_key_id, key.secret_access_key.expose());
        format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
    };
    let mut text = section(DEFAULT, &stored.current);
    if let Some(Previous { key, until }) = &stored.previous {
        let (at, ms) = (until.to_iso8601(), until.as_millis());
        text = format!("{text}\n# Good until {at}.\n{}good_until_ms = {ms}\n", section(PREVIOUS, key));
    }
    let text = Secret::new(text);
    store::data_dir::write_secret(path, text.expose().as_bytes()).map_err(|source| RootKeyError::Io {
        action: "write",
        path: path.display().to_string(),
        source,
    })
}

/// The keys in `path`, generated and written if there is no such file.
///
/// # Errors
/// See [`RootKeyError`].
pub(crate) fn load_or_generate(path: &Path, entropy: &Entropy) -> Result<Stored, RootKeyError> {
    match read(path) {
        Err(RootKeyError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
        read => return read,
    }
    let stored = Stored { current: RootKey::generate(entropy), previous: None };
    write(path, &stored)?;
    Ok(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_kept_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials");
        let key = load_or_generate(&path, &Entropy::seeded(1)).unwrap().current;
        assert_eq!((key.access_key_id.len(), key.secret_access_key.expose().len()), (20, 40));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = load_or_generate(&path, &Entropy::seeded(2)).unwrap().current;
        assert_eq!(again.access_key_id, key.access_key_id);
        assert_eq!(again.secret_access_key, key.secret_access_key);
    }

    #[test]
    fn an_exposed_or_malformed_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials");
        std::fs::write(&path, "[default]\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = load_or_generate(&path, &Entropy::seeded(1));
        assert!(matches!(refused, Err(RootKeyError::Exposed { mode: 0o644, .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let refused = load_or_generate(&path, &Entropy::seeded(1));
        assert!(matches!(refused, Err(RootKeyError::Malformed { .. })));
    }
}
