//! What runs here in the background.

use kernel::{OnCancel, OnError, TaskKind};

/// One per stream: intake log → object → trim. Ends between steps; nothing is flushed, since all of it is durable.
pub(crate) static PUMP: TaskKind =
    TaskKind { name: "firehose-pump", on_cancel: OnCancel::Finish, on_error: OnError::Restart };

/// Makes the registry equal to the store, and logs without a stream disappear.
pub(crate) static RECONCILER: TaskKind =
    TaskKind { name: "firehose-reconciler", on_cancel: OnCancel::Abort, on_error: OnError::Restart };

/// Reads the gauges.
pub(crate) static METER: TaskKind =
    TaskKind { name: "firehose-meter", on_cancel: OnCancel::Abort, on_error: OnError::Restart };
