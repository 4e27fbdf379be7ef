//! Secrets at rest and in clients' hands: encrypted and authenticated with AES-256-GCM under the node's sealing key.
//!
//! 1. What is sealed for one purpose does not open for another: the purpose is authenticated with it.
//! 2. A nonce is drawn for each sealing: 96 random bits, so that one key is good for 2³² of them (NIST SP 800-38D §8.3).
//!
//! The key is kept in the metadata store, so that sessions survive a restart; whoever can read the store can open what is sealed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use kernel::{Entropy, Secret};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use store::Entity;

/// The node's sealing key. Key: `key`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SealingKey {
    /// 32 bytes in URL-safe base64.
    pub(crate) key: String,
}

impl Entity for SealingKey {
    const TABLE: &'static str = "iam_sealing_key";
    const VERSION: u8 = 1;
}

/// Seals and opens.
pub(crate) struct Sealer {
    key: LessSafeKey,
    entropy: Entropy,
}

impl SealingKey {
    pub(crate) fn generate(entropy: &Entropy) -> Self {
        Self { key: URL_SAFE.encode(entropy.bytes::<32>()) }
    }
}

impl Sealer {
    /// None if the stored key is not one.
    pub(crate) fn new(stored: &SealingKey, entropy: Entropy) -> Option<Self> {
        let bytes = Secret::new(URL_SAFE.decode(&stored.key).ok()?);
        let key = UnboundKey::new(&AES_256_GCM, bytes.expose()).ok()?;
        Some(Self { key: LessSafeKey::new(key), entropy })
    }

    /// Text that only [`Sealer::open`] with the same purpose understands.
    pub(crate) fn seal(&self, purpose: &str, plain: &[u8]) -> String {
        let nonce = self.entropy.bytes::<NONCE_LEN>();
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose), &mut sealed)
            .expect("what is sealed is far below AES-GCM's 64 GiB");
        URL_SAFE.encode([nonce.as_slice(), &sealed].concat())
    }

    /// None for what was not sealed by this key for this purpose.
    pub(crate) fn open(&self, purpose: &str, sealed: &str) -> Option<Secret<Vec<u8>>> {
        let bytes = URL_SAFE.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = sealed.to_vec();
        let length = self.key.open_in_place(nonce, Aad::from(purpose), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(Secret::new(plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_purpose_and_unchanged_only() {
        let entropy = Entropy::seeded(1);
        let stored = SealingKey::generate(&entropy);
        let sealer = Sealer::new(&stored, entropy.clone()).unwrap();
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
        let other = Sealer::new(&SealingKey::generate(&entropy), entropy).unwrap();
        assert!(other.open("a", &sealed).is_none());
        assert!(sealer.open("a", "").is_none());
        assert!(Sealer::new(&SealingKey { key: "x".to_owned() }, Entropy::seeded(1)).is_none());
    }

    #[test]
    fn version_1_reads() {
        let bytes = b"\x01{\"key\":\"AAAA\"}";
        let key: SealingKey = store::entity::decode(bytes).unwrap();
        assert_eq!(key.key, "AAAA");
    }
}
