//! The root access key: given by the operator, or generated at the first start into a file only its owner can read.
//!
//! The file has the form of an AWS shared credentials file, so that clients may read it as it is:
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use kernel::{Entropy, Secret};

/// Characters of an access key id: upper-case letters and the digits 2–7, as AWS draws them.
const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Characters of a secret access key.
const SECRET_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Larger than any credentials file we have written.
const FILE_BYTES_MAX: u64 = 4096;

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
        let io = |source| RootKeyError::Io { action: "read", path: path.display().to_string(), source };
        let file = File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(RootKeyError::Exposed { path: path.display().to_string(), mode });
        }
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(io)?;
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let (found, value) = line.split_once('=')?;
                (found.trim() == name).then(|| value.trim().to_owned())
            })
        };
        match (value("aws_access_key_id"), value("aws_secret_access_key")) {
            (Some(id), Some(secret)) if !id.is_empty() && !secret.is_empty() => Ok(Self::new(id, secret)),
            _ => Err(RootKeyError::Malformed { path: path.display().to_string() }),
        }
    }

    /// The key in `path`, generated and written durably with mode 0600 if there is no such file.
    ///
    /// # Errors
    /// See [`RootKeyError`].
    pub fn load_or_generate(path: &Path, entropy: &Entropy) -> Result<Self, RootKeyError> {
        match Self::load(path) {
            Err(RootKeyError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            loaded => return loaded,
        }
        let key = Self::generate(entropy);
        let text = format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            key.access_key_id,
            key.secret_access_key.expose()
        );
        write_durably(path, text.as_bytes()).map_err(|source| RootKeyError::Io {
            action: "write",
            path: path.display().to_string(),
            source,
        })?;
        Ok(key)
    }
}

/// The file appears whole or not at all, also after a crash.
fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_kept_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials");
        let key = RootKey::load_or_generate(&path, &Entropy::seeded(1)).unwrap();
        assert_eq!((key.access_key_id.len(), key.secret_access_key.expose().len()), (20, 40));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = RootKey::load_or_generate(&path, &Entropy::seeded(2)).unwrap();
        assert_eq!(again.access_key_id, key.access_key_id);
        assert_eq!(again.secret_access_key, key.secret_access_key);
    }

    #[test]
    fn an_exposed_or_malformed_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials");
        std::fs::write(&path, "[default]\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = RootKey::load_or_generate(&path, &Entropy::seeded(1));
        assert!(matches!(refused, Err(RootKeyError::Exposed { mode: 0o644, .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let refused = RootKey::load_or_generate(&path, &Entropy::seeded(1));
        assert!(matches!(refused, Err(RootKeyError::Malformed { .. })));
    }
}
