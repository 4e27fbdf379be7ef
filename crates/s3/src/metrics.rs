//! What this crate counts.

use kernel::metrics::Metric;

/// Objects stored by PutObject, CopyObject, CompleteMultipartUpload and in process.
pub static PUT_OBJECTS: Metric =
    Metric { name: "s3_put_objects_total", help: "Objects stored, new or replaced.", labels: &["bucket"] };

/// Objects in each bucket. Counted in the background after a start and every hour, kept up to date in between: for a moment after a
/// start it lags, and a change that races with a count may be seen twice until the next one.
pub static OBJECTS: Metric =
    Metric { name: "s3_objects", help: "Objects in the bucket.", labels: &["bucket"] };

/// Blobs deleted because no entity named them.
pub static ORPHANS: Metric = Metric {
    name: "s3_orphan_blobs_deleted_total",
    help: "Blobs deleted because nothing named them: leftovers of interrupted requests.",
    labels: &[],
};
