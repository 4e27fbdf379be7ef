//! The background tasks that the node itself owns; each service lists its own.

use kernel::{OnCancel, OnError, TaskKind};

/// Accepts connections of one HTTP port.
pub(crate) static ACCEPT: TaskKind =
    TaskKind { name: "http-accept", on_cancel: OnCancel::Finish, on_error: OnError::StopNode };

/// Serves one HTTP connection.
pub(crate) static CONNECTION: TaskKind =
    TaskKind { name: "http-connection", on_cancel: OnCancel::Finish, on_error: OnError::Log };

/// Empties the node when asked to.
pub(crate) static RESET: TaskKind =
    TaskKind { name: "reset", on_cancel: OnCancel::Finish, on_error: OnError::StopNode };
