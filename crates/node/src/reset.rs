//! `POST /_headwater/reset`: ends the services, empties the stores, begins anew.

use std::sync::{Arc, RwLock};

use futures::StreamExt;
use kernel::TaskGroup;
use kernel::tasks::TaskError;
use store::Batch;
use tokio::sync::{Mutex, mpsc};

use crate::front::{Front, ResetRequest};
use crate::parts::{Parts, Stores};
use crate::services::Services;
use crate::tls::Tls;
use crate::{Current, begin, tasks};

/// How many keys one commit of the emptying deletes.
const KEYS_AT_ONCE: usize = 1000;

pub(crate) struct Resetter {
    pub(crate) parts: Arc<Parts>,
    pub(crate) root: TaskGroup,
    pub(crate) front: Arc<Front>,
    pub(crate) current: Arc<Mutex<Option<Current>>>,
    pub(crate) services: Arc<RwLock<Arc<Services>>>,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) wanted: mpsc::Receiver<ResetRequest>,
}

/// Waits for requests and carries them out, one after the other.
pub(crate) fn start(resetter: Resetter) {
    let root = resetter.root.clone();
    let entropy = resetter.parts.entropy.clone();
    let resetter = Arc::new(Mutex::new(resetter));
    root.supervise(&tasks::RESET, entropy, move |mut stop| {
        let resetter = Arc::clone(&resetter);
        async move {
            let mut resetter = resetter.lock().await;
            loop {
                let done = tokio::select! {
                    wanted = resetter.wanted.recv() => match wanted {
                        Some(done) => done,
                        None => return Ok(()),
                    },
                    () = stop.stopped() => return Ok(()),
                };
                resetter.reset().await?;
                // Who asked may have gone.
                done.send(()).ok();
            }
        }
    });
}

impl Resetter {
    async fn reset(&self) -> Result<(), TaskError> {
        let mut current = self.current.lock().await;
        self.front.set(None);
        if let Some(old) = current.take() {
            old.group.shutdown().await;
        }
        empty(&self.parts.stores).await?;
        let (services, new) = begin(&self.parts, &self.root, self.tls.as_ref()).await?;
        *self.services.write().expect("no holder of this lock panics") = Arc::clone(&services);
        self.front.set(Some(services));
        *current = Some(new);
        tracing::info!("the node was reset");
        Ok(())
    }
}

async fn empty(stores: &Stores) -> Result<(), TaskError> {
    loop {
        let page = stores.meta.scan(&[], None, KEYS_AT_ONCE).await?;
        if page.is_empty() {
            break;
        }
        let batch = page.into_iter().fold(Batch::default(), |batch, (key, _)| batch.delete(key));
        stores.meta.commit(batch).await?;
    }
    for log in stores.log.logs("") {
        stores.log.delete(&log).await?;
    }
    let blobs = stores.blobs.list(None).map(|found| found.map(|blob| blob.location)).boxed();
    let mut deleted = stores.blobs.delete_stream(blobs);
    while let Some(result) = deleted.next().await {
        result?;
    }
    Ok(())
}
