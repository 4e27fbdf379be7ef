//! Who was found to be allowed to put records into a stream: a rule puts thousands a second, and the answer stays the same for as
//! long as nothing that it comes from changes ([`ports::Roles::epoch`]).
//!
//! Only a yes is remembered, and only a role's that a service acts through: into that go the role, the stream, and the second.

use std::sync::Mutex;

use kernel::{Context, Principal, Timestamp};
use ports::PutAs;

use crate::limits;

/// When a decision was made, as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    epoch: u64,
    second: i64,
}

impl Moment {
    pub(crate) fn new(epoch: u64, now: Timestamp) -> Self {
        Self { epoch, second: now.as_millis().div_euclid(1000) }
    }
}

/// The roles that may put at one moment.
#[derive(Default)]
pub(crate) struct Allowed(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    at: Moment,
    callers: Vec<(Principal, PutAs)>,
}

impl Allowed {
    pub(crate) fn contains(&self, at: Moment, cx: &Context, put_as: PutAs) -> bool {
        let remembered = self.0.lock().expect("no holder of this lock panics");
        remembered.at == at
            && remembered.callers.iter().any(|(who, how)| *how == put_as && *who == cx.principal)
    }

    pub(crate) fn insert(&self, at: Moment, cx: &Context, put_as: PutAs) {
        let by_role = matches!(cx.principal, Principal::Role { .. }) && cx.source_ip.is_none() && cx.secure;
        let mut remembered = self.0.lock().expect("no holder of this lock panics");
        if remembered.at != at {
            *remembered = Remembered { at, callers: Vec::new() };
        }
        if by_role && remembered.callers.len() < limits::CALLERS_REMEMBERED_MAX {
            remembered.callers.push((cx.principal.clone(), put_as));
        }
    }
}
