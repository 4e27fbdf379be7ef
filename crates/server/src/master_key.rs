//! The master key: from a file or the environment as the operator says, or generated beside the data at the first start.
//!
//! 1. A new key is never generated over data that is sealed with another.
//! 2. Of the key beside the data there may be a next one, for the moment in which a rotation is cut off: which of the two is the key
//!    is what the data says, as it is sealed with one of them.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use kernel::{Entropy, Secret};
use store::{DataDir, MasterKey, MetaStore};

use crate::cli::RotateMasterArguments;
use crate::config;
use crate::run::say;

/// The environment variables that hold a key.
const VARIABLE: &str = "HEADWATER_MASTER_KEY";
const NEW_VARIABLE: &str = "HEADWATER_NEW_MASTER_KEY";

/// Larger than any key file: 44 characters and a line end.
const FILE_BYTES_MAX: u64 = 256;

/// The key's files in a data directory.
struct Beside {
    key: PathBuf,
    next: PathBuf,
}

impl Beside {
    fn of(data: &Path) -> Self {
        Self { key: data.join("master.key"), next: data.join("master.key.next") }
    }
}

/// The key that opens what is in `meta`, generated if nothing is sealed there yet.
///
/// # Errors
/// When there is none, or one that cannot be read. Whether it is the right one is found when it is used.
pub(crate) async fn load(
    file: Option<&Path>,
    data: &Path,
    meta: &Arc<dyn MetaStore>,
    entropy: &Entropy,
) -> anyhow::Result<MasterKey> {
    if let Some(key) = given(file, "--master-key-file", VARIABLE)? {
        return Ok(key);
    }
    let beside = Beside::of(data);
    let wanted = store::seal::fingerprint(meta).await.context("cannot read the metadata store")?;
    if let Some(key) = found(&beside, wanted.as_deref())? {
        return Ok(key);
    }
    if let Some(wanted) = wanted {
        bail!(
            "the master key is missing: {} is sealed with the one whose fingerprint is {wanted}; put it back to {}, or name it with \
             --master-key-file or {VARIABLE}",
            data.display(),
            beside.key.display()
        );
    }
    let key = MasterKey::generate(entropy);
    write(&beside.key, &key)?;
    Ok(key)
}

/// The key beside the data, after a rotation that was cut off too.
fn found(beside: &Beside, wanted: Option<&str>) -> anyhow::Result<Option<MasterKey>> {
    if let Some(next) = read(&beside.next)? {
        if wanted == Some(next.fingerprint().as_str()) {
            std::fs::rename(&beside.next, &beside.key)
                .with_context(|| format!("cannot rename {}", beside.next.display()))?;
            return Ok(Some(next));
        }
        remove(&beside.next)?;
    }
    read(&beside.key)
}

/// `headwater key rotate-master`: seals the data key with another master key, while no node runs.
pub(crate) async fn rotate(arguments: RotateMasterArguments) -> anyhow::Result<()> {
    let RotateMasterArguments { data, master_key_file, new_master_key_file } = arguments;
    if !data.is_dir() {
        bail!("there is no data directory {}", data.display());
    }
    let held = DataDir::open(&data)?;
    let meta =
        store::meta::local::LocalMetaStore::open(&held.meta()).context("cannot open the metadata store")?;
    let meta: Arc<dyn MetaStore> = Arc::new(meta);
    let entropy = Entropy::from_os();
    let sealed = store::seal::fingerprint(&meta).await.context("cannot read the metadata store")?;
    let Some(sealed) = sealed else { bail!("nothing is sealed in {} yet", data.display()) };
    let beside = Beside::of(&data);
    let chosen = given(master_key_file.as_deref(), "--master-key-file", VARIABLE)?;
    let is_beside = chosen.is_none();
    let old = match chosen {
        Some(old) => old,
        None => found(&beside, Some(&sealed))?
            .with_context(|| format!("the master key is missing: {} is not there", beside.key.display()))?,
    };
    let new = match given(new_master_key_file.as_deref(), "--new-master-key-file", NEW_VARIABLE)? {
        Some(new) => {
            store::seal::rotate(&meta, (&old, &new), &entropy).await?;
            if is_beside {
                remove(&beside.key)?;
            }
            new
        }
        None if is_beside => {
            let new = MasterKey::generate(&entropy);
            write(&beside.next, &new)?;
            store::seal::rotate(&meta, (&old, &new), &entropy).await?;
            std::fs::rename(&beside.next, &beside.key)
                .with_context(|| format!("cannot rename {}", beside.next.display()))?;
            new
        }
        None => bail!("name the new key with --new-master-key-file or {NEW_VARIABLE}"),
    };
    say(&format!(
        "The master key with the fingerprint {} opens {} from now on.",
        new.fingerprint(),
        data.display()
    ));
    Ok(())
}

