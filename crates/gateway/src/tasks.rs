//! What runs here in the background.

use kernel::{OnCancel, OnError, TaskKind};

/// Takes connections of one listener.
pub(crate) static ACCEPT: TaskKind =
    TaskKind { name: "gateway-accept", on_cancel: OnCancel::Finish, on_error: OnError::StopNode };

/// One connection of a device. Says goodbye and keeps its session when it is stopped.
pub(crate) static CONNECTION: TaskKind =
    TaskKind { name: "gateway-connection", on_cancel: OnCancel::Finish, on_error: OnError::Log };

/// One connection of an HTTPS publisher. Finishes the request at hand when it is stopped.
pub(crate) static HTTPS_CONNECTION: TaskKind =
    TaskKind { name: "gateway-https-connection", on_cancel: OnCancel::Finish, on_error: OnError::Log };

/// Ends sessions that have expired and publishes wills that have waited.
pub(crate) static REAPER: TaskKind =
    TaskKind { name: "gateway-reaper", on_cancel: OnCancel::Abort, on_error: OnError::Restart };

/// Renews the certificate that the TLS ports present.
pub(crate) static SERVER_CERTIFICATE: TaskKind =
    TaskKind { name: "gateway-server-certificate", on_cancel: OnCancel::Abort, on_error: OnError::Restart };

/// Tells connections that their certificate or its policies have changed.
pub(crate) static CERTIFICATES: TaskKind =
    TaskKind { name: "gateway-certificates", on_cancel: OnCancel::Abort, on_error: OnError::Restart };
