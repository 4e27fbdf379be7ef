//! The right to change something: one change at a time, first in the store, then in the caches, before the operation answers.
//!
//! 1. Whoever changes something says what it touches before it commits, and settles after: what was touched is read again from the
//!    store.
//! 2. What was touched and not settled (the caller went away meanwhile, or a commit failed with an unknown outcome) is settled by the
//!    next change, before it begins. Nobody was told of that change, so nobody can miss it until then.
//! 3. So a cache entry is never overwritten by an older one.

use std::collections::BTreeSet;

use kernel::{AccountId, Context, Region};
use tokio::sync::MutexGuard;

use crate::{Error, Iot};

/// What may be in the store and not in the caches.
#[derive(Default)]
pub(crate) struct Touched {
    certificates: BTreeSet<(AccountId, Region, String)>,
    rules: bool,
    authorities: bool,
    revocations: bool,
}

/// See the file's header.
pub(crate) struct Turn<'a>(MutexGuard<'a, Touched>);

impl Iot {
    /// Waits for the changes before, and makes up for one that was cut off.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, Error> {
        let mut turn = Turn(self.changing.lock().await);
        turn.settle(self).await?;
        Ok(turn)
    }
}

impl Turn<'_> {
    /// A certificate's status, policies or things are about to change.
    pub(crate) fn touches_certificate(&mut self, cx: &Context, certificate_id: &str) {
        self.0.certificates.insert((cx.account.clone(), cx.region.clone(), certificate_id.to_owned()));
    }

    /// The rules are about to change.
    pub(crate) fn touches_rules(&mut self) {
        self.0.rules = true;
    }

    /// The CAs are about to change.
    pub(crate) fn touches_authorities(&mut self) {
        self.0.authorities = true;
    }

    /// What is revoked is about to change.
    pub(crate) fn touches_revocations(&mut self) {
        self.0.revocations = true;
    }

    /// Reads again what was touched.
    ///
    /// # Errors
    /// When the store cannot be read; then the next change tries again.
    pub(crate) async fn settle(&mut self, iot: &Iot) -> Result<(), Error> {
        while let Some((account, region, id)) = self.0.certificates.first() {
            iot.refresh_certificate(account, region, id).await?;
            self.0.certificates.pop_first();
        }
        if self.0.rules {
            iot.refresh_rules().await?;
            self.0.rules = false;
        }
        if self.0.authorities {
            iot.refresh_authorities().await?;
            self.0.authorities = false;
        }
        if self.0.revocations {
            iot.forget_lists().await;
            self.0.revocations = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures::future::{self, BoxFuture, FutureExt};
    use kernel::{ManualClock, Timestamp};
    use serde_json::json;
    use store::meta::memory::MemoryMetaStore;
    use store::meta::{CommitError, MetaStore, Page, StoreError, Versioned, Watch};
    use store::{Batch, Revision};

    use crate::ops::testing::{call, iot_on};

    /// A store that commits and does not come back to say so, if it is told to.
    struct Silent {
        inner: MemoryMetaStore,
        silent: AtomicBool,
    }

    impl MetaStore for Silent {
        fn get(&self, key: &[u8]) -> BoxFuture<'_, Result<Option<Versioned>, StoreError>> {
            self.inner.get(key)
        }

        fn scan(
            &self,
            prefix: &[u8],
            after: Option<&[u8]>,
            limit: usize,
        ) -> BoxFuture<'_, Result<Page, StoreError>> {
            self.inner.scan(prefix, after, limit)
        }

        fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>> {
            async move {
                let committed = self.inner.commit(batch).await;
                if self.silent.load(Ordering::SeqCst) {
                    future::pending::<()>().await;
                }
                committed
            }
            .boxed()
        }

        fn revision(&self) -> Revision {
            self.inner.revision()
        }

        fn watch(&self, prefix: &[u8], after: Revision) -> Watch {
            self.inner.watch(prefix, after)
        }
    }

    #[tokio::test]
    async fn a_caller_who_leaves_between_store_and_cache_leaves_nothing_stale_behind() {
        let store = Arc::new(Silent { inner: MemoryMetaStore::new(), silent: AtomicBool::new(false) });
        let meta: Arc<dyn MetaStore> = Arc::clone(&store) as _;
        let iot = iot_on(&meta, &ManualClock::new(Timestamp::from_millis(1_500_000_000_000))).await;
        let create = async || {
            let created = call(&iot, "CreateKeysAndCertificate", json!({"setAsActive": true})).await;
            created["certificateId"].as_str().unwrap().to_owned()
        };
        let (first, second) = (create().await, create().await);
        let active = |id: &str| ports::Devices::identity(&*iot.iot, id).unwrap().active;
        let deactivate = |id: &str| json!({"certificateId": id, "newStatus": "REVOKED"});
        store.silent.store(true, Ordering::SeqCst);
        assert!(call(&iot, "UpdateCertificate", deactivate(&first)).now_or_never().is_none());
        store.silent.store(false, Ordering::SeqCst);
        assert!(active(&first), "nobody was told of it");
        call(&iot, "UpdateCertificate", deactivate(&second)).await;
        assert!(!active(&first) && !active(&second));
    }
}