/// The key that the operator has chosen, by a file or by the environment.
fn given(file: Option<&Path>, flag: &str, variable: &str) -> anyhow::Result<Option<MasterKey>> {
    let text = config::variable(variable).filter(|text| !text.is_empty()).map(Secret::new);
    match (file, text) {
        (Some(_), Some(_)) => bail!("{flag} and {variable} must not be set both"),
        (Some(file), None) => {
            let key = read(file)?.with_context(|| format!("{flag}: there is no file {}", file.display()))?;
            Ok(Some(key))
        }
        (None, Some(text)) => {
            let key = MasterKey::from_base64(text.expose());
            Ok(Some(key.with_context(|| format!("{variable} is not 32 bytes in base64"))?))
        }
        (None, None) => Ok(None),
    }
}

/// The key in a file that only its owner may read; none if there is no such file.
fn read(path: &Path) -> anyhow::Result<Option<MasterKey>> {
    let cannot = || format!("cannot read the master key in {}", path.display());
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(cannot)?,
    };
    let mode = file.metadata().with_context(cannot)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("{} is readable by others (mode {mode:o}); it must be 600", path.display());
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).with_context(cannot)?;
    let key = MasterKey::from_base64(Secret::new(text).expose());
    Ok(Some(key.with_context(|| format!("{} is not 32 bytes in base64", path.display()))?))
}

fn write(path: &Path, key: &MasterKey) -> anyhow::Result<()> {
    let line = Secret::new(format!("{}\n", key.to_base64().expose()));
    store::data_dir::write_secret(path, line.expose().as_bytes())
        .with_context(|| format!("cannot write the master key to {}", path.display()))
}

fn remove(path: &Path) -> anyhow::Result<()> {
    std::fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))
}

#[cfg(test)]
mod tests {
    use store::meta::memory::MemoryMetaStore;

    use super::*;

    struct Bench {
        dir: tempfile::TempDir,
        meta: Arc<dyn MetaStore>,
        entropy: Entropy,
    }

    impl Bench {
        fn new() -> Self {
            let meta = Arc::new(MemoryMetaStore::new());
            Self { dir: tempfile::tempdir().unwrap(), meta, entropy: Entropy::seeded(1) }
        }

        fn beside(&self) -> Beside {
            Beside::of(self.dir.path())
        }

        async fn load(&self) -> anyhow::Result<MasterKey> {
            load(None, self.dir.path(), &self.meta, &self.entropy).await
        }

        /// A node has been started.
        async fn sealed(&self) -> MasterKey {
            let key = self.load().await.unwrap();
            store::seal::open(&self.meta, &key, &self.entropy).await.unwrap();
            key
        }
    }

    #[tokio::test]
    async fn a_key_is_generated_once_and_never_over_sealed_data() {
        let bench = Bench::new();
        let key = bench.sealed().await;
        assert_eq!(bench.load().await.unwrap().fingerprint(), key.fingerprint());
        std::fs::remove_file(bench.beside().key).unwrap();
        let error = bench.load().await.unwrap_err().to_string();
        assert!(
            error.starts_with("the master key is missing") && error.contains(&key.fingerprint()),
            "{error}"
        );
        assert!(!bench.beside().key.exists());
    }

    #[tokio::test]
    async fn a_file_that_others_may_read_or_that_is_no_key_is_refused() {
        let bench = Bench::new();
        let path = bench.dir.path().join("elsewhere");
        let load = async || load(Some(&path), bench.dir.path(), &bench.meta, &bench.entropy).await;
        assert!(load().await.unwrap_err().to_string().contains("there is no file"));
        write(&path, &MasterKey::generate(&bench.entropy)).unwrap();
        load().await.unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(load().await.unwrap_err().to_string().contains("it must be 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "AAAA").unwrap();
        assert!(load().await.unwrap_err().to_string().contains("is not 32 bytes in base64"));
    }

    #[tokio::test]
    async fn a_rotation_that_is_cut_off_leaves_the_key_that_opens_the_data() {
        let bench = Bench::new();
        let old = bench.sealed().await;
        let new = MasterKey::generate(&bench.entropy);
        // After the next key was written, before the data key was sealed with it.
        write(&bench.beside().next, &new).unwrap();
        assert_eq!(bench.load().await.unwrap().fingerprint(), old.fingerprint());
        assert!(!bench.beside().next.exists());
        // After that, before the rename.
        write(&bench.beside().next, &new).unwrap();
        store::seal::rotate(&bench.meta, (&old, &new), &bench.entropy).await.unwrap();
        for _ in 0..2 {
            assert_eq!(bench.load().await.unwrap().fingerprint(), new.fingerprint());
        }
        assert!(!bench.beside().next.exists());
    }
}
