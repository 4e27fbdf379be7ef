//! What runs here in the background.

use kernel::{OnCancel, OnError, TaskKind};

/// Queue → action → trim. Finishes the attempts under way; what is not done stays in the queue.
pub(crate) static PUMP: TaskKind =
    TaskKind { name: "rules-pump", on_cancel: OnCancel::Finish, on_error: OnError::Restart };
