//! What other services ask: to act through a role, and whether a caller may hand them one.

use kernel::{Arn, Context, ErrorKind, Principal};
use policy::{Caller, Request, ResourcePolicy, Silence, Verdict};
use ports::{PortError, Roles};
use wire::authorize::Denied;
use wire::{Authorize, Facts, Resource};

use crate::audit::Missing;
use crate::entity::Role;
use crate::{Iam, Mode};

impl Roles for Iam {
    /// In [`Mode::Audit`] a role that is not there or does not trust the service is recorded, and acts all the same.
    fn assume(
        &self,
        cx: &Context,
        role: &Arn,
        service: &'static str,
        session: &str,
    ) -> Result<Context, PortError> {
        if self.mode != Mode::Off && !self.trusts(cx, role, service) {
            let said =
                format!("User: {service} is not authorized to perform: sts:AssumeRole on resource: {role}");
            if self.mode == Mode::Enforce {
                return Err(PortError::new(ErrorKind::Denied, "AccessDenied", said));
            }
            let denied = Denied {
                user: service.to_owned(),
                action: "sts:AssumeRole".to_owned(),
                resource: role.to_string(),
                reason: "because no role trust policy allows the sts:AssumeRole action".to_owned(),
            };
            self.audit.denied(denied, Missing::trust(service), self.clock.now());
        }
        let (account, role, session) = (cx.account.clone(), role.clone(), session.to_owned());
        Ok(cx.with_principal(Principal::Role { account, role, session }))
    }

    fn check_pass_role(&self, cx: &Context, role: &Arn, service: &str) -> Result<(), PortError> {
        let keys = [("iam:PassedToService", vec![service.to_owned()])];
        let facts = Facts { keys: &keys, ..Facts::default() };
        let resource = Resource::Arn(role.clone());
        self.authorize_with(cx, "iam:PassRole", &resource, &facts)
            .map_err(|denied| PortError::new(ErrorKind::Denied, "AccessDenied", denied.to_string()))
    }
}

impl Iam {
    fn trusts(&self, cx: &Context, role: &Arn, service: &str) -> bool {
        let trust = match self.directory().by_arn::<Role>(role.as_str()) {
            Some((owner, held)) if owner == cx.account => held.trust(),
            _ => return false,
        };
        let context = policy::Context::new().with("aws:SourceAccount", cx.account.as_str());
        let policies = policy::Policies {
            resource: Some(ResourcePolicy {
                document: Some(&trust),
                owner: cx.account.as_str(),
                silence: Silence::Refuses,
            }),
            ..policy::Policies::default()
        };
        let request = Request { action: "sts:AssumeRole", resource: role.as_str(), context: &context };
        let caller = Caller::Service { name: service.to_owned() };
        policy::authorize(&policies, &caller, &request) == Verdict::Allow
    }
}
