//! Secrets at rest: encrypted and authenticated with AES-256-GCM, under a data key that is itself sealed.
//!
//! ```text
//! master key (the operator's, in none of the stores) ─seals─► data key (in MetaStore) ─seals─► secrets (in MetaStore, in tokens)
//! ```
//!
//! 1. What is sealed for one purpose does not open for another: the purpose is authenticated with it.
//! 2. A nonce is drawn for each sealing: 96 random bits, so that one key is good for 2³² of them (NIST SP 800-38D §8.3).
//! 3. A data key is made only where there is none. A master key that does not open the one that is there is refused, and told apart
//!    from damage by its fingerprint.
//! 4. Another master key seals the data key anew and nothing else: what the data key has sealed stays as it is.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use kernel::{Entropy, Secret};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::{Entity, MetaStore, Table, TableError};

/// The first byte of everything sealed; a later form gets another.
const FORM: u8 = 1;

/// For what the data key is sealed.
const DATA_KEY: &str = "data key";

/// The key of the only row of its table.
const ROW: [&str; 1] = ["key"];

/// The key that seals the data key. Whoever has it and the metadata store has every secret of the node.
#[derive(Clone, Debug)]
pub struct MasterKey(Secret<[u8; 32]>);

/// Seals and opens under the data key. Clones share it.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LessSafeKey>,
    entropy: Entropy,
}

/// The data key as it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct DataKey {
    /// Of the master key that sealed it.
    fingerprint: String,
    sealed: String,
}

impl Entity for DataKey {
    const TABLE: &'static str = "data_key";
    const VERSION: u8 = 1;
}

/// Why nothing can be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Another master key sealed the data key.
    #[error(
        "the master key is not the one that this data is sealed with: its fingerprint is {given}, that of the data's is {wanted}"
    )]
    WrongMasterKey {
        /// Fingerprint of the key that was given.
        given: String,
        /// Fingerprint of the key that is needed.
        wanted: String,
    },
    /// The right master key does not open it.
    #[error("the sealed data key is damaged")]
    Damaged,
    /// The store could not, or holds what no release has written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl MasterKey {
    /// A new key.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(Secret::new(entropy.bytes::<32>()))
    }

    /// A key written as base64 of its 32 bytes, with white space around it or not.
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = Secret::new(STANDARD.decode(text.trim()).ok()?);
        Some(Self(Secret::new(bytes.expose().as_slice().try_into().ok()?)))
    }

    /// What [`MasterKey::from_base64`] reads.
    pub fn to_base64(&self) -> Secret<String> {
        Secret::new(STANDARD.encode(self.0.expose()))
    }

    /// Tells keys apart without telling anything of them: 16 hex digits.
    pub fn fingerprint(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose());
        let tag = hmac::sign(&key, b"fingerprint of a master key");
        tag.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn sealer(&self, entropy: &Entropy) -> Sealer {
        Sealer::of(self.0.expose(), entropy.clone())
    }

    fn seal(&self, data_key: &[u8], entropy: &Entropy) -> DataKey {
        DataKey { fingerprint: self.fingerprint(), sealed: self.sealer(entropy).seal(DATA_KEY, data_key) }
    }

    fn open(&self, stored: &DataKey, entropy: &Entropy) -> Result<Secret<Vec<u8>>, SealError> {
        let given = self.fingerprint();
        if given != stored.fingerprint {
            return Err(SealError::WrongMasterKey { given, wanted: stored.fingerprint.clone() });
        }
        let opened = self.sealer(entropy).open(DATA_KEY, &stored.sealed);
        opened.filter(|key| key.expose().len() == 32).ok_or(SealError::Damaged)
    }
}

