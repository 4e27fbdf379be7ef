//! When and for what an access key was last used, as far as is known since the node started.
//!
//! Differs from AWS: it is not kept over a restart.

use std::collections::HashMap;
use std::sync::Mutex;

use kernel::Timestamp;

use crate::limits::LAST_USES_MAX;

/// The last use of a key.
#[derive(Clone, Debug)]
pub(crate) struct LastUse {
    pub(crate) at: Timestamp,
    /// `s3`
    pub(crate) service: String,
    pub(crate) region: String,
}

/// By access key.
#[derive(Default)]
pub(crate) struct LastUses(Mutex<HashMap<String, LastUse>>);

impl LastUses {
    pub(crate) fn used(&self, id: &str, last: LastUse) {
        let mut uses = self.0.lock().expect("no holder of this lock panics");
        if uses.len() < LAST_USES_MAX || uses.contains_key(id) {
            uses.insert(id.to_owned(), last);
        }
    }

    pub(crate) fn of(&self, id: &str) -> Option<LastUse> {
        self.0.lock().expect("no holder of this lock panics").get(id).cloned()
    }
}
