//! What runs in the background.

use std::sync::Arc;
use std::time::Duration;

use kernel::{OnCancel, OnError, TaskGroup, TaskKind};

use crate::S3;

/// Deletes blobs that nothing names: a reconciler.
pub static DELETE_ORPHANS: TaskKind =
    TaskKind { name: "s3-delete-orphans", on_cancel: OnCancel::Abort, on_error: OnError::Restart };

/// Counts the objects of each bucket: a reconciler of the gauge.
pub static COUNT_OBJECTS: TaskKind =
    TaskKind { name: "s3-count-objects", on_cancel: OnCancel::Abort, on_error: OnError::Restart };

const PERIOD: Duration = Duration::from_secs(60 * 60);

impl S3 {
    /// Starts the reconcilers.
    pub fn start(self: &Arc<Self>, group: &TaskGroup) {
        let s3 = Arc::clone(self);
        group.supervise(&COUNT_OBJECTS, self.entropy.clone(), move |_| {
            let s3 = Arc::clone(&s3);
            async move {
                loop {
                    s3.count_objects().await?;
                    s3.clock.sleep(PERIOD).await;
                }
            }
        });
        let s3 = Arc::clone(self);
        group.supervise(&DELETE_ORPHANS, self.entropy.clone(), move |_| {
            let s3 = Arc::clone(&s3);
            async move {
                loop {
                    // Nothing that an earlier run left behind is old enough at the start.
                    s3.clock.sleep(PERIOD).await;
                    s3.delete_orphans().await?;
                }
            }
        });
    }
}
