//! What runs here in the background.

use kernel::{OnCancel, OnError, TaskKind};

/// Takes what was appended to the log into memory. Without it nothing new is seen, but nothing is lost either.
pub(crate) static APPLIER: TaskKind =
    TaskKind { name: "cloudwatch-applier", on_cancel: OnCancel::Abort, on_error: OnError::Restart };

/// Writes what is in memory into chunks, trims the log, rolls old chunks up.
pub(crate) static KEEPER: TaskKind =
    TaskKind { name: "cloudwatch-keeper", on_cancel: OnCancel::Abort, on_error: OnError::Restart };

/// Turns the node's counters into metrics, once a minute.
pub(crate) static SAMPLER: TaskKind =
    TaskKind { name: "cloudwatch-sampler", on_cancel: OnCancel::Abort, on_error: OnError::Restart };