/// Opens the data key in `meta`, or makes one where there is none.
///
/// # Errors
/// [`SealError`]. A store that has a data key keeps it, whatever happens.
pub async fn open(
    meta: &Arc<dyn MetaStore>,
    master: &MasterKey,
    entropy: &Entropy,
) -> Result<Sealer, SealError> {
    let keys = Table::<DataKey>::new(Arc::clone(meta));
    let key = match keys.get(&ROW).await? {
        Some(stored) => master.open(&stored.entity, entropy)?,
        None => {
            let key = Secret::new(entropy.bytes::<32>().to_vec());
            keys.insert(&ROW, &master.seal(key.expose(), entropy)).await?;
            key
        }
    };
    Ok(Sealer::of(key.expose(), entropy.clone()))
}

/// The fingerprint of the master key that the data in `meta` is sealed with; none where nothing is sealed yet.
///
/// # Errors
/// When the store cannot be read.
pub async fn fingerprint(meta: &Arc<dyn MetaStore>) -> Result<Option<String>, TableError> {
    let stored = Table::<DataKey>::new(Arc::clone(meta)).get(&ROW).await?;
    Ok(stored.map(|stored| stored.entity.fingerprint))
}

/// Seals the data key in `meta` with `new` instead of `old`, in one commit.
///
/// # Errors
/// [`SealError`], and [`TableError::Conflict`] where there is none.
pub async fn rotate(
    meta: &Arc<dyn MetaStore>,
    (old, new): (&MasterKey, &MasterKey),
    entropy: &Entropy,
) -> Result<(), SealError> {
    let keys = Table::<DataKey>::new(Arc::clone(meta));
    let stored = keys.get(&ROW).await?.ok_or(TableError::Conflict)?;
    let key = old.open(&stored.entity, entropy)?;
    keys.update(&ROW, &new.seal(key.expose(), entropy), stored.revision).await?;
    Ok(())
}

impl Sealer {
    /// A sealer under a key of its own, for tests of what needs one.
    pub fn new(entropy: &Entropy) -> Self {
        Self::of(&entropy.bytes::<32>(), entropy.clone())
    }

    fn of(key: &[u8], entropy: Entropy) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("callers pass 32 bytes");
        Self { key: Arc::new(LessSafeKey::new(key)), entropy }
    }

    /// Text that only [`Sealer::open`] with the same purpose understands.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> String {
        let nonce = self.entropy.bytes::<NONCE_LEN>();
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(authenticated(purpose)),
                &mut sealed,
            )
            .expect("what is sealed is far below AES-GCM's 64 GiB");
        URL_SAFE.encode([&[FORM], nonce.as_slice(), &sealed].concat())
    }

    /// None for what was not sealed by this key for this purpose.
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<Secret<Vec<u8>>> {
        let bytes = URL_SAFE.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.strip_prefix(&[FORM])?.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = sealed.to_vec();
        let opened = self.key.open_in_place(nonce, Aad::from(authenticated(purpose)), &mut plain);
        let length = opened.ok()?.len();
        plain.truncate(length);
        Some(Secret::new(plain))
    }
}

