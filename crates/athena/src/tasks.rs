//! What runs here in the background.

use kernel::{OnCancel, OnError, TaskKind};

/// One per execution. Dropped when the node stops; the next start finds the execution interrupted.
pub(crate) static QUERY: TaskKind =
    TaskKind { name: "athena-query", on_cancel: OnCancel::Abort, on_error: OnError::Log };

/// Forgets old executions.
pub(crate) static SWEEPER: TaskKind =
    TaskKind { name: "athena-sweeper", on_cancel: OnCancel::Abort, on_error: OnError::Restart };
