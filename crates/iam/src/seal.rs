//! What releases before the data key have left: a sealing key in the clear beside what it sealed.
//!
//! It is replaced at the first start of a release that has a data key: every secret it sealed is sealed anew, and the key is gone, in
//! one commit. Session tokens of before are of no use after that, as whoever has a copy of the old key could make them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use kernel::Secret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use store::{Batch, Entity, Sealer, Table, TableError};

use crate::entity::AccessKey;
use crate::{Error, Iam};

/// The sealing key of before. Key: `key`.
#[derive(Clone, Serialize, Deserialize)]
struct SealingKey {
    /// 32 bytes in URL-safe base64.
    key: String,
}

impl Entity for SealingKey {
    const TABLE: &'static str = "iam_sealing_key";
    const VERSION: u8 = 1;
}

impl SealingKey {
    /// None for what this key did not seal for this purpose.
    fn open(&self, purpose: &str, sealed: &str) -> Option<Secret<Vec<u8>>> {
        let key = Secret::new(URL_SAFE.decode(&self.key).ok()?);
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).ok()?);
        let bytes = URL_SAFE.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = sealed.to_vec();
        let length = key.open_in_place(nonce, Aad::from(purpose), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(Secret::new(plain))
    }
}

impl Iam {
    /// Seals with the data key what a key in the clear has sealed, and forgets that key.
    pub(crate) async fn replace_sealing_key(&self, sealer: &Sealer) -> Result<(), Error> {
        let found = Table::<SealingKey>::new(self.meta.clone()).get(&["key"]).await?;
        let Some(old) = found.map(|stored| stored.entity) else { return Ok(()) };
        let mut batch = Batch::default().delete(Table::<SealingKey>::key(&["key"]));
        for (_, stored) in Table::<AccessKey>::new(self.meta.clone()).list(&[]).await? {
            let mut key = stored.entity;
            // One that does not open now would not later: it is told of when it is loaded.
            if let Some(secret) = old.open(&key.id, &key.sealed_secret) {
                key.sealed_secret = sealer.seal(&key.id, secret.expose());
                batch = batch.put(Table::<AccessKey>::key(&[&key.id]), store::entity::encode(&key));
            }
        }
        self.meta.commit(batch).await.map_err(TableError::from)?;
        tracing::info!("secrets that were sealed under a key in the clear are sealed under the data key");
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use kernel::{AccountId, Timestamp};
    use store::MetaStore;
    use store::meta::memory::MemoryMetaStore;

    use super::*;

    const STORED: &[u8] = b"\x01{\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}";

    #[test]
    fn version_1_reads_and_opens() {
        let key: SealingKey = store::entity::decode(STORED).unwrap();
        let sealed = sealed_before(&key, "AKIAOLD", b"a secret");
        assert_eq!(key.open("AKIAOLD", &sealed).unwrap().expose(), b"a secret");
        assert!(key.open("AKIANEW", &sealed).is_none() && key.open("AKIAOLD", "").is_none());
    }

    /// A store as the release before left it: the user `bob` with the key `AKIAOLD`, whose secret is `a secret`.
    pub(crate) async fn store_of_before() -> Arc<dyn MetaStore> {
        let meta: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::new());
        let old: SealingKey = store::entity::decode(STORED).unwrap();
        let key = AccessKey {
            id: "AKIAOLD".to_owned(),
            account: AccountId::default_account(),
            user: "bob".to_owned(),
            active: true,
            created_at: Timestamp::EPOCH,
            sealed_secret: sealed_before(&old, "AKIAOLD", b"a secret"),
        };
        let user = b"\x01{\"name\":\"bob\",\"path\":\"/\",\"id\":\"AIDA\",\"created_at\":7,\"tags\":{},\"boundary\":null,\"grants\":{\"inline\":{},\"attached\":[]},\"groups\":[]}";
        let batch = Batch::default()
            .put(Table::<SealingKey>::key(&["key"]), STORED)
            .put(Table::<AccessKey>::key(&["AKIAOLD"]), store::entity::encode(&key))
            .put(Table::<crate::entity::User>::key(&["000000000000", "bob"]), user.as_slice());
        meta.commit(batch).await.unwrap();
        meta
    }

    /// As the release before sealed.
    fn sealed_before(key: &SealingKey, purpose: &str, plain: &[u8]) -> String {
        let key = UnboundKey::new(&AES_256_GCM, &URL_SAFE.decode(&key.key).unwrap()).unwrap();
        let (nonce, mut sealed) = ([7; NONCE_LEN], plain.to_vec());
        LessSafeKey::new(key)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut sealed,
            )
            .unwrap();
        URL_SAFE.encode([nonce.as_slice(), &sealed].concat())
    }
}
