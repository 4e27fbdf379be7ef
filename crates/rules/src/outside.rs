//! The services that actions reach, through their ports.

use std::sync::{Arc, OnceLock, Weak};

use kernel::{Clock, ErrorKind};
use ports::{Objects, PortError, Publish, PutRecords, Roles};

/// What lies beyond the rules.
pub(crate) struct Outside {
    pub(crate) records: Arc<dyn PutRecords>,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) roles: Arc<dyn Roles>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Weak, because the gateway holds the rules.
    pub(crate) publish: OnceLock<Weak<dyn Publish>>,
}

impl Outside {
    /// # Errors
    /// `Unavailable` before the gateway is there and after it is gone.
    pub(crate) fn publish(&self) -> Result<Arc<dyn Publish>, PortError> {
        self.publish.get().and_then(Weak::upgrade).ok_or_else(|| {
            PortError::new(
                ErrorKind::Unavailable,
                "ServiceUnavailableException",
                "The device gateway is not running.",
            )
        })
    }
}