fn authenticated(purpose: &str) -> Vec<u8> {
    [&[FORM], purpose.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meta::memory::MemoryMetaStore;

    fn meta() -> Arc<dyn MetaStore> {
        Arc::new(MemoryMetaStore::new())
    }

    #[test]
    fn what_is_sealed_opens_for_its_purpose_and_unchanged_only() {
        let entropy = Entropy::seeded(1);
        let sealer = Sealer::new(&entropy);
        let sealed = sealer.seal("a", b"secret");
        assert_eq!(sealer.open("a", &sealed).unwrap().expose(), b"secret");
        assert!(sealer.open("b", &sealed).is_none());
        assert_ne!(sealer.seal("a", b"secret"), sealed);
        let mut bytes = URL_SAFE.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(sealer.open("a", &URL_SAFE.encode(&bytes)).is_none(), "byte {at}");
            bytes[at] ^= 1;
        }
        assert!(Sealer::new(&entropy).open("a", &sealed).is_none());
        for nonsense in ["", "AQ==", "€"] {
            assert!(sealer.open("a", nonsense).is_none(), "{nonsense}");
        }
    }

    #[test]
    fn a_master_key_is_thirty_two_bytes_of_base64_and_prints_as_nothing() {
        let key = MasterKey::generate(&Entropy::seeded(1));
        let text = key.to_base64();
        let again = MasterKey::from_base64(&format!("\n{}\n", text.expose())).unwrap();
        assert_eq!(again.fingerprint(), key.fingerprint());
        assert_eq!(format!("{key:?}"), "MasterKey(***)");
        for bad in ["", "AAAA", "not base64 at all, but forty-three letters!"] {
            assert!(MasterKey::from_base64(bad).is_none(), "{bad}");
        }
    }

    #[tokio::test]
    async fn the_data_key_is_kept_sealed_and_a_wrong_master_key_changes_nothing() {
        let (meta, entropy) = (meta(), Entropy::seeded(1));
        let (master, other) = (MasterKey::generate(&entropy), MasterKey::generate(&entropy));
        assert_eq!(fingerprint(&meta).await.unwrap(), None);
        let sealed = open(&meta, &master, &entropy).await.unwrap().seal("a", b"secret");
        assert_eq!(fingerprint(&meta).await.unwrap(), Some(master.fingerprint()));
        let revision = meta.revision();
        let error = open(&meta, &other, &entropy).await.err().unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "the master key is not the one that this data is sealed with: its fingerprint is {}, that of the data's is {}",
                other.fingerprint(),
                master.fingerprint()
            )
        );
        assert_eq!(meta.revision(), revision);
        let again = open(&meta, &master, &entropy).await.unwrap();
        assert_eq!(again.open("a", &sealed).unwrap().expose(), b"secret");
        let page = meta.scan(&[], None, 10).await.unwrap();
        let stored: Vec<u8> = page.iter().flat_map(|(_, found)| found.value.to_vec()).collect();
        let master = master.to_base64();
        assert!(!String::from_utf8_lossy(&stored).contains(master.expose().as_str()));
    }

    #[tokio::test]
    async fn another_master_key_opens_what_the_old_one_did_and_the_old_one_no_more() {
        let (meta, entropy) = (meta(), Entropy::seeded(1));
        let (old, new) = (MasterKey::generate(&entropy), MasterKey::generate(&entropy));
        let missing = rotate(&meta, (&old, &new), &entropy).await;
        assert!(matches!(missing, Err(SealError::Table(TableError::Conflict))));
        let sealed = open(&meta, &old, &entropy).await.unwrap().seal("a", b"secret");
        let wrong = rotate(&meta, (&new, &old), &entropy).await;
        assert!(matches!(wrong, Err(SealError::WrongMasterKey { .. })));
        rotate(&meta, (&old, &new), &entropy).await.unwrap();
        assert!(matches!(open(&meta, &old, &entropy).await, Err(SealError::WrongMasterKey { .. })));
        let sealer = open(&meta, &new, &entropy).await.unwrap();
        assert_eq!(sealer.open("a", &sealed).unwrap().expose(), b"secret");
    }

    #[tokio::test]
    async fn a_damaged_data_key_is_told_apart_from_a_wrong_master_key() {
        let (meta, entropy) = (meta(), Entropy::seeded(1));
        let master = MasterKey::generate(&entropy);
        open(&meta, &master, &entropy).await.unwrap();
        let damaged = DataKey { fingerprint: master.fingerprint(), sealed: "AQ==".to_owned() };
        Table::<DataKey>::new(Arc::clone(&meta)).put(&ROW, &damaged).await.unwrap();
        assert!(matches!(open(&meta, &master, &entropy).await, Err(SealError::Damaged)));
    }

    #[test]
    fn version_1_reads() {
        let bytes = b"\x01{\"fingerprint\":\"ab\",\"sealed\":\"AAAA\"}";
        let key: DataKey = crate::entity::decode(bytes).unwrap();
        assert_eq!((key.fingerprint.as_str(), key.sealed.as_str()), ("ab", "AAAA"));
    }
}
