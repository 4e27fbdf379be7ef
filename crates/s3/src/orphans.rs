//! Deletes blobs that nothing names: what is left of requests that a crash or a failure interrupted between blob and entity.
//!
//! 1. A blob is looked at when it is an hour old, so that no request in flight loses the one it just wrote.
//! 2. A blob named by an object or a part is never deleted. An entity never passes its blob on to another entity, so a scan that is not of
//!    one moment still sees every blob that is named throughout.
//! 3. At most [`CANDIDATES_MAX`] names are in memory: more blobs mean more rounds.

use std::collections::HashSet;
use std::time::Duration;

use futures::StreamExt;
use kernel::Timestamp;
use object_store::path::Path;

use crate::content::Content;
use crate::metrics::ORPHANS;
use crate::{Error, S3};

const AGE_MIN: Duration = Duration::from_secs(60 * 60);
const CANDIDATES_MAX: usize = 100_000;
const PAGE: usize = 1000;

impl S3 {
    /// Deletes every orphan.
    pub(crate) async fn delete_orphans(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let mut blobs = self.blobs.list(Some(&Path::from("objects"))).chunks(CANDIDATES_MAX);
        while let Some(chunk) = blobs.next().await {
            let mut candidates = HashSet::new();
            for blob in chunk {
                let blob = match blob {
                    Ok(blob) => blob,
                    // Deleted while it was listed.
                    Err(object_store::Error::NotFound { .. }) => continue,
                    Err(error) => return Err(error.into()),
                };
                let written_at = Timestamp::from_millis(blob.last_modified.timestamp_millis());
                if now.since(written_at) > AGE_MIN {
                    candidates.insert(blob.location.to_string());
                }
            }
            self.delete_unnamed(candidates).await?;
        }
        Ok(())
    }

    async fn delete_unnamed(&self, mut candidates: HashSet<String>) -> Result<(), Error> {
        if candidates.is_empty() {
            return Ok(());
        }
        let mut after: Option<String> = None;
        loop {
            let page = self.objects.page(&[], "", after.as_deref(), PAGE).await?;
            for (_, stored) in &page {
                if let Content::Blob(blob) = &stored.entity.content {
                    candidates.remove(blob);
                }
            }
            if page.len() < PAGE {
                break;
            }
            after = page.into_iter().next_back().map(|(parts, _)| parts.join("\0"));
        }
        let mut after: Option<String> = None;
        loop {
            let page = self.parts.page(&[], "", after.as_deref(), PAGE).await?;
            for (_, stored) in &page {
                candidates.remove(&stored.entity.blob);
            }
            if page.len() < PAGE {
                break;
            }
            after = page.into_iter().next_back().map(|(parts, _)| parts.join("\0"));
        }
        if !candidates.is_empty() {
            tracing::info!(blobs = candidates.len(), "deleting blobs that nothing names");
            self.metrics.counter(&ORPHANS, &[]).add(candidates.len() as u64);
            let orphans: Vec<String> = candidates.into_iter().collect();
            self.discard(&orphans).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::Clock;
    use object_store::ObjectStoreExt;

    use super::*;
    use crate::testing::Client;

    #[tokio::test]
    async fn only_what_is_old_and_unnamed_is_deleted() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        let upload = client.call("POST", "/lake/m?uploads", &[], "").await.expect("200");
        let upload_id = upload.element("UploadId").unwrap();
        client.put(&format!("/lake/m?partNumber=1&uploadId={upload_id}"), "x").await.expect("200");
        let orphan = Path::from("objects/00/000000000000000000000000000000");
        client.blobs.put(&orphan, "lost".into()).await.unwrap();
        // Blobs in memory are dated by the system's clock.
        let written_at = client.blobs.head(&orphan).await.unwrap().last_modified.timestamp_millis();
        let lag = Timestamp::from_millis(written_at).since(client.clock.now());
        client.clock.advance(lag + Duration::from_secs(59 * 60));
        client.s3.delete_orphans().await.unwrap();
        assert_eq!(client.blobs().await, 3);
        client.clock.advance(Duration::from_secs(2 * 60));
        client.s3.delete_orphans().await.unwrap();
        assert_eq!(client.blobs().await, 2);
        assert_eq!(client.metrics.counter(&ORPHANS, &[]).value(), 1);
        assert_eq!(client.get("/lake/k").await.text(), "hello");
    }
}
