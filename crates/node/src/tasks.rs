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

/// Keeps the certificate of the HTTP ports good.
pub(crate) static CERTIFICATE: TaskKind =
    TaskKind { name: "http-certificate", on_cancel: OnCancel::Finish, on_error: OnError::Restart };

/// Measures the room on the disk.
pub(crate) static MEASURE: TaskKind =
    TaskKind { name: "disk-measure", on_cancel: OnCancel::Abort, on_error: OnError::Log };
