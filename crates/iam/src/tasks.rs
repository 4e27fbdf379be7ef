//! What runs here in the background.

use kernel::{OnCancel, OnError, TaskKind};

/// Stores what was used.
pub(crate) static USES: TaskKind =
    TaskKind { name: "iam-uses", on_cancel: OnCancel::Finish, on_error: OnError::Restart };
