//! A rule acting as the role that its action names: assumed for each action, from memory, so that a role that is taken away acts no more.
//!
//! What was assumed serves until it may have changed ([`ports::Roles::epoch`]): for a message that is two loads and a lock that is
//! hardly ever wanted twice (~50 ns), and no allocation.

use std::sync::{Arc, Mutex};

use kernel::{AccountId, Arn, Context, Region, Timestamp};
use ports::{PortError, Roles};

/// The service's principal, as trust policies and iam:PassedToService name it.
pub(crate) const SERVICE: &str = "iot.amazonaws.com";

/// How rules name their sessions of a role: `assumed-role/ROLE/iot`.
const SESSION: &str = "iot";

/// A rule and one of its roles.
pub(crate) struct Acting {
    pub(crate) role: Arn,
    /// The service, in the rule's account and region.
    service: Context,
    rule: Arn,
    held: Mutex<Option<Held>>,
}

struct Held {
    epoch: u64,
    second: i64,
    cx: Arc<Context>,
}

impl Acting {
    pub(crate) fn new(account: &AccountId, region: &Region, rule: &str, role: Arn) -> Self {
        let service = Context::service(account.clone(), region.clone(), SERVICE);
        let rule = service.arn("iot", &format!("rule/{rule}"));
        Self { role, service, rule, held: Mutex::default() }
    }

    /// The circumstances of the role at this moment. A device's address does not go with it.
    ///
    /// # Errors
    /// `Denied` when there is no such role or it does not trust the rule.
    pub(crate) fn assume(&self, roles: &dyn Roles) -> Result<Context, PortError> {
        roles.assume(&self.service, &self.role, SERVICE, SESSION, &self.rule)
    }

    /// The same for an action of which there are thousands a second.
    ///
    /// # Errors
    /// As [`Acting::assume`]; a refusal is not kept.
    pub(crate) fn cx(&self, roles: &dyn Roles, now: Timestamp) -> Result<Arc<Context>, PortError> {
        // Before the role is asked for, so that what is kept is never newer than it says.
        let (epoch, second) = (roles.epoch(), now.as_millis().div_euclid(1000));
        let mut held = self.held.lock().expect("no holder of this lock panics");
        if let Some(held) = held.as_ref().filter(|held| held.epoch == epoch && held.second == second) {
            return Ok(Arc::clone(&held.cx));
        }
        *held = None;
        let cx = Arc::new(self.assume(roles)?);
        *held = Some(Held { epoch, second, cx: Arc::clone(&cx) });
        Ok(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use super::*;
    use crate::testing::{AllRoles, ROLE};

    #[test]
    fn a_role_is_assumed_once_for_as_long_as_the_answer_is_the_same() {
        let roles = AllRoles::default();
        let account = AccountId::default_account();
        let acting = Acting::new(&account, &Region::default_region(), "r", ROLE.parse().unwrap());
        let now = Timestamp::from_millis(1_503_733_632_345);
        let assumed = || roles.assumed.load(Ordering::SeqCst);
        for _ in 0..3 {
            let cx = acting.cx(&roles, now).unwrap();
            assert_eq!(cx.principal.arn(), "arn:aws:sts::1234567890:assumed-role/iot.firehose/iot");
        }
        assert_eq!(assumed(), 1);
        acting.cx(&roles, now + Duration::from_millis(655)).unwrap();
        assert_eq!(assumed(), 2, "policies may speak of the time, to the second");
        roles.set_gone(ROLE, true);
        for _ in 0..2 {
            assert_eq!(acting.cx(&roles, now).unwrap_err().code, "AccessDenied");
        }
        roles.set_gone(ROLE, false);
        acting.cx(&roles, now).unwrap();
        assert_eq!(assumed(), 5);
    }
}
